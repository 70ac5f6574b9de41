// A relying party of OpenID Connect as its libraries describe one: coreos/go-oidc and golang.org/x/oauth2, unchanged. It reads what the provider says of itself, sends
// one browser there, and prints as JSON what it has verified of whoever comes back.
//
//	relying-party ISSUER CLIENT_ID [SCOPE...]
//
// CLIENT_SECRET is that of a confidential application, MAX_AGE asks for a sign-in that is not older. The first line is the address for the browser, which is told at the end
// whether it worked. With DEVICE it is a program without a browser, and the first line is the code that a person types.
package main

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"strconv"
	"time"

	"github.com/coreos/go-oidc/v3/oidc"
	"golang.org/x/oauth2"
)

// What was verified of somebody.
type signedIn struct {
	Subject  string         `json:"subject"`
	AuthTime int64          `json:"auth_time"`
	Claims   map[string]any `json:"claims"`
	UserInfo map[string]any `json:"user_info"`
	Renewed  map[string]any `json:"renewed"`
}

// A sign-in that is under way.
type signIn struct {
	provider               *oidc.Provider
	config                 oauth2.Config
	state, nonce, verifier string
	maxAge                 time.Duration
}

func main() {
	if err := run(os.Args[1], os.Args[2], os.Args[3:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(issuer, client string, scopes []string) error {
	ctx := context.Background()
	provider, err := oidc.NewProvider(ctx, issuer)
	if err != nil {
		return err
	}
	if os.Getenv("DEVICE") != "" {
		return device(ctx, provider, client, scopes)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	in := signIn{
		provider: provider,
		config: oauth2.Config{
			ClientID:     client,
			ClientSecret: os.Getenv("CLIENT_SECRET"),
			Endpoint:     provider.Endpoint(),
			RedirectURL:  fmt.Sprintf("http://%s/cb", listener.Addr()),
			Scopes:       append([]string{oidc.ScopeOpenID}, scopes...),
		},
		state: random(), nonce: random(), verifier: oauth2.GenerateVerifier(),
	}
	options := []oauth2.AuthCodeOption{oidc.Nonce(in.nonce), oauth2.S256ChallengeOption(in.verifier)}
	if seconds := os.Getenv("MAX_AGE"); seconds != "" {
		age, err := strconv.Atoi(seconds)
		if err != nil {
			return err
		}
		in.maxAge = time.Duration(age) * time.Second
		options = append(options, oauth2.SetAuthURLParam("max_age", seconds))
	}
	fmt.Println(in.config.AuthCodeURL(in.state, options...))

	done := make(chan error, 1)
	server := &http.Server{Handler: http.HandlerFunc(func(answer http.ResponseWriter, request *http.Request) {
		verified, err := in.callback(ctx, request)
		if err != nil {
			http.Error(answer, err.Error(), http.StatusForbidden)
		} else {
			err = json.NewEncoder(os.Stdout).Encode(verified)
		}
		done <- err
	})}
	go server.Serve(listener)
	err = <-done
	return errors.Join(err, server.Shutdown(ctx))
}

// A program without a browser (RFC 8628).
func device(ctx context.Context, provider *oidc.Provider, client string, scopes []string) error {
	in := signIn{provider: provider, config: oauth2.Config{
		ClientID: client, ClientSecret: os.Getenv("CLIENT_SECRET"), Endpoint: provider.Endpoint(), Scopes: append([]string{oidc.ScopeOpenID}, scopes...),
	}}
	codes, err := in.config.DeviceAuth(ctx)
	if err != nil {
		return err
	}
	fmt.Println(codes.UserCode)
	token, err := in.config.DeviceAccessToken(ctx, codes)
	if err != nil {
		return err
	}
	verified, err := in.whoIsBehind(ctx, token)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(verified)
}

// The callback as the examples of the library have it.
func (in *signIn) callback(ctx context.Context, request *http.Request) (*signedIn, error) {
	query := request.URL.Query()
	if query.Get("state") != in.state {
		return nil, errors.New("the state is another one")
	}
	if refused := query.Get("error"); refused != "" {
		return nil, errors.New(refused)
	}
	token, err := in.config.Exchange(ctx, query.Get("code"), oauth2.VerifierOption(in.verifier))
	if err != nil {
		return nil, err
	}
	return in.whoIsBehind(ctx, token)
}

// Who it is by the ID token, the same by what the provider says of them, and the same by a token that is renewed.
func (in *signIn) whoIsBehind(ctx context.Context, token *oauth2.Token) (*signedIn, error) {
	idToken, claims, err := in.verified(ctx, token)
	if err != nil {
		return nil, err
	}
	if idToken.Nonce != in.nonce {
		return nil, errors.New("the nonce is another one")
	}
	result := &signedIn{Subject: idToken.Subject, Claims: claims, UserInfo: map[string]any{}}
	if seconds, ok := claims["auth_time"].(float64); ok {
		result.AuthTime = int64(seconds)
	}
	if in.maxAge > 0 && time.Since(time.Unix(result.AuthTime, 0)) > in.maxAge+time.Minute {
		return nil, errors.New("the sign-in is too old")
	}
	userInfo, err := in.provider.UserInfo(ctx, oauth2.StaticTokenSource(token))
	if err != nil {
		return nil, err
	}
	if userInfo.Subject != idToken.Subject {
		return nil, errors.New("userinfo tells of somebody else")
	}
	if err := userInfo.Claims(&result.UserInfo); err != nil {
		return nil, err
	}
	// As if the access token had ended: the library renews it.
	token.Expiry = time.Now().Add(-time.Minute)
	later, err := in.config.TokenSource(ctx, token).Token()
	if err != nil {
		return nil, err
	}
	_, result.Renewed, err = in.verified(ctx, later)
	return result, err
}

func (in *signIn) verified(ctx context.Context, token *oauth2.Token) (*oidc.IDToken, map[string]any, error) {
	raw, ok := token.Extra("id_token").(string)
	if !ok {
		return nil, nil, errors.New("there is no ID token")
	}
	idToken, err := in.provider.Verifier(&oidc.Config{ClientID: in.config.ClientID}).Verify(ctx, raw)
	if err != nil {
		return nil, nil, err
	}
	if err := idToken.VerifyAccessToken(token.AccessToken); err != nil {
		return nil, nil, err
	}
	claims := map[string]any{}
	return idToken, claims, idToken.Claims(&claims)
}

func random() string {
	bytes := make([]byte, 16)
	if _, err := rand.Read(bytes); err != nil {
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(bytes)
}
