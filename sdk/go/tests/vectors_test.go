package tests

import (
	"encoding/json"
	"net/http"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
	"falconer.example/sdk/go/internal/hawk"
)

// vector is a case of the repository's vectors.
type vector[In, Out any] struct {
	Name     string
	Input    In
	Expected Out
}

func vectors[In, Out any](t *testing.T, name string) []vector[In, Out] {
	t.Helper()
	text, err := os.ReadFile("../../../vectors/" + name + ".json")
	if err != nil {
		t.Fatal(err)
	}
	var cases []vector[In, Out]
	if err := json.Unmarshal(text, &cases); err != nil {
		t.Fatal(err)
	}
	if len(cases) == 0 {
		t.Fatalf("%s holds no cases", name)
	}
	return cases
}

func TestPayloadHash(t *testing.T) {
	type input struct{ Payload, ContentType string }
	for _, c := range vectors[input, string](t, "payload-hash") {
		if got := falconer.PayloadHash(c.Input.ContentType, []byte(c.Input.Payload)); got != c.Expected {
			t.Errorf("%s: %s, not %s", c.Name, got, c.Expected)
		}
	}
}

func TestTwoSchemes(t *testing.T) {
	type input struct {
		Resource      string
		Authorization string
	}
	cases := vectors[input, bool](t, "ours/two-schemes")
	if len(cases) < 29 {
		t.Fatal(len(cases))
	}
	for _, c := range cases {
		if got := hawk.IsSignedTwice(c.Input.Resource, c.Input.Authorization); got != c.Expected {
			t.Errorf("%s: %t", c.Name, got)
		}
	}
}

func TestSignedBodies(t *testing.T) {
	type input struct{ Method, ContentType, Body string }
	type expected struct{ Hash string }
	for _, c := range vectors[input, expected](t, "ours/signed-bodies") {
		var hash string
		transport := &falconer.Transport{Credentials: falconer.Credentials{ClientID: "c", AccessToken: "t"}, Base: roundTripper(func(r *http.Request) (*http.Response, error) {
			for _, found := range attribute.FindAllStringSubmatch(r.Header.Get("Authorization"), -1) {
				if found[1] == "hash" {
					hash = found[2]
				}
			}
			return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
		})}
		request, _ := http.NewRequest(c.Input.Method, "https://a.example/", strings.NewReader(c.Input.Body))
		if c.Input.ContentType != "" {
			request.Header.Set("Content-Type", c.Input.ContentType)
		}
		if _, err := transport.RoundTrip(request); err != nil {
			t.Fatal(err)
		}
		if hash != c.Expected.Hash {
			t.Errorf("%s: %q, not %q", c.Name, hash, c.Expected.Hash)
		}
	}
}

var attribute = regexp.MustCompile(`(\w+)="([^"]*)"`)

type request struct {
	Method, Resource, Host, Authorization string
	Port                                  int
}

func TestHeaders(t *testing.T) {
	type input struct{ Request request }
	type expected struct {
		NormalizedString, Mac string
		Result                struct{ Status string }
	}
	tried := 0
	for _, c := range vectors[input, expected](t, "hawk-header") {
		if c.Expected.Result.Status != "auth-success" || c.Expected.NormalizedString == "" || !strings.HasPrefix(c.Input.Request.Authorization, "Hawk ") {
			continue
		}
		// Go signs what it sends, which begins with a slash; the other forms are the server's to normalize.
		if !strings.HasPrefix(c.Input.Request.Resource, "/") {
			continue
		}
		given := map[string]string{}
		for _, found := range attribute.FindAllStringSubmatch(c.Input.Request.Authorization, -1) {
			given[found[1]] = found[2]
		}
		r := c.Input.Request
		s := hawk.Signed{Method: r.Method, Resource: r.Resource, Host: r.Host, Port: r.Port, Hash: given["hash"], Ext: given["ext"], App: given["app"], Dlg: given["dlg"]}
		if got := s.Normalized("header", given["ts"], given["nonce"]); got != c.Expected.NormalizedString {
			t.Errorf("%s: %q, not %q", c.Name, got, c.Expected.NormalizedString)
		}
		tried++
	}
	if tried < 5 {
		t.Errorf("only %d cases were tried", tried)
	}
}

func TestMacAndHeader(t *testing.T) {
	type input struct {
		Ts  int64
		Key string
	}
	for _, c := range vectors[input, string](t, "timestamp-mac") {
		text := "hawk.1.ts\n" + jsonNumber(c.Input.Ts) + "\n"
		if got := hawk.MAC(c.Input.Key, text); got != c.Expected {
			t.Errorf("%s: %s", c.Name, got)
		}
	}
	s := hawk.Signed{Method: "get", Resource: "/api/kitchen/v1/oven?heat=high", Host: "tc.example.test", Port: 443}
	alice := falconer.Credentials{ClientID: "alice", AccessToken: "alice-token-0123456789abcdefghijklmnopqrstuvw"}
	want := `Hawk id="alice", ts="1767225600", nonce="n0nce1", mac="RtXpAyi64iKSxUlF0rXWXBF2zG8xd4PkpVi+1ASaJdA="`
	if got := s.Header(alice.ClientID, alice.AccessToken, time.Unix(1767225600, 0), "n0nce1"); got != want {
		t.Error(got)
	}
}

func jsonNumber(number int64) string {
	text, _ := json.Marshal(number)
	return string(text)
}

func TestBewit(t *testing.T) {
	alice := falconer.Credentials{ClientID: "alice", AccessToken: "alice-token-0123456789abcdefghijklmnopqrstuvw"}
	url, err := falconer.SignURL(alice, "https://tc.example.test/api/kitchen/v1/oven", time.Unix(1767226200, 0), nil)
	want := "https://tc.example.test/api/kitchen/v1/oven?bewit=YWxpY2VcMTc2NzIyNjIwMFxVV1BDeElxSDZJY2ZydHU1M0FsK0FtOXNRSFZIS2ZHeStFbHcrMmdYczUwPVw"
	if err != nil || url != want {
		t.Errorf("%s %v", url, err)
	}
	for _, bad := range []string{"ftp://a/", "https://b\u00fccher.example/", "https://u:p@a/", "https:///x", "https://a:0/", want} {
		if _, err := falconer.SignURL(alice, bad, time.Unix(1767226200, 0), nil); err == nil {
			t.Errorf("%s was signed", bad)
		}
	}
}

func TestIdentityProof(t *testing.T) {
	type input struct {
		Scopes []string
		Role   string
	}
	for _, c := range vectors[input, bool](t, "ours/identity-proof") {
		if got, refusal := (&falconer.Caller{Scopes: c.Input.Scopes}).IsPerson(c.Input.Role); got != c.Expected || refusal != nil {
			t.Errorf("%s: %v %v", c.Name, got, refusal)
		}
	}
}

func TestPeople(t *testing.T) {
	held := []string{"assume:mozilla-user:ann@a", "assume:mozilla-user:ann@b", "assume:mozilla-users:x", "assume:mozilla-group:*", "assume:team:*", "mozilla-user:x"}
	ann := &falconer.Caller{Scopes: held}
	if got, refusal := ann.People("mozilla-user:"); !slices.Equal(got, []string{"ann@a", "ann@b"}) || refusal != nil {
		t.Error(got, refusal)
	}
	for _, kind := range []string{"team:", "mozilla-group:", "other:"} {
		if got, refusal := ann.People(kind); len(got) != 0 || refusal != nil {
			t.Errorf("%s: %v %v", kind, got, refusal)
		}
	}
}

// unescaped undoes what json.Marshal does for pages.
func unescaped(text []byte) string {
	return strings.NewReplacer(`\u003c`, "<", `\u003e`, ">").Replace(string(text))
}

func TestRequirementsThatCannotWork(t *testing.T) {
	deep := falconer.Expression("a:b")
	for range 9 {
		deep = falconer.AllOf{deep}
	}
	for _, bad := range []falconer.Expression{"", "notes:<book", "notes:book>", "notes:<>", "nötes", falconer.AllOf{}, falconer.AnyOf{}, falconer.AnyOf{"a:b", ""}, 7, nil, deep} {
		if _, err := falconer.NewRequirement(bad); err == nil {
			t.Errorf("%v was taken", bad)
		}
	}
	r, err := falconer.NewRequirement(falconer.AnyOf{"notes:read:<book>", falconer.AllOf{"notes:admin"}})
	if err != nil {
		t.Fatal(err)
	}
	if err := r.Fit("GET /books/{boook}"); err == nil || !strings.Contains(err.Error(), "<book>") || !strings.Contains(err.Error(), "<boook>") {
		t.Error(err)
	}
	if err := r.Fit("GET /books/{book...}"); err != nil {
		t.Error(err)
	}
	full, refusal := r.Fill(func(string) string { return "r<d>" })
	text, _ := json.Marshal(full)
	if refusal != nil || unescaped(text) != `{"AnyOf":["notes:read:r<d>",{"AllOf":["notes:admin"]}]}` {
		t.Errorf("%s %v", text, refusal)
	}
}

func TestCredentialsAreNotShown(t *testing.T) {
	c := falconer.Credentials{ClientID: "me", AccessToken: "secret-token", Certificate: `{"signature":"secret"}`}
	for _, shown := range []string{c.String(), c.GoString()} {
		if strings.Contains(shown, "secret") {
			t.Error(shown)
		}
	}
}

func TestConfigurationsThatCannotWork(t *testing.T) {
	good := falconer.Config{Falconer: "https://auth.example.com", Origin: "https://notes.example.com"}
	for name, change := range map[string]func(*falconer.Config){
		"no root":          func(c *falconer.Config) { c.Falconer = "" },
		"another scheme":   func(c *falconer.Config) { c.Falconer = "ftp://a" },
		"an origin's path": func(c *falconer.Config) { c.Origin += "/x" },
		"a star":           func(c *falconer.Config) { c.Reveal = []string{"notes:*"} },
		"a CORS path":      func(c *falconer.Config) { c.CORS = []string{"https://a/b"} },
	} {
		config := good
		change(&config)
		if _, err := falconer.NewGuard(config); err == nil {
			t.Errorf("%s was taken", name)
		}
	}
	if _, err := falconer.NewGuard(good); err != nil {
		t.Error(err)
	}
}
