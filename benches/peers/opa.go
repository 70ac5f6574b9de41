package main

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// OPA: data in memory, a policy of one rule, asked over HTTP.

const policy = `package books

default allow := false

allow if {
	some group in data.people[input.person]
	data.groups[group][input.book]
}
`

func checkOPA(options Options, asked []question) ([]Figures, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	members, readable := map[string][]string{}, map[string]map[string]bool{}
	for person := range people {
		members[fmt.Sprintf("%04d", person)] = []string{fmt.Sprintf("%02d", person%groups)}
	}
	for group := range groups {
		own := map[string]bool{}
		for book := range books {
			own[question{group: group, book: book}.Book()] = true
		}
		readable[fmt.Sprintf("%02d", group)] = own
	}
	data, err := json.Marshal(map[string]any{"people": members, "groups": readable})
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{"data.json": data, "books.rego": []byte(policy)} {
		if err := os.WriteFile(filepath.Join(options.Folder, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	process, err := start(options.Folder, "opa", "opa", "run", "--server", "--addr", address, "--log-level", "error", "--skip-version-check",
		filepath.Join(options.Folder, "data.json"), filepath.Join(options.Folder, "books.rego"))
	if err != nil {
		return nil, err
	}
	defer process.stop()
	if err := process.listens(address); err != nil {
		return nil, err
	}
	bodies := make([][]byte, len(asked))
	for n, one := range asked {
		bodies[n], _ = json.Marshal(map[string]any{"input": map[string]string{"person": fmt.Sprintf("%04d", one.person), "book": one.Book()}})
	}
	keeping := client(options.Workers)
	figures, err := measure(options, "OPA, a policy over HTTP", process, func(_, number int) error {
		n := number % len(asked)
		answer, err := post(keeping, "http://"+address+"/v1/data/books/allow", bodies[n])
		return same(err, strings.Contains(string(answer), `"result":true`), asked[n], answer)
	})
	return []Figures{figures}, err
}
