// Package falconer protects services with Falconer, and signs calls. It needs the standard library only.
package falconer

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"
)

const (
	failuresToPause = 5
	pause           = time.Second
	longestAnswer   = 4 << 20
)

// Config says where Falconer and this service are.
type Config struct {
	// Falconer is its root URL, such as https://auth.example.com.
	Falconer string
	// Origin is where callers reach this service, such as https://notes.example.com. The Host header is never looked at.
	Origin string
	// PayloadHashRequired refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
	PayloadHashRequired bool
	// BodyLimit is how many bytes of a body with a signed hash are read; 1 MiB if it is zero.
	BodyLimit int64
	// Reveal are at most 16 prefixes, below which this service sees the scopes of its callers, such as "assume:mozilla-user:".
	Reveal []string
	// Identity asks who the person is, where the person agreed to tell.
	Identity bool
	// Timeout is for a question to Falconer; 5 seconds if it is zero.
	Timeout time.Duration
	// CORS are the origins whose pages may call; nil: all of them. Signed calls need no cookies.
	CORS []string
	// Logger is told why a request was answered with 503; slog's default if it is nil.
	Logger *slog.Logger
}

// Verifier asks Falconer about requests. It may be used by many goroutines at once. No answer is kept.
type Verifier struct {
	config Config
	root   string
	host   string
	port   int
	client *http.Client

	lock     sync.Mutex
	failures int
	until    time.Time
}

// Request is what of a request is verified.
type Request struct {
	Method string
	// Target is path and query exactly as on the request line (http.Request.RequestURI).
	Target string
	// Authorization is the header as it came, or empty.
	Authorization string
}

// Decision is either a Caller (allowed) or a Refusal: 403 where scopes are missing, 401 where the credentials do not hold, 503 where Falconer cannot tell.
type Decision struct {
	Caller  *Caller
	Refusal *Refusal
	// Missing is the part of the expression that the caller lacks, as JSON; for a 403 only.
	Missing json.RawMessage
}

// Identity is who a person is. Compare by ID.
type Identity struct {
	ID            string `json:"id"`
	Provider      string `json:"provider"`
	Subject       string `json:"subject"`
	DisplayName   string `json:"displayName"`
	Email         string `json:"email"`
	EmailVerified bool   `json:"emailVerified"`
	Target        string `json:"target"`
}

// Caller is who sent a request.
type Caller struct {
	// ClientID is for display and logs only. Empty: there were no credentials.
	ClientID string
	// Expires is when the credentials end.
	Expires time.Time
	// Hash is the payload hash that was signed, or empty.
	Hash string
	// Identity is nil in the normal case: nobody agreed to tell.
	Identity *Identity
	// Revealed are the caller's scopes below the prefixes of Config.Reveal, never nil.
	Revealed []string

	verifier *Verifier
	request  Request
}

// NewVerifier checks the configuration. Errors are whole sentences for the operator.
func NewVerifier(config Config) (*Verifier, error) {
	root, err := url.Parse(config.Falconer)
	if err == nil {
		_, _, err = hostAndPort(root)
	}
	if err != nil || root.RawQuery != "" || root.Fragment != "" {
		return nil, errors.New("Falconer's root URL cannot be used. It looks like https://auth.example.com.")
	}
	v := &Verifier{config: config, root: strings.TrimRight(config.Falconer, "/")}
	if v.host, v.port, err = parseOrigin(config.Origin); err != nil {
		return nil, fmt.Errorf("The public origin of this service cannot be used: %w. It looks like https://notes.example.com.", err)
	}
	if len(config.Reveal) > 16 {
		return nil, errors.New("Reveal has more than 16 prefixes.")
	}
	for _, prefix := range config.Reveal {
		if !strings.Contains(prefix, ":") || strings.HasSuffix(prefix, "*") || outsideText.MatchString(prefix) {
			return nil, fmt.Errorf("Reveal holds %q, which is no prefix of scopes: it has a colon, and no star at its end.", prefix)
		}
	}
	if config.BodyLimit < 0 || config.Timeout < 0 {
		return nil, errors.New("BodyLimit and Timeout cannot be less than zero.")
	}
	if config.BodyLimit == 0 {
		v.config.BodyLimit = 1 << 20
	}
	if config.Timeout == 0 {
		v.config.Timeout = 5 * time.Second
	}
	if config.Logger == nil {
		v.config.Logger = slog.Default()
	}
	for _, origin := range config.CORS {
		if _, _, err := parseOrigin(origin); err != nil {
			return nil, fmt.Errorf("CORS holds %q, which is no origin: %w.", origin, err)
		}
	}
	transport := &http.Transport{Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: time.Minute}
	v.client = &http.Client{
		Transport:     transport,
		Timeout:       v.config.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return v, nil
}

func parseOrigin(text string) (string, int, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return "", 0, errors.New("it is no URL")
	}
	if (parsed.Path != "" && parsed.Path != "/") || parsed.RawQuery != "" || parsed.Fragment != "" {
		return "", 0, errors.New("it has a path, a query or a fragment")
	}
	return hostAndPort(parsed)
}

type answer struct {
	Status   string          `json:"status"`
	Code     string          `json:"code"`
	Reason   string          `json:"reason"`
	Message  string          `json:"message"`
	ID       string          `json:"id"`
	Missing  json.RawMessage `json:"missing"`
	Expires  time.Time       `json:"expires"`
	ClientID string          `json:"clientId"`
	Hash     string          `json:"hash"`
	Identity *Identity       `json:"identity"`
	Revealed []string        `json:"revealed"`
}

// Check asks whether whoever signed the request may do what is required. The body is not looked at: see Caller.CompareBody.
func (v *Verifier) Check(ctx context.Context, request Request, required Expression) Decision {
	if request.Authorization != "" && hasBewit(request.Target) {
		return Decision{Refusal: unauthorized("two-schemes", "A request is signed by a header or by its URL, not by both", "")}
	}
	asked := map[string]any{"method": strings.ToLower(request.Method), "resource": resource(request.Target), "host": v.host, "port": v.port}
	if request.Authorization != "" {
		asked["authorization"] = request.Authorization
	}
	question := map[string]any{"request": asked, "required": required}
	if len(v.config.Reveal) > 0 {
		question["reveal"] = v.config.Reveal
	}
	if v.config.Identity {
		question["identity"] = true
	}
	text, err := json.Marshal(question)
	if err != nil {
		return Decision{Refusal: unavailable("the question cannot be written: " + err.Error())}
	}
	if !v.mayAsk() {
		return Decision{Refusal: unavailable(v.root + " did not answer the last questions")}
	}
	status, found, err := v.ask(ctx, text)
	if ctx.Err() != nil {
		// Who hung up says nothing about Falconer.
		return Decision{Refusal: unavailable("the caller hung up")}
	}
	v.report(err == nil && status < 500)
	if err != nil {
		return Decision{Refusal: unavailable(v.root + ": " + err.Error())}
	}
	return v.decision(request, status, found)
}

func (v *Verifier) decision(request Request, status int, found answer) Decision {
	switch {
	case status == http.StatusOK && found.Status == "allowed" && !found.Expires.IsZero():
		return Decision{Caller: &Caller{
			ClientID: found.ClientID, Expires: found.Expires, Hash: found.Hash, Identity: found.Identity,
			Revealed: append([]string{}, found.Revealed...), verifier: v, request: request,
		}}
	case status == http.StatusOK && found.Status == "denied":
		return Decision{Refusal: refused("InsufficientScopes", http.StatusForbidden, found.Reason, found.Message, found.ID), Missing: found.Missing}
	case status == http.StatusOK && found.Status == "failed":
		return Decision{Refusal: unauthorized(found.Reason, found.Message, found.ID)}
	case status == http.StatusBadRequest && found.Code != "" && strings.Contains(found.Message, "data/request"):
		return Decision{Refusal: notVerifiable("Falconer does not know such a request")}
	case status == http.StatusRequestEntityTooLarge && found.Code != "":
		return Decision{Refusal: refused("InputTooLarge", http.StatusRequestEntityTooLarge, "too-large", "The request is too large to be verified", "")}
	}
	return Decision{Refusal: unavailable(fmt.Sprintf("%s answered with status %d %s", v.root, status, found.Code))}
}

func (v *Verifier) ask(ctx context.Context, question []byte) (int, answer, error) {
	var found answer
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.root+"/api/falconer/v1/check", bytes.NewReader(question))
	if err != nil {
		return 0, found, err
	}
	request.Header.Set("Content-Type", "application/json")
	// The question changes nothing: Go asks again on a kept connection that broke. An empty list is not sent.
	request.Header["Idempotency-Key"] = nil
	response, err := v.client.Do(request)
	if err != nil {
		return 0, found, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer))
	if err != nil {
		return 0, found, err
	}
	if err := json.Unmarshal(body, &found); err != nil {
		return 0, found, fmt.Errorf("status %d, and that was no answer of Falconer", response.StatusCode)
	}
	return response.StatusCode, found, nil
}

// mayAsk is false for a second after five failures in a row; then one question tries.
func (v *Verifier) mayAsk() bool {
	v.lock.Lock()
	defer v.lock.Unlock()
	if v.failures < failuresToPause {
		return true
	}
	if time.Now().Before(v.until) {
		return false
	}
	v.until = time.Now().Add(pause)
	return true
}

func (v *Verifier) report(answered bool) {
	v.lock.Lock()
	defer v.lock.Unlock()
	if answered {
		v.failures = 0
		return
	}
	v.failures++
	v.until = time.Now().Add(pause)
}

// resource is path and query of a request target; of the form with scheme and host, what is behind them.
func resource(target string) string {
	for _, scheme := range []string{"http://", "https://"} {
		if len(target) >= len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			rest := target[len(scheme):]
			if at := strings.IndexAny(rest, "/?"); at >= 0 {
				return "/" + strings.TrimPrefix(rest[at:], "/")
			}
			return "/"
		}
	}
	return target
}

// CompareBody compares the whole body with what was signed; nil where it is right.
func (c *Caller) CompareBody(contentType string, body []byte) *Refusal {
	if c.Hash == "" {
		if c.verifier.config.PayloadHashRequired && c.ClientID != "" && len(body) > 0 {
			return unauthorized("payload-not-signed", "This service accepts a body only if its hash is signed", "")
		}
		return nil
	}
	if computed := PayloadHash(contentType, body); computed != c.Hash {
		return unauthorized("payload-differs", "Invalid payload hash: "+c.Hash+"\nComputed payload hash: "+computed+"\nThe body is not the one that was signed.", "")
	}
	return nil
}

// Has asks whether the caller of the same request satisfies another expression, decided while the request is handled. The refusal is that of an outage or
// of credentials that were taken away meanwhile.
func (c *Caller) Has(ctx context.Context, required Expression) (bool, *Refusal) {
	decision := c.verifier.Check(ctx, c.request, required)
	if decision.Refusal != nil && decision.Refusal.Status == http.StatusForbidden {
		return false, nil
	}
	return decision.Refusal == nil, decision.Refusal
}

// IsPerson says whether the caller is the person of a role such as "mozilla-user:ann@example.com". A star proves nobody. Config.Reveal has to hold
// "assume:mozilla-user:".
func (c *Caller) IsPerson(role string) bool {
	kind, who, _ := strings.Cut(role, ":")
	if kind == "" || who == "" || strings.HasSuffix(role, "*") {
		return false
	}
	for _, scope := range c.Revealed {
		if scope == "assume:"+role {
			return true
		}
	}
	return false
}
