// Package hawk is what is signed, and the text of a signature.
package hawk

import (
	"crypto/hmac"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// PayloadHash is that of a body: SHA-256, base64. Of the content type only what is before the first semicolon counts, in lower case.
func PayloadHash(contentType string, body []byte) string {
	kind, _, _ := strings.Cut(contentType, ";")
	sum := sha256.New()
	sum.Write([]byte("hawk.1.payload\n" + strings.ToLower(strings.TrimSpace(kind)) + "\n"))
	sum.Write(body)
	sum.Write([]byte("\n"))
	return base64.StdEncoding.EncodeToString(sum.Sum(nil))
}

// Signed is what a signature covers.
type Signed struct {
	Method, Resource, Host string
	Port                   int
	Hash, Ext, App, Dlg    string
}

// Normalized is the text that a MAC covers. kind is "header" or "bewit".
func (s Signed) Normalized(kind, ts, nonce string) string {
	ext := strings.ReplaceAll(strings.ReplaceAll(s.Ext, `\`, `\\`), "\n", `\n`)
	lines := []string{"hawk.1." + kind, ts, nonce, strings.ToUpper(s.Method), s.Resource, strings.ToLower(s.Host), strconv.Itoa(s.Port), s.Hash, ext}
	if s.App != "" {
		lines = append(lines, s.App, s.Dlg)
	}
	return strings.Join(lines, "\n") + "\n"
}

// HMAC is that of SHA-256.
func HMAC(key, text string) []byte {
	code := hmac.New(sha256.New, []byte(key))
	code.Write([]byte(text))
	return code.Sum(nil)
}

// MAC is the same in base64.
func MAC(key, text string) string {
	return base64.StdEncoding.EncodeToString(HMAC(key, text))
}

// Header is the value of an Authorization header.
func (s Signed) Header(id, key string, at time.Time, nonce string) string {
	ts := strconv.FormatInt(at.Unix(), 10)
	text := fmt.Sprintf(`Hawk id="%s", ts="%s", nonce="%s"`, id, ts, nonce)
	if s.Hash != "" {
		text += fmt.Sprintf(`, hash="%s"`, s.Hash)
	}
	if s.Ext != "" {
		text += fmt.Sprintf(`, ext="%s"`, s.Ext)
	}
	return text + fmt.Sprintf(`, mac="%s"`, MAC(key, s.Normalized("header", ts, nonce)))
}

// Bewit is the value of the query parameter of that name.
func (s Signed) Bewit(id, key string, ends time.Time) string {
	ts := strconv.FormatInt(ends.Unix(), 10)
	plain := id + `\` + ts + `\` + MAC(key, s.Normalized("bewit", ts, "")) + `\` + s.Ext
	return base64.RawURLEncoding.EncodeToString([]byte(plain))
}

// Parts is what of a URL is signed, as Go sends it.
func Parts(method string, address *url.URL) (Signed, error) {
	host, port, err := HostAndPort(address)
	return Signed{Method: method, Resource: address.RequestURI(), Host: host, Port: port}, err
}

// HostAndPort are as they are signed: a name in lower case, an address of IPv6 in its shortest form and in brackets.
func HostAndPort(address *url.URL) (string, int, error) {
	port := map[string]int{"http": 80, "https": 443}[address.Scheme]
	switch {
	case port == 0:
		return "", 0, errors.New("it does not begin with https:// or http://")
	case address.User != nil:
		return "", 0, errors.New("it holds a user name")
	case address.Hostname() == "":
		return "", 0, errors.New("it has no host")
	case strings.IndexFunc(address.Hostname(), func(c rune) bool { return c <= ' ' || c > '~' }) >= 0:
		return "", 0, errors.New("its host is not written in ASCII (xn--...)")
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

// Origin is host and port of a URL without path, query and fragment.
func Origin(text string) (string, int, error) {
	parsed, err := url.Parse(text)
	if err != nil {
		return "", 0, errors.New("it is no URL")
	}
	host, port, err := HostAndPort(parsed)
	if err == nil && ((parsed.Path != "" && parsed.Path != "/") || parsed.RawQuery != "" || parsed.ForceQuery || parsed.Fragment != "") {
		err = errors.New("it has a path, a query or a fragment")
	}
	return host, port, err
}

// HasBewit says whether a request target carries a signature.
func HasBewit(resource string) bool {
	_, query, _ := strings.Cut(resource, "?")
	for _, pair := range strings.Split(query, "&") {
		if strings.HasPrefix(pair, "bewit=") {
			return true
		}
	}
	return false
}

// IsSignedTwice says whether a request carries a header and a bewit at once. What would be taken for a bewit if there were no header is one, and so is a parameter whose
// decoded name is bewit, also without a value.
func IsSignedTwice(resource, authorization string) bool {
	if authorization == "" {
		return false
	}
	if strings.Contains(resource, "?bewit=") || strings.Contains(resource, "&bewit=") {
		return true
	}
	_, query, _ := strings.Cut(resource, "?")
	for _, pair := range strings.Split(query, "&") {
		name, _, _ := strings.Cut(pair, "=")
		if decoded, err := url.PathUnescape(name); err == nil && decoded == "bewit" {
			return true
		}
	}
	return false
}

// RandomText has 22 characters for 16 bytes.
func RandomText(bytes int) string {
	random := make([]byte, bytes)
	if _, err := rand.Read(random); err != nil {
		panic(err) // the system has no randomness: nothing can be signed
	}
	return base64.RawURLEncoding.EncodeToString(random)
}
