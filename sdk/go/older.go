package falconer

import (
	"encoding/json"
	"net/http"
	"slices"
	"strings"
)

// Servers without check give the list of everything that a caller may do: what check would have said is worked out here.

// reasons of such a server are those of its messages: by beginning and end.
var reasons = [][3]string{
	{"Unauthorized: Bad mac", "", "bad-mac"},
	{stale, "", "stale-timestamp"},
	{"Unauthorized: Access expired", "", "bewit-expired"},
	{"Client with clientId ", " is disabled", "client-disabled"},
	{"Client with clientId", " has expired", "client-expired"},
	{"ext.certificate.expiry < now", "", "certificate-expired"},
	{"Supplied credentials do not satisfy authorizedScopes", "", "authorized-scopes"},
	{"The grant ", " has been revoked", "grant-revoked"},
	{"Bad Request: ", "", "malformed"},
}

// readList is what authenticateHawk's list decides.
func (v *Verifier) readList(q question, status int, found answer) (Decision, *strange) {
	switch {
	case found.Code != "" && status == http.StatusRequestEntityTooLarge:
		return Decision{Refusal: tooLarge()}, nil
	case found.Code != "" && status == http.StatusBadRequest:
		// It repeats what the caller sent, and nothing else.
		return Decision{Refusal: notVerifiable(words(found.Message))}, nil
	case status != http.StatusOK:
		return Decision{}, &strange{why: strings.TrimSpace("it refused the question " + found.Code)}
	case found.Status == "auth-failed" && found.Message != "":
		return Decision{Refusal: unauthorized(reasonOf(found.Message), told(found.Message, v.config.Now()), "")}, nil
	case found.Status == "no-auth":
		found.ClientID, found.Hash = nil, ""
	case found.Status != "auth-success" || found.ClientID == nil:
		return Decision{}, &strange{why: "it is not Falconer that answered"}
	}
	if found.Expires.IsZero() || found.Scopes == nil {
		return Decision{}, &strange{why: "its answer says not what a caller may do"}
	}
	held := newHeld(found.Scopes)
	if lacking := held.missing(q.required); lacking != nil {
		return denied(found.ClientID, lacking, q.required), nil
	}
	if !q.identity {
		found.Identity = nil
	}
	return v.allowed(q, found, held.below(q.reveal), func(i int) bool { return held.missing(q.each[i]) == nil }), nil
}

func reasonOf(message string) string {
	for _, known := range reasons {
		if strings.HasPrefix(message, known[0]) && strings.HasSuffix(message, known[1]) {
			return known[2]
		}
	}
	return "not-accepted"
}

func denied(clientID *string, lacking, required Expression) Decision {
	needs := "satisfy the following scope expression:\n\n```\n" + shown(required) + "\n```"
	reason, message := "no-credentials", "This request requires Taskcluster credentials that "+needs
	if clientID != nil {
		lacks := "does not have sufficient scopes and is missing the following scopes:\n\n```\n" + shown(lacking) + "\n```"
		reason, message = "scopes-missing", "Client ID "+*clientID+" "+lacks+"\n\nThis request requires the client to "+needs
	}
	text, _ := json.Marshal(lacking)
	return Decision{Refusal: refused("InsufficientScopes", http.StatusForbidden, reason, message, ""), Missing: text}
}

// shown is an expression in a message: a scope as it is, anything else as JSON indented by two.
func shown(expression Expression) string {
	if scope, ok := expression.(string); ok {
		return scope
	}
	text, _ := json.MarshalIndent(expression, "", "  ")
	return unescaped(text)
}

// held are expanded scopes, with those that end with a star apart.
type held struct {
	exact map[string]bool
	stars []string
}

func newHeld(scopes []string) held {
	h := held{exact: map[string]bool{}}
	for _, scope := range scopes {
		h.exact[scope] = true
		if star, found := strings.CutSuffix(scope, "*"); found {
			h.stars = append(h.stars, star)
		}
	}
	return h
}

// missing is the part of an expression that is not satisfied, or nil.
func (h held) missing(required Expression) Expression {
	switch node := required.(type) {
	case string:
		if h.exact[node] || slices.ContainsFunc(h.stars, func(star string) bool { return strings.HasPrefix(node, star) }) {
			return nil
		}
		return node
	case AllOf:
		left := h.each(node)
		switch len(left) {
		case 0:
			return nil
		case 1:
			return left[0]
		}
		return AllOf(left)
	case AnyOf:
		left := h.each(node)
		if len(left) < len(node) {
			return nil
		}
		if len(left) == 1 {
			return left[0]
		}
		return AnyOf(left)
	}
	return required
}

func (h held) each(members []Expression) []Expression {
	var left []Expression
	for _, member := range members {
		if lacking := h.missing(member); lacking != nil {
			left = append(left, lacking)
		}
	}
	return left
}

// below is what `reveal` shows: what lies below a prefix, and for a wider star the prefix with a star.
func (h held) below(prefixes []string) []string {
	found := map[string]bool{}
	for _, prefix := range prefixes {
		for scope := range h.exact {
			if strings.HasPrefix(scope, prefix) {
				found[scope] = true
			}
		}
		if slices.ContainsFunc(h.stars, func(star string) bool { return strings.HasPrefix(prefix, star) }) {
			found[prefix+"*"] = true
		}
	}
	sorted := make([]string, 0, len(found))
	for scope := range found {
		sorted = append(sorted, scope)
	}
	slices.Sort(sorted)
	return sorted
}
