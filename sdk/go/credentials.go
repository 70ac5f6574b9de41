package falconer

import (
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"falconer.example/sdk/go/internal/hawk"
)

// PayloadHash is the Hawk payload hash of a body: SHA-256, base64. Of the content type only what is before the first semicolon counts, in lower case.
func PayloadHash(contentType string, body []byte) string { return hawk.PayloadHash(contentType, body) }

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
	seed := hawk.RandomText(16) + hawk.RandomText(16)
	from, to := strconv.FormatInt(start.UnixMilli(), 10), strconv.FormatInt(expiry.UnixMilli(), 10)
	text := strings.Join(append([]string{"version:1", "seed:" + seed, "start:" + from, "expiry:" + to, "scopes:"}, scopes...), "\n")
	certificate, err := json.Marshal(map[string]any{
		"version": 1, "scopes": append([]string{}, scopes...), "start": start.UnixMilli(), "expiry": expiry.UnixMilli(), "seed": seed, "signature": hawk.MAC(c.AccessToken, text),
	})
	token := base64.RawURLEncoding.EncodeToString(hawk.HMAC(c.AccessToken, seed))
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
	s, err := hawk.Parts("GET", parsed)
	if err != nil {
		return "", err
	}
	if hawk.HasBewit(s.Resource) {
		return "", errors.New("this URL is signed already")
	}
	s.Ext = c.ext(authorizedScopes)
	separator := "?"
	if strings.Contains(s.Resource, "?") {
		separator = "&"
	}
	return parsed.Scheme + "://" + parsed.Host + s.Resource + separator + "bewit=" + s.Bewit(c.ClientID, c.AccessToken, ends), nil
}
