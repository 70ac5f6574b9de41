package tests

import (
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	falconer "falconer.example/sdk/go"
)

// The question is a part of the trace of the request, and what is not of the form is not passed on.
func TestTraces(t *testing.T) {
	const trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
	var seen []string
	authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		seen = append(seen, strings.Join(r.Header.Values("Traceparent"), "|"))
		_, _ = io.WriteString(w, `{"status": "allowed", "expires": "2099-01-01T00:00:00.000Z"}`)
	}))
	defer authority.Close()
	guard, err := falconer.NewGuard(falconer.Config{Falconer: authority.URL, Origin: origin})
	if err != nil {
		t.Fatal(err)
	}
	mux := http.NewServeMux()
	guard.HandleFunc(mux, "GET /books", "notes:read:red", func(http.ResponseWriter, *http.Request) {})
	for _, given := range [][]string{{trace}, nil, {trace, trace}, {trace + "-more"}, {strings.Repeat("x", 9000)}, {strings.ToUpper(trace)}} {
		request := httptest.NewRequest(http.MethodGet, "/books", nil)
		request.Header["Traceparent"] = given
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		if answer.Code != http.StatusOK {
			t.Fatal(answer.Code, answer.Body)
		}
	}
	if !slices.Equal(seen, []string{trace, "", "", "", "", ""}) {
		t.Fatal(seen)
	}
}
