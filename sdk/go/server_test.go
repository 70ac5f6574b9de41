package falconer

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// server is the real binary (FALCONER_BIN) and its administrator.
type server struct {
	root    string
	admin   Credentials
	clients atomic.Int64
}

func startServer(t *testing.T) *server {
	t.Helper()
	binary := os.Getenv("FALCONER_BIN")
	if binary == "" {
		t.Fatal("FALCONER_BIN has to say where the binary is; `cargo xtask test --only go` sets it")
	}
	var environment []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "FALCONER_") && !strings.HasPrefix(line, "TASKCLUSTER_") {
			environment = append(environment, line)
		}
	}
	data := filepath.Join(t.TempDir(), "data")
	made := exec.Command(binary, "init", "--data-dir", data, "--json")
	made.Env = environment
	text, err := made.Output()
	if err != nil {
		t.Fatal(err)
	}
	s := &server{}
	if err := json.Unmarshal(text, &s.admin); err != nil {
		t.Fatal(err)
	}
	process := exec.Command(binary, "serve", "--data-dir", data, "--listen", "127.0.0.1:0")
	process.Env = environment
	lines, err := process.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := process.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		_ = process.Process.Signal(syscall.SIGTERM)
		_ = process.Wait()
	})
	late := time.AfterFunc(2*time.Minute, func() { _ = process.Process.Kill() })
	defer late.Stop()
	for reader := bufio.NewScanner(lines); reader.Scan(); {
		if _, rest, found := strings.Cut(reader.Text(), "listening on "); found {
			s.root = strings.Fields(rest)[0]
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return s
		}
	}
	t.Fatal("the server did not listen")
	return nil
}

// call is made by the administrator, through the signing transport.
func (s *server) call(t *testing.T, method, path string, body any) map[string]any {
	t.Helper()
	var sent io.Reader
	if body != nil {
		text, _ := json.Marshal(body)
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, s.root+path, sent)
	if err != nil {
		t.Fatal(err)
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: &Transport{Credentials: s.admin}}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	text, _ := io.ReadAll(response.Body)
	if response.StatusCode >= 300 {
		t.Fatalf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	found := map[string]any{}
	_ = json.Unmarshal(text, &found)
	return found
}

func clientPath(id string) string { return "/api/auth/v1/clients/" + url.PathEscape(id) }

func (s *server) client(t *testing.T, scopes []string) Credentials {
	t.Helper()
	id := fmt.Sprintf("go/%d", s.clients.Add(1))
	expires := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	made := s.call(t, "PUT", clientPath(id), map[string]any{"expires": expires, "description": "", "scopes": scopes})
	return Credentials{ClientID: id, AccessToken: made["accessToken"].(string)}
}
