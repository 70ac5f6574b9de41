package main

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"time"
)

const (
	// People that each worker is the browser of.
	peopleEach = 8
	// Pages that each worker has open before the first Grant: a button of Falconer's counts only when its page was there for a second.
	open  = 160
	shown = 1100 * time.Millisecond
	// Parts of one grant that live at once.
	parts = 100
)

// falconerOAuth: people with local accounts who are signed in, an application with a secret. Falconer shows the grant page itself, so each flow is a page, a Grant, and an exchange.
type falconerServerOAuth struct {
	server   *falconerServer
	options  Options
	secret   string
	workers  []*falconerWorker
	services *browser
}

type falconerWorker struct {
	browsers []*browser
	pages    []page
	next     int
}

type page struct {
	browser *browser
	form    url.Values
	since   time.Time
}

func falconerOAuth(options Options) (authorizationServer, error) {
	database, pid, err := newDatabase(options, "peers_falconer")
	if err != nil {
		return nil, err
	}
	server, err := startFalconer(options, "--database-url", database)
	if err != nil {
		return nil, err
	}
	server.process.database = pid
	body, _ := json.Marshal(map[string]any{"name": "Reports", "redirectUris": []string{callback}, "scopes": []string{scope}, "kind": "confidential"})
	text, err := send(server.api, http.MethodPut, server.root+"/api/falconer/v1/applications/reports", body)
	if err != nil {
		return nil, err
	}
	var application struct{ Secret string }
	if err := json.Unmarshal(text, &application); err != nil {
		return nil, err
	}
	all := &falconerServerOAuth{server: server, options: options, secret: application.Secret, services: newBrowser(client(options.Workers))}
	for range options.Workers {
		all.workers = append(all.workers, &falconerWorker{})
	}
	// Side by side, as they work later: one after the other it takes longer than what is measured.
	_, err = together(options, options.Workers, func(worker int) (string, error) { return "", all.begin(worker, database) })
	return all, err
}

// begin signs in the people of a worker, and opens its pages.
func (all *falconerServerOAuth) begin(worker int, database string) error {
	own := all.workers[worker]
	for person := range peopleEach {
		signedIn, err := signIn(all.options, all.server, database, fmt.Sprintf("person-%d-%d", worker, person))
		if err != nil {
			return err
		}
		own.browsers = append(own.browsers, signedIn)
	}
	for range open {
		if err := all.show(own); err != nil {
			return err
		}
	}
	return nil
}

func signIn(options Options, server *falconerServer, database, name string) (*browser, error) {
	const password = "correct horse battery staple"
	command := exec.Command(options.Falconer, "account", "create", name, "--scope", scope, "--password-stdin", "--data-dir", filepath.Join(options.Folder, "falconer"), "--database-url", database)
	command.Env, command.Stdin = environment(), strings.NewReader(password+"\n")
	if text, err := command.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("falconer account create: %w: %s", err, text)
	}
	visitor := newBrowser(client(1))
	_, text, err := visitor.ask(http.MethodGet, server.root+"/login", nil, nil)
	if err != nil {
		return nil, err
	}
	form, err := fields(text, "/login")
	if err != nil {
		return nil, err
	}
	form.Set("name", name)
	form.Set("password", password)
	_, err = visitor.to(http.MethodPost, server.root+"/login", form, http.Header{"Origin": {server.root}})
	return visitor, err
}

// show opens another grant page.
func (all *falconerServerOAuth) show(own *falconerWorker) error {
	visitor := own.browsers[own.next%len(own.browsers)]
	own.next++
	_, text, err := visitor.ask(http.MethodGet, all.server.root+"/login/oauth/authorize?"+authorize("reports"), nil, nil)
	if err != nil {
		return err
	}
	form, err := fields(text, "/login/oauth/authorize/decision")
	if err != nil {
		return err
	}
	form.Set("visible_ms", "5000")
	own.pages = append(own.pages, page{visitor, form, time.Now()})
	return nil
}

func (all *falconerServerOAuth) flow(worker int) (string, error) {
	own := all.workers[worker]
	oldest := own.pages[0]
	own.pages = own.pages[1:]
	time.Sleep(shown - time.Since(oldest.since))
	back, err := oldest.browser.to(http.MethodPost, all.server.root+"/login/oauth/authorize/decision", oldest.form, http.Header{"Origin": {all.server.root}})
	if err != nil {
		return "", err
	}
	token, err := oldest.browser.token(all.server.root+"/login/oauth/token", "reports", all.secret, back.Query().Get("code"))
	if err != nil {
		return "", err
	}
	return token, all.show(own)
}

// more: an access token lives ten minutes, and so many code flows may take longer. Each grant of a code flow is narrowed to as many parts as it may have, which are grants of
// their own with a token each, in one request.
func (all *falconerServerOAuth) more(count int) ([]string, error) {
	whole := make([]string, all.options.Workers)
	left := make([]int, all.options.Workers)
	return together(all.options, count, func(worker int) (string, error) {
		if left[worker] == 0 {
			token, err := all.flow(worker)
			whole[worker], left[worker] = token, parts
			return token, err
		}
		left[worker]--
		return all.workers[worker].browsers[0].accessToken(all.server.root+"/login/oauth/token", "reports", all.secret, url.Values{
			"grant_type": {"urn:ietf:params:oauth:grant-type:token-exchange"}, "subject_token": {whole[worker]},
			"subject_token_type": {"urn:ietf:params:oauth:token-type:access_token"},
		})
	})
}

func (all *falconerServerOAuth) life() time.Duration { return 10 * time.Minute }

func (all *falconerServerOAuth) introspect(token string) (bool, error) {
	return all.services.active(all.server.root+"/login/oauth/introspect", basic("reports", all.secret), token)
}

func (all *falconerServerOAuth) process() *Process { return all.server.process }

func (all *falconerServerOAuth) stop() { all.server.process.stop() }

var (
	inputs     = regexp.MustCompile(`<input[^>]*>`)
	attributes = regexp.MustCompile(`\b(name|value|type)="([^"]*)"`)
	ticked     = regexp.MustCompile(`\schecked`)
)

// fields are what a browser would send with the form of this action.
func fields(text, action string) (url.Values, error) {
	_, after, found := strings.Cut(text, `action="`+action+`"`)
	inside, _, ended := strings.Cut(after, "</form>")
	if !found || !ended {
		return nil, fmt.Errorf("no form %s in %.600s", action, text)
	}
	form := url.Values{}
	for _, input := range inputs.FindAllString(inside, -1) {
		values := map[string]string{}
		for _, one := range attributes.FindAllStringSubmatch(input, -1) {
			values[one[1]] = html.UnescapeString(one[2])
		}
		optional := values["type"] == "checkbox" || values["type"] == "radio"
		if values["name"] != "" && (!optional || ticked.MatchString(input)) {
			form.Add(values["name"], values["value"])
		}
	}
	return form, nil
}
