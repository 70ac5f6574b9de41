// Package running starts the real Falconer for tests: the binary that FALCONER_BIN names.
package running

import (
	"bufio"
	"bytes"
	"encoding/json"
	"errors"
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
	"time"

	falconer "falconer.example/sdk/go"
)

// Server is a running one, and what tests do on it as its administrator.
type Server struct {
	// Root is its root URL.
	Root    string
	admin   falconer.Credentials
	clients atomic.Int64
	process *exec.Cmd
}

// Start waits until it listens, two minutes at most. Its data are in the folder.
func Start(folder string) (*Server, error) {
	binary := os.Getenv("FALCONER_BIN")
	if binary == "" {
		return nil, errors.New("FALCONER_BIN has to say where the binary is; `cargo xtask test --only go` sets it")
	}
	data := filepath.Join(folder, "data")
	made := exec.Command(binary, "init", "--data-dir", data, "--json")
	made.Env = Environment()
	text, err := made.Output()
	if err != nil {
		return nil, err
	}
	s := &Server{}
	if err := json.Unmarshal(text, &s.admin); err != nil {
		return nil, err
	}
	s.process = exec.Command(binary, "serve", "--data-dir", data, "--listen", "127.0.0.1:0")
	s.process.Env = Environment()
	s.Root, err = Await(s.process, "listening on ")
	return s, err
}

// Environment is that of this process without what would set up Falconer or a client.
func Environment() []string {
	var environment []string
	for _, line := range os.Environ() {
		if !strings.HasPrefix(line, "FALCONER_") && !strings.HasPrefix(line, "TASKCLUSTER_") {
			environment = append(environment, line)
		}
	}
	return environment
}

// Await starts a program and gives the word behind the text that its output begins a line with, or has in it.
func Await(process *exec.Cmd, before string) (string, error) {
	lines, err := process.StdoutPipe()
	if err != nil {
		return "", err
	}
	if err := process.Start(); err != nil {
		return "", err
	}
	late := time.AfterFunc(2*time.Minute, func() { _ = process.Process.Kill() })
	defer late.Stop()
	for reader := bufio.NewScanner(lines); reader.Scan(); {
		if _, rest, found := strings.Cut(reader.Text(), before); found && rest != "" {
			go func() { _, _ = io.Copy(io.Discard, lines) }()
			return strings.Fields(rest)[0], nil
		}
	}
	return "", fmt.Errorf("%s did not say %q", process.Path, before)
}

// Stop ends it and waits.
func (s *Server) Stop() {
	_ = s.process.Process.Signal(syscall.SIGTERM)
	_ = s.process.Wait()
}

// Call is made by the administrator, through the signing transport.
func (s *Server) Call(method, path string, body any) (map[string]any, error) {
	var sent io.Reader
	if body != nil {
		text, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		sent = bytes.NewReader(text)
	}
	request, err := http.NewRequest(method, s.Root+path, sent)
	if err != nil {
		return nil, err
	}
	request.Header.Set("Content-Type", "application/json")
	response, err := (&http.Client{Transport: &falconer.Transport{Credentials: s.admin}}).Do(request)
	if err != nil {
		return nil, err
	}
	defer response.Body.Close()
	text, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, err
	}
	if response.StatusCode >= 300 {
		return nil, fmt.Errorf("%s %s: %d %s", method, path, response.StatusCode, text)
	}
	found := map[string]any{}
	if len(text) == 0 {
		return found, nil
	}
	return found, json.Unmarshal(text, &found)
}

// ClientPath is the path of a client.
func ClientPath(id string) string { return "/api/auth/v1/clients/" + url.PathEscape(id) }

// Client is a new one with these scopes, for an hour.
func (s *Server) Client(scopes ...string) (falconer.Credentials, error) {
	id := fmt.Sprintf("go/%d", s.clients.Add(1))
	expires := time.Now().Add(time.Hour).UTC().Format("2006-01-02T15:04:05.000Z")
	body := map[string]any{"expires": expires, "description": "", "scopes": append([]string{}, scopes...)}
	made, err := s.Call(http.MethodPut, ClientPath(id), body)
	if err != nil {
		return falconer.Credentials{}, err
	}
	token, _ := made["accessToken"].(string)
	return falconer.Credentials{ClientID: id, AccessToken: token}, nil
}
