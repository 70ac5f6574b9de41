package main

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"time"
)

// hydraOAuth: the pages for signing in and for consent are the deployer's and take no time here: they accept at once, over the administrative port. Who signed in is remembered.
type hydraServer struct {
	running        *Process
	options        Options
	public, admin  string
	id, secret     string
	browsers       []*browser
	administrative *http.Client
	services       *browser
}

func hydraOAuth(options Options) (authorizationServer, error) {
	database, pid, err := newDatabase(options, "peers_hydra")
	if err != nil {
		return nil, err
	}
	public, err := freePort()
	if err != nil {
		return nil, err
	}
	admin, err := freePort()
	if err != nil {
		return nil, err
	}
	publicPort, err := port(public)
	if err != nil {
		return nil, err
	}
	adminPort, err := port(admin)
	if err != nil {
		return nil, err
	}
	settings := map[string]any{
		"dsn":     database + "&max_conns=20&max_idle_conns=20",
		"log":     map[string]any{"level": "error"},
		"secrets": map[string]any{"system": []string{"a-secret-of-the-bench-and-nothing-else"}},
		"urls":    map[string]any{"self": map[string]any{"issuer": "http://" + public}, "login": "http://sign-in.example.com/login", "consent": "http://sign-in.example.com/consent"},
		"serve": map[string]any{
			"public": map[string]any{"host": "127.0.0.1", "port": publicPort, "request_log": map[string]any{"disable_for_health": true}},
			"admin":  map[string]any{"host": "127.0.0.1", "port": adminPort},
		},
	}
	text, _ := json.Marshal(settings)
	file := filepath.Join(options.Folder, "hydra.json")
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return nil, err
	}
	migrate := exec.Command("hydra", "migrate", "sql", "up", "-e", "--yes", "-c", file)
	migrate.Env = environment()
	if text, err := migrate.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("hydra migrate: %w: %s", err, text)
	}
	running, err := start(options.Folder, "hydra", "hydra", "serve", "all", "--dev", "--sqa-opt-out", "-c", file)
	if err != nil {
		return nil, err
	}
	running.database = pid
	all := &hydraServer{
		running: running, options: options, public: "http://" + public, admin: "http://" + admin,
		administrative: client(options.Workers), services: newBrowser(client(options.Workers)),
	}
	for _, address := range []string{public, admin} {
		if err := running.listens(address); err != nil {
			return nil, err
		}
	}
	body, _ := json.Marshal(map[string]any{
		"client_name": "Reports", "redirect_uris": []string{callback}, "scope": scope + " offline", "grant_types": []string{"authorization_code", "refresh_token", "client_credentials"},
		"response_types": []string{"code"}, "token_endpoint_auth_method": "client_secret_basic",
	})
	text, err = post(all.administrative, all.admin+"/admin/clients", body)
	if err != nil {
		return nil, err
	}
	var made struct {
		ID     string `json:"client_id"`
		Secret string `json:"client_secret"`
	}
	if err := json.Unmarshal(text, &made); err != nil {
		return nil, err
	}
	all.id, all.secret = made.ID, made.Secret
	for range options.Workers {
		all.browsers = append(all.browsers, newBrowser(client(1)))
	}
	return all, nil
}

func (h *hydraServer) flow(worker int) (string, error) {
	visitor := h.browsers[worker]
	page, err := visitor.to(http.MethodGet, h.public+"/oauth2/auth?"+authorize(h.id), nil, nil)
	if err != nil {
		return "", err
	}
	page, err = h.accept(visitor, "login", page, map[string]any{"subject": fmt.Sprintf("person-%d", worker), "remember": true, "remember_for": 3600})
	if err != nil {
		return "", err
	}
	page, err = h.accept(visitor, "consent", page, map[string]any{"grant_scope": []string{scope}, "remember": false})
	if err != nil {
		return "", err
	}
	code := page.Query().Get("code")
	if code == "" {
		return "", fmt.Errorf("hydra gave no code: %s", page)
	}
	return visitor.token(h.public+"/oauth2/token", h.id, h.secret, code)
}

// accept says yes in the place of the deployer's page, and goes where that leads.
func (h *hydraServer) accept(visitor *browser, kind string, page *url.URL, answer map[string]any) (*url.URL, error) {
	challenge := page.Query().Get(kind + "_challenge")
	if challenge == "" {
		return nil, fmt.Errorf("hydra asks for no %s: %s", kind, page)
	}
	body, _ := json.Marshal(answer)
	text, err := send(h.administrative, http.MethodPut, h.admin+"/admin/oauth2/auth/requests/"+kind+"/accept?"+kind+"_challenge="+url.QueryEscape(challenge), body)
	if err != nil {
		return nil, err
	}
	var to struct {
		RedirectTo string `json:"redirect_to"`
	}
	if err := json.Unmarshal(text, &to); err != nil {
		return nil, err
	}
	return visitor.to(http.MethodGet, to.RedirectTo, nil, nil)
}

func (h *hydraServer) more(count int) ([]string, error) {
	return together(h.options, count, func(int) (string, error) {
		return h.services.accessToken(h.public+"/oauth2/token", h.id, h.secret, url.Values{"grant_type": {"client_credentials"}, "scope": {scope}})
	})
}

func (h *hydraServer) life() time.Duration { return time.Hour }

func (h *hydraServer) introspect(token string) (bool, error) {
	return h.services.active(h.admin+"/admin/oauth2/introspect", nil, token)
}

func (h *hydraServer) process() *Process { return h.running }

func (h *hydraServer) stop() { h.running.stop() }
