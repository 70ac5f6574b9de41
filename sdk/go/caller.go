package falconer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"falconer.example/sdk/go/internal/hawk"
)

// What one question carries of many expressions at most, as a server reads it.
const (
	mostEach = 128
	mostText = 12 << 10
	// mostValues: each member of an expression has two quotes.
	mostValues = 480
)

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
	// Scopes are the caller's below the prefixes of Config.Reveal, never nil.
	Scopes []string

	verifier *Verifier
	request  Request
}

// FollowUp is what goes in place of a proof (Request.FollowUp) where the same request is verified once more; empty: it had none.
func (c *Caller) FollowUp() string {
	return c.request.FollowUp
}

// CompareBody compares the whole body with what was signed; nil where it is right.
func (c *Caller) CompareBody(contentType string, body []byte) *Refusal {
	if c.Hash == "" {
		if c.verifier.config.PayloadHashRequired && c.ClientID != "" && len(body) > 0 {
			return payloadNotSigned()
		}
		return nil
	}
	if computed := hawk.PayloadHash(contentType, body); computed != c.Hash {
		return unauthorized("payload-differs", "Invalid payload hash: "+c.Hash+"\nComputed payload hash: "+computed+"\nThe body is not the one that was signed.", "")
	}
	return nil
}

// Has asks whether the caller of the same request satisfies another expression, decided while the request is handled. The refusal is that of an outage or
// of credentials that were taken away meanwhile.
func (c *Caller) Has(ctx context.Context, required Expression) (bool, *Refusal) {
	decision := c.verifier.decide(ctx, question{request: c.request, required: required})
	if decision.Refusal != nil && decision.Refusal.Status == http.StatusForbidden {
		return false, nil
	}
	return decision.Refusal == nil, decision.Refusal
}

// HasEach is Has for many expressions (a page of a list), in one question for up to 128 of them.
func (c *Caller) HasEach(ctx context.Context, required []Expression) ([]bool, *Refusal) {
	found := make([]bool, 0, len(required))
	for _, part := range parts(required) {
		decision := c.verifier.decide(ctx, question{request: c.request, required: AllOf{}, each: part})
		if decision.Refusal != nil {
			return nil, decision.Refusal
		}
		found = append(found, decision.each...)
	}
	return found, nil
}

// parts are as many in one question as a server reads: it bounds their number, their length and their members.
func parts(required []Expression) [][]Expression {
	var cut [][]Expression
	length, values := 0, 0
	for _, one := range required {
		text, _ := json.Marshal(one)
		quotes := strings.Count(string(text), `"`)
		if last := len(cut) - 1; last < 0 || len(cut[last]) == mostEach || length+len(text) > mostText || values+quotes > mostValues {
			cut, length, values = append(cut, nil), 0, 0
		}
		cut[len(cut)-1] = append(cut[len(cut)-1], one)
		length, values = length+len(text), values+quotes
	}
	return cut
}

// AuthorizedScopes are what to restrict a call by that this service makes for the caller with its own credentials (Transport.Restricted): these scopes, if
// the caller has them all, else the refusal is a 403, or a 400 for a text that no scope can be.
func (c *Caller) AuthorizedScopes(ctx context.Context, scopes ...string) ([]string, *Refusal) {
	wanted := AllOf{}
	for _, scope := range scopes {
		if scope == "" {
			return nil, misconfigured("AuthorizedScopes was asked for an empty scope")
		}
		if outsideText.MatchString(scope) {
			// A caller wrote it into a path.
			return nil, badParameter("a scope that it asks for has a character outside of printable ASCII")
		}
		wanted = append(wanted, scope)
	}
	decision := c.verifier.decide(ctx, question{request: c.request, required: wanted})
	if decision.Refusal != nil {
		return nil, decision.Refusal
	}
	return append([]string{}, scopes...), nil
}

// IsPerson says whether the caller is the person of a role such as "mozilla-user:ann@example.com". A star proves nobody. Config.Reveal has to hold
// "assume:mozilla-user:"; the refusal (500) says that it does not.
func (c *Caller) IsPerson(role string) (bool, *Refusal) {
	if !namesSomebody(role) {
		return false, nil
	}
	if refusal := c.needsReveal(role); refusal != nil {
		return false, refusal
	}
	return slices.Contains(c.Scopes, "assume:"+role), nil
}

// People are who the caller is to a kind of role such as "mozilla-user:": what follows it in each scope that names one person. Config.Reveal as for IsPerson.
func (c *Caller) People(kind string) ([]string, *Refusal) {
	if refusal := c.needsReveal(kind); refusal != nil {
		return nil, refusal
	}
	found := []string{}
	for _, scope := range c.Scopes {
		role, assumed := strings.CutPrefix(scope, "assume:")
		who, ofKind := strings.CutPrefix(role, kind)
		if assumed && ofKind && who != "" && namesSomebody(role) {
			found = append(found, who)
		}
	}
	return found, nil
}

// needsReveal: without the prefix a service sees no such scope of anybody, and everybody would look like nobody.
func (c *Caller) needsReveal(role string) *Refusal {
	sees := func(prefix string) bool { return strings.HasPrefix("assume:"+role, prefix) }
	// One that a service has made itself, for a test, has all that it says.
	if c.verifier == nil || slices.ContainsFunc(c.verifier.config.Reveal, sees) {
		return nil
	}
	kind, _, _ := strings.Cut(role, ":")
	return misconfigured(fmt.Sprintf(`To know whether a caller is %s, make the guard or verifier with Reveal: []string{"assume:%s:"}.`, role, kind))
}

// namesSomebody says whether a role is of one person: a kind, and who it is, without a star.
func namesSomebody(role string) bool {
	kind, who, _ := strings.Cut(role, ":")
	return kind != "" && who != "" && !strings.HasSuffix(role, "*")
}
