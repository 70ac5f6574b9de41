package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	falconer "falconer.example/sdk/go"
)

// forwardAuth asks nginx for a page, with the cookie of a session. nginx asks whoever decides about each request, as the documentation of each prints it; the page itself
// is a fixed answer of nginx. What nginx and the page take alone is measured first.
func forwardAuth(options Options) error {
	var all []Figures
	for _, one := range []func(Options) (Figures, error){nginxAlone, gateway, oauth2Proxy} {
		figures, err := one(options)
		if err != nil {
			return err
		}
		all = append(all, figures)
	}
	show(fmt.Sprintf("A page behind nginx, with a session's cookie; %d at once, %s each. CPU and memory are those of the program that decides.", options.Workers, options.Seconds), "pages", all)
	return nil
}

func nginxAlone(options Options) (Figures, error) {
	nginx, origin, err := startNginx(options, "alone", "location / { return 200 page; }")
	if err != nil {
		return Figures{}, err
	}
	defer nginx.stop()
	return pages(options, "nginx alone", nginx, origin, "")
}

// pages: each worker reads the page again and again.
func pages(options Options, name string, process *Process, origin, cookie string) (Figures, error) {
	keeping := client(options.Workers)
	return measure(options, name, process, func(_, _ int) error {
		request, err := http.NewRequest(http.MethodGet, origin+"/books/red", nil)
		if err != nil {
			return err
		}
		if cookie != "" {
			request.Header.Set("Cookie", cookie)
		}
		answer, err := keeping.Do(request)
		if err != nil {
			return err
		}
		defer answer.Body.Close()
		body, err := io.ReadAll(answer.Body)
		if err == nil && (answer.StatusCode != http.StatusOK || string(body) != "page") {
			err = fmt.Errorf("%s: %s", answer.Status, body)
		}
		return err
	})
}

func startNginx(options Options, name, locations string) (*Process, string, error) {
	address, err := freePort()
	if err != nil {
		return nil, "", err
	}
	page, err := freePort()
	if err != nil {
		return nil, "", err
	}
	folder := filepath.Join(options.Folder, "nginx-"+name)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, "", err
	}
	temporary := ""
	for _, kind := range []string{"client_body", "proxy", "fastcgi", "uwsgi", "scgi"} {
		temporary += fmt.Sprintf("%s_temp_path %s/%s;\n", kind, folder, kind)
	}
	text := fmt.Sprintf("daemon off; worker_processes 1; pid %s/pid; error_log stderr;\nevents {}\nhttp {\naccess_log off; keepalive_requests 1000000;\n%s"+
		"server { listen %s; location / { return 200 page; } }\nserver {\nlisten %s;\n%s\n}\n}\n", folder, temporary, page, address, strings.ReplaceAll(locations, "PAGE", page))
	file := filepath.Join(folder, "nginx.conf")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		return nil, "", err
	}
	nginx, err := start(options.Folder, "nginx-"+name, "nginx", "-p", folder, "-c", file)
	if err != nil {
		return nil, "", err
	}
	return nginx, "http://" + address, nginx.listens(address)
}

// --- the gateway

func gateway(options Options) (Figures, error) {
	server, err := startFalconer(options)
	if err != nil {
		return Figures{}, err
	}
	defer server.process.stop()
	made, err := server.load(nil, []map[string]any{{"clientId": "person/ann", "description": "", "expires": "2100-01-01T00:00:00.000Z", "scopes": []string{"books:read:*"}}})
	if err != nil {
		return Figures{}, err
	}
	address, err := freePort()
	if err != nil {
		return Figures{}, err
	}
	nginx, origin, err := startNginx(options, "gateway", fmt.Sprintf(`proxy_set_header X-Original-Request "$request_method $http_host $request_uri $host $remote_addr";
location /.falconer/ { proxy_pass http://%[1]s; access_log off; }
location @falconer { proxy_pass http://%[1]s; }
location / {
    auth_request /.falconer/check;
    auth_request_set $caller $upstream_http_falconer_caller;
    error_page 401 = @falconer;
    proxy_set_header Falconer-Caller $caller;
    proxy_pass http://PAGE;
}`, address))
	if err != nil {
		return Figures{}, err
	}
	defer nginx.stop()
	rules := filepath.Join(options.Folder, "gateway.toml")
	text := fmt.Sprintf("falconer = %q\norigin = %q\nproxy = \"nginx\"\n[session]\n[[rule]]\nmethods = [\"GET\"]\npath = \"/books/{book}\"\nscope = \"books:read:<book>\"\n", server.root, origin)
	if err := os.WriteFile(rules, []byte(text), 0o600); err != nil {
		return Figures{}, err
	}
	process, err := start(options.Folder, "gateway", options.Falconer, "gateway", "run", rules, "--listen", address)
	if err != nil {
		return Figures{}, err
	}
	defer process.stop()
	if err := process.listens(address); err != nil {
		return Figures{}, err
	}
	temporary, err := falconer.Credentials{ClientID: "person/ann", AccessToken: made["person/ann"]}.Temporary([]string{"books:read:*"}, time.Now(), time.Now().Add(time.Hour))
	if err != nil {
		return Figures{}, err
	}
	cookie, err := gatewaySession(origin, temporary)
	if err != nil {
		return Figures{}, err
	}
	// The server's share counts: the gateway asks it about what it does not remember.
	return pages(options, "Falconer's gateway, and the server that it asks", process.and(server.process), origin, cookie)
}

// gatewaySession brings credentials back as a browser does that comes from Falconer.
func gatewaySession(origin string, credentials falconer.Credentials) (string, error) {
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	begun, err := browser.Get(origin + "/.falconer/sign-in?to=/books/red")
	if err != nil {
		return "", err
	}
	begun.Body.Close()
	asked, err := begun.Location()
	if err != nil {
		return "", err
	}
	target, err := url.Parse(asked.Query().Get("target"))
	if err != nil {
		return "", err
	}
	back := url.Values{"state": {target.Query().Get("state")}, "clientId": {credentials.ClientID}, "accessToken": {credentials.AccessToken}, "certificate": {credentials.Certificate}}
	request, err := http.NewRequest(http.MethodGet, origin+"/.falconer/back?"+back.Encode(), nil)
	if err != nil {
		return "", err
	}
	request.Header.Set("Sec-Fetch-Mode", "navigate")
	return cookieOf(browser, request, begun.Cookies(), "falconer-gateway")
}

func cookieOf(browser *http.Client, request *http.Request, cookies []*http.Cookie, name string) (string, error) {
	for _, one := range cookies {
		request.AddCookie(one)
	}
	answer, err := browser.Do(request)
	if err != nil {
		return "", err
	}
	defer answer.Body.Close()
	for _, one := range answer.Cookies() {
		if one.Name == name && one.Value != "" {
			return one.Name + "=" + one.Value, nil
		}
	}
	body, _ := io.ReadAll(answer.Body)
	return "", fmt.Errorf("no cookie %s came: %s %s", name, answer.Status, body)
}

// --- oauth2-proxy: its session is a cookie too, and its own form makes it.

func oauth2Proxy(options Options) (Figures, error) {
	address, err := freePort()
	if err != nil {
		return Figures{}, err
	}
	// ann:password, as htpasswd writes it with SHA-1.
	people := filepath.Join(options.Folder, "htpasswd")
	if err := os.WriteFile(people, []byte("ann:{SHA}W6ph5Mm5Pz8GgiULbPgzG37mj9g=\n"), 0o600); err != nil {
		return Figures{}, err
	}
	process, err := start(options.Folder, "oauth2-proxy", "oauth2-proxy", "--http-address", address, "--provider", "github", "--client-id", "bench", "--client-secret", "bench",
		"--cookie-secret", "0123456789abcdef0123456789abcdef", "--cookie-secure=false", "--email-domain", "*", "--htpasswd-file", people, "--upstream", "static://202",
		"--reverse-proxy", "--request-logging=false", "--auth-logging=false", "--standard-logging=false")
	if err != nil {
		return Figures{}, err
	}
	defer process.stop()
	if err := process.listens(address); err != nil {
		return Figures{}, err
	}
	nginx, origin, err := startNginx(options, "oauth2-proxy", fmt.Sprintf(`location /oauth2/ {
    proxy_pass http://%[1]s;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Auth-Request-Redirect $request_uri;
}
location = /oauth2/auth {
    proxy_pass http://%[1]s;
    proxy_set_header Host $host;
    proxy_set_header X-Real-IP $remote_addr;
    proxy_set_header X-Forwarded-Uri $request_uri;
    proxy_set_header Content-Length "";
    proxy_pass_request_body off;
}
location / {
    auth_request /oauth2/auth;
    error_page 401 =403 /oauth2/sign_in;
    auth_request_set $user $upstream_http_x_auth_request_user;
    proxy_set_header X-User $user;
    proxy_pass http://PAGE;
}`, address))
	if err != nil {
		return Figures{}, err
	}
	defer nginx.stop()
	browser := &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	form := url.Values{"username": {"ann"}, "password": {"password"}, "rd": {"/"}}
	request, err := http.NewRequestWithContext(context.Background(), http.MethodPost, origin+"/oauth2/sign_in", strings.NewReader(form.Encode()))
	if err != nil {
		return Figures{}, err
	}
	request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	cookie, err := cookieOf(browser, request, nil, "_oauth2_proxy")
	if err != nil {
		return Figures{}, errors.Join(err, fmt.Errorf("see %s", process.log))
	}
	return pages(options, "oauth2-proxy", process, origin, cookie)
}
