module falconer.example/e2e/clients/go

go 1.22

require (
	github.com/coreos/go-oidc/v3 v3.12.0
	golang.org/x/oauth2 v0.21.0
)

require (
	github.com/go-jose/go-jose/v4 v4.0.2 // indirect
	golang.org/x/crypto v0.25.0 // indirect
)
