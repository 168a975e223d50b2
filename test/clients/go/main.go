// Command main makes the six calls of Sallyport with stubs generated from its proto and prints what it was told, as JSON.
// It is what a Go team would write; test/clients/go.test.ts runs it.
package main

import (
	"context"
	"encoding/json"
	"log"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"

	sallyport "sallyport/v1"
)

func main() {
	connection, err := grpc.NewClient(os.Getenv("ADDRESS"), grpc.WithTransportCredentials(insecure.NewCredentials()))
	check(err)
	defer connection.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 20*time.Second)
	defer cancel()
	ctx = metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+os.Getenv("KEY"))

	answers := map[string]string{}
	proof := login(ctx, sallyport.NewAuthenticationServiceClient(connection), answers)
	tokens(ctx, sallyport.NewTokenServiceClient(connection), proof, answers)

	permission := "documents:read"
	decision, err := sallyport.NewAuthorizationServiceClient(connection).Authorize(ctx, &sallyport.AuthorizeRequest{
		Principal:  &sallyport.Principal{Identity: &sallyport.Principal_Subject{Subject: &sallyport.Subject{Type: "user", Id: os.Getenv("USER_ID")}}},
		Permission: permission,
	})
	check(err)
	answers["Authorize"] = decision.GetDecision().GetEffect().String()

	key, err := sallyport.NewApiKeyServiceClient(connection).VerifyApiKey(ctx, &sallyport.VerifyApiKeyRequest{ApiKey: os.Getenv("API_KEY"), Permission: permission})
	check(err)
	answers["VerifyApiKey"] = key.GetDecision().GetEffect().String()

	check(json.NewEncoder(os.Stdout).Encode(answers))
}

func login(ctx context.Context, client sallyport.AuthenticationServiceClient, answers map[string]string) string {
	first, err := client.Authenticate(ctx, &sallyport.AuthenticateRequest{
		Credential: &sallyport.AuthenticateRequest_Password{
			Password: &sallyport.PasswordCredential{Identifier: os.Getenv("IDENTIFIER"), Password: os.Getenv("PASSWORD")},
		},
	})
	check(err)
	if first.GetChallenge() != nil {
		answers["Authenticate"] = "challenge"
	}
	second, err := client.VerifyTotp(ctx, &sallyport.VerifyTotpRequest{
		Target: &sallyport.VerifyTotpRequest_ChallengeToken{ChallengeToken: first.GetChallenge().GetChallengeToken()},
		Code:   &sallyport.VerifyTotpRequest_TotpCode{TotpCode: os.Getenv("TOTP_CODE")},
	})
	check(err)
	if second.GetAuthenticated() != nil {
		answers["VerifyTotp"] = "authenticated"
	}
	return second.GetAuthenticated().GetAuthenticationToken()
}

func tokens(ctx context.Context, client sallyport.TokenServiceClient, proof string, answers map[string]string) {
	issued, err := client.IssueTokens(ctx, &sallyport.IssueTokensRequest{
		Proof:   &sallyport.IssueTokensRequest_AuthenticationToken{AuthenticationToken: proof},
		Options: &sallyport.TokenOptions{Audience: []string{"clients"}},
	})
	check(err)
	if issued.GetTokens() != nil {
		answers["IssueTokens"] = "tokens"
	}
	rotated, err := client.RotateRefresh(ctx, &sallyport.RotateRefreshRequest{RefreshToken: issued.GetTokens().GetRefreshToken()})
	check(err)
	if next := rotated.GetTokens(); next != nil && next.GetRefreshToken() != issued.GetTokens().GetRefreshToken() {
		answers["RotateRefresh"] = "tokens"
	}
}

func check(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
