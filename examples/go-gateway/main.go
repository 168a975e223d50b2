// Command go-gateway is a reverse proxy that asks Sallyport about each request before it reaches the application.
package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// drainTime is how long requests that have begun may take after SIGTERM.
const drainTime = 10 * time.Second

func main() {
	log := slog.New(slog.NewJSONHandler(os.Stderr, nil))
	if err := run(log); err != nil {
		log.Error("ended", "error", err)
		os.Exit(1)
	}
}

func run(log *slog.Logger) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGINT, syscall.SIGTERM)
	defer stop()
	table, err := os.ReadFile(cmp.Or(os.Getenv("GATEWAY_ROUTES"), "routes.json"))
	if err != nil {
		return err
	}
	routes, err := ReadRoutes(table)
	if err != nil {
		return err
	}
	upstream, err := url.Parse(os.Getenv("GATEWAY_UPSTREAM"))
	if err != nil || upstream.Host == "" {
		return errors.New("GATEWAY_UPSTREAM must be the URL of the application")
	}
	deadline, err := time.ParseDuration(cmp.Or(os.Getenv("GATEWAY_DEADLINE"), "1s"))
	if err != nil || deadline <= 0 {
		return errors.New("GATEWAY_DEADLINE must be a duration like 1s")
	}
	address, key := os.Getenv("SALLYPORT_CLIENT_ADDRESS"), os.Getenv("SALLYPORT_CLIENT_API_KEY")
	if address == "" || key == "" {
		return errors.New("SALLYPORT_CLIENT_ADDRESS and SALLYPORT_CLIENT_API_KEY must be set")
	}
	conn, err := Connect(address, key, os.Getenv("SALLYPORT_CLIENT_CA_FILE"))
	if err != nil {
		return err
	}
	defer conn.Close()
	decider := newDecider(conn, cmp.Or(os.Getenv("GATEWAY_TENANT"), "default"), os.Getenv("GATEWAY_AUDIENCE"),
		strings.Fields(os.Getenv("GATEWAY_ORIGINS")))
	gateway := NewGateway(routes, decider, upstream, cmp.Or(os.Getenv("GATEWAY_COOKIE"), "__Host-session"), deadline, log)
	return serve(ctx, gateway, cmp.Or(os.Getenv("GATEWAY_ADDRESS"), "127.0.0.1:8000"))
}

// serve returns after a signal, when the requests that had begun are answered.
func serve(ctx context.Context, gateway *Gateway, address string) error {
	listener, err := net.Listen("tcp", address)
	if err != nil {
		return err
	}
	server := &http.Server{
		Handler: gateway, ReadHeaderTimeout: 5 * time.Second, IdleTimeout: time.Minute, MaxHeaderBytes: 32 << 10,
	}
	fmt.Println("ready", listener.Addr())
	ended := make(chan error, 1)
	go func() { ended <- server.Serve(listener) }()
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
	}
	last, cancel := context.WithTimeout(context.Background(), drainTime)
	defer cancel()
	return server.Shutdown(last)
}
