package tests

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	falconer "falconer.example/sdk/go"
	"falconer.example/sdk/go/tests/running"
)

// block is what the page shows in one language, the n-th.
func block(t *testing.T, language string, n int) string {
	t.Helper()
	page, err := os.ReadFile("../../../docs/go.md")
	if err != nil {
		t.Fatal(err)
	}
	parts := strings.Split(string(page), "\n```"+language+"\n")
	if len(parts) < n+2 {
		t.Fatalf("the page has no such block of %q", language)
	}
	found, _, _ := strings.Cut(parts[n+1], "\n```")
	return found
}

// program is the service of the page, with what its author adds, and how many lines these are.
func program(diff string) (string, int) {
	var text strings.Builder
	added := 0
	for _, line := range strings.Split(diff, "\n") {
		if strings.HasPrefix(line, "-") {
			continue
		}
		if strings.HasPrefix(line, "+") && strings.TrimSpace(line) != "+" {
			added++
		}
		text.WriteString(line[min(1, len(line)):] + "\n")
	}
	return text.String(), added
}

// installed is a module of somebody else, in a folder of its own, that gets this package with the commands of the page. Whatever would be fetched fails,
// at a proxy as users have one: where there is none, go takes what is replaced without a version, and where there is one it does not.
func installed(t *testing.T, files map[string]string) string {
	t.Helper()
	checkout, err := filepath.Abs("../../..")
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	files["go.mod"] = "module notes\n\ngo 1.22\n"
	for name, text := range files {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, line := range append(strings.Split(block(t, "", 0), "\n"), "go build -o notes .") {
		words := strings.Fields(strings.ReplaceAll(line, "<checkout>", checkout))
		if words[0] != "go" {
			t.Fatalf("%q is no command of go", line)
		}
		run := exec.Command(words[0], words[1:]...)
		run.Dir = folder
		run.Env = append(os.Environ(), "GOPROXY=http://127.0.0.1:1", "GOWORK=off")
		if said, err := run.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", line, err, said)
		}
	}
	return filepath.Join(folder, "notes")
}

// The service of the page is installed as the page says, its author adds at most ten lines, and it protects.
func TestTheServiceOfThePage(t *testing.T) {
	text, added := program(block(t, "diff", 0))
	if added == 0 || added > 10 {
		t.Errorf("%d lines are added", added)
	}
	// It says where it listens, and every test has a port of its own.
	const serve = `log.Fatal(http.ListenAndServe("127.0.0.1:8082", `
	if !strings.Contains(text, serve) {
		t.Fatal("the page serves otherwise than this test knows")
	}
	address := listen(t)
	where := address.Addr().String()
	_ = address.Close()
	text = strings.Replace(text, serve, `fmt.Println("serving "+os.Getenv("ORIGIN")); log.Fatal(http.ListenAndServe("`+where+`", `, 1)
	binary := installed(t, map[string]string{"main.go": text})

	bad := exec.Command(binary)
	bad.Env = []string{"FALCONER=nothing", "ORIGIN=https://notes.example.com"}
	if said, err := bad.CombinedOutput(); err == nil || !strings.Contains(string(said), "root URL cannot be used") {
		t.Errorf("%v: %s", err, said)
	}
	service := exec.Command(binary)
	service.Env = append(running.Environment(), "FALCONER="+server(t).Root, "ORIGIN=http://"+where)
	if _, err := running.Await(service, "serving "); err != nil {
		t.Fatal(err)
	}
	defer func() { _ = service.Process.Kill(); _ = service.Wait() }()
	reader := &falconer.Transport{Credentials: client(t, "notes:read:red"), Base: patient{where}}
	for path, want := range map[string]int{"/books/red": 200, "/books/blue": 403, "/books/re*": 400} {
		if status, body := get(t, reader, "http://"+where+path); status != want {
			t.Errorf("%s: %d %s", path, status, body)
		}
	}
	if status, body := get(t, http.DefaultTransport, "http://"+where+"/books/red"); status != 403 {
		t.Errorf("nobody: %d %s", status, body)
	}
}

// The other pieces of code of the page compile where somebody else's module takes this package.
func TestTheCodeOfThePageCompiles(t *testing.T) {
	pieces := block(t, "go", 0)
	installed(t, map[string]string{"main.go": "package main\n\nimport (\n\t\"context\"\n\t\"net/http\"\n\t\"os\"\n\t\"time\"\n\n\tfalconer \"falconer.example/sdk/go\"\n)\n\n" + pieces + "\n\nfunc main() {}\n"})
}
