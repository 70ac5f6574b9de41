package tests

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
)

// mostOwn is what the guard may add to one round trip.
const mostOwn = 300 * time.Microsecond

// BenchmarkGuard says what the guard adds to a request besides one round trip to Falconer: the same question to the same server, by a plain client and by the
// guard, in turn, and the medians of both.
//
//	FALCONER_BIN=<the binary> go test -run '^$' -bench Guard -benchtime 5000x ./tests
func BenchmarkGuard(b *testing.B) {
	root := server(b).Root
	guard, err := falconer.NewGuard(falconer.Config{Falconer: root, Origin: origin})
	if err != nil {
		b.Fatal(err)
	}
	mux := http.NewServeMux()
	guard.HandleFunc(mux, "PUT /books/{book}", "notes:write:<book>", func(http.ResponseWriter, *http.Request) {})
	handler, body := guard.CORS(mux), []byte(`{"text": "hello"}`)

	var header string
	sends := roundTripper(func(r *http.Request) (*http.Response, error) {
		header = r.Header.Get("Authorization")
		return &http.Response{StatusCode: 200, Body: http.NoBody, Request: r}, nil
	})
	signing := &http.Client{Transport: &falconer.Transport{Credentials: client(b, "notes:*"), Base: sends}}
	request, _ := http.NewRequest("PUT", origin+"/books/red", bytes.NewReader(body))
	request.Header.Set("Content-Type", "application/json")
	if _, err := signing.Do(request); err != nil {
		b.Fatal(err)
	}
	parts := map[string]any{"method": "put", "resource": "/books/red", "host": "notes.example.com", "port": 443, "authorization": header, "sourceIp": "192.0.2.1"}
	question, _ := json.Marshal(map[string]any{"request": parts, "required": "notes:write:red"})

	plain := func() {
		response, err := http.Post(root+"/api/falconer/v1/check", "application/json", bytes.NewReader(question))
		if err != nil {
			b.Fatal(err)
		}
		text, _ := io.ReadAll(response.Body)
		response.Body.Close()
		if !bytes.Contains(text, []byte(`"allowed"`)) {
			b.Fatalf("%s", text)
		}
	}
	guarded := func() {
		arrived := httptest.NewRequest("PUT", "/books/red", bytes.NewReader(body))
		arrived.Header.Set("Authorization", header)
		arrived.Header.Set("Content-Type", "application/json")
		answer := httptest.NewRecorder()
		handler.ServeHTTP(answer, arrived)
		if answer.Code != 200 {
			b.Fatalf("%d %s", answer.Code, answer.Body)
		}
	}
	for range 200 {
		plain()
		guarded()
	}
	times := map[bool][]time.Duration{}
	b.ResetTimer()
	for range b.N {
		for guards, call := range map[bool]func(){false: plain, true: guarded} {
			began := time.Now()
			call()
			times[guards] = append(times[guards], time.Since(began))
		}
	}
	median := func(list []time.Duration) time.Duration {
		slices.Sort(list)
		return list[len(list)/2]
	}
	trip, all := median(times[false]), median(times[true])
	b.ReportMetric(float64(trip.Nanoseconds())/1000, "trip-us")
	b.ReportMetric(float64(all.Nanoseconds())/1000, "guarded-us")
	b.ReportMetric(float64((all-trip).Nanoseconds())/1000, "own-us")
	// The testing package tries one round first.
	if b.N > 100 && all-trip > mostOwn {
		b.Errorf("the guard adds %v, above %v", all-trip, mostOwn)
	}
}
