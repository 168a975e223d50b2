// Verifies each token of the environment against the JWKS of one issuer, as a service that uses go-oidc would.
package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log"
	"os"

	"github.com/coreos/go-oidc/v3/oidc"
)

func main() {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, os.Getenv("ISSUER"))
	if err != nil {
		log.Fatal(err)
	}
	verifier := provider.VerifierContext(ctx, &oidc.Config{ClientID: os.Getenv("AUDIENCE")})
	var tokens []string
	if err := json.Unmarshal([]byte(os.Getenv("TOKENS")), &tokens); err != nil {
		log.Fatal(err)
	}
	verdicts := []string{}
	for _, token := range tokens {
		verified, err := verifier.Verify(ctx, token)
		if err != nil {
			verdicts = append(verdicts, "refused")
		} else {
			verdicts = append(verdicts, verified.Subject)
		}
	}
	answer, err := json.Marshal(verdicts)
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(answer))
}
