package main

import (
	"context"
	"encoding/json"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/httputil"
	"net/url"
	"strings"
	"time"

	sallyport "sallyport.example/go-gateway/gen/sallyport/v1"
)

// Gateway passes to the application what Sallyport allows and answers everything else itself.
type Gateway struct {
	routes  []Route
	decider *decider
	cookie  string
	// deadline of all questions of one request together.
	deadline time.Duration
	proxy    *httputil.ReverseProxy
	log      *slog.Logger
}

// passed is what the proxy needs of a request that may pass.
type passed struct {
	path    string
	subject *sallyport.Subject
}

type passedKey struct{}

// NewGateway makes the handler. cookie is the name of the session cookie.
func NewGateway(routes []Route, decider *decider, upstream *url.URL, cookie string, deadline time.Duration, log *slog.Logger) *Gateway {
	gateway := &Gateway{routes: routes, decider: decider, cookie: cookie, deadline: deadline, log: log}
	gateway.proxy = &httputil.ReverseProxy{
		Rewrite: func(request *httputil.ProxyRequest) {
			// Only ServeHTTP calls the proxy; without its mark this is a mistake that must not pass.
			pass := request.In.Context().Value(passedKey{}).(passed)
			request.Out.URL.Path, request.Out.URL.RawPath = pass.path, ""
			request.SetURL(upstream)
			request.SetXForwarded()
			gateway.cleanHeaders(request.Out)
			if pass.subject != nil {
				request.Out.Header.Set("X-Sallyport-Subject", subjectText(pass.subject))
			}
		},
		Transport: &http.Transport{
			DialContext:           (&net.Dialer{Timeout: 2 * time.Second}).DialContext,
			ResponseHeaderTimeout: 30 * time.Second,
			MaxIdleConnsPerHost:   64,
			IdleConnTimeout:       60 * time.Second,
		},
		ErrorHandler: func(response http.ResponseWriter, request *http.Request, err error) {
			log.Warn("the application does not answer", "error", err)
			refuse(response, http.StatusBadGateway)
		},
	}
	return gateway
}

func (g *Gateway) ServeHTTP(response http.ResponseWriter, request *http.Request) {
	if request.URL.Path == "/healthz" {
		// About this process alone. Sallyport's absence is not in it: it would take away every gateway at once, and the answer to a
		// request is 503 either way.
		response.WriteHeader(http.StatusOK)
		return
	}
	cleaned, err := CleanPath(request.URL.Path, request.URL.EscapedPath())
	if err != nil {
		refuse(response, http.StatusBadRequest)
		return
	}
	question, found := Match(g.routes, request.Method, cleaned)
	if !found {
		refuse(response, http.StatusForbidden)
		return
	}
	pass := passed{path: cleaned}
	if !question.Public {
		answer := g.ask(request, question, cleaned)
		if answer.err != nil {
			g.log.Warn("no decision", "status", answer.status, "error", answer.err)
		}
		if answer.status != http.StatusOK {
			refuse(response, answer.status)
			return
		}
		pass.subject = answer.subject
	}
	g.proxy.ServeHTTP(response, request.WithContext(context.WithValue(request.Context(), passedKey{}, pass)))
}

func (g *Gateway) ask(request *http.Request, question Question, cleaned string) verdict {
	ctx, cancel := context.WithTimeout(request.Context(), g.deadline)
	defer cancel()
	attributes := map[string]any{"method": request.Method, "path": cleaned, "host": request.Host}
	if ip, _, err := net.SplitHostPort(request.RemoteAddr); err == nil {
		attributes["ip"] = ip
	}
	return g.decider.decide(ctx, request, presentedCredential(request, g.cookie), question, attributes)
}

// cleanHeaders takes out what only the gateway may say, in the spellings that applications read alike (CGI makes _ of -), what would make
// another method of the one that was asked about, and the credentials, which are for the gateway.
func (g *Gateway) cleanHeaders(request *http.Request) {
	for name := range request.Header {
		spelt := strings.ReplaceAll(strings.ToLower(name), "_", "-")
		switch spelt {
		case "authorization", "x-api-key", "x-http-method-override", "x-http-method", "x-method-override":
			delete(request.Header, name)
		}
		if strings.HasPrefix(spelt, "x-sallyport-") {
			delete(request.Header, name)
		}
	}
	cookies := request.Cookies()
	request.Header.Del("Cookie")
	for _, cookie := range cookies {
		if cookie.Name != g.cookie {
			request.AddCookie(cookie)
		}
	}
}

// subjectText is type:id, percent-encoded where it is not printable ASCII.
func subjectText(subject *sallyport.Subject) string {
	var text strings.Builder
	for _, char := range []byte(subject.GetType() + ":" + subject.GetId()) {
		if char <= 0x20 || char >= 0x7f || char == '%' {
			fmt.Fprintf(&text, "%%%02X", char)
		} else {
			text.WriteByte(char)
		}
	}
	return text.String()
}

var errorNames = map[int]string{
	http.StatusBadRequest:         "bad_request",
	http.StatusUnauthorized:       "unauthenticated",
	http.StatusForbidden:          "forbidden",
	http.StatusTooManyRequests:    "rate_limited",
	http.StatusBadGateway:         "bad_gateway",
	http.StatusServiceUnavailable: "unavailable",
}

// refuse says which refusal it is and nothing more.
func refuse(response http.ResponseWriter, status int) {
	switch status {
	case http.StatusUnauthorized:
		response.Header().Set("WWW-Authenticate", "Bearer")
	case http.StatusTooManyRequests, http.StatusServiceUnavailable:
		response.Header().Set("Retry-After", "1")
	}
	response.Header().Set("Content-Type", "application/json")
	response.Header().Set("Cache-Control", "no-store")
	response.WriteHeader(status)
	// The client may be gone; there is nobody left to tell.
	_ = json.NewEncoder(response).Encode(map[string]string{"error": errorNames[status]})
}
