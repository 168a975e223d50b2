package main

import (
	"context"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	sallyport "sallyport.example/go-gateway/gen/sallyport/v1"
)

// answering is a Sallyport that answers every Authorize alike.
type answering struct {
	sallyport.UnimplementedAuthorizationServiceServer
	answer func(context.Context) (*sallyport.AuthorizeResponse, error)
}

func (a answering) Authorize(ctx context.Context, _ *sallyport.AuthorizeRequest) (*sallyport.AuthorizeResponse, error) {
	return a.answer(ctx)
}

var allow = &sallyport.AuthorizeResponse{Decision: &sallyport.Decision{
	Effect: sallyport.Effect_EFFECT_ALLOW, Reason: sallyport.DecisionReason_DECISION_REASON_GRANTED,
	Subject: &sallyport.Subject{Type: "user", Id: "é 7"},
}}

// start gives a gateway in front of an application that keeps the headers it was sent. answer nil: nothing listens where Sallyport should be.
func start(t *testing.T, answer func(context.Context) (*sallyport.AuthorizeResponse, error)) (*Gateway, *http.Header) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	if answer == nil {
		listener.Close()
	} else {
		server := grpc.NewServer()
		sallyport.RegisterAuthorizationServiceServer(server, answering{answer: answer})
		go server.Serve(listener)
		t.Cleanup(server.Stop)
	}
	conn, err := Connect(listener.Addr().String(), "sk_test", "")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close() })
	seen := new(http.Header)
	application := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) { *seen = request.Header }))
	t.Cleanup(application.Close)
	upstream, err := url.Parse(application.URL)
	if err != nil {
		t.Fatal(err)
	}
	routes := []Route{{Method: "GET", Path: "/a", Permission: "a:read"}, {Method: "GET", Path: "/open", Public: true}}
	quiet := slog.New(slog.NewTextHandler(io.Discard, nil))
	return NewGateway(routes, newDecider(conn, "default", "", nil), upstream, "__Host-session", 2*time.Second, quiet), seen
}

func get(gateway *Gateway, path string, headers http.Header) int {
	request := httptest.NewRequest("GET", path, nil)
	request.Header = headers
	recorder := httptest.NewRecorder()
	gateway.ServeHTTP(recorder, request)
	return recorder.Code
}

func TestWhateverIsNotAnAllowReachesNoApplication(t *testing.T) {
	fault := func(code codes.Code) func(context.Context) (*sallyport.AuthorizeResponse, error) {
		return func(context.Context) (*sallyport.AuthorizeResponse, error) { return nil, status.Error(code, "no") }
	}
	decided := func(decision *sallyport.Decision) func(context.Context) (*sallyport.AuthorizeResponse, error) {
		return func(context.Context) (*sallyport.AuthorizeResponse, error) {
			return &sallyport.AuthorizeResponse{Decision: decision}, nil
		}
	}
	for name, c := range map[string]struct {
		answer func(context.Context) (*sallyport.AuthorizeResponse, error)
		want   int
	}{
		"nothing listens":                  {nil, 503},
		"unavailable":                      {fault(codes.Unavailable), 503},
		"the gateway's own key is refused": {fault(codes.Unauthenticated), 503},
		"the gateway may not ask":          {fault(codes.PermissionDenied), 503},
		"overloaded":                       {fault(codes.ResourceExhausted), 503},
		"internal":                         {fault(codes.Internal), 503},
		"unreadable question":              {fault(codes.InvalidArgument), 400},
		"no answer in time": {func(ctx context.Context) (*sallyport.AuthorizeResponse, error) {
			<-ctx.Done()
			return allow, nil
		}, 503},
		"no decision":           {decided(nil), 403},
		"no effect":             {decided(&sallyport.Decision{Subject: allow.Decision.Subject}), 403},
		"allowed for nobody":    {decided(&sallyport.Decision{Effect: sallyport.Effect_EFFECT_ALLOW}), 403},
		"an effect of later":    {decided(&sallyport.Decision{Effect: 7, Subject: allow.Decision.Subject}), 403},
		"an invalid credential": {decided(&sallyport.Decision{Reason: sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_INVALID}), 401},
		"a limited credential":  {decided(&sallyport.Decision{Reason: sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_RATE_LIMITED}), 429},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			gateway, seen := start(t, c.answer)
			if got := get(gateway, "/a", http.Header{"Authorization": {"Bearer a.b.c"}}); got != c.want || *seen != nil {
				t.Errorf("%d, not %d; the application saw %v", got, c.want, *seen)
			}
		})
	}
}

func TestTheApplicationIsToldTheSubjectAndNothingThatTheClientMadeUp(t *testing.T) {
	gateway, seen := start(t, func(context.Context) (*sallyport.AuthorizeResponse, error) { return allow, nil })
	sent := func() http.Header {
		return http.Header{
			"Authorization": {"Bearer a.b.c"}, "Cookie": {"__Host-session=ss_x; theme=dark"}, "Connection": {"X-Sallyport-Subject"},
			"X-Sallyport-Subject": {"user:root"}, "X_sallyport_subject": {"user:root"}, "X-Sallyport-Roles": {"admin"},
			"X-Http-Method-Override": {"DELETE"},
		}
	}
	for path, subject := range map[string]string{"/a": "user:%C3%A9%207", "/open": ""} {
		if got := get(gateway, path, sent()); got != 200 {
			t.Fatal(path, got)
		}
		if got := seen.Get("X-Sallyport-Subject"); got != subject {
			t.Errorf("%s: subject %q", path, got)
		}
		if got := seen.Get("Cookie"); got != "theme=dark" {
			t.Errorf("%s: cookie %q", path, got)
		}
		for _, name := range []string{"Authorization", "X_sallyport_subject", "X-Sallyport-Roles", "X-Http-Method-Override"} {
			if values, there := (*seen)[name]; there {
				t.Errorf("%s: %s %v", path, name, values)
			}
		}
	}
}

func TestOneCredentialCountsAndABadOneIsNotMadeUpForByTheNext(t *testing.T) {
	for name, c := range map[string]struct {
		headers http.Header
		want    credential
	}{
		"nothing":           {http.Header{}, credential{}},
		"token":             {http.Header{"Authorization": {"bearer a.b.c"}}, credential{accessToken, "a.b.c"}},
		"key as bearer":     {http.Header{"Authorization": {"Bearer sk_live_1"}}, credential{apiKey, "sk_live_1"}},
		"key":               {http.Header{"X-Api-Key": {"sk_live_1"}}, credential{apiKey, "sk_live_1"}},
		"session":           {http.Header{"Cookie": {"__Host-session=ss_1"}}, credential{sessionToken, "ss_1"}},
		"token before rest": {http.Header{"Authorization": {"Bearer a.b.c"}, "X-Api-Key": {"sk_1"}}, credential{accessToken, "a.b.c"}},
		"another scheme":    {http.Header{"Authorization": {"Basic eDp5"}, "X-Api-Key": {"sk_1"}}, credential{kind: unusable}},
		"two tokens":        {http.Header{"Authorization": {"Bearer a", "Bearer b"}}, credential{kind: unusable}},
		"two sessions":      {http.Header{"Cookie": {"__Host-session=a; __Host-session=b"}}, credential{kind: unusable}},
	} {
		if got := presentedCredential(&http.Request{Header: c.headers}, "__Host-session"); got != c.want {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
