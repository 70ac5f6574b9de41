package tests

import (
	"encoding/json"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"testing"

	falconer "falconer.example/sdk/go"
)

type proofInput struct {
	Origin        string   `json:"origin"`
	BearerTokens  bool     `json:"bearerTokens"`
	Authorization string   `json:"authorization"`
	DPoP          []string `json:"dpop"`
}

type proofQuestion struct {
	Bearer  bool `json:"bearer"`
	Request struct {
		DPoP     string `json:"dpop"`
		Scheme   string `json:"scheme"`
		FollowUp string `json:"followUp"`
	} `json:"request"`
}

// What goes with an access token that is bound to a key: the cases that all kits share, and a proof that counts once.
func TestProofs(t *testing.T) {
	type expected struct {
		Bearer bool   `json:"bearer"`
		DPoP   string `json:"dpop"`
		Scheme string `json:"scheme"`
	}
	cases := vectors[proofInput, expected](t, "ours/proofs")
	if len(cases) < 8 {
		t.Fatal(len(cases))
	}
	for _, one := range cases {
		var asked []proofQuestion
		authority := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var question proofQuestion
			if err := json.NewDecoder(r.Body).Decode(&question); err != nil {
				t.Error(err)
			}
			asked = append(asked, question)
			_, _ = io.WriteString(w, `{"status": "allowed", "expires": "2099-01-01T00:00:00.000Z", "followUp": "f"}`)
		}))
		guard, err := falconer.NewGuard(falconer.Config{
			Falconer: authority.URL, Origin: one.Input.Origin, BearerTokens: one.Input.BearerTokens, Logger: slog.New(slog.NewTextHandler(io.Discard, nil)),
		})
		if err != nil {
			t.Fatal(err)
		}
		mux := http.NewServeMux()
		guard.HandleFunc(mux, "GET /books", "notes:read:red", func(_ http.ResponseWriter, r *http.Request) {
			if has, refusal := falconer.CallerFrom(r.Context()).Has(r.Context(), "notes:write:red"); !has || refusal != nil {
				t.Error(refusal)
			}
		})
		request := httptest.NewRequest(http.MethodGet, "/books", nil)
		request.Header.Set("Authorization", one.Input.Authorization)
		for _, proof := range one.Input.DPoP {
			request.Header.Add("DPoP", proof)
		}
		answer := httptest.NewRecorder()
		mux.ServeHTTP(answer, request)
		authority.Close()
		if answer.Code != http.StatusOK || len(asked) != 2 {
			t.Fatal(one.Name, answer.Code, answer.Body, asked)
		}
		first, second := asked[0], asked[1]
		if got := (expected{first.Bearer, first.Request.DPoP, first.Request.Scheme}); got != one.Expected {
			t.Errorf("%s: %+v", one.Name, got)
		}
		followUp := ""
		if one.Expected.Scheme != "" {
			followUp = "f"
		}
		if second.Request.DPoP != "" || second.Request.FollowUp != followUp || second.Bearer != first.Bearer {
			t.Errorf("%s: %+v", one.Name, second)
		}
	}
}
