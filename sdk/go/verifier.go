// Package falconer protects services with Falconer, and signs calls. It needs the standard library only.
package falconer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"
	"strings"
	"time"

	"falconer.example/sdk/go/internal/breaker"
	"falconer.example/sdk/go/internal/hawk"
)

// mostQuestions are under way at once, and more wait: so strangers can't make a service take all connections that Falconer lets one address have. It would
// refuse the questions of everybody.
const mostQuestions = 256

// Config says where Falconer and this service are.
type Config struct {
	// Falconer is its root URL, such as https://auth.example.com.
	Falconer string
	// Origin is where callers reach this service, such as https://notes.example.com. The Host header is never looked at.
	Origin string
	// PayloadHashRequired refuses bodies whose hash was not signed, so that nobody between caller and service can change them.
	PayloadHashRequired bool
	// BearerTokens takes access tokens (Authorization: Bearer falconer_at_...), too. A token signs nothing: whoever sees one, such as another service that it
	// is sent to, can use it here until it ends.
	BearerTokens bool
	// ProtectedResource takes access tokens, and tells clients of OAuth 2 where they come from. Guard.CORS answers the metadata, and refusals have challenges; who shows
	// no credentials is refused with 401 in place of 403. nil: nothing is told.
	ProtectedResource *ProtectedResource
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
	// Base asks Falconer, for certificates and proxies of your own; if it is nil, a transport that keeps 64 connections.
	Base http.RoundTripper
	// Logger is told why requests were refused; slog's default if it is nil.
	Logger *slog.Logger
	// Now is a clock; time.Now if it is nil. For tests.
	Now func() time.Time
}

// Verifier asks Falconer about requests. It may be used by many goroutines at once. No answer is kept.
type Verifier struct {
	config Config
	root   string
	scheme string
	host   string
	port   int
	client *http.Client
	// resource is what clients of OAuth 2 are told, or nil.
	resource *protected
	breaker  breaker.Breaker
	// questions holds one for each question that is under way.
	questions chan struct{}
	// older is a server without check, which is asked for the whole list for a while.
	older breaker.Seldom
	// elsewhere: when another origin was looked for.
	elsewhere breaker.Seldom
	counts    counts
}

// Request is what of a request is verified.
type Request struct {
	Method string
	// Target is path and query exactly as on the request line (http.Request.RequestURI).
	Target string
	// Authorization is the header as it came, or empty.
	Authorization string
	// DPoP is that header as it came (RFC 9449), which goes with an access token that is bound to a key; or empty.
	DPoP string
	// FollowUp goes in place of DPoP, which counts once, where this request was verified before: Caller.FollowUp gives it. Or empty.
	FollowUp string
	// SourceIP is the address of the caller, for Falconer's log; may be empty.
	SourceIP string
	// Traceparent is that header as it came (W3C Trace Context), or that of a span of this service's own: the question to Falconer is a part of that trace. What is
	// not of the form is not passed on. May be empty.
	Traceparent string
}

// Decision is either a Caller (allowed) or a Refusal: 403 where scopes are missing, 401 where the credentials do not hold, 503 where Falconer cannot tell.
type Decision struct {
	Caller  *Caller
	Refusal *Refusal
	// Missing is the part of the expression that the caller lacks, as JSON; for a 403 only.
	Missing []byte

	each []bool
}

// NewVerifier checks the configuration. Errors are whole sentences for the operator.
func NewVerifier(config Config) (*Verifier, error) {
	root, err := url.Parse(config.Falconer)
	if err == nil {
		_, _, err = hawk.HostAndPort(root)
	}
	if err != nil || root.RawQuery != "" || root.Fragment != "" {
		return nil, errors.New("Falconer's root URL cannot be used. It looks like https://auth.example.com.")
	}
	v := &Verifier{config: config, root: strings.TrimRight(config.Falconer, "/"), questions: make(chan struct{}, mostQuestions)}
	if v.host, v.port, err = hawk.Origin(config.Origin); err != nil {
		return nil, fmt.Errorf("The public origin of this service cannot be used: %w. It looks like https://notes.example.com.", err)
	}
	v.scheme, _, _ = strings.Cut(strings.ToLower(config.Origin), "://")
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
	for _, origin := range config.CORS {
		if _, _, err := hawk.Origin(origin); err != nil {
			return nil, fmt.Errorf("CORS holds %q, which is no origin: %w.", origin, err)
		}
	}
	if config.ProtectedResource != nil {
		if v.resource, err = newProtected(v.root, config.Origin, config.ProtectedResource); err != nil {
			return nil, err
		}
		v.config.BearerTokens = true
	}
	v.fillDefaults()
	v.client = &http.Client{
		Transport:     v.config.Base,
		Timeout:       v.config.Timeout,
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
	return v, nil
}

func (v *Verifier) fillDefaults() {
	c := &v.config
	if c.BodyLimit == 0 {
		c.BodyLimit = 1 << 20
	}
	if c.Timeout == 0 {
		c.Timeout = 5 * time.Second
	}
	if c.Base == nil {
		// An answer that grows as it is unpacked is not asked for.
		c.Base = &http.Transport{
			Proxy: http.ProxyFromEnvironment, ForceAttemptHTTP2: true, DisableCompression: true, MaxIdleConnsPerHost: 64, IdleConnTimeout: 30 * time.Second,
		}
	}
	if c.Logger == nil {
		c.Logger = slog.Default()
	}
	if c.Now == nil {
		c.Now = time.Now
	}
}

// Check asks whether whoever signed the request may do what is required. The body is not looked at: see Caller.CompareBody.
func (v *Verifier) Check(ctx context.Context, request Request, required Expression) Decision {
	return v.decide(ctx, question{request: request, required: required, reveal: v.config.Reveal, identity: v.config.Identity})
}

func (v *Verifier) decide(ctx context.Context, q question) Decision {
	decision := v.asked(ctx, q)
	v.counts.count(decision)
	return decision
}

func (v *Verifier) asked(ctx context.Context, q question) Decision {
	if hawk.IsSignedTwice(q.request.Target, q.request.Authorization) {
		told := "Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header"
		return Decision{Refusal: unauthorized("two-schemes", told, "")}
	}
	text, err := json.Marshal(q.check(v.scheme, v.host, v.port, v.config.BearerTokens))
	switch {
	case err != nil:
		return Decision{Refusal: unavailable(v.root + ": the question cannot be written: " + err.Error())}
	case len(text) > longestQuestion:
		return Decision{Refusal: tooLarge()}
	}
	if v.breaker.Paused(v.config.Now()) {
		return Decision{Refusal: unavailable(v.root + " did not answer the last questions")}
	}
	select {
	case v.questions <- struct{}{}:
		defer func() { <-v.questions }()
	case <-ctx.Done():
		return Decision{Refusal: unavailable("the caller hung up")}
	}
	// It may have gone away meanwhile.
	if !v.breaker.MayAsk(v.config.Now()) {
		return Decision{Refusal: unavailable(v.root + " did not answer the last questions")}
	}
	decision, failure := v.ask(ctx, q, text)
	switch {
	case ctx.Err() != nil:
		// Who hung up says nothing about Falconer.
		return Decision{Refusal: unavailable("the caller hung up")}
	case failure == nil:
		v.breaker.Report(true, v.config.Now())
		return decision
	case failure.away:
		v.breaker.Report(false, v.config.Now())
	}
	// What a caller wrote, and a proxy between did not like, says nothing about the next question.
	return Decision{Refusal: unavailable(v.root + ": " + failure.why)}
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
