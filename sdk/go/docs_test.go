package falconer

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The service of the docs is built in a module of its own, which takes this package by replace; its author adds at most ten lines.
func TestTheServiceOfTheDocs(t *testing.T) {
	page, err := os.ReadFile("../../docs/go.md")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(page), "```diff\n")
	diff, _, found := strings.Cut(rest, "```")
	if !found {
		t.Fatal("the page shows no service")
	}
	var program strings.Builder
	added := 0
	for _, line := range strings.Split(strings.TrimSuffix(diff, "\n"), "\n") {
		if strings.HasPrefix(line, "-") {
			continue
		}
		if strings.HasPrefix(line, "+") && strings.TrimSpace(line) != "+" {
			added++
		}
		program.WriteString(line[min(1, len(line)):] + "\n")
	}
	if added == 0 || added > 10 {
		t.Errorf("%d lines are added", added)
	}
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	module := "module notes\n\ngo 1.22\n\nrequire falconer.example/sdk/go v0.0.0\n\nreplace falconer.example/sdk/go => " + here + "\n"
	for name, text := range map[string]string{"go.mod": module, "main.go": program.String()} {
		if err := os.WriteFile(filepath.Join(folder, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	build := exec.Command("go", "build", "-o", "notes", ".")
	build.Dir = folder
	if said, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, said)
	}
	run := exec.Command(filepath.Join(folder, "notes"))
	run.Env = []string{"FALCONER=nothing", "ORIGIN=https://notes.example.com"}
	said, err := run.CombinedOutput()
	if err == nil || !strings.Contains(string(said), "root URL cannot be used") {
		t.Errorf("%v: %s", err, said)
	}
}
