package falconer

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"

	"falconer.example/sdk/go/internal/hawk"
)

// Guard protects the routes of a service.
type Guard struct {
	*Verifier
	origins map[string]bool
}

type callerKey struct{}

// NewGuard checks the configuration, as NewVerifier does.
func NewGuard(config Config) (*Guard, error) {
	v, err := NewVerifier(config)
	if err != nil {
		return nil, err
	}
	g := &Guard{Verifier: v}
	if config.CORS != nil {
		g.origins = map[string]bool{}
		for _, origin := range config.CORS {
			g.origins[asSent(origin)] = true
		}
	}
	return g, nil
}

// asSent is an origin as browsers write it: in lower case, an address of IPv6 in its shortest form, and without the scheme's own port.
func asSent(text string) string {
	host, port, _ := hawk.Origin(text) // was checked
	scheme, _, _ := strings.Cut(strings.ToLower(text), "://")
	if port == map[string]int{"http": 80, "https": 443}[scheme] {
		return scheme + "://" + host
	}
	return fmt.Sprintf("%s://%s:%d", scheme, host, port)
}

// CallerFrom is the caller of a request that a guard let through; nil elsewhere.
func CallerFrom(ctx context.Context) *Caller {
	caller, _ := ctx.Value(callerKey{}).(*Caller)
	return caller
}

// Handle adds a route to a mux. `<book>` in the expression is `{book}` of the pattern. It panics with a readable text where the expression could never work
// or the pattern lacks a parameter, as the mux does for patterns.
func (g *Guard) Handle(mux *http.ServeMux, pattern string, required Expression, handler http.Handler) {
	requirement, err := NewRequirement(required)
	if err == nil {
		err = requirement.Fit(pattern)
	}
	if err != nil {
		panic("falconer: " + err.Error())
	}
	mux.Handle(pattern, g.protect(requirement, pathValue, handler))
}

// HandleFunc is Handle for a function.
func (g *Guard) HandleFunc(mux *http.ServeMux, pattern string, required Expression, handler func(http.ResponseWriter, *http.Request)) {
	g.Handle(mux, pattern, required, http.HandlerFunc(handler))
}

// Require is a middleware; parameters are those of the pattern that matched (http.Request.PathValue), and a missing one is refused with 400, because an empty one
// looks the same there. It panics where the expression could never work. Handle also holds the expression against the pattern.
func (g *Guard) Require(required Expression) func(http.Handler) http.Handler {
	return g.RequireWith(required, pathValue)
}

// RequireWith is Require for routers that keep the parameters of a path elsewhere: value gives the decoded text of one, and whether the path of the route has it. Where it
// has not, the service is not set up correctly: 500, and the log says so.
func (g *Guard) RequireWith(required Expression, value func(r *http.Request, name string) (string, bool)) func(http.Handler) http.Handler {
	requirement, err := NewRequirement(required)
	if err != nil {
		panic("falconer: " + err.Error())
	}
	return func(next http.Handler) http.Handler { return g.protect(requirement, value, next) }
}

func pathValue(r *http.Request, name string) (string, bool) { return r.PathValue(name), true }

// Identify is a middleware for handlers that decide by themselves (Caller.Has): everybody is let in whose credentials are not wrong.
func (g *Guard) Identify(next http.Handler) http.Handler {
	return g.protect(&Requirement{expression: AllOf{}}, pathValue, next)
}

func (g *Guard) protect(requirement *Requirement, value func(*http.Request, string) (string, bool), next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		caller, refusal := g.admit(requirement, value, w, r)
		if refusal != nil {
			g.log(refusal, r)
			refusal.Write(w, r)
			return
		}
		if isSignedURL(r) && w.Header().Get("Cache-Control") == "" {
			// Caches keep answers to such requests, unlike those to requests with an Authorization header (RFC 9111, 3.5). The handler may say something else.
			w.Header().Set("Cache-Control", "private, no-cache")
		}
		next.ServeHTTP(w, r.WithContext(context.WithValue(r.Context(), callerKey{}, caller)))
	})
}

// log says why a request was refused. Never the query: it may hold a signature.
func (g *Guard) log(refusal *Refusal, r *http.Request) {
	level, why := slog.LevelInfo, refusal.Reason
	switch refusal.Status {
	case http.StatusServiceUnavailable:
		level = slog.LevelWarn
	case http.StatusInternalServerError:
		level = slog.LevelError
	}
	if refusal.Log != "" {
		why = refusal.Log
	}
	g.config.Logger.Log(r.Context(), level, "refused", "method", r.Method, "path", r.URL.Path, "status", refusal.Status, "reason", why, "id", refusal.ID)
	if refusal.Reason != "bad-mac" {
		return
	}
	if found := g.LookForOtherOrigin(r.Context(), requestOf(r), r.Host); found != "" {
		g.config.Logger.Warn(found+" (looked for at most once a minute)", "id", refusal.ID)
	}
}

func isSignedURL(r *http.Request) bool {
	return strings.HasPrefix(r.URL.RawQuery, "bewit=") || strings.Contains(r.URL.RawQuery, "&bewit=")
}

func requestOf(r *http.Request) Request {
	address, _, _ := net.SplitHostPort(r.RemoteAddr)
	request := Request{Method: r.Method, Target: r.RequestURI, Authorization: r.Header.Get("Authorization"), SourceIP: address}
	// Several are no proof.
	request.DPoP = strings.Join(r.Header.Values("DPoP"), ", ")
	if given := r.Header.Values("Traceparent"); len(given) == 1 {
		request.Traceparent = given[0]
	}
	return request
}

func (g *Guard) admit(requirement *Requirement, value func(*http.Request, string) (string, bool), w http.ResponseWriter, r *http.Request) (*Caller, *Refusal) {
	required, refusal := requirement.fill(func(name string) (string, bool) { return value(r, name) })
	if refusal != nil {
		return nil, refusal
	}
	if len(r.Header.Values("Authorization")) > 1 {
		return nil, unauthorized("malformed", "There is more than one Authorization header", "")
	}
	decision := g.Check(r.Context(), requestOf(r), required)
	if refusal = decision.Refusal; refusal == nil {
		refusal = g.compare(decision.Caller, w, r)
	}
	g.resource.challenged(refusal, r.Header.Get("Authorization"), required)
	return decision.Caller, refusal
}

// compare reads the body only where it has to: strangers cannot make a service read.
func (g *Guard) compare(caller *Caller, w http.ResponseWriter, r *http.Request) *Refusal {
	limit := g.config.BodyLimit
	if caller.Hash == "" {
		if !g.config.PayloadHashRequired || caller.ClientID == "" {
			return nil
		}
		limit = 0 // whether there is a body is all that counts
	}
	body, err := io.ReadAll(http.MaxBytesReader(w, r.Body, limit))
	var larger *http.MaxBytesError
	switch {
	case errors.As(err, &larger) && caller.Hash == "":
		return payloadNotSigned()
	case errors.As(err, &larger):
		return refused("InputTooLarge", http.StatusRequestEntityTooLarge, "body-too-large", fmt.Sprintf("The body is larger than %d bytes", limit), "")
	case err != nil:
		return refused("InputError", http.StatusBadRequest, "body-unreadable", "The body could not be read", "")
	}
	r.Body = io.NopCloser(bytes.NewReader(body))
	return caller.CompareBody(r.Header.Get("Content-Type"), body)
}

// CORS is outermost: it answers preflights before Falconer is asked, and lets pages read refusals too. At the root of the origin it says where tokens come from
// (Config.ProtectedResource).
func (g *Guard) CORS(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if g.resource.answer(w, r) {
			return
		}
		header, origin := w.Header(), r.Header.Get("Origin")
		allowed := "*"
		if g.origins != nil {
			header.Add("Vary", "Origin")
			allowed = ""
			if g.origins[origin] {
				allowed = origin
			}
		}
		if allowed != "" {
			header.Set("Access-Control-Allow-Origin", allowed)
			header.Set("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, Date")
		}
		if r.Method == http.MethodOptions && origin != "" && r.Header.Get("Access-Control-Request-Method") != "" {
			header.Set("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE")
			header.Set("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP")
			header.Set("Access-Control-Max-Age", "900")
			w.WriteHeader(http.StatusNoContent)
			return
		}
		next.ServeHTTP(w, r)
	})
}
