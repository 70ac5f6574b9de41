package tests

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"sync"
	"testing"
	"time"

	falconer "falconer.example/sdk/go"
	"falconer.example/sdk/go/tests/running"
)

var shared struct {
	once   sync.Once
	server *running.Server
	err    error
	folder string
}

// One server for all tests that need one.
func server(t testing.TB) *running.Server {
	t.Helper()
	shared.once.Do(func() {
		if shared.folder, shared.err = os.MkdirTemp("", "falconer-go-"); shared.err == nil {
			shared.server, shared.err = running.Start(shared.folder)
		}
	})
	if shared.err != nil {
		t.Fatal(shared.err)
	}
	return shared.server
}

func TestMain(m *testing.M) {
	code := m.Run()
	if shared.server != nil {
		shared.server.Stop()
	}
	if err := os.RemoveAll(shared.folder); err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	os.Exit(code)
}

// client is a new one of the real server.
func client(t testing.TB, scopes ...string) falconer.Credentials {
	t.Helper()
	made, err := server(t).Client(scopes...)
	if err != nil {
		t.Fatal(err)
	}
	return made
}

func call(t testing.TB, method, path string) {
	t.Helper()
	if _, err := server(t).Call(method, path, nil); err != nil {
		t.Fatal(err)
	}
}

// closedPort is bound and not listening any more.
func closedPort(t testing.TB) string {
	t.Helper()
	address, back, err := running.HeldAddress()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back)
	return "http://" + address
}

// silentPort takes connections and says nothing.
func silentPort(t testing.TB) string {
	t.Helper()
	listener := listen(t)
	t.Cleanup(func() { _ = listener.Close() })
	return "http://" + listener.Addr().String()
}

func listen(t testing.TB) net.Listener {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	return listener
}

// patient sends as soon as the other side listens: what printed that it serves is about to.
type patient struct{ address string }

func (p patient) RoundTrip(r *http.Request) (*http.Response, error) {
	for until := time.Now().Add(2 * time.Minute); ; {
		connection, err := net.Dial("tcp", p.address)
		if err == nil {
			_ = connection.Close()
			return http.DefaultTransport.RoundTrip(r)
		}
		if time.Now().After(until) {
			return nil, err
		}
	}
}
