package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"path"
	"regexp"
	"strings"
	"unicode/utf8"
)

// Route says what one kind of request needs: a permission, on a resource or on the whole tenant, or nothing (public).
type Route struct {
	Method string `json:"method"`
	// Path has segments like /documents/{id}; {id} is exactly one segment and never empty.
	Path       string `json:"path"`
	Permission string `json:"permission"`
	// Resource is type:id, where the id may be {name} of the path. Empty: the whole tenant is asked about.
	Resource string `json:"resource"`
	Public   bool   `json:"public"`
}

// Question is what a request needs. Public is the only one that needs nobody.
type Question struct {
	Public       bool
	Permission   string
	ResourceType string
	ResourceID   string
}

// maxIDChars is the longest identifier that a resource can have (Resource.id in the proto).
const maxIDChars = 320

// maxSegments keeps the rank of bind inside an int.
const maxSegments = 30

var (
	errPath     = errors.New("the path can be read in more than one way")
	methodForm  = regexp.MustCompile(`^[A-Z]+$`)
	segmentForm = regexp.MustCompile(`^(\{[a-z]+\}|[^{}*%;\\]+)$`)
	// resourceForm: a type as the proto has it, and an id that is literal or one name of the path.
	resourceForm = regexp.MustCompile(`^([a-z][a-z0-9_-]{0,63}):(\{[a-z]+\}|[^{}]+)$`)
)

// ReadRoutes reads the table. Everything that is not understood is an error: a misspelt member must not open a route.
func ReadRoutes(table []byte) ([]Route, error) {
	decoder := json.NewDecoder(bytes.NewReader(table))
	decoder.DisallowUnknownFields()
	var routes []Route
	if err := decoder.Decode(&routes); err != nil {
		return nil, fmt.Errorf("routes: %w", err)
	}
	if _, err := decoder.Token(); err != io.EOF {
		return nil, errors.New("routes: something follows the table")
	}
	seen := map[string]bool{}
	for i, route := range routes {
		if err := route.check(); err != nil {
			return nil, fmt.Errorf("routes[%d]: %w", i, err)
		}
		key := route.Method + " " + regexp.MustCompile(`\{[a-z]+\}`).ReplaceAllString(route.Path, "{}")
		if seen[key] {
			return nil, fmt.Errorf("routes[%d]: %s %s is there twice", i, route.Method, route.Path)
		}
		seen[key] = true
	}
	return routes, nil
}

func (route Route) check() error {
	if !methodForm.MatchString(route.Method) {
		return errors.New("method must be upper case letters")
	}
	if !strings.HasPrefix(route.Path, "/") || path.Clean(route.Path) != route.Path {
		return errors.New("path must begin with / and be clean")
	}
	if len(segments(route.Path)) > maxSegments {
		return fmt.Errorf("path has more than %d segments", maxSegments)
	}
	names := map[string]bool{}
	for _, segment := range segments(route.Path) {
		if !segmentForm.MatchString(segment) {
			return fmt.Errorf("path: %q is neither a name in braces nor plain text", segment)
		}
		if strings.HasPrefix(segment, "{") && names[segment] {
			return fmt.Errorf("path has %s twice", segment)
		}
		names[segment] = true
	}
	if route.Public == (route.Permission != "") {
		return errors.New("exactly one of permission and public")
	}
	if route.Resource == "" {
		return nil
	}
	parts := resourceForm.FindStringSubmatch(route.Resource)
	if parts == nil || route.Public {
		return errors.New("resource must be type:id or type:{name}, beside a permission")
	}
	if strings.HasPrefix(parts[2], "{") && !names[parts[2]] {
		return fmt.Errorf("resource names %s, which the path does not have", parts[2])
	}
	return nil
}

// CleanPath gives the one path that is matched and forwarded, from the decoded and the escaped form of the request's.
// What the application could read differently from the table is refused: encoded slashes, dots and percent signs in disguise, backslashes,
// path parameters (;), control characters and text that is not UTF-8.
func CleanPath(decoded, escaped string) (string, error) {
	if !strings.HasPrefix(decoded, "/") || !utf8.ValidString(decoded) || strings.ContainsAny(decoded, "\\;%") {
		return "", errPath
	}
	lower := strings.ToLower(escaped)
	for _, disguised := range []string{"%2f", "%2e", "%5c"} {
		if strings.Contains(lower, disguised) {
			return "", errPath
		}
	}
	for _, char := range decoded {
		if char < 0x20 || char == 0x7f {
			return "", errPath
		}
	}
	return path.Clean(decoded), nil
}

// Match finds what a request needs. Found is false where the table has nothing, and then the request is refused.
// Literal segments count before names: /documents/new is never taken for the document of id "new" where both are in the table.
func Match(routes []Route, method, cleaned string) (question Question, found bool) {
	best := -1
	for _, route := range routes {
		if route.Method != method {
			continue
		}
		names, literals, fits := bind(segments(route.Path), segments(cleaned))
		if !fits || literals <= best {
			continue
		}
		best, found, question = literals, true, route.ask(names)
	}
	if utf8.RuneCountInString(question.ResourceID) > maxIDChars {
		// An id that no grant can name.
		return Question{}, false
	}
	return question, found
}

func (route Route) ask(names map[string]string) Question {
	kind, id, _ := strings.Cut(route.Resource, ":")
	if value, isName := names[id]; isName {
		id = value
	}
	return Question{Public: route.Public, Permission: route.Permission, ResourceType: kind, ResourceID: id}
}

// bind gives the values of the names, and a rank: earlier literal segments weigh more.
func bind(pattern, asked []string) (names map[string]string, rank int, fits bool) {
	if len(pattern) != len(asked) {
		return nil, 0, false
	}
	names = map[string]string{}
	for i, segment := range pattern {
		rank <<= 1
		switch {
		case strings.HasPrefix(segment, "{"):
			names[segment] = asked[i]
		case segment == asked[i]:
			rank |= 1
		default:
			return nil, 0, false
		}
	}
	return names, rank, true
}

func segments(cleaned string) []string {
	if cleaned == "/" {
		return nil
	}
	return strings.Split(cleaned[1:], "/")
}
