package main

import (
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io"
	"math/rand"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"
)

// The code flow with PKCE and a consent each time, and what a service asks of a token, at two authorization servers over one PostgreSQL.

const (
	callback = "https://reports.example.com/callback"
	scope    = "books:read"
	// PKCE; the same for all, because nobody guesses here.
	verifier  = "a-verifier-of-forty-three-characters-or-more"
	challenge = "y5UF_tmp_ICTDGza-Ou2vUvx2cu7DBN-Xwf_z0RDfTw"
)

type authorizationServer interface {
	// flow is one code flow: a person who is signed in consents, the application gets an access token.
	flow(worker int) (string, error)
	// more gives so many access tokens, in whatever way is the quickest.
	more(count int) ([]string, error)
	// life is how long an access token counts.
	life() time.Duration
	// introspect says whether a token counts.
	introspect(token string) (bool, error)
	process() *Process
	stop()
}

func oauth(options Options) error {
	if options.Postgres == "" {
		return fmt.Errorf("oauth needs -postgres: `cargo xtask postgres` starts one")
	}
	var flows, introspections []Figures
	var memory []string
	for _, one := range []struct {
		name  string
		start func(Options) (authorizationServer, error)
	}{{"Falconer", falconerOAuth}, {"Ory Hydra", hydraOAuth}} {
		server, err := one.start(options)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		defer server.stop()
		empty := server.process().memory()
		figures, err := measure(options, one.name, server.process(), func(worker, _ int) error {
			_, err := server.flow(worker)
			return err
		})
		if err != nil {
			return err
		}
		flows = append(flows, figures)
		before, err := server.process().cpu()
		if err != nil {
			return err
		}
		began := time.Now()
		tokens, err := server.more(options.Tokens)
		if err != nil {
			return fmt.Errorf("%s: %w", one.name, err)
		}
		took := time.Since(began)
		after, err := server.process().cpu()
		if err != nil {
			return err
		}
		fmt.Printf("%s: %d more tokens in %s, %d us of CPU each\n", one.name, len(tokens), took.Round(time.Second), (after-before).Microseconds()/int64(len(tokens)))
		if took > server.life() {
			return fmt.Errorf("%s: the first tokens have ended before the last one was made: fewer -tokens, or a quiet machine", one.name)
		}
		memory = append(memory, fmt.Sprintf("| %s | %d MiB | %d MiB |", one.name, empty, server.process().memory()))
		order := rand.New(rand.NewSource(7)).Perm(len(tokens))
		figures, err = measure(options, one.name, server.process(), func(_, number int) error {
			active, err := server.introspect(tokens[order[number%len(order)]])
			if err == nil && !active {
				err = fmt.Errorf("a token that lives is not active")
			}
			return err
		})
		if err != nil {
			return err
		}
		introspections = append(introspections, figures)
		server.stop()
	}
	show(fmt.Sprintf("Code flows, over PostgreSQL; %d at once, %s each. CPU is that of the server and of its database.", options.Workers, options.Seconds), "flows", flows)
	show(fmt.Sprintf("Introspections of %d tokens.", options.Tokens), "answers", introspections)
	fmt.Printf("| memory of the server | at rest | with %d tokens that live |\n|---|---|---|\n%s\n", options.Tokens, strings.Join(memory, "\n"))
	return nil
}

// browser keeps cookies by name, and follows nothing.
type browser struct {
	client  *http.Client
	cookies map[string]string
}

func newBrowser(client *http.Client) *browser {
	following := *client
	following.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &browser{&following, map[string]string{}}
}

// ask sends a request with the cookies, and gives the answer and its body.
func (b *browser) ask(method, address string, form url.Values, header http.Header) (*http.Response, string, error) {
	request, err := http.NewRequest(method, address, strings.NewReader(form.Encode()))
	if err != nil {
		return nil, "", err
	}
	for name, values := range header {
		request.Header[name] = values
	}
	if form != nil {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	for name, value := range b.cookies {
		request.AddCookie(&http.Cookie{Name: name, Value: value})
	}
	answer, err := b.client.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	for _, cookie := range answer.Cookies() {
		if cookie.MaxAge < 0 {
			delete(b.cookies, cookie.Name)
		} else {
			b.cookies[cookie.Name] = cookie.Value
		}
	}
	return answer, string(body), err
}

// to follows one redirect by hand: where the answer leads.
func (b *browser) to(method, address string, form url.Values, header http.Header) (*url.URL, error) {
	answer, body, err := b.ask(method, address, form, header)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode != http.StatusFound && answer.StatusCode != http.StatusSeeOther {
		return nil, fmt.Errorf("%s %s: %s %.600s", method, address, answer.Status, body)
	}
	return answer.Location()
}

// token changes a code for an access token.
func (b *browser) token(address, id, secret, code string) (string, error) {
	form := url.Values{"grant_type": {"authorization_code"}, "code": {code}, "redirect_uri": {callback}, "code_verifier": {verifier}}
	return b.accessToken(address, id, secret, form)
}

func (b *browser) accessToken(address, id, secret string, form url.Values) (string, error) {
	answer, body, err := b.ask(http.MethodPost, address, form, basic(id, secret))
	if err != nil {
		return "", err
	}
	var token struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal([]byte(body), &token); err != nil || token.AccessToken == "" {
		return "", fmt.Errorf("%s: %s %s", address, answer.Status, body)
	}
	return token.AccessToken, nil
}

func (b *browser) active(address string, header http.Header, token string) (bool, error) {
	answer, body, err := b.ask(http.MethodPost, address, url.Values{"token": {token}}, header)
	if err != nil {
		return false, err
	}
	var state struct {
		Active bool `json:"active"`
	}
	if err := json.Unmarshal([]byte(body), &state); err != nil || answer.StatusCode != http.StatusOK {
		return false, fmt.Errorf("%s: %s %s", address, answer.Status, body)
	}
	return state.Active, nil
}

func basic(id, secret string) http.Header {
	return http.Header{"Authorization": {"Basic " + base64.StdEncoding.EncodeToString([]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))}}
}

// authorize is the query with which the application sends the browser.
func authorize(id string) string {
	return url.Values{
		"response_type": {"code"}, "client_id": {id}, "redirect_uri": {callback}, "scope": {scope}, "state": {"a-state-that-is-long"},
		"code_challenge": {challenge}, "code_challenge_method": {"S256"},
	}.Encode()
}

// together does it so many times with all workers, and gives what came out.
func together(options Options, count int, one func(worker int) (string, error)) ([]string, error) {
	all := make([][]string, options.Workers)
	var failed error
	var lock sync.Mutex
	var group sync.WaitGroup
	for worker := range options.Workers {
		group.Add(1)
		go func() {
			defer group.Done()
			for len(all[worker]) < count/options.Workers {
				token, err := one(worker)
				if err != nil {
					lock.Lock()
					failed = err
					lock.Unlock()
					return
				}
				all[worker] = append(all[worker], token)
			}
		}()
	}
	group.Wait()
	return slices.Concat(all...), failed
}
