package main

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/keepalive"
	"google.golang.org/grpc/metadata"
)

// serviceConfig: decisions change nothing, so they are repeated while a replica is away, all inside the deadline of the request
// (docs/clients.md, "Deadlines, retries, keepalive").
const serviceConfig = `{
  "loadBalancingConfig": [{"round_robin": {}}],
  "methodConfig": [{
    "name": [
      {"service": "sallyport.v1.AuthorizationService", "method": "Authorize"},
      {"service": "sallyport.v1.ApiKeyService", "method": "VerifyApiKey"},
      {"service": "sallyport.v1.SessionService", "method": "VerifySession"},
      {"service": "sallyport.v1.TokenService", "method": "VerifyToken"}
    ],
    "retryPolicy": {
      "maxAttempts": 3,
      "initialBackoff": "0.05s",
      "maxBackoff": "1s",
      "backoffMultiplier": 4,
      "retryableStatusCodes": ["UNAVAILABLE"]
    }
  }]
}`

// Connect makes the one channel of the process. It connects by itself, and again whenever Sallyport was away. caFile is the PEM file of
// the authority of Sallyport's certificate; empty: no TLS, which is for 127.0.0.1 and meshes that encrypt.
func Connect(address, key, caFile string) (*grpc.ClientConn, error) {
	transport := insecure.NewCredentials()
	if caFile != "" {
		pem, err := os.ReadFile(caFile)
		if err != nil {
			return nil, err
		}
		roots := x509.NewCertPool()
		if !roots.AppendCertsFromPEM(pem) {
			return nil, errors.New("no certificate in " + caFile)
		}
		transport = credentials.NewTLS(&tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12})
	}
	return grpc.NewClient(address,
		grpc.WithTransportCredentials(transport),
		grpc.WithDefaultServiceConfig(serviceConfig),
		// Names in DNS say where Sallyport is, not how to call it.
		grpc.WithDisableServiceConfig(),
		grpc.WithKeepaliveParams(keepalive.ClientParameters{
			Time: 30 * time.Second, Timeout: 10 * time.Second, PermitWithoutStream: true,
		}),
		// After a restart the first requests are refused for a second at most, not for gRPC's own 120.
		grpc.WithConnectParams(grpc.ConnectParams{
			Backoff:           backoff.Config{BaseDelay: 100 * time.Millisecond, Multiplier: 1.6, Jitter: 0.2, MaxDelay: time.Second},
			MinConnectTimeout: time.Second,
		}),
		grpc.WithUnaryInterceptor(func(ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
			invoke grpc.UnaryInvoker, options ...grpc.CallOption) error {
			return invoke(metadata.AppendToOutgoingContext(ctx, "authorization", "Bearer "+key), method, request, reply, conn, options...)
		}),
	)
}
