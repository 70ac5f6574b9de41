package falconer

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PayloadHash is the Hawk payload hash of a body: SHA-256, base64. Of the content type only what is before the first semicolon counts, in lower case.
func PayloadHash(contentType string, body []byte) string {
	kind, _, _ := strings.Cut(contentType, ";")
	sum := sha256.New()
	sum.Write([]byte("hawk.1.payload\n" + strings.ToLower(strings.TrimSpace(kind)) + "\n"))
	sum.Write(body)
	sum.Write([]byte("\n"))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// signed is what a signature covers.
type signed struct {
	method, resource, host string
	port                   int
	hash, ext, app, dlg    string
}

// normalized is the text that a MAC covers. kind is "header" or "bewit".
func (s signed) normalized(kind, ts, nonce string) string {
	ext := strings.ReplaceAll(strings.ReplaceAll(s.ext, `\`, `\\`), "\n", `\n`)
	lines := []string{"hawk.1." + kind, ts, nonce, strings.ToUpper(s.method), s.resource, strings.ToLower(s.host), strconv.Itoa(s.port), s.hash, ext}
	if s.app != "" {
		lines = append(lines, s.app, s.dlg)
	}
	return strings.Join(lines, "\n") + "\n"
}

func hmacOf(key, text string) []byte {
	code := hmac.New(sha256.New, []byte(key))
	code.Write([]byte(text))
	return code.Sum(nil)
}

func mac(key, text string) string {
	return base64.StdEncoding.EncodeToString(hmacOf(key, text))
}

// header is the value of an Authorization header.
func (s signed) header(c Credentials, at time.Time, nonce string) string {
	ts := strconv.FormatInt(at.Unix(), 10)
	text := fmt.Sprintf(`Hawk id="%s", ts="%s", nonce="%s"`, c.ClientID, ts, nonce)
	if s.hash != "" {
		text += fmt.Sprintf(`, hash="%s"`, s.hash)
	}
	if s.ext != "" {
		text += fmt.Sprintf(`, ext="%s"`, s.ext)
	}
	return text + fmt.Sprintf(`, mac="%s"`, mac(c.AccessToken, s.normalized("header", ts, nonce)))
}

// bewit is the value of the query parameter of that name.
func (s signed) bewit(c Credentials, ends time.Time) string {
	ts := strconv.FormatInt(ends.Unix(), 10)
	plain := c.ClientID + `\` + ts + `\` + mac(c.AccessToken, s.normalized("bewit", ts, "")) + `\` + s.ext
	return base64.RawURLEncoding.EncodeToString([]byte(plain))
}

// Credentials are a client's, or temporary ones with their certificate. They are not shown when they are printed.
type Credentials struct {
	ClientID    string
	AccessToken string
	// Certificate is the JSON text of a certificate, or empty.
	Certificate string
}

// String shows the clientId only.
func (c Credentials) String() string { return "credentials of " + c.ClientID }

// GoString shows the clientId only.
func (c Credentials) GoString() string { return c.String() }

// CredentialsFromEnvironment reads TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN and TASKCLUSTER_CERTIFICATE by the function given, such as os.Getenv.
func CredentialsFromEnvironment(getenv func(string) string) (Credentials, error) {
	for _, name := range []string{"TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN"} {
		if getenv(name) == "" {
			return Credentials{}, fmt.Errorf("%s is not set", name)
		}
	}
	c := Credentials{getenv("TASKCLUSTER_CLIENT_ID"), getenv("TASKCLUSTER_ACCESS_TOKEN"), getenv("TASKCLUSTER_CERTIFICATE")}
	return c, c.check()
}

func (c Credentials) check() error {
	for _, character := range []byte(c.ClientID) {
		if character < ' ' || character > '~' || character == '"' || character == '\\' {
			return errors.New("the clientId has a character that no header can carry")
		}
	}
	switch {
	case c.ClientID == "":
		return errors.New("the clientId is missing")
	case c.AccessToken == "":
		return errors.New("the access token is missing")
	case c.Certificate != "" && !json.Valid([]byte(c.Certificate)):
		return errors.New("the certificate is not JSON")
	}
	return nil
}

// Temporary makes credentials that end by themselves, at most 31 days after their start, without a call.
func (c Credentials) Temporary(scopes []string, start, expiry time.Time) (Credentials, error) {
	if err := c.check(); err != nil {
		return Credentials{}, err
	}
	if c.Certificate != "" {
		return Credentials{}, errors.New("temporary credentials cannot make others")
	}
	if expiry.Sub(start) > 31*24*time.Hour {
		return Credentials{}, errors.New("temporary credentials cannot last longer than 31 days")
	}
	seed := randomText(16) + randomText(16)
	from, to := strconv.FormatInt(start.UnixMilli(), 10), strconv.FormatInt(expiry.UnixMilli(), 10)
	text := strings.Join(append([]string{"version:1", "seed:" + seed, "start:" + from, "expiry:" + to, "scopes:"}, scopes...), "\n")
	certificate, err := json.Marshal(map[string]any{
		"version": 1, "scopes": append([]string{}, scopes...), "start": start.UnixMilli(), "expiry": expiry.UnixMilli(), "seed": seed, "signature": mac(c.AccessToken, text),
	})
	token := base64.RawURLEncoding.EncodeToString(hmacOf(c.AccessToken, seed))
	return Credentials{c.ClientID, token, string(certificate)}, err
}

// ext carries a certificate and authorized scopes; empty where there is neither. An empty list of scopes leaves none, nil all of them.
func (c Credentials) ext(authorizedScopes []string) string {
	carried := map[string]any{}
	if c.Certificate != "" {
		carried["certificate"] = json.RawMessage(c.Certificate)
	}
	if authorizedScopes != nil {
		carried["authorizedScopes"] = authorizedScopes
	}
	if len(carried) == 0 {
		return ""
	}
	// Cannot fail: the certificate was checked.
	text, _ := json.Marshal(carried)
	return base64.StdEncoding.EncodeToString(text)
}

// SignURL gives the URL with a signature in its query (a bewit), for GET and HEAD by anybody who has it, until it ends. Nil authorizedScopes: all that the
// credentials have.
func SignURL(c Credentials, address string, ends time.Time, authorizedScopes []string) (string, error) {
	if err := c.check(); err != nil {
		return "", err
	}
	parsed, err := url.Parse(address)
	if err != nil {
		return "", errors.New("this is not a URL")
	}
	s, err := signedParts("GET", parsed)
	if err != nil {
		return "", err
	}
	if hasBewit(s.resource) {
		return "", errors.New("this URL is signed already")
	}
	s.ext = c.ext(authorizedScopes)
	separator := "?"
	if strings.Contains(s.resource, "?") {
		separator = "&"
	}
	return parsed.Scheme + "://" + parsed.Host + s.resource + separator + "bewit=" + s.bewit(c, ends), nil
}

// signedParts is what of a URL is signed, as Go sends it.
func signedParts(method string, address *url.URL) (signed, error) {
	host, port, err := hostAndPort(address)
	return signed{method: method, resource: address.RequestURI(), host: host, port: port}, err
}

// hostAndPort are as they are signed: a name in lower case, an address of IPv6 in its shortest form and in brackets.
func hostAndPort(address *url.URL) (string, int, error) {
	port := map[string]int{"http": 80, "https": 443}[address.Scheme]
	switch {
	case port == 0:
		return "", 0, errors.New("it does not begin with https:// or http://")
	case address.User != nil:
		return "", 0, errors.New("it holds a user name")
	case address.Hostname() == "":
		return "", 0, errors.New("it has no host")
	}
	if text := address.Port(); text != "" {
		given, err := strconv.ParseUint(text, 10, 16)
		if err != nil || given == 0 {
			return "", 0, errors.New("its port is none")
		}
		port = int(given)
	}
	host := strings.ToLower(address.Hostname())
	if ip, err := netip.ParseAddr(host); err == nil && ip.Is6() {
		host = "[" + ip.String() + "]"
	}
	return host, port, nil
}

func hasBewit(resource string) bool {
	_, query, _ := strings.Cut(resource, "?")
	for _, pair := range strings.Split(query, "&") {
		if strings.HasPrefix(pair, "bewit=") {
			return true
		}
	}
	return false
}

// randomText has 22 characters for 16 bytes.
func randomText(bytes int) string {
	random := make([]byte, bytes)
	if _, err := rand.Read(random); err != nil {
		panic(err) // the system has no randomness: nothing can be signed
	}
	return base64.RawURLEncoding.EncodeToString(random)
}
