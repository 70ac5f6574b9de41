package falconer

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"time"

	"falconer.example/sdk/go/internal/hawk"
)

// LookForOtherOrigin says why a signature that does not hold may be right all the same, for the log of this service: "verified for notes.example.com:443, your configured
// origin is notes.example.com:8443". Falconer is asked about the Host header of the request, at most once a minute; empty where there is nothing to say. What comes
// out lets nobody in.
func (v *Verifier) LookForOtherOrigin(ctx context.Context, request Request, hostHeader string) string {
	if !v.elsewhere.Take(v.config.Now(), time.Minute) {
		return ""
	}
	for _, scheme := range []string{"https", "http"} {
		host, port, err := hawk.Origin(scheme + "://" + hostHeader)
		if err != nil || (host == v.host && port == v.port) {
			continue
		}
		text, err := json.Marshal(question{request: request, required: AllOf{}}.check(scheme, host, port, false))
		if err != nil {
			return ""
		}
		status, found, failure := v.post(ctx, checkPath, request.Traceparent, text)
		if failure != nil || status != http.StatusOK {
			return ""
		}
		if found.Status == "allowed" || found.Status == "denied" || (found.Status == "failed" && found.Reason != "bad-mac") {
			return fmt.Sprintf("verified for %s:%d, your configured origin is %s:%d", host, port, v.host, v.port)
		}
	}
	return ""
}
