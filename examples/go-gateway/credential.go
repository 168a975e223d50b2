package main

import (
	"net/http"
	"regexp"
	"strings"
)

// credential is what a request proves its sender with. The first kind that is there counts, good or bad: one that is refused is not
// made up for by the next.
type credential struct {
	kind credentialKind
	text string
}

type credentialKind int

const (
	noCredential credentialKind = iota
	unusable
	accessToken
	apiKey
	sessionToken
)

// maxCredentialBytes: longer ones are none of Sallyport's.
const maxCredentialBytes = 8192

var (
	// RFC 6750 section 2.1; any case of the scheme (RFC 9110 section 11.1).
	bearer     = regexp.MustCompile(`(?i)^bearer +([a-z0-9\-._~+/]+=*)$`)
	apiKeyForm = regexp.MustCompile(`^[A-Za-z0-9_]+$`)
)

func presentedCredential(request *http.Request, cookie string) credential {
	if values, there := request.Header["Authorization"]; there {
		match := bearer.FindStringSubmatch(single(values))
		if match == nil {
			return credential{kind: unusable}
		}
		if strings.HasPrefix(match[1], "sk_") {
			return keyCredential(match[1])
		}
		return credential{accessToken, match[1]}
	}
	if values, there := request.Header["X-Api-Key"]; there {
		return keyCredential(single(values))
	}
	switch cookies := request.CookiesNamed(cookie); {
	case len(cookies) == 0:
		return credential{}
	case len(cookies) > 1 || cookies[0].Value == "" || len(cookies[0].Value) > maxCredentialBytes:
		return credential{kind: unusable}
	default:
		return credential{sessionToken, cookies[0].Value}
	}
}

func keyCredential(text string) credential {
	if !apiKeyForm.MatchString(text) {
		return credential{kind: unusable}
	}
	return credential{apiKey, text}
}

// single is the value of a header that came exactly once and is not too long; empty for every other.
func single(values []string) string {
	if len(values) != 1 || len(values[0]) > maxCredentialBytes {
		return ""
	}
	return values[0]
}
