package main

import (
	"net/url"
	"os"
	"strings"
	"testing"
)

func TestTheTableOfThisExampleIsReadAndMatched(t *testing.T) {
	table, err := os.ReadFile("routes.json")
	if err != nil {
		t.Fatal(err)
	}
	routes, err := ReadRoutes(table)
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		method, path string
		found        bool
		want         Question
	}{
		{"GET", "/", true, Question{Public: true}},
		{"GET", "/documents/42", true, Question{Permission: "documents:read", ResourceType: "document", ResourceID: "42"}},
		{"PUT", "/documents/42", true, Question{Permission: "documents:write", ResourceType: "document", ResourceID: "42"}},
		{"GET", "/reports", true, Question{Permission: "reports:read"}},
		{"DELETE", "/documents/42", false, Question{}},
		{"get", "/reports", false, Question{}},
		{"HEAD", "/reports", false, Question{}},
		{"GET", "/Reports", false, Question{}},
		{"GET", "/documents", false, Question{}},
		{"GET", "/documents/42/pages", false, Question{}},
		{"GET", "/documents/" + strings.Repeat("x", 321), false, Question{}},
	} {
		if got, found := Match(routes, c.method, c.path); found != c.found || got != c.want {
			t.Errorf("%s %s: %+v %v", c.method, c.path, got, found)
		}
	}
}

func TestALiteralSegmentCountsBeforeANameInAnyOrder(t *testing.T) {
	literal := Route{Method: "GET", Path: "/a/new", Permission: "a:create"}
	named := Route{Method: "GET", Path: "/a/{id}", Permission: "a:read", Resource: "a:{id}"}
	for _, routes := range [][]Route{{literal, named}, {named, literal}} {
		if got, _ := Match(routes, "GET", "/a/new"); got.Permission != "a:create" {
			t.Errorf("%+v", got)
		}
	}
}

func TestATableThatSaysLessThanItSeemsToIsRefused(t *testing.T) {
	for _, table := range []string{
		``, `{}`, `[] []`,
		`[{"method":"GET","path":"/a"}]`,
		`[{"method":"GET","path":"/a","permision":"a:b"}]`,
		`[{"method":"GET","path":"/a","permission":"a:b","public":true}]`,
		`[{"method":"get","path":"/a","permission":"a:b"}]`,
		`[{"method":"GET","path":"a","permission":"a:b"}]`,
		`[{"method":"GET","path":"/a/../b","permission":"a:b"}]`,
		`[{"method":"GET","path":"/a/*","permission":"a:b"}]`,
		`[{"method":"GET","path":"/a/{id}","permission":"a:b","resource":"doc:{key}"}]`,
		`[{"method":"GET","path":"/a","permission":"a:b","resource":"doc"}]`,
		`[{"method":"GET","path":"/{a}","permission":"a:b"},{"method":"GET","path":"/{b}","public":true}]`,
	} {
		if routes, err := ReadRoutes([]byte(table)); err == nil {
			t.Errorf("%s was read as %+v", table, routes)
		}
	}
}

func TestAPathIsCleanedOrRefused(t *testing.T) {
	for raw, want := range map[string]string{
		"/": "/", "/a/b": "/a/b", "/a//b": "/a/b", "/a/b/": "/a/b", "/a/./b": "/a/b", "/public/../a": "/a", "/../a": "/a",
		"/%61": "/a", "/a%20b": "/a b",
		"/a%2fb": "", "/a%2Fb": "", "/public/%2e%2e/a": "", "/a%5cb": "", "/a\\b": "", "/a;x/b": "", "/a%3bx": "",
		"/a%00": "", "/a%0d": "", "/%252e": "", "/%ff": "", "*": "",
	} {
		target := &url.URL{Path: "*"}
		if raw != "*" {
			var err error
			if target, err = url.ParseRequestURI(raw); err != nil {
				t.Fatal(err)
			}
		}
		got, err := CleanPath(target.Path, target.EscapedPath())
		if got != want || (err == nil) != (want != "") {
			t.Errorf("%s: %q %v, not %q", raw, got, err, want)
		}
	}
}
