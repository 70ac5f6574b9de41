package falconer

import (
	"encoding/json"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
)

// ProtectedResource is what clients of OAuth 2 are told of a service that takes access tokens (RFC 9728), such as those of the Model Context Protocol.
type ProtectedResource struct {
	// Path is below the origin, such as /mcp; empty: all of it.
	Path string
	// Scopes are those that a client may want.
	Scopes []string
}

const (
	wellKnown  = "/.well-known/oauth-protected-resource"
	mostScopes = 200
	// longestScope: a header tells the scopes of a call up to this length. Servers and proxies refuse long ones.
	longestScope = 2048
	// proofAlgorithms are the signatures of proofs that count (RFC 9449), as Falconer's own metadata has them.
	proofAlgorithms = "ES256 Ed25519 EdDSA ES384 PS256 RS256"
)

var (
	// Segments of what needs no encoding.
	resourcePath = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)*$`)
	// A scope of OAuth 2 holds no blank, quotation mark or backslash.
	scopeEscapes = strings.NewReplacer("%", "%25", " ", "%20", `"`, "%22", `\`, "%5C")
)

// protected is what is answered and said in challenges.
type protected struct {
	path, url string
	document  []byte
}

func newProtected(root, origin string, given *ProtectedResource) (*protected, error) {
	wrong := func(problem string) (*protected, error) {
		return nil, fmt.Errorf("ProtectedResource cannot be used: %s.", problem)
	}
	// Clients take `.` and `..` away.
	dots := slices.ContainsFunc(strings.Split(given.Path, "/"), func(segment string) bool { return segment == "." || segment == ".." })
	if dots || len(given.Path) > 201 || !resourcePath.MatchString(given.Path) {
		return wrong(fmt.Sprintf("its path is %q, and has to look like /mcp, or to be empty for the whole origin", given.Path))
	}
	if len(given.Scopes) > mostScopes {
		return wrong(fmt.Sprintf("it names more than %d scopes", mostScopes))
	}
	scopes := make([]string, len(given.Scopes))
	for i, scope := range given.Scopes {
		if scope == "" || outsideText.MatchString(scope) {
			return wrong(fmt.Sprintf("%q is not a scope", scope))
		}
		scopes[i] = scopeEscapes.Replace(scope)
	}
	origin = asSent(origin)
	said := map[string]any{"resource": origin + given.Path, "authorization_servers": []string{root}, "bearer_methods_supported": []string{"header"}}
	said["dpop_signing_alg_values_supported"] = strings.Fields(proofAlgorithms)
	if len(scopes) > 0 {
		said["scopes_supported"] = scopes
	}
	document, err := json.Marshal(said)
	if err != nil {
		return wrong(err.Error())
	}
	return &protected{path: wellKnown + given.Path, url: origin + wellKnown + given.Path, document: document}, nil
}

// answer says where tokens come from; false for any other request. It is the same for everybody, and pages of every origin may read it.
func (p *protected) answer(w http.ResponseWriter, r *http.Request) bool {
	if p == nil || (r.Method != http.MethodGet && r.Method != http.MethodHead) || r.URL.Path != p.path {
		return false
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "public, max-age=300")
	w.Header().Set("Access-Control-Allow-Origin", "*")
	_, _ = w.Write(p.document)
	return true
}

// challenged gives a refusal its challenge, where a token can mend it. Whoever shows no credentials is asked for them.
func (p *protected) challenged(refusal *Refusal, authorization string, required Expression) {
	if p == nil || refusal == nil {
		return
	}
	where := fmt.Sprintf("resource_metadata=%q", p.url)
	proofs, scheme := fmt.Sprintf(", DPoP algs=%q", proofAlgorithms), tokenScheme(authorization)
	switch {
	case refusal.Reason == "no-credentials":
		refusal.Code, refusal.Status = "AuthenticationFailed", http.StatusUnauthorized
		refusal.Challenge = "Bearer " + where + proofs + ", hawk"
	case refusal.Code == "InsufficientScopes":
		scope := scopeText(required)
		if scope != "" {
			scope = `scope="` + scope + `", `
		}
		by := "Bearer"
		if scheme == "dpop" {
			by = "DPoP"
		}
		refusal.Challenge = by + ` error="insufficient_scope", ` + scope + where
	case refusal.Status == http.StatusUnauthorized && scheme == "dpop":
		problem := "invalid_token"
		if strings.HasPrefix(refusal.Reason, "proof-") {
			problem = "invalid_dpop_proof"
		}
		refusal.Challenge = fmt.Sprintf(`DPoP error=%q, algs=%q, %s, hawk`, problem, proofAlgorithms, where)
	case refusal.Status == http.StatusUnauthorized:
		// Clients of OAuth 2 look at the first challenge. Who showed no token is told of no error (RFC 6750, section 3.1).
		problem := ""
		if scheme == "bearer" {
			problem = `error="invalid_token", `
		}
		refusal.Challenge = "Bearer " + problem + where + proofs + ", hawk"
	}
}

// scopeText are the scopes of a call as OAuth 2 writes them; of alternatives the first. Empty: there are none, or too many for a header.
func scopeText(required Expression) string {
	text := strings.Join(firstOfEach(required, nil), " ")
	if len(text) > longestScope {
		return ""
	}
	return text
}

func firstOfEach(required Expression, scopes []string) []string {
	switch node := required.(type) {
	case string:
		if scope := scopeEscapes.Replace(node); !slices.Contains(scopes, scope) {
			return append(scopes, scope)
		}
	case AllOf:
		for _, member := range node {
			scopes = firstOfEach(member, scopes)
		}
	case AnyOf:
		if len(node) > 0 {
			return firstOfEach(node[0], scopes)
		}
	}
	return scopes
}
