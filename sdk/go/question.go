package falconer

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"time"
)

const (
	checkPath        = "/api/falconer/v1/check"
	authenticatePath = "/api/auth/v1/authenticate-hawk"
	longestAnswer    = 16 << 20
	// longestQuestion is what Falconer reads of one. It may close the connection while a longer one is still being sent, which looks as though it were away. So that is
	// refused before anything is asked, and says nothing about Falconer: else strangers could shut everybody out, or have everybody wait while it is away.
	longestQuestion = 64 << 10
	// olderFor: so long a server that has no check is asked for lists only.
	olderFor = 10 * time.Minute
	// stale are the protocol's words for a signature that is too old or too new.
	stale = "Unauthorized: Stale timestamp"
)

// ours is what of a question is the service's own: an error about it is the author's fault.
var ours = []string{"data/required", "data/reveal", "data/each"}

// isTraceparent: what others wrote is passed on only in this form.
var isTraceparent = regexp.MustCompile(`^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$`)

// question is one request, and what is asked about it.
type question struct {
	request  Request
	required Expression
	reveal   []string
	identity bool
	each     []Expression
}

// strange is no answer of Falconer's.
type strange struct {
	why string
	// away: the next question would be answered no better.
	away bool
}

func (q question) parts(host string, port int) map[string]any {
	parts := map[string]any{"method": strings.ToLower(q.request.Method), "resource": resource(q.request.Target), "host": host, "port": port}
	if q.request.Authorization != "" {
		parts["authorization"] = q.request.Authorization
	}
	if q.request.SourceIP != "" {
		parts["sourceIp"] = q.request.SourceIP
	}
	return parts
}

// tokenScheme is the one by which a request shows an access token, in lower case; empty: it shows none.
func tokenScheme(authorization string) string {
	scheme, _, found := strings.Cut(authorization, " ")
	if scheme = strings.ToLower(scheme); found && (scheme == "bearer" || scheme == "dpop") {
		return scheme
	}
	return ""
}

func (q question) check(scheme, host string, port int, bearerTokens bool) map[string]any {
	parts := q.parts(host, port)
	asked := map[string]any{"request": parts, "required": q.required}
	if len(q.reveal) > 0 {
		asked["reveal"] = q.reveal
	}
	if q.identity {
		asked["identity"] = true
	}
	if len(q.each) > 0 {
		asked["each"] = q.each
	}
	// Only with a token: an older server would refuse the question.
	if shown := tokenScheme(q.request.Authorization); shown != "" && bearerTokens {
		asked["bearer"] = true
		if shown == "dpop" {
			parts["scheme"] = scheme
			if q.request.FollowUp != "" {
				parts["followUp"] = q.request.FollowUp
			} else if q.request.DPoP != "" {
				parts["dpop"] = q.request.DPoP
			}
		}
	}
	return asked
}

// answer is that of check, of authenticateHawk, or an error.
type answer struct {
	Status   string          `json:"status"`
	Code     string          `json:"code"`
	Reason   string          `json:"reason"`
	Message  string          `json:"message"`
	ID       string          `json:"id"`
	Missing  json.RawMessage `json:"missing"`
	Expires  time.Time       `json:"expires"`
	ClientID *string         `json:"clientId"`
	Hash     string          `json:"hash"`
	Identity *Identity       `json:"identity"`
	Revealed []string        `json:"revealed"`
	Scopes   []string        `json:"scopes"`
	FollowUp string          `json:"followUp"`
	Each     []struct {
		Status string `json:"status"`
	} `json:"each"`
}

// ask gives a decision, or why there is none. text is the question as check takes it.
func (v *Verifier) ask(ctx context.Context, q question, text []byte) (Decision, *strange) {
	if !v.older.Waits(v.config.Now()) {
		status, found, failure := v.post(ctx, checkPath, q.request.Traceparent, text)
		switch {
		case failure != nil:
			return Decision{}, failure
		case status != http.StatusNotFound || found.Code != "":
			return v.read(q, status, found)
		}
		if v.older.Take(v.config.Now(), olderFor) {
			v.config.Logger.Warn("this Falconer has no method `check`: it is asked for all scopes of each caller", "falconer", v.root)
		}
	}
	text, err := json.Marshal(q.parts(v.host, v.port))
	if err != nil {
		return Decision{}, &strange{why: "the question cannot be written: " + err.Error()}
	}
	status, found, failure := v.post(ctx, authenticatePath, q.request.Traceparent, text)
	if failure != nil {
		return Decision{}, failure
	}
	return v.readList(q, status, found)
}

// read is what check decided.
func (v *Verifier) read(q question, status int, found answer) (Decision, *strange) {
	switch {
	case status == http.StatusOK && found.Status == "allowed" && !found.Expires.IsZero() && len(found.Each) == len(q.each):
		return v.allowed(q, found, found.Revealed, func(i int) bool { return found.Each[i].Status == "allowed" }), nil
	case status == http.StatusOK && found.Status == "denied":
		refusal := refused("InsufficientScopes", http.StatusForbidden, found.Reason, found.Message, found.ID)
		return Decision{Refusal: refusal, Missing: found.Missing}, nil
	case status == http.StatusOK && found.Status == "failed":
		return Decision{Refusal: unauthorized(found.Reason, told(found.Message, v.config.Now()), found.ID)}, nil
	case status == http.StatusBadRequest && found.Code != "" && slices.ContainsFunc(ours, func(member string) bool { return strings.Contains(found.Message, member) }):
		return Decision{Refusal: misconfigured("Falconer does not understand what this route requires: " + words(found.Message))}, nil
	case status == http.StatusBadRequest && found.Code != "" && strings.Contains(found.Message, "data/request"):
		return Decision{Refusal: notVerifiable(words(found.Message))}, nil
	case status == http.StatusBadRequest && found.Code != "":
		return Decision{}, &strange{why: "it did not understand the question: " + words(found.Message)}
	case status == http.StatusRequestEntityTooLarge && found.Code != "":
		return Decision{Refusal: tooLarge()}, nil
	}
	return Decision{}, &strange{why: strings.TrimSpace(fmt.Sprintf("it answered %d %s", status, found.Code)), away: status >= 500}
}

func (v *Verifier) allowed(q question, found answer, scopes []string, each func(int) bool) Decision {
	caller := &Caller{
		Expires: found.Expires, Identity: found.Identity, Scopes: append([]string{}, scopes...), verifier: v, request: q.request,
	}
	if found.FollowUp != "" {
		caller.request.FollowUp = found.FollowUp
	}
	if found.ClientID != nil {
		caller.ClientID, caller.Hash = *found.ClientID, found.Hash
	}
	decision := Decision{Caller: caller}
	for i := range q.each {
		decision.each = append(decision.each, each(i))
	}
	return decision
}

// post gives status and body of an answer that is JSON.
func (v *Verifier) post(ctx context.Context, path, traceparent string, text []byte) (int, answer, *strange) {
	var found answer
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, v.root+path, bytes.NewReader(text))
	if err != nil {
		return 0, found, &strange{why: err.Error()}
	}
	request.Header.Set("Content-Type", "application/json")
	if isTraceparent.MatchString(traceparent) {
		request.Header.Set("Traceparent", traceparent)
	}
	// The question changes nothing: Go asks again on a kept connection that broke. An empty list is not sent.
	request.Header["Idempotency-Key"] = nil
	response, err := v.client.Do(request)
	if err != nil {
		return 0, found, &strange{why: err.Error(), away: true}
	}
	defer response.Body.Close()
	said, err := io.ReadAll(io.LimitReader(response.Body, longestAnswer+1))
	switch {
	case err != nil:
		return 0, found, &strange{why: err.Error(), away: true}
	case response.StatusCode >= 500:
		return 0, found, &strange{why: fmt.Sprintf("it answered %d", response.StatusCode), away: true}
	case len(said) > longestAnswer:
		return 0, found, &strange{why: "its answer is too large"}
	}
	if err := json.Unmarshal(said, &found); err != nil {
		return 0, found, &strange{why: fmt.Sprintf("it answered %d, and that was no answer of Falconer", response.StatusCode)}
	}
	return response.StatusCode, found, nil
}

// words of a message of the protocol, without its technical part.
func words(message string) string {
	said, _, _ := strings.Cut(message, "\n\n---\n")
	return strings.TrimSpace(said)
}

// told says to whom has a wrong clock what time it is.
func told(message string, now time.Time) string {
	if message != stale {
		return message
	}
	here := now.UTC().Format("2006-01-02T15:04:05.000Z")
	return stale + ". The request was signed more than 15 minutes ago, or the clock of the computer that signed it is wrong. It is " + here + " here."
}
