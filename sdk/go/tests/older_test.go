package tests

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
)

// older is the real server without its method check: what stands before it answers 404 there, and has the rest of it answered.
func older(t *testing.T, has *bool) (string, *[]string) {
	t.Helper()
	target, _ := url.Parse(server(t).Root)
	asked := []string{}
	front := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked = append(asked, r.URL.Path[strings.LastIndex(r.URL.Path, "/")+1:])
		if strings.HasSuffix(r.URL.Path, "/check") && !*has {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, `{"error": "Not found"}`)
			return
		}
		request, _ := http.NewRequest(r.Method, target.String()+r.URL.Path, r.Body)
		request.Header = r.Header
		response, err := http.DefaultClient.Do(request)
		if err != nil {
			t.Error(err)
			return
		}
		defer response.Body.Close()
		w.WriteHeader(response.StatusCode)
		_, _ = io.Copy(w, response.Body)
	}))
	t.Cleanup(front.Close)
	return front.URL, &asked
}

func signedRequest(t *testing.T, c falconer.Credentials, at time.Time) falconer.Request {
	t.Helper()
	var header string
	sends := func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	}
	transport := &falconer.Transport{Credentials: c, Base: roundTripper(sends), Now: func() time.Time { return at }}
	if _, err := (&http.Client{Transport: transport}).Get(origin + "/books/red"); err != nil {
		t.Fatal(err)
	}
	return falconer.Request{Method: "GET", Target: "/books/red", Authorization: header}
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// What check would have said, and what is worked out of a list, are the same, reason by reason.
func TestAServerWithoutCheckSaysTheSame(t *testing.T) {
	has := false
	root, asked := older(t, &has)
	var log strings.Builder
	logger := slog.New(slog.NewTextHandler(&log, nil))
	reveal := []string{"assume:mozilla-user:", "notes:"}
	old := verifier(t, falconer.Config{Falconer: root, Logger: logger, Reveal: reveal})
	fresh := verifier(t, falconer.Config{Falconer: server(t).Root, Reveal: reveal})

	now := time.Now()
	reader := client(t, "notes:read:*", "assume:mozilla-user:ann@example.com")
	disabled := client(t, "notes:*")
	call(t, "POST", "/api/auth/v1/clients/"+url.PathEscape(disabled.ClientID)+"/disable")
	requests := map[string]falconer.Request{
		"a reader":       signedRequest(t, reader, now),
		"a star":         signedRequest(t, client(t, "*"), now),
		"nobody":         {Method: "GET", Target: "/books/red"},
		"a wrong token":  signedRequest(t, falconer.Credentials{ClientID: reader.ClientID, AccessToken: strings.Repeat("x", 44)}, now),
		"a wrong clock":  signedRequest(t, reader, now.Add(-time.Hour)),
		"who is stopped": signedRequest(t, disabled, now),
		"nonsense":       {Method: "GET", Target: "/", Authorization: "Hawk nonsense"},
		"no method":      {Method: "B\u00e4d", Target: "/"},
	}
	all := falconer.AllOf{"notes:read:red", falconer.AnyOf{"notes:write:red", "notes:read:blue"}}
	for name, request := range requests {
		for _, required := range []falconer.Expression{"notes:read:red", "notes:write:red", all, falconer.AllOf{"notes:a", "notes:b"}, falconer.AnyOf{"x:y", falconer.AllOf{"notes:write:red", "notes:read:red"}}, falconer.AllOf{}} {
			got, want := old.Check(context.Background(), request, required), fresh.Check(context.Background(), request, required)
			if (got.Caller == nil) != (want.Caller == nil) {
				t.Fatalf("%s, %v: %v and %v", name, required, got.Refusal, want.Refusal)
			}
			if got.Caller == nil {
				compact := func(text []byte) string {
					var value any
					_ = json.Unmarshal(text, &value)
					again, _ := json.Marshal(value)
					return string(again)
				}
				// The time is that of the answer.
				begin := func(text string) string { return text[:min(len(text), 120)] }
				if got.Refusal.Status != want.Refusal.Status || (got.Refusal.Reason != want.Refusal.Reason && want.Refusal.Status != 400) || compact(got.Missing) != compact(want.Missing) {
					t.Errorf("%s, %v:\n%+v %s\n%+v %s", name, required, got.Refusal, got.Missing, want.Refusal, want.Missing)
				}
				if want.Refusal.Status != 400 && begin(got.Refusal.Message) != begin(want.Refusal.Message) {
					t.Errorf("%s, %v:\n%s\n%s", name, required, got.Refusal.Message, want.Refusal.Message)
				}
				continue
			}
			if got.Caller.ClientID != want.Caller.ClientID || got.Caller.Hash != want.Caller.Hash || !slices.Equal(got.Caller.Scopes, want.Caller.Scopes) {
				t.Errorf("%s, %v: %+v and %+v", name, required, got.Caller, want.Caller)
			}
		}
	}
	each := []falconer.Expression{"notes:read:a", "notes:write:a"}
	of := func(v *falconer.Verifier) []bool {
		found, refusal := v.Check(context.Background(), requests["a reader"], "notes:read:red").Caller.HasEach(context.Background(), each)
		if refusal != nil {
			t.Fatal(refusal)
		}
		return found
	}
	if !slices.Equal(of(old), []bool{true, false}) || !slices.Equal(of(fresh), []bool{true, false}) {
		t.Error(of(old), of(fresh))
	}
	if strings.Count(log.String(), "has no method `check`") != 1 || slices.Index((*asked)[1:], "check") != -1 {
		t.Errorf("%s %v", log.String(), *asked)
	}
}

// One that was brought up to date is noticed, without a restart of the services.
func TestAServerThatGotCheckIsAskedAgain(t *testing.T) {
	has, now := false, time.Now()
	root, asked := older(t, &has)
	v := verifier(t, falconer.Config{Falconer: root, Now: func() time.Time { return now }})
	for _, step := range []struct {
		after time.Duration
		asked []string
	}{{0, []string{"check", "authenticate-hawk"}}, {9 * time.Minute, []string{"authenticate-hawk"}}, {2 * time.Minute, []string{"check"}}} {
		now, has, *asked = now.Add(step.after), step.after > 0, nil
		if refusal := check(v).Refusal; refusal == nil || refusal.Reason != "no-credentials" {
			t.Error(refusal)
		}
		if !slices.Equal(*asked, step.asked) {
			t.Errorf("%v: %v", step.after, *asked)
		}
	}
}
