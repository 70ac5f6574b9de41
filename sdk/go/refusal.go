package falconer

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"

	"falconer.example/sdk/go/internal/hawk"
)

// Refusal says why a request goes no further.
type Refusal struct {
	// Code is the protocol's, such as InsufficientScopes.
	Code string
	// Status is that of the answer: 400, 401, 403, 413, 500 or 503.
	Status int
	// Reason is a stable word, such as scopes-missing; for the log, and for the caller.
	Reason string
	// Message is for the caller.
	Message string
	// ID is told to the caller: `falconer why <id>` says more where Falconer refused, the log of this service otherwise.
	ID string
	// Log is for this service's log only; may be empty.
	Log string
	// Challenge is WWW-Authenticate of the answer where the service says where tokens come from; may be empty.
	Challenge string
}

// Error is the message for the caller.
func (r *Refusal) Error() string { return r.Message }

func refused(code string, status int, reason, message, id string) *Refusal {
	if id == "" {
		id = hawk.RandomText(16)
	}
	return &Refusal{Code: code, Status: status, Reason: reason, Message: message, ID: id}
}

func notVerifiable(why string) *Refusal {
	return refused("InputError", http.StatusBadRequest, "not-verifiable", "The request cannot be verified: "+why, "")
}

// tooLarge is of a request about which Falconer cannot be asked because of its size.
func tooLarge() *Refusal {
	return refused("InputTooLarge", http.StatusRequestEntityTooLarge, "not-verifiable", "The request cannot be verified: it is too large", "")
}

// badParameter is of a part of the path that may not stand in a scope.
func badParameter(why string) *Refusal {
	refusal := notVerifiable(why)
	refusal.Reason = "parameter"
	return refusal
}

func unauthorized(reason, message, id string) *Refusal {
	return refused("AuthenticationFailed", http.StatusUnauthorized, reason, message, id)
}

func unavailable(why string) *Refusal {
	r := refused("ServiceUnavailable", http.StatusServiceUnavailable, "unavailable", "The authorization server cannot be asked at the moment. Try again soon.", "")
	r.Log = why
	return r
}

func payloadNotSigned() *Refusal {
	return unauthorized("payload-not-signed", "This service accepts a body only if its hash is signed", "")
}

// misconfigured is the author's fault, found by a request.
func misconfigured(why string) *Refusal {
	r := refused("InternalServerError", http.StatusInternalServerError, "misconfigured", "This service is not set up correctly. Its log says more.", "")
	r.Log = why
	return r
}

// Write answers a request in the protocol's shape. The query is not repeated: it may hold a signature.
func (r *Refusal) Write(w http.ResponseWriter, request *http.Request) {
	header := w.Header()
	header.Set("Content-Type", "application/json")
	header.Set("Cache-Control", "no-store")
	switch r.Status {
	case http.StatusUnauthorized:
		header.Set("WWW-Authenticate", "hawk")
	case http.StatusServiceUnavailable:
		header.Set("Retry-After", "1")
	}
	if r.Challenge != "" {
		header.Set("WWW-Authenticate", r.Challenge)
	}
	now := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	asked := request.Method + " " + request.URL.EscapedPath()
	trailer := "* method:     " + asked + "\n* errorCode:  " + r.Code + "\n* statusCode: " + strconv.Itoa(r.Status) + "\n* time:       " + now
	body, _ := json.Marshal(map[string]any{
		"code": r.Code, "message": r.Message + "\n\n---\n\n" + trailer, "reason": r.Reason, "id": r.ID,
		"requestInfo": map[string]any{"method": asked, "params": map[string]string{}, "time": now},
	})
	w.WriteHeader(r.Status)
	_, _ = w.Write(body)
}
