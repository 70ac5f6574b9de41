package tests

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
	"falconer.example/sdk/go/internal/hawk"
	"falconer.example/sdk/go/tests/running"
)

type scenario struct {
	Caller *struct {
		Scopes    []string
		State     string
		Temporary *struct{ StartSeconds, ExpirySeconds *int64 }
	}
	Request struct {
		Method, Path string
		ContentType  *string
		Body         *string
		BodyLength   int
		Headers      map[string]string
	}
	Signature struct {
		Kind, Method, Path, Host string
		Port                     int
		AgeSeconds               int64
		ExpiresInSeconds         *int64
		Body, ContentType        *string
		PayloadHash              *bool
		Hash                     string
		AuthorizedScopes         []string
	}
	Service struct {
		PayloadHashRequired bool
		BearerTokens        bool
		ProtectedResource   *falconer.ProtectedResource
		BodyLimitBytes      int64
		Cors                []string
	}
	Falconer, Host string
	Times          int
}

type outcome struct {
	Status       int
	Code, Reason string
	Headers      map[string]*string
	JSON         map[string]any
}

// notes is the service of the scenarios. It listens first: its origin is where it listens.
func notes(t *testing.T, root string, given scenario) *url.URL {
	t.Helper()
	host := given.Host
	if host == "" {
		host = "127.0.0.1"
	}
	listener, err := net.Listen("tcp", host+":0")
	if err != nil {
		t.Fatal(err)
	}
	origin := "http://" + listener.Addr().String()
	// A second where Falconer never answers, and no limit that a busy machine reaches where it does.
	timeout := time.Minute
	if given.Falconer == "slow" {
		timeout = time.Second
	}
	guard, err := falconer.NewGuard(falconer.Config{
		Falconer: root, Origin: origin, Timeout: timeout, CORS: given.Service.Cors,
		PayloadHashRequired: given.Service.PayloadHashRequired, BodyLimit: given.Service.BodyLimitBytes,
		BearerTokens: given.Service.BearerTokens, ProtectedResource: given.Service.ProtectedResource,
	})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	answer := func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		if falconer.CallerFrom(r.Context()) == nil {
			t.Error("the handler has no caller")
		}
		_ = json.NewEncoder(w).Encode(map[string]string{"book": r.PathValue("book"), "body": string(body)})
	}
	guard.HandleFunc(mux, "GET /books/{book}", "notes:read:<book>", answer)
	guard.HandleFunc(mux, "PUT /books/{book}", "notes:write:<book>", answer)
	service := httptest.NewUnstartedServer(guard.CORS(mux))
	_ = service.Listener.Close()
	service.Listener = listener
	service.Start()
	t.Cleanup(service.Close)
	parsed, _ := url.Parse(origin)
	return parsed
}

func credentialsOf(t *testing.T, given scenario) falconer.Credentials {
	t.Helper()
	made := client(t, given.Caller.Scopes...)
	c := made
	if times := given.Caller.Temporary; times != nil {
		begin, end := int64(-60), int64(3600)
		if times.StartSeconds != nil {
			begin, end = *times.StartSeconds, *times.ExpirySeconds
		}
		now := time.Now()
		var err error
		if c, err = made.Temporary(given.Caller.Scopes, now.Add(time.Duration(begin)*time.Second), now.Add(time.Duration(end)*time.Second)); err != nil {
			t.Fatal(err)
		}
	}
	path := running.ClientPath(made.ClientID)
	switch given.Caller.State {
	case "":
	case "disabled":
		call(t, "POST", path+"/disable")
	case "deleted":
		call(t, "DELETE", path)
	case "reset":
		call(t, "POST", path+"/reset")
	case "wrong-token":
		c = falconer.Credentials{ClientID: made.ClientID, AccessToken: strings.Repeat("x", 44)}
	case "unknown":
		c.ClientID = "go/nobody"
	default:
		t.Fatal(given.Caller.State)
	}
	return c
}

// ext carries a certificate and authorized scopes, as any client writes it.
func ext(c falconer.Credentials, authorizedScopes []string) string {
	carried := map[string]any{}
	if c.Certificate != "" {
		carried["certificate"] = json.RawMessage(c.Certificate)
	}
	if authorizedScopes != nil {
		carried["authorizedScopes"] = authorizedScopes
	}
	if len(carried) == 0 {
		return ""
	}
	text, _ := json.Marshal(carried)
	return base64.StdEncoding.EncodeToString(text)
}

func text(given *string, otherwise string) string {
	if given == nil {
		return otherwise
	}
	return *given
}

func send(t *testing.T, origin *url.URL, given scenario, c *falconer.Credentials) *http.Request {
	t.Helper()
	body := text(given.Request.Body, strings.Repeat(".", given.Request.BodyLength))
	path, contentType := given.Request.Path, text(given.Request.ContentType, "")
	header := http.Header{}
	if c != nil {
		host, port, err := hawk.HostAndPort(origin)
		if err != nil {
			t.Fatal(err)
		}
		how := given.Signature
		s := hawk.Signed{Method: given.Request.Method, Resource: path, Host: host, Port: port, Ext: ext(*c, how.AuthorizedScopes)}
		if how.Path != "" {
			s.Resource = how.Path
		}
		if how.Host != "" {
			s.Host = how.Host
		}
		if how.Port != 0 {
			s.Port = how.Port
		}
		if how.Kind == "bewit" || how.Kind == "both" {
			lasts := int64(900)
			if how.ExpiresInSeconds != nil {
				lasts = *how.ExpiresInSeconds
			}
			b := s
			b.Method = "GET"
			separator := "?"
			if strings.Contains(path, "?") {
				separator = "&"
			}
			path += separator + "bewit=" + b.Bewit(c.ClientID, c.AccessToken, time.Now().Add(time.Duration(lasts)*time.Second))
			if how.Path == "" && how.Kind == "both" {
				s.Resource = path
			}
		}
		if how.Kind != "bewit" {
			if how.Method != "" {
				s.Method = how.Method
			}
			covered := text(how.Body, body)
			with := covered != "" || how.Body != nil
			if how.PayloadHash != nil {
				with = *how.PayloadHash
			}
			if how.Hash != "" {
				s.Hash = how.Hash
			} else if with {
				s.Hash = falconer.PayloadHash(text(how.ContentType, contentType), []byte(covered))
			}
			header.Set("Authorization", s.Header(c.ClientID, c.AccessToken, time.Now().Add(-time.Duration(how.AgeSeconds)*time.Second), "n0nce"))
		}
	}
	request, err := http.NewRequest(given.Request.Method, origin.String()+path, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for name, value := range given.Request.Headers {
		if name == "Host" {
			request.Host = value
		}
		header.Set(name, value)
	}
	if contentType != "" {
		header.Set("Content-Type", contentType)
	}
	request.Header = header
	return request
}

func judge(t *testing.T, response *http.Response, expected outcome, addresses *strings.Replacer) {
	t.Helper()
	defer response.Body.Close()
	whole, _ := io.ReadAll(response.Body)
	body := []byte(addresses.Replace(string(whole)))
	if response.StatusCode != expected.Status {
		t.Fatalf("%d, not %d: %s", response.StatusCode, expected.Status, body)
	}
	for name, want := range expected.Headers {
		if got := addresses.Replace(response.Header.Get(name)); got != text(want, "") {
			t.Errorf("%s: %q", name, got)
		}
	}
	if expected.Code != "" {
		var found struct {
			Code, Reason, Message, ID string
			RequestInfo               struct{ Method, Time string }
		}
		if err := json.Unmarshal(body, &found); err != nil {
			t.Fatal(err)
		}
		if found.Code != expected.Code || (expected.Reason != "" && found.Reason != expected.Reason) {
			t.Errorf("%s", body)
		}
		if len(found.ID) < 16 || !strings.HasSuffix(found.Message, found.RequestInfo.Time) || strings.Contains(found.RequestInfo.Method, "?") {
			t.Errorf("%s", body)
		}
	}
	if expected.JSON != nil {
		var found map[string]any
		if err := json.Unmarshal(body, &found); err != nil {
			t.Fatal(err)
		}
		for name, want := range expected.JSON {
			if !reflect.DeepEqual(found[name], want) {
				t.Errorf("%s: %v", name, found[name])
			}
		}
	}
}

func TestScenarios(t *testing.T) {
	cases := vectors[scenario, outcome](t, "ours/scenarios")
	if len(cases) < 80 {
		t.Errorf("only %d cases", len(cases))
	}
	down, slow := closedPort(t), silentPort(t)
	page := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprint(w, "<h1>Welcome</h1>") }))
	t.Cleanup(page.Close)
	for _, c := range cases {
		t.Run(c.Name, func(t *testing.T) {
			given := c.Input
			root, known := map[string]string{"": server(t).Root, "down": down, "slow": slow, "other": page.URL}[given.Falconer]
			if !known {
				t.Fatal(given.Falconer)
			}
			origin := notes(t, root, given)
			var credentials *falconer.Credentials
			if given.Caller != nil {
				made := credentialsOf(t, given)
				credentials = &made
			}
			first := send(t, origin, given, credentials)
			for range max(given.Times, 1) {
				again := first.Clone(first.Context())
				if first.GetBody != nil {
					again.Body, _ = first.GetBody()
				}
				response, err := http.DefaultTransport.RoundTrip(again)
				if err != nil {
					t.Fatal(err)
				}
				judge(t, response, c.Expected, strings.NewReplacer(origin.String(), "<origin>", root, "<falconer>"))
			}
		})
	}
}
