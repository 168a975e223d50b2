package main

import (
	"context"
	"net/http"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/structpb"

	sallyport "sallyport.example/go-gateway/gen/sallyport/v1"
)

// verdict is the only thing that lets a request pass: status 200 and the subject it is passed for.
type verdict struct {
	status  int
	subject *sallyport.Subject
	// err is for the log: why Sallyport gave no answer.
	err error
}

// decider asks Sallyport.
type decider struct {
	tenant string
	// audience that access tokens must be for; empty: for any service of the tenant.
	audience string
	// origins of the application's own pages, for requests of browsers that change something.
	origins   []string
	decisions sallyport.AuthorizationServiceClient
	keys      sallyport.ApiKeyServiceClient
	sessions  sallyport.SessionServiceClient
	tokens    sallyport.TokenServiceClient
}

func newDecider(conn grpc.ClientConnInterface, tenant, audience string, origins []string) *decider {
	return &decider{
		tenant: tenant, audience: audience, origins: origins,
		decisions: sallyport.NewAuthorizationServiceClient(conn), keys: sallyport.NewApiKeyServiceClient(conn),
		sessions: sallyport.NewSessionServiceClient(conn), tokens: sallyport.NewTokenServiceClient(conn),
	}
}

// decide answers one request. ctx carries the deadline of all calls together. Every error of a call is a refusal.
func (d *decider) decide(ctx context.Context, request *http.Request, shown credential, question Question, attributes map[string]any) verdict {
	asked, err := structpb.NewStruct(attributes)
	if err != nil {
		return verdict{status: http.StatusBadRequest}
	}
	var resource *sallyport.Resource
	if question.ResourceType != "" {
		resource = &sallyport.Resource{Type: question.ResourceType, Id: question.ResourceID}
	}
	principal := &sallyport.Principal{}
	switch shown.kind {
	case accessToken:
		if d.audience != "" {
			found, err := d.tokens.VerifyToken(ctx, &sallyport.VerifyTokenRequest{Tenant: d.tenant, AccessToken: shown.text, Audience: d.audience})
			if err != nil {
				return unanswered(err)
			}
			if !found.GetActive() {
				return verdict{status: refusal(found.GetInactiveReason())}
			}
		}
		principal.Identity = &sallyport.Principal_AccessToken{AccessToken: shown.text}
	case apiKey:
		// Not Authorize: VerifyApiKey also counts the key's rate and looks at the network that it comes from.
		ip, _ := attributes["ip"].(string)
		answer, err := d.keys.VerifyApiKey(ctx, &sallyport.VerifyApiKeyRequest{
			Tenant: d.tenant, ApiKey: shown.text, Permission: question.Permission, Resource: resource, Context: asked,
			Client: &sallyport.ClientContext{Ip: ip},
		})
		if err != nil {
			return unanswered(err)
		}
		return verdictOf(answer.GetDecision())
	case sessionToken:
		// Browsers send cookies with requests of foreign pages too; VerifySession refuses those that change something.
		found, err := d.sessions.VerifySession(ctx, d.sessionQuestion(request, shown.text))
		if err != nil {
			return unanswered(err)
		}
		if !found.GetActive() {
			return verdict{status: refusal(found.GetInactiveReason())}
		}
		principal.Identity = &sallyport.Principal_SessionToken{SessionToken: shown.text}
	default:
		return verdict{status: http.StatusUnauthorized}
	}
	answer, err := d.decisions.Authorize(ctx, &sallyport.AuthorizeRequest{
		Tenant: d.tenant, Principal: principal, Permission: question.Permission, Resource: resource, Context: asked,
	})
	if err != nil {
		return unanswered(err)
	}
	return verdictOf(answer.GetDecision())
}

func (d *decider) sessionQuestion(request *http.Request, token string) *sallyport.VerifySessionRequest {
	method := request.Method
	if len(request.Header["Upgrade"]) > 0 {
		// A WebSocket of a foreign page would be opened by a safe method.
		method = http.MethodPost
	}
	return &sallyport.VerifySessionRequest{
		Tenant: d.tenant, SessionToken: token, HttpMethod: method, AllowedOrigins: d.origins,
		Origin: single(request.Header["Origin"]), CsrfToken: single(request.Header["X-Csrf-Token"]),
	}
}

func verdictOf(decision *sallyport.Decision) verdict {
	// An effect or subject that is missing is no.
	if decision.GetEffect() == sallyport.Effect_EFFECT_ALLOW && decision.GetSubject() != nil {
		return verdict{status: http.StatusOK, subject: decision.GetSubject()}
	}
	return verdict{status: refusal(decision.GetReason())}
}

func refusal(reason sallyport.DecisionReason) int {
	switch reason {
	case sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_INVALID,
		sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_EXPIRED,
		sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_REVOKED,
		sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_WRONG_AUDIENCE:
		return http.StatusUnauthorized
	case sallyport.DecisionReason_DECISION_REASON_CREDENTIAL_RATE_LIMITED:
		return http.StatusTooManyRequests
	default:
		return http.StatusForbidden
	}
}

// unanswered: no decision, so no pass. A question that Sallyport cannot read is the client's fault; everything else is not.
func unanswered(err error) verdict {
	if status.Code(err) == codes.InvalidArgument {
		return verdict{status: http.StatusBadRequest, err: err}
	}
	return verdict{status: http.StatusServiceUnavailable, err: err}
}
