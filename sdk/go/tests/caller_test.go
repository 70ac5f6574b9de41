package tests

import (
	"bytes"
	"context"
	"fmt"
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

func callerOf(t *testing.T, v *falconer.Verifier, c falconer.Credentials) *falconer.Caller {
	t.Helper()
	decision := v.Check(context.Background(), signedRequest(t, c, time.Now()), "notes:read:red")
	if decision.Refusal != nil {
		t.Fatal(decision.Refusal)
	}
	return decision.Caller
}

func TestACallerIsAskedAboutMore(t *testing.T) {
	ctx, v := context.Background(), verifier(t, falconer.Config{Falconer: server(t).Root})
	reader := client(t, "notes:read:*", "notes:write:red")
	caller := callerOf(t, v, reader)
	if caller.ClientID != reader.ClientID || caller.Identity != nil || len(caller.Scopes) != 0 || !caller.Expires.After(time.Now()) {
		t.Errorf("%+v", caller)
	}
	for expression, want := range map[string]bool{"notes:write:red": true, "notes:write:blue": false} {
		if has, refusal := caller.Has(ctx, expression); refusal != nil || has != want {
			t.Errorf("%s: %v %v", expression, has, refusal)
		}
	}
	// More than one question holds: by number, by members and by length.
	var many, long []falconer.Expression
	var want, none []bool
	for range 100 {
		many, want = append(many, "notes:write:red", falconer.AnyOf{"notes:write:a", "notes:write:b", "notes:write:c"}), append(want, true, false)
		long, none = append(long, "notes:write:"+strings.Repeat("b", 300)), append(none, false)
	}
	for _, one := range []struct {
		asked []falconer.Expression
		want  []bool
	}{{many, want}, {long, none}, {nil, []bool{}}} {
		if got, refusal := caller.HasEach(ctx, one.asked); refusal != nil || !slices.Equal(got, one.want) {
			t.Errorf("%v %v", got, refusal)
		}
	}
	if scopes, refusal := caller.AuthorizedScopes(ctx, "notes:read:red", "notes:write:red"); refusal != nil || !slices.Equal(scopes, []string{"notes:read:red", "notes:write:red"}) {
		t.Error(scopes, refusal)
	}
	if _, refusal := caller.AuthorizedScopes(ctx, "notes:read:red", "notes:write:blue"); refusal == nil || refusal.Status != 403 {
		t.Error(refusal)
	}
	if _, refusal := caller.AuthorizedScopes(ctx, ""); refusal == nil || refusal.Status != 500 {
		t.Error(refusal)
	}
	// What a caller wrote into a path may be in it: anybody had a service answer with 500.
	for _, text := range []string{"notes:read:r\u00e9d", "notes:read:\x00", "\n"} {
		if _, refusal := caller.AuthorizedScopes(ctx, text); refusal == nil || refusal.Status != 400 || refusal.Code != "InputError" {
			t.Error(refusal)
		}
	}
	// What the caller lost meanwhile is gone.
	call(t, "POST", "/api/auth/v1/clients/"+url.PathEscape(reader.ClientID)+"/disable")
	if _, refusal := caller.Has(ctx, "notes:read:red"); refusal == nil || refusal.Status != 401 || refusal.Reason != "client-disabled" {
		t.Error(refusal)
	}
}

func TestWhoACallerIs(t *testing.T) {
	v := verifier(t, falconer.Config{Falconer: server(t).Root, Reveal: []string{"assume:mozilla-user:"}})
	ann := callerOf(t, v, client(t, "assume:mozilla-user:ann@example.com", "notes:read:*"))
	is, refusal := ann.IsPerson("mozilla-user:ann@example.com")
	other, otherRefusal := ann.IsPerson("mozilla-user:bob@example.com")
	people, peopleRefusal := ann.People("mozilla-user:")
	if !is || other || !slices.Equal(people, []string{"ann@example.com"}) || refusal != nil || otherRefusal != nil || peopleRefusal != nil {
		t.Errorf("%+v", ann)
	}
	// Nobody's scopes of that kind are shown, so that a plain no would be wrong.
	for _, role := range []string{"team:ann", "mozilla-users:ann"} {
		kind, _, _ := strings.Cut(role, ":")
		if is, refusal := ann.IsPerson(role); is || refusal == nil || refusal.Status != 500 || !strings.Contains(refusal.Log, `Reveal: []string{"assume:`+kind+`:"}`) {
			t.Errorf("%s: %v %+v", role, is, refusal)
		}
		if people, refusal := ann.People(kind + ":"); people != nil || refusal == nil || refusal.Reason != "misconfigured" {
			t.Errorf("%s: %v %+v", role, people, refusal)
		}
	}
	for _, nobody := range []string{"team", "team:", "team:*", ":ann"} {
		if is, refusal := ann.IsPerson(nobody); is || refusal != nil {
			t.Errorf("%s: %v %+v", nobody, is, refusal)
		}
	}
	for _, scopes := range [][]string{{"*"}, {"assume:mozilla-user:*", "notes:*"}, {"assume:mozilla-user:ann@example.com*", "notes:*"}} {
		boss := callerOf(t, v, client(t, scopes...))
		is, _ := boss.IsPerson("mozilla-user:ann@example.com")
		people, _ := boss.People("mozilla-user:")
		if is || len(people) != 0 {
			t.Errorf("%v: %+v", scopes, boss)
		}
		if has, _ := boss.Has(context.Background(), "assume:mozilla-user:ann@example.com"); !has {
			t.Errorf("%v: not what Ann may do", scopes)
		}
	}
}

// A service whose caller may build red, and whose own credentials may do anything: what it does for its caller is worth what the caller has.
func TestADeputy(t *testing.T) {
	robot := &falconer.Transport{Credentials: client(t, "*")}
	v := verifier(t, falconer.Config{Falconer: server(t).Root})
	caller := callerOf(t, v, client(t, "notes:read:red", "auth:current-scopes"))
	scopes, refusal := caller.AuthorizedScopes(context.Background(), "auth:current-scopes", "notes:read:red")
	if refusal != nil {
		t.Fatal(refusal)
	}
	if status, got := held(t, robot.Restricted(scopes), server(t).Root+currentScopes); status != 200 || !slices.Equal(got, []string{"assume:anonymous", "auth:current-scopes", "notes:read:red"}) {
		t.Error(status, got)
	}
}

func TestHandlersThatDecideByThemselves(t *testing.T) {
	_, service := logging(t, "", func(g *falconer.Guard) http.Handler {
		return g.Identify(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			caller := falconer.CallerFrom(r.Context())
			may, _ := caller.Has(r.Context(), "notes:read:red")
			fmt.Fprint(w, caller.ClientID, " ", may)
		}))
	})
	reader := client(t, "notes:read:red")
	for want, transport := range map[string]http.RoundTripper{reader.ClientID + " true": &falconer.Transport{Credentials: reader}, " false": http.DefaultTransport} {
		if status, got := get(t, transport, service+"/x"); status != 200 || got != want {
			t.Errorf("%d %q", status, got)
		}
	}
	if status, got := get(t, &falconer.Transport{Credentials: falconer.Credentials{ClientID: reader.ClientID, AccessToken: "x"}}, service+"/x"); status != 401 {
		t.Error(status, got)
	}
}

func get(t *testing.T, transport http.RoundTripper, url string) (int, string) {
	t.Helper()
	response, err := (&http.Client{Transport: transport}).Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	var body bytes.Buffer
	_, _ = body.ReadFrom(response.Body)
	return response.StatusCode, body.String()
}

// logging is a service with a log; its origin is where it listens, where none is given.
func logging(t *testing.T, origin string, handler func(*falconer.Guard) http.Handler) (*strings.Builder, string) {
	t.Helper()
	var log strings.Builder
	service := httptest.NewUnstartedServer(nil)
	address := "http://" + service.Listener.Addr().String()
	if origin == "" {
		origin = address
	}
	guard, err := falconer.NewGuard(falconer.Config{Falconer: server(t).Root, Origin: origin, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	service.Config.Handler = handler(guard)
	service.Start()
	t.Cleanup(service.Close)
	return &log, address
}

// Routers of others keep parameters elsewhere: each call of such a route was 400, and nothing else was offered.
func TestParametersComeFromWhereTheRouterKeepsThem(t *testing.T) {
	kept := func(r *http.Request, name string) (string, bool) {
		values, found := r.URL.Query()[name]
		return strings.Join(values, ""), found
	}
	log, service := logging(t, "", func(g *falconer.Guard) http.Handler {
		return g.RequireWith("notes:read:<book>", kept)(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { w.WriteHeader(http.StatusNoContent) }))
	})
	reader := &falconer.Transport{Credentials: client(t, "notes:read:red")}
	for query, expected := range map[string]struct {
		status int
		reason string
	}{
		"book=red": {204, ""}, "book=blue": {403, "scopes-missing"}, "book=": {400, "parameter"}, "book=*": {400, "parameter"}, "other=red": {500, "misconfigured"},
	} {
		status, body := get(t, reader, service+"/?"+query)
		if status != expected.status || !strings.Contains(body, expected.reason) {
			t.Errorf("%s: %d %s", query, status, body)
		}
	}
	if !strings.Contains(log.String(), "<book>") {
		t.Error(log)
	}
}

func TestTheLogSaysWhichOriginIsWrongAndNoSecret(t *testing.T) {
	log, service := logging(t, "https://notes.example.com:8443", func(g *falconer.Guard) http.Handler {
		return g.Require("notes:read:red")(http.NotFoundHandler())
	})
	reader := &falconer.Transport{Credentials: client(t, "notes:*")}
	status, body := get(t, reader, service+"/books/red?secret=1")
	where := strings.TrimPrefix(service, "http://")
	if status != 401 || !strings.Contains(log.String(), "verified for "+where+", your configured origin is notes.example.com:8443 (looked for at most once a minute)") {
		t.Errorf("%d %s", status, log)
	}
	// Another one within the minute is not looked for, and what is wrong in any case says nothing of origins.
	_, _ = get(t, reader, service+"/books/red?secret=2")
	if strings.Count(log.String(), "verified for") != 1 || strings.Count(log.String(), "bad-mac") != 2 {
		t.Error(log)
	}
	if strings.Contains(log.String(), "secret") || strings.Contains(log.String(), "mac=") || !strings.Contains(log.String(), strings.Split(body, `"id":"`)[1][:22]) {
		t.Error(log)
	}
	other, service := logging(t, "", func(g *falconer.Guard) http.Handler { return g.Require("notes:read:red")(http.NotFoundHandler()) })
	if status, _ := get(t, &falconer.Transport{Credentials: falconer.Credentials{ClientID: "go/nobody", AccessToken: "x"}}, service+"/a"); status != 401 || strings.Contains(other.String(), "verified for") {
		t.Errorf("%d %s", status, other)
	}
}

func TestScopesThatDoNotFitTheirRoute(t *testing.T) {
	guard, err := falconer.NewGuard(falconer.Config{Falconer: "https://auth.example.com", Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	for expression, said := range map[string]string{"notes:read:<boook>": "<boook>", "": "empty", "notes:<book": "no part of a parameter"} {
		func() {
			defer func() {
				if text := fmt.Sprint(recover()); !strings.Contains(text, said) {
					t.Errorf("%q: %s", expression, text)
				}
			}()
			guard.HandleFunc(http.NewServeMux(), "GET /books/{book}", expression, nil)
		}()
	}
}
