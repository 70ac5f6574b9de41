package tests

import (
	"context"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
)

const currentScopes = "/api/auth/v1/scopes/current"

// held are the scopes that a call was worth.
func held(t *testing.T, transport http.RoundTripper, url string) (int, []string) {
	t.Helper()
	response, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var found struct{ Scopes []string }
	if err := json.NewDecoder(response.Body).Decode(&found); err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, found.Scopes
}

func TestSignedURLsTemporaryCredentialsAndRestrictedCalls(t *testing.T) {
	c := client(t, "auth:current-scopes", "notes:read:*")
	url := server(t).Root + currentScopes
	all, narrow := []string{"assume:anonymous", "auth:current-scopes", "notes:read:*"}, []string{"assume:anonymous", "auth:current-scopes"}
	temporary, err := c.Temporary(narrow[1:], time.Now().Add(-time.Minute), time.Now().Add(time.Hour))
	if err != nil {
		t.Fatal(err)
	}
	sign := func(c falconer.Credentials, ends time.Duration, scopes []string) string {
		signed, err := falconer.SignURL(c, url, time.Now().Add(ends), scopes)
		if err != nil {
			t.Fatal(err)
		}
		return signed
	}
	robot := &falconer.Transport{Credentials: c}
	for name, one := range map[string]struct {
		transport http.RoundTripper
		url       string
		want      []string
	}{
		"signed":                  {robot, url, all},
		"restricted":              {robot.Restricted(narrow[1:]), url, narrow},
		"temporary":               {&falconer.Transport{Credentials: temporary}, url, narrow},
		"temporary and narrower":  {(&falconer.Transport{Credentials: temporary}).Restricted(narrow[1:]), url, narrow},
		"a signed URL":            {http.DefaultTransport, sign(c, time.Minute, nil), all},
		"one with less":           {http.DefaultTransport, sign(c, time.Minute, narrow[1:]), narrow},
		"one of temporary ones":   {http.DefaultTransport, sign(temporary, time.Minute, nil), narrow},
		"one by a signing client": {robot, sign(c, time.Minute, narrow[1:]), narrow},
	} {
		if status, got := held(t, one.transport, one.url); status != 200 || !slices.Equal(got, one.want) {
			t.Errorf("%s: %d %v", name, status, got)
		}
	}
	if status, _ := held(t, http.DefaultTransport, sign(c, -time.Minute, nil)); status != 401 {
		t.Errorf("a URL that ended: %d", status)
	}
	// No scopes are none, not all: not even the one that the call needs.
	if status, got := held(t, robot.Restricted(nil), url); status != 403 {
		t.Errorf("no scopes: %d %v", status, got)
	}
}

// Signed two hours ahead: by the real server's own 401 and Date.
func TestAWrongClockIsPutRight(t *testing.T) {
	c, url := client(t, "auth:current-scopes"), server(t).Root+currentScopes
	ahead := func() time.Time { return time.Now().Add(2 * time.Hour) }
	if status, _ := held(t, &falconer.Transport{Credentials: c, Now: ahead}, url); status != 401 {
		t.Errorf("without Falconer's time: %d", status)
	}
	transport := &falconer.Transport{Credentials: c, Now: ahead, Falconer: server(t).Root}
	if status, _ := held(t, transport, url); status != 200 {
		t.Errorf("with Falconer's time: %d", status)
	}
	// Learned, so that nothing is refused first; who acts for a caller knows it too.
	var sent int
	transport.Base = roundTripper(func(r *http.Request) (*http.Response, error) {
		sent++
		return http.DefaultTransport.RoundTrip(r)
	})
	if status, _ := held(t, transport, url); status != 200 || sent != 1 {
		t.Errorf("%d after %d calls", status, sent)
	}
	if status, _ := held(t, transport.Restricted([]string{"auth:current-scopes"}), url); status != 200 || sent != 2 {
		t.Errorf("%d after %d calls", status, sent)
	}
}

// Another service can't collect signatures for later: only Falconer is believed, once a minute, and not where it redirects.
func TestOnlyFalconerIsAskedForTheTime(t *testing.T) {
	now := time.Now()
	at := now
	for name, falconersTime := range map[string]func(http.ResponseWriter){
		"the same":   func(w http.ResponseWriter) { w.Header().Set("Date", at.UTC().Format(http.TimeFormat)) },
		"none":       func(w http.ResponseWriter) { w.Header()["Date"] = nil },
		"nonsense":   func(w http.ResponseWriter) { w.Header().Set("Date", "yesterday") },
		"a redirect": func(w http.ResponseWriter) { w.Header().Set("Location", "/"); w.WriteHeader(http.StatusFound) },
		"a refusal": func(w http.ResponseWriter) {
			w.Header().Set("Date", now.Add(time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusForbidden)
		},
	} {
		pings, calls := 0, 0
		falcon := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { pings++; falconersTime(w) }))
		service := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
			calls++
			w.Header().Set("Date", now.Add(5*time.Hour).UTC().Format(http.TimeFormat))
			w.WriteHeader(http.StatusUnauthorized)
		}))
		at = now
		signing := &http.Client{Transport: &falconer.Transport{Credentials: falconer.Credentials{ClientID: "a", AccessToken: "b"}, Falconer: falcon.URL, Now: func() time.Time { return at }}}
		for _, step := range []struct {
			after       time.Duration
			pings, sent int
		}{{0, 1, 1}, {59 * time.Second, 1, 2}, {61 * time.Second, 2, 3}} {
			at = now.Add(step.after)
			response, err := signing.Get(service.URL)
			if err != nil {
				t.Fatal(err)
			}
			response.Body.Close()
			if response.StatusCode != 401 || pings != step.pings || calls != step.sent {
				t.Errorf("%s after %v: %d, %d pings, %d calls", name, step.after, response.StatusCode, pings, calls)
			}
		}
		falcon.Close()
		service.Close()
	}
}

func TestASignatureGoesToNoOtherHost(t *testing.T) {
	type seen struct{ where, signature, body string }
	var calls []seen
	remember := func(where string, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		calls = append(calls, seen{where, r.Header.Get("Authorization"), string(body)})
	}
	var home *httptest.Server
	other := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remember("other", r)
		if r.URL.Path == "/back" {
			http.Redirect(w, r, home.URL+"/end", http.StatusTemporaryRedirect)
		}
	}))
	defer other.Close()
	home = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		remember("home", r)
		switch r.URL.Path {
		case "/inside":
			http.Redirect(w, r, "/end", http.StatusTemporaryRedirect)
		case "/away", "/back":
			http.Redirect(w, r, other.URL+r.URL.Path, http.StatusTemporaryRedirect)
		case "/name":
			http.Redirect(w, r, strings.Replace(home.URL, "127.0.0.1", "localhost", 1)+"/end", http.StatusTemporaryRedirect)
		}
	}))
	defer home.Close()
	signing := &http.Client{Transport: &falconer.Transport{Credentials: falconer.Credentials{ClientID: "a", AccessToken: "b"}}}
	for path, want := range map[string][]bool{"/inside": {true, true}, "/away": {true, false}, "/back": {true, false, false}, "/name": {true, false}} {
		calls = nil
		response, err := signing.Post(home.URL+path, "text/plain", strings.NewReader("hello"))
		if err != nil {
			t.Fatal(err)
		}
		response.Body.Close()
		var signed []bool
		for _, call := range calls {
			signed = append(signed, call.signature != "")
			if call.body != "hello" {
				t.Errorf("%s: %q", path, call.body)
			}
		}
		if !slices.Equal(signed, want) {
			t.Errorf("%s: %v", path, signed)
		}
		if len(calls) == 2 && calls[0].signature == calls[1].signature {
			t.Errorf("%s: the same signature twice", path)
		}
	}
}

func TestWhatCannotBeSignedIsNotSent(t *testing.T) {
	sent := roundTripper(func(r *http.Request) (*http.Response, error) {
		t.Errorf("%s was sent", r.URL)
		return nil, io.ErrUnexpectedEOF
	})
	good := falconer.Credentials{ClientID: "a", AccessToken: "b"}
	request := func(url string) *http.Request {
		made, _ := http.NewRequest("GET", url, nil)
		return made
	}
	twice := request("https://a/")
	twice.Header.Set("Authorization", "Bearer x")
	for _, one := range []struct {
		credentials falconer.Credentials
		request     *http.Request
	}{
		{falconer.Credentials{}, request("https://a/")},
		{falconer.Credentials{ClientID: "a\"b", AccessToken: "x"}, request("https://a/")},
		{falconer.Credentials{ClientID: "a", AccessToken: "x", Certificate: "{"}, request("https://a/")},
		{good, request("ftp://a/")},
		{good, request("https://u:p@a/")},
		{good, twice},
	} {
		if _, err := (&falconer.Transport{Credentials: one.credentials, Base: sent}).RoundTrip(one.request); err == nil {
			t.Errorf("%v %s", one.credentials, one.request.URL)
		}
	}
	if _, err := good.Temporary(nil, time.Now(), time.Now().Add(32*24*time.Hour)); err == nil {
		t.Error("32 days")
	}
}

// An empty body is signed where one is expected, so that nobody can add one.
func TestNobodyAddsABody(t *testing.T) {
	writer := client(t, "notes:*")
	v := verifier(t, falconer.Config{Falconer: server(t).Root})
	var header string
	transport := &falconer.Transport{Credentials: writer, Base: roundTripper(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})}
	request, _ := http.NewRequest("POST", origin+"/books/red", nil)
	if _, err := transport.RoundTrip(request); err != nil {
		t.Fatal(err)
	}
	decision := v.Check(context.Background(), falconer.Request{Method: "POST", Target: "/books/red", Authorization: header}, "notes:write:red")
	if decision.Refusal != nil {
		t.Fatal(decision.Refusal)
	}
	if refusal := decision.Caller.CompareBody("", nil); refusal != nil {
		t.Error(refusal)
	}
	if refusal := decision.Caller.CompareBody("", []byte("x")); refusal == nil || refusal.Reason != "payload-differs" {
		t.Error(refusal)
	}
}
