package tests

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
)

const (
	origin  = "https://notes.example.com"
	allowed = `{"status": "allowed", "expires": "2099-01-01T00:00:00.000Z"}`
)

var anybody = falconer.Request{Method: "GET", Target: "/books/red"}

// authority stands in Falconer's place and says what it is told to; it counts how often it is asked.
type authority struct {
	*httptest.Server
	asked, connections atomic.Int64
	lock               sync.Mutex
	status             int
	body               string
	paths              []string
	// only is the method that it has, where it has not all.
	only string
}

func newAuthority(t *testing.T, status int, body string) *authority {
	t.Helper()
	a := &authority{status: status, body: body}
	a.Server = httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		_, _ = io.Copy(io.Discard, r.Body)
		a.asked.Add(1)
		a.lock.Lock()
		defer a.lock.Unlock()
		a.paths = append(a.paths, r.URL.Path)
		if !strings.HasSuffix(r.URL.Path, "/"+a.only) && a.only != "" {
			w.WriteHeader(http.StatusNotFound)
			_, _ = io.WriteString(w, "{}")
			return
		}
		if a.status >= 300 && a.status < 400 {
			w.Header().Set("Location", a.URL+"/elsewhere")
		}
		w.WriteHeader(a.status)
		_, _ = io.WriteString(w, a.body)
	}))
	a.Config.ConnState = func(_ net.Conn, state http.ConnState) {
		if state == http.StateNew {
			a.connections.Add(1)
		}
	}
	a.Start()
	t.Cleanup(a.Close)
	return a
}

func (a *authority) says(status int, body string) {
	a.lock.Lock()
	defer a.lock.Unlock()
	a.status, a.body = status, body
}

func verifier(t testing.TB, config falconer.Config) *falconer.Verifier {
	t.Helper()
	if config.Origin == "" {
		config.Origin = origin
	}
	v, err := falconer.NewVerifier(config)
	if err != nil {
		t.Fatal(err)
	}
	return v
}

func check(v *falconer.Verifier) falconer.Decision {
	return v.Check(context.Background(), anybody, "notes:read:red")
}

func TestAnAnswerThatIsNoneLetsNobodyThrough(t *testing.T) {
	for _, answer := range []struct {
		status int
		body   string
	}{
		{200, ""}, {200, "[]"}, {200, "null"}, {200, `{"status": "ok"}`}, {200, `{"status": "allowed"}`}, {200, strings.Repeat("[", 100_000)},
		{200, `{"status": "failed", "reason": 7}`}, {200, `{"status": "allowed", "expires": "x"}`}, {200, `{"status": "allowed", "expires": "2099-01-01T00:00:00Z", "revealed": [7]}`},
		{200, `{"status": "allowed", "expires": "2099-01-01T00:00:00Z", "identity": 7}`}, {200, `{"status": "allowed", "expires": "2099-01-01T00:00:00Z", "each": [{}]}`},
		{204, ""}, {302, allowed}, {307, allowed}, {400, "<h1>"},
		{401, "{}"}, {403, "no"}, {404, `{"code": "ResourceNotFound"}`}, {413, ""}, {429, "{}"}, {500, "{}"}, {502, "<h1>"}, {503, `{"code": "ServiceUnavailable"}`},
	} {
		a := newAuthority(t, answer.status, answer.body)
		v := verifier(t, falconer.Config{Falconer: a.URL})
		refusal := check(v).Refusal
		if refusal == nil || refusal.Status != http.StatusServiceUnavailable || refusal.Reason != "unavailable" {
			t.Fatalf("%v: %+v", answer, refusal)
		}
		if strings.Contains(refusal.Message, "127.0.0.1") || !strings.Contains(refusal.Log, a.URL) {
			t.Errorf("%v: %s; %s", answer, refusal.Message, refusal.Log)
		}
		if slices.Contains(a.paths, "/elsewhere") {
			t.Errorf("%d was followed", answer.status)
		}
		if v.Counts() != (falconer.Counts{Unavailable: 1}) {
			t.Error(v.Counts())
		}
	}
}

// Without a bound this service would keep in memory what somebody in Falconer's place sends.
func TestAnAnswerWithoutAnEndIsGivenUp(t *testing.T) {
	var sent atomic.Int64
	endless := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		part := []byte(strings.Repeat(" ", 1<<20))
		for range 256 {
			if _, err := w.Write(part); err != nil {
				return
			}
			sent.Add(1)
		}
	}))
	defer endless.Close()
	refusal := check(verifier(t, falconer.Config{Falconer: endless.URL, Timeout: time.Minute})).Refusal
	if refusal == nil || !strings.Contains(refusal.Log, "too large") || sent.Load() > 64 {
		t.Errorf("%v after %d MiB", refusal, sent.Load())
	}
}

func TestALateAnswerIsNotAwaited(t *testing.T) {
	began := time.Now()
	refusal := check(verifier(t, falconer.Config{Falconer: silentPort(t), Timeout: 50 * time.Millisecond})).Refusal
	if refusal == nil || refusal.Status != http.StatusServiceUnavailable || time.Since(began) > 30*time.Second {
		t.Errorf("%v after %v", refusal, time.Since(began))
	}
	// The time counts to the end of the answer.
	stop := make(chan struct{})
	drop := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		_, _ = io.WriteString(w, `{"status":`)
		w.(http.Flusher).Flush()
		<-stop
	}))
	defer drop.Close()
	defer close(stop)
	if refusal := check(verifier(t, falconer.Config{Falconer: drop.URL, Timeout: 50 * time.Millisecond})).Refusal; refusal == nil {
		t.Error("half of an answer was taken")
	}
}

func TestAfterFiveFailuresNobodyWaitsAndOneTriesASecond(t *testing.T) {
	now := time.Unix(0, 0)
	a := newAuthority(t, 500, "{}")
	v := verifier(t, falconer.Config{Falconer: a.URL, Now: func() time.Time { return now }})
	ask := func(times int) (asked int64, in int) {
		before := a.asked.Load()
		for range times {
			decision := check(v)
			if decision.Caller != nil {
				in++
			} else if decision.Refusal.Status != http.StatusServiceUnavailable {
				t.Error(decision.Refusal)
			}
		}
		return a.asked.Load() - before, in
	}
	for _, step := range []struct {
		after time.Duration
		says  int
		asked int64
		in    int
	}{{0, 500, 5, 0}, {999 * time.Millisecond, 200, 0, 0}, {time.Second, 502, 1, 0}, {2200 * time.Millisecond, 200, 20, 20}} {
		now = time.Unix(0, 0).Add(step.after)
		a.says(step.says, allowed)
		if asked, in := ask(20); asked != step.asked || in != step.in {
			t.Errorf("%v: %d asked, %d let in", step.after, asked, in)
		}
	}
	if got := v.Counts(); got != (falconer.Counts{Allowed: 20, Unavailable: 60}) {
		t.Error(got)
	}
}

// A proxy before Falconer that dislikes a URL, or a caller who hangs up, says nothing about Falconer.
func TestWhatACallerWroteDoesNotShutOthersOut(t *testing.T) {
	a := newAuthority(t, 403, "<h1>attack detected</h1>")
	v := verifier(t, falconer.Config{Falconer: a.URL})
	for range 10 {
		if check(v).Refusal == nil {
			t.Fatal("let in")
		}
	}
	a.says(200, allowed)
	if refusal := check(v).Refusal; refusal != nil {
		t.Error(refusal.Log)
	}
	hungUp, hangUp := context.WithCancel(context.Background())
	hangUp()
	for range 10 {
		if refusal := v.Check(hungUp, anybody, "a:b").Refusal; refusal == nil || refusal.Log != "the caller hung up" {
			t.Fatal(refusal)
		}
	}
	if refusal := check(v).Refusal; refusal != nil {
		t.Error(refusal.Log)
	}
}

// The kits had it otherwise, so that one answered 400 for what another called an outage.
func TestAQuestionThatFalconerRefusesIsTheCallersFaultOrTheAuthors(t *testing.T) {
	type input struct {
		Method string
		Status int
		Body   json.RawMessage
	}
	type expected struct {
		Status       int
		Code, Reason string
	}
	cases := vectors[input, expected](t, "ours/refused-questions")
	if len(cases) < 21 {
		t.Fatal(len(cases))
	}
	for _, c := range cases {
		body := string(c.Input.Body)
		var text string
		if json.Unmarshal(c.Input.Body, &text) == nil {
			body = text
		}
		a := newAuthority(t, c.Input.Status, body)
		a.only = c.Input.Method
		refusal := check(verifier(t, falconer.Config{Falconer: a.URL})).Refusal
		if refusal == nil || (expected{refusal.Status, refusal.Code, refusal.Reason}) != c.Expected {
			t.Errorf("%s: %+v", c.Name, refusal)
		} else if strings.Contains(refusal.Message, "---") || strings.Contains(refusal.Message, a.URL) {
			t.Errorf("%s: %s", c.Name, refusal.Message)
		}
	}
}

// Falconer would close the connection while such a question is still being sent: five of them, and nobody else would be asked about.
func TestARequestThatFalconerWouldNotReadIsNotAskedAbout(t *testing.T) {
	type text struct {
		Text  string
		Times int
	}
	type input struct{ Authorization, Resource, Required text }
	type expected struct {
		Asked        bool
		Status       int
		Code, Reason string
	}
	cases := vectors[input, expected](t, "ours/large-questions")
	if len(cases) < 8 {
		t.Fatal(len(cases))
	}
	for _, c := range cases {
		a := newAuthority(t, 200, allowed)
		v := verifier(t, falconer.Config{Falconer: a.URL})
		of := func(begins string, given text) string { return begins + strings.Repeat(given.Text, given.Times) }
		request := falconer.Request{Method: "GET", Target: of("/", c.Input.Resource), Authorization: of("Hawk ", c.Input.Authorization)}
		got := expected{Status: 200}
		if refusal := v.Check(context.Background(), request, of("notes:", c.Input.Required)).Refusal; refusal != nil {
			got = expected{Status: refusal.Status, Code: refusal.Code, Reason: refusal.Reason}
		}
		if got.Asked = a.asked.Load() > 0; got != c.Expected {
			t.Errorf("%s: %+v", c.Name, got)
		}
	}
}

// It took the place of the one question that tries whether Falconer is back, and was told as an answer of it.
func TestARequestThatIsTooLargeSaysNothingAboutFalconer(t *testing.T) {
	now := time.Now()
	a := newAuthority(t, 500, "")
	v := verifier(t, falconer.Config{Falconer: a.URL, Now: func() time.Time { return now }})
	away := func() {
		t.Helper()
		if refusal := check(v).Refusal; refusal == nil || refusal.Status != 503 {
			t.Fatal(refusal)
		}
	}
	for range 5 {
		away()
	}
	now = now.Add(1100 * time.Millisecond)
	large := falconer.Request{Method: "GET", Target: "/x", Authorization: strings.Repeat("a", 70_000)}
	if refusal := v.Check(context.Background(), large, "notes:read:red").Refusal; refusal == nil || refusal.Status != 413 {
		t.Fatal(refusal)
	}
	away()
	away()
	if asked := a.asked.Load(); asked != 6 {
		t.Errorf("%d questions", asked)
	}
}

func TestConnectionsAreKeptAndMadeAnewWhereOneBroke(t *testing.T) {
	a := newAuthority(t, 200, allowed)
	v := verifier(t, falconer.Config{Falconer: a.URL})
	for range 10 {
		if refusal := check(v).Refusal; refusal != nil {
			t.Fatal(refusal.Log)
		}
	}
	if a.connections.Load() != 1 {
		t.Errorf("%d connections", a.connections.Load())
	}
	// One that answers twice on each connection, and then hangs up on a question.
	listener := listen(t)
	defer listener.Close()
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			reader := bufio.NewReader(connection)
			for range 2 {
				request, err := http.ReadRequest(reader)
				if err != nil {
					break
				}
				_, _ = io.Copy(io.Discard, request.Body)
				_, _ = fmt.Fprintf(connection, "HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s", len(allowed), allowed)
			}
			if request, err := http.ReadRequest(reader); err == nil {
				_, _ = io.Copy(io.Discard, request.Body)
			}
			_ = connection.Close()
		}
	}()
	v = verifier(t, falconer.Config{Falconer: "http://" + listener.Addr().String()})
	for i := range 9 {
		if refusal := check(v).Refusal; refusal != nil {
			t.Fatalf("%d: %s", i, refusal.Log)
		}
	}
}

// Falconer lets one address have so many connections, and so many bytes under way: strangers who make a service use them up would shut everybody out.
func TestStrangersTakeNoMoreThanOneAddressGets(t *testing.T) {
	var inside, most atomic.Int64
	gate, full := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		now := inside.Add(1)
		for last := most.Load(); now > last && !most.CompareAndSwap(last, now); last = most.Load() {
		}
		if now == 256 {
			close(full)
		}
		<-gate
		inside.Add(-1)
		_, _ = io.WriteString(w, allowed)
	}))
	defer server.Close()
	v := verifier(t, falconer.Config{Falconer: server.URL, Timeout: 2 * time.Minute})
	var strangers sync.WaitGroup
	for range 400 {
		strangers.Add(1)
		go func() {
			defer strangers.Done()
			if refusal := check(v).Refusal; refusal != nil {
				t.Error(refusal)
			}
		}()
	}
	<-full
	close(gate)
	strangers.Wait()
	if most.Load() != 256 {
		t.Error(most.Load())
	}
}
