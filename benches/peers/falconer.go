package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"path/filepath"

	falconer "falconer.example/sdk/go"
)

// Falconer: the question comes with a signed request, which is verified too.

func checkFalconer(options Options, asked []question) ([]Figures, error) {
	server, err := startFalconer(options)
	if err != nil {
		return nil, err
	}
	defer server.process.stop()
	var roles []map[string]any
	for group := range groups {
		scopes := make([]string, books)
		for book := range scopes {
			scopes[book] = "books:read:" + question{group: group, book: book}.Book()
		}
		roles = append(roles, map[string]any{"roleId": fmt.Sprintf("group:%02d", group), "description": "", "scopes": scopes})
	}
	if _, err := server.load(roles, nil); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for first := 0; first < people; first += 100 {
		var clients []map[string]any
		for person := first; person < first+100; person++ {
			scopes := []string{fmt.Sprintf("assume:group:%02d", person%groups)}
			clients = append(clients, map[string]any{"clientId": fmt.Sprintf("person/%04d", person), "description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": scopes})
		}
		made, err := server.load(nil, clients)
		if err != nil {
			return nil, err
		}
		for id, token := range made {
			keys[id] = token
		}
	}
	bodies := make([][]byte, len(asked))
	for n, one := range asked {
		id := fmt.Sprintf("person/%04d", one.person)
		resource := "/books/" + one.Book()
		header, err := signed(falconer.Credentials{ClientID: id, AccessToken: keys[id]}, "https://books.example.com"+resource)
		if err != nil {
			return nil, err
		}
		bodies[n], err = json.Marshal(map[string]any{
			"request":  map[string]any{"method": "get", "resource": resource, "host": "books.example.com", "port": 443, "authorization": header},
			"required": "books:read:" + one.Book(),
		})
		if err != nil {
			return nil, err
		}
	}
	keeping := client(options.Workers)
	figures, err := measure(options, "Falconer, `check`, with the signature of the request", server.process, func(_, number int) error {
		n := number % len(asked)
		answer, err := post(keeping, server.root+"/api/falconer/v1/check", bodies[n])
		return same(err, bytes.Contains(answer, []byte(`"status":"allowed"`)), asked[n], answer)
	})
	return []Figures{figures}, err
}

func same(err error, allowed bool, asked question, answer []byte) error {
	if err == nil && allowed != asked.allowed {
		err = fmt.Errorf("wrong answer about %+v: %s", asked, answer)
	}
	return err
}

// signed gives the header of a GET.
func signed(credentials falconer.Credentials, url string) (string, error) {
	var header string
	transport := &falconer.Transport{Credentials: credentials, Base: capture(func(request *http.Request) { header = request.Header.Get("Authorization") })}
	request, err := http.NewRequest(http.MethodGet, url, nil)
	if err != nil {
		return "", err
	}
	_, err = transport.RoundTrip(request)
	return header, err
}

type capture func(*http.Request)

func (c capture) RoundTrip(request *http.Request) (*http.Response, error) {
	c(request)
	return &http.Response{StatusCode: http.StatusOK, Body: http.NoBody}, nil
}

type falconerServer struct {
	process *Process
	root    string
	// Whoever may do everything.
	api *http.Client
}

func startFalconer(options Options, more ...string) (*falconerServer, error) {
	address, err := freePort()
	if err != nil {
		return nil, err
	}
	data, root := filepath.Join(options.Folder, "falconer"), "http://"+address
	init := exec.Command(options.Falconer, append([]string{"init", "--json", "--data-dir", data, "--root-url", root}, more...)...)
	init.Env = environment()
	text, err := init.Output()
	if err != nil {
		return nil, fmt.Errorf("falconer init: %w", err)
	}
	var made struct{ ClientID, AccessToken string }
	if err := json.Unmarshal(text, &made); err != nil {
		return nil, err
	}
	process, err := start(options.Folder, "falconer", options.Falconer, append([]string{"serve", "--listen", address, "--data-dir", data, "--root-url", root}, more...)...)
	if err != nil {
		return nil, err
	}
	credentials := falconer.Credentials{ClientID: made.ClientID, AccessToken: made.AccessToken}
	return &falconerServer{process, root, &http.Client{Transport: &falconer.Transport{Credentials: credentials}}}, process.listens(address)
}

// load gives the new clients' access tokens.
func (s *falconerServer) load(roles, clients []map[string]any) (map[string]string, error) {
	empty := []map[string]any{}
	body, err := json.Marshal(map[string]any{"roles": append(empty, roles...), "clients": append(empty, clients...)})
	if err != nil {
		return nil, err
	}
	text, err := post(s.api, s.root+"/api/falconer/v1/import", body)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Clients []struct{ ClientID, AccessToken string }
	}
	if err := json.Unmarshal(text, &answer); err != nil {
		return nil, err
	}
	keys := map[string]string{}
	for _, one := range answer.Clients {
		keys[one.ClientID] = one.AccessToken
	}
	return keys, nil
}
