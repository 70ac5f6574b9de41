package main

import (
	"io"
	"net/http"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	falconer "falconer.example/sdk/go"
	"falconer.example/sdk/go/tests/running"
)

// started is the service as its operator runs it, and how to end it.
func started(t *testing.T, binary, root, notes string) (string, func()) {
	t.Helper()
	// The origin is where callers reach the service: the test chooses a port first, as an operator does.
	listen, back, err := running.HeldAddress()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(back)
	service := exec.Command(binary)
	service.Env = append(running.Environment(), "FALCONER="+root, "ORIGIN=http://"+listen, "LISTEN="+listen, "NOTES="+notes)
	if _, err := running.Await(service, "bound to "); err != nil {
		t.Fatal(err)
	}
	return "http://" + listen, func() { _ = service.Process.Kill(); _ = service.Wait() }
}

func built(t *testing.T) string {
	t.Helper()
	binary := filepath.Join(t.TempDir(), "notes")
	if said, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	return binary
}

func TestNotes(t *testing.T) {
	server, err := running.Start(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer server.Stop()
	may := func(scopes ...string) *falconer.Transport {
		credentials, err := server.Client(scopes...)
		if err != nil {
			t.Fatal(err)
		}
		return &falconer.Transport{Credentials: credentials}
	}
	writer, reader, blue, nobody := may("notes:*"), may("notes:read:red"), may("notes:read:blue"), http.DefaultTransport
	wrong := &falconer.Transport{Credentials: falconer.Credentials{ClientID: writer.Credentials.ClientID, AccessToken: strings.Repeat("x", 44)}}

	binary, kept := built(t), filepath.Join(t.TempDir(), "notes.json")
	at, end := started(t, binary, server.Root, kept)
	for _, step := range []struct {
		as           http.RoundTripper
		method, path string
		body         string
		status       int
		says         string
	}{
		{writer, "PUT", "/books/red/notes/first", `{"text": "hällo"}`, 200, "hällo"},
		{writer, "PUT", "/books/red/notes/first", `{"text": "hällo"}`, 200, "hällo"},
		{reader, "GET", "/books/red/notes", "", 200, "hällo"},
		{reader, "PUT", "/books/red/notes/first", `{"text": "x"}`, 403, "notes:write:red"},
		{blue, "GET", "/books/red/notes", "", 403, "notes:read:red"},
		{wrong, "GET", "/books/red/notes", "", 401, "bad-mac"},
		{nobody, "GET", "/books/red/notes", "", 403, "no-credentials"},
		{unhashed{writer}, "PUT", "/books/red/notes/first", `{"text": "x"}`, 401, "payload-differs"},
		{writer, "PUT", "/books/red/notes/first", `{"text": 7}`, 400, "A note is sent as"},
		{writer, "PUT", "/books/red/notes/first", `{"txt": "x"}`, 400, "A note is sent as"},
		{writer, "PUT", "/books/re*/notes/first", `{"text": "x"}`, 400, "star"},
		{writer, "PUT", "/books/blue/notes/a", `{"text": ""}`, 200, ""},
		// The list shows each caller what they may read.
		{writer, "GET", "/books", "", 200, `["blue","red"]`},
		{blue, "GET", "/books", "", 200, `["blue"]`},
		{nobody, "GET", "/books", "", 200, `[]`},
		{reader, "DELETE", "/books/blue/notes/a", "", 403, ""},
		{writer, "DELETE", "/books/blue/notes/a", "", 204, ""},
		{writer, "DELETE", "/books/blue/notes/a", "", 404, "no such note"},
	} {
		if status, said := send(t, step.as, step.method, at+step.path, step.body); status != step.status || !strings.Contains(said, step.says) {
			t.Errorf("%s %s %s: %d %s", step.method, step.path, step.body, status, said)
		}
	}
	end()
	// What was kept is there after a restart, and only that.
	at, end = started(t, binary, server.Root, kept)
	defer end()
	if status, said := send(t, writer, "GET", at+"/books/red/notes", ""); status != 200 || said != `[{"name":"first","text":"hällo","author":null}]`+"\n" {
		t.Errorf("%d %s", status, said)
	}
	if status, said := send(t, writer, "GET", at+"/books", ""); status != 200 || said != "[\"red\"]\n" {
		t.Errorf("%d %s", status, said)
	}
}

// unhashed changes a body after it was signed.
type unhashed struct{ signing *falconer.Transport }

func (u unhashed) RoundTrip(r *http.Request) (*http.Response, error) {
	between := &falconer.Transport{Credentials: u.signing.Credentials, Base: changing{}}
	return between.RoundTrip(r)
}

type changing struct{}

func (changing) RoundTrip(r *http.Request) (*http.Response, error) {
	changed := r.Clone(r.Context())
	changed.Body, changed.ContentLength = io.NopCloser(strings.NewReader(`{"text": "y"}`)), int64(len(`{"text": "y"}`))
	return http.DefaultTransport.RoundTrip(changed)
}

func send(t *testing.T, as http.RoundTripper, method, url, body string) (int, string) {
	t.Helper()
	request, err := http.NewRequest(method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	if body != "" {
		request.Header.Set("Content-Type", "application/json")
	}
	response, err := (&http.Client{Transport: as}).Do(request)
	if err != nil {
		t.Fatal(err)
	}
	defer response.Body.Close()
	said, err := io.ReadAll(response.Body)
	if err != nil {
		t.Fatal(err)
	}
	return response.StatusCode, string(said)
}

func TestASettingThatIsNoneIsToldAtTheStart(t *testing.T) {
	binary, kept := built(t), filepath.Join(t.TempDir(), "notes.json")
	for setting, said := range map[string]string{
		"ORIGIN=notes.example.com": "FALCONER or ORIGIN: The public origin of this service cannot be used: it does not begin with https:// or http://. It looks like https://notes.example.com.\n",
		"FALCONER=":                "FALCONER or ORIGIN: Falconer's root URL cannot be used. It looks like https://auth.example.com.\n",
		"LISTEN=nowhere":           "listen tcp: address nowhere: missing port in address\n",
	} {
		service := exec.Command(binary)
		service.Env = append(running.Environment(), "FALCONER=https://auth.example.com", "ORIGIN=https://notes.example.com", "NOTES="+kept, setting)
		output, err := service.CombinedOutput()
		if err == nil || string(output) != said {
			t.Errorf("%s: %v %s", setting, err, output)
		}
	}
}
