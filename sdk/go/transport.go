package falconer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"

	"falconer.example/sdk/go/internal/hawk"
)

// pingTime is how long Falconer may take to tell its time.
const pingTime = 10 * time.Second

// bodied are the methods with which a body is expected, and with which an empty one says that it is (Content-Length: 0), as vectors/ours/signed-bodies.json has it.
// Where nothing is said, a Content-Type describes nothing, and servers differ in whether it is signed.
var bodied = []string{http.MethodPost, http.MethodPut, http.MethodPatch}

// Transport signs each request with Hawk, with the hash of its body, which is held in memory. After a redirect to another origin nothing is signed any more.
// Do not copy it after its first use.
type Transport struct {
	Credentials Credentials
	// AuthorizedScopes restricts each call; nil: to nothing less than what the credentials have. An empty list leaves no scopes.
	AuthorizedScopes []string
	// Falconer is its root URL, or empty. After a 401 it is asked for its time, at most once a minute, and the call is made once more if the clock was off.
	// No other server is believed: it could collect signatures for later.
	Falconer string
	// Base sends; http.DefaultTransport if it is nil.
	Base http.RoundTripper
	// Now is a clock; time.Now if it is nil. For tests.
	Now func() time.Time

	lock  sync.Mutex
	ahead time.Duration
	asked time.Time
}

// Restricted is a transport for calls that are worth these scopes only, such as those of Caller.AuthorizedScopes: a service that acts for its caller.
func (t *Transport) Restricted(scopes []string) *Transport {
	return &Transport{Credentials: t.Credentials, AuthorizedScopes: append([]string{}, scopes...), Falconer: t.Falconer, Base: t.Base, Now: t.Now, ahead: t.offset()}
}

// RoundTrip signs and sends.
func (t *Transport) RoundTrip(request *http.Request) (*http.Response, error) {
	body, err := readBody(request)
	if err != nil {
		return nil, err
	}
	if leftOrigin(request) || hawk.HasBewit(request.URL.RequestURI()) {
		return t.base().RoundTrip(withBody(request, body))
	}
	attempt, err := t.sign(request, body)
	if err != nil {
		return nil, err
	}
	response, err := t.base().RoundTrip(attempt)
	if err != nil || response.StatusCode != http.StatusUnauthorized || !t.learn(request) {
		return response, err
	}
	again, err := t.sign(request, body)
	if err != nil {
		return response, nil
	}
	_, _ = io.Copy(io.Discard, io.LimitReader(response.Body, 1<<16))
	response.Body.Close()
	return t.base().RoundTrip(again)
}

func (t *Transport) base() http.RoundTripper {
	if t.Base == nil {
		return http.DefaultTransport
	}
	return t.Base
}

func (t *Transport) now() time.Time {
	if t.Now == nil {
		return time.Now()
	}
	return t.Now()
}

func (t *Transport) offset() time.Duration {
	t.lock.Lock()
	defer t.lock.Unlock()
	return t.ahead
}

func (t *Transport) sign(request *http.Request, body []byte) (*http.Request, error) {
	if err := t.Credentials.check(); err != nil {
		return nil, err
	}
	if request.Header.Get("Authorization") != "" {
		return nil, errors.New("the request has an Authorization header already")
	}
	s, err := hawk.Parts(request.Method, request.URL)
	if err != nil {
		return nil, err
	}
	if s.Method == "" {
		s.Method = http.MethodGet
	}
	// An empty body is signed too where one is expected, so that nobody can add one.
	if len(body) > 0 || slices.Contains(bodied, s.Method) {
		s.Hash = hawk.PayloadHash(request.Header.Get("Content-Type"), body)
	}
	s.Ext = t.Credentials.ext(t.AuthorizedScopes)
	signed := withBody(request, body)
	at := t.now().Add(t.offset())
	signed.Header.Set("Authorization", s.Header(t.Credentials.ClientID, t.Credentials.AccessToken, at, hawk.RandomText(6)))
	return signed, nil
}

// learn asks Falconer for its time; true if it is another than was thought.
func (t *Transport) learn(request *http.Request) bool {
	t.lock.Lock()
	fine := t.Falconer != "" && (t.asked.IsZero() || t.now().Sub(t.asked).Abs() >= time.Minute)
	if fine {
		t.asked = t.now()
	}
	t.lock.Unlock()
	if !fine {
		return false
	}
	ctx, stop := context.WithTimeout(request.Context(), pingTime)
	defer stop()
	ping, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimRight(t.Falconer, "/")+"/api/auth/v1/ping", nil)
	if err != nil {
		return false
	}
	response, err := t.base().RoundTrip(ping)
	if err != nil {
		return false
	}
	response.Body.Close()
	there, err := http.ParseTime(response.Header.Get("Date"))
	if err != nil || response.StatusCode != http.StatusOK {
		return false
	}
	t.lock.Lock()
	defer t.lock.Unlock()
	ahead := there.Sub(t.now())
	if (ahead - t.ahead).Abs() < time.Minute {
		return false
	}
	t.ahead = ahead
	return true
}

func readBody(request *http.Request) ([]byte, error) {
	if request.Body == nil || request.Body == http.NoBody {
		return nil, nil
	}
	defer request.Body.Close()
	return io.ReadAll(request.Body)
}

// withBody is a copy that can be sent again; the request that was given stays as it is.
func withBody(request *http.Request, body []byte) *http.Request {
	made := request.Clone(request.Context())
	made.Body, made.GetBody, made.ContentLength, made.TransferEncoding = nil, nil, 0, nil
	if len(body) > 0 {
		made.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(body)), nil }
		made.Body, _ = made.GetBody()
		made.ContentLength = int64(len(body))
	}
	return made
}

// leftOrigin says whether one of the redirects that led here, or this one, is of another origin than the first request.
func leftOrigin(request *http.Request) bool {
	host, port, _ := hawk.HostAndPort(request.URL)
	for at := request; at.Response != nil && at.Response.Request != nil; {
		at = at.Response.Request
		if before, beforePort, _ := hawk.HostAndPort(at.URL); before != host || beforePort != port || at.URL.Scheme != request.URL.Scheme {
			return true
		}
	}
	return false
}
