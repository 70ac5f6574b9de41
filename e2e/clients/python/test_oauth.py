"""Authlib, unchanged, as an application by OAuth 2; what it gets works with the published client, and ends."""

import hashlib
import urllib.parse

import pytest
import requests
import taskcluster
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from falconer_server import PATIENCE
from oauth_applications import CALLBACK, SECRET, pressed, server_of

APPLICATIONS = f"""
[[application]]
id = "page"
name = "A page"
redirect_uris = ["{CALLBACK}", "http://127.0.0.1/cb"]
scopes = ["notes:read:*", "notes:write:*"]

[[application]]
id = "server"
name = "A server"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:read:*"]
kind = "confidential"
secret_sha256 = "{hashlib.sha256(SECRET.encode()).hexdigest()}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("oauth"), APPLICATIONS)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def metadata(server):
    told = requests.get(f"{server.root_url}/.well-known/oauth-authorization-server", timeout=PATIENCE).json()
    assert told["issuer"] == server.root_url
    return told


def session(metadata, client="page", redirect_uri=CALLBACK, **more):
    method = {"token_endpoint_auth_method": "none"} if client == "page" else {}
    return OAuth2Session(
        client, redirect_uri=redirect_uri, code_challenge_method="S256", revocation_endpoint_auth_method="none" if client == "page" else None,
        **{"scope": "notes:read:*", **method, **more},
    )


def signed_in(server, metadata, application):
    verifier = "v" * 64
    url, state = application.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    back = pressed(server, url)
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)
    assert (given["state"], given["iss"]) == ([state], [server.root_url])
    return back, verifier, state


def fetched(server, metadata, application):
    back, verifier, state = signed_in(server, metadata, application)
    token = application.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier, state=state)
    return token, back, verifier


def credentials(server, application):
    answer = application.get(f"{server.root_url}/login/oauth/credentials", timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()["credentials"]


@pytest.mark.parametrize("redirect_uri", [CALLBACK, "http://127.0.0.1:41234/cb"])
def test_a_public_application_gets_credentials_and_ends_them(server, metadata, redirect_uri):
    application = session(metadata, redirect_uri=redirect_uri)
    token, _, _ = fetched(server, metadata, application)
    assert (token["token_type"], token["scope"]) == ("Bearer", "notes:read:*")
    auth = taskcluster.Auth(server.options(**credentials(server, application)))
    assert auth.currentScopes()["scopes"] == ["assume:anonymous", "auth:current-scopes", "notes:read:*"]
    ended = application.revoke_token(metadata["revocation_endpoint"], token["access_token"], token_type_hint="access_token")
    assert ended.status_code == 200, ended.text
    with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure, match="has been revoked"):
        auth.currentScopes()


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_a_confidential_application_proves_itself(server, metadata, method):
    # In the header the secret is form-encoded first (RFC 6749 section 2.3.1), which Authlib leaves to its user.
    secret = urllib.parse.quote(SECRET, safe="") if method == "client_secret_basic" else SECRET
    application = session(metadata, "server", client_secret=secret, token_endpoint_auth_method=method)
    fetched(server, metadata, application)
    assert taskcluster.Auth(server.options(**credentials(server, application))).currentScopes()["scopes"][-1] == "notes:read:*"
    guess = session(metadata, "server", client_secret="guess", token_endpoint_auth_method=method)
    with pytest.raises(OAuthError, match="invalid_client"):
        fetched(server, metadata, guess)


def test_a_code_that_is_used_twice_ends_what_it_gave(server, metadata):
    application = session(metadata)
    _, back, verifier = fetched(server, metadata, application)
    auth = taskcluster.Auth(server.options(**credentials(server, application)))
    auth.currentScopes()
    with pytest.raises(OAuthError, match="invalid_grant"):
        session(metadata).fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier=verifier)
    with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure, match="has been revoked"):
        auth.currentScopes()


def test_a_wrong_verifier_gets_nothing(server, metadata):
    application = session(metadata)
    back, _, _ = signed_in(server, metadata, application)
    with pytest.raises(OAuthError, match="invalid_grant"):
        application.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier="w" * 64)


def checked(server, token, required="notes:read:red", **more):
    """What a service that takes tokens is told."""
    request = {"method": "get", "resource": "/books/red", "host": "notes.example.com", "port": 443, "authorization": f"Bearer {token}"}
    answer = requests.post(f"{server.root_url}/api/falconer/v1/check", json={"request": request, "required": required, "bearer": True, **more}, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_a_token_is_shown_to_a_service_and_ends_with_the_grant(server, metadata):
    application = session(metadata)
    token, _, _ = fetched(server, metadata, application)
    shown = token["access_token"]
    allowed = checked(server, shown)
    assert allowed["status"] == "allowed" and allowed["clientId"].startswith("local/ann/app.example/")
    assert checked(server, shown, "notes:write:red")["missing"] == "notes:write:red"
    assert checked(server, shown, bearer=False)["reason"] == "malformed"
    assert checked(server, shown[:-1] + ("A" if shown[-1] != "A" else "B"))["reason"] == "token-malformed"
    application.revoke_token(metadata["revocation_endpoint"], shown, token_type_hint="access_token")
    assert checked(server, shown)["reason"] == "grant-revoked"


def test_tokens_are_refreshed_and_a_second_use_ends_the_grant(server, metadata):
    application = session(metadata)
    first, _, _ = fetched(server, metadata, application)
    second = application.refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
    assert second["access_token"] != first["access_token"] and second["refresh_token"] != first["refresh_token"]
    third = application.refresh_token(metadata["token_endpoint"])
    assert checked(server, third["access_token"])["status"] == "allowed"
    with pytest.raises(OAuthError, match="invalid_grant"):
        session(metadata).refresh_token(metadata["token_endpoint"], refresh_token=first["refresh_token"])
    assert checked(server, third["access_token"])["reason"] == "grant-revoked"
    with pytest.raises(OAuthError, match="invalid_grant"):
        application.refresh_token(metadata["token_endpoint"])


def test_an_application_asks_what_its_token_is_worth(server, metadata):
    """The call of docs/oauth.md, which Authlib makes."""
    application = session(metadata, "server", client_secret=SECRET, token_endpoint_auth_method="client_secret_post")
    token, _, _ = fetched(server, metadata, application)
    page, _, _ = fetched(server, metadata, session(metadata))

    def told(sent):
        answer = application.introspect_token(metadata["introspection_endpoint"], token=sent)
        assert answer.status_code == 200, answer.text
        return answer.json()

    worth = told(token["access_token"])
    assert (worth["active"], worth["client_id"], worth["token_type"]) == (True, "server", "Bearer")
    assert worth["scope"] == "auth:current-scopes notes:read:*"
    assert told(token["refresh_token"])["active"] is True
    for other in [page["access_token"], page["refresh_token"], "falconer_at_x"]:
        assert told(other) == {"active": False}
    application.revocation_endpoint_auth_method = "client_secret_post"
    ended = application.revoke_token(metadata["revocation_endpoint"], token["refresh_token"], token_type_hint="refresh_token")
    assert ended.status_code == 200, ended.text
    assert told(token["access_token"]) == {"active": False}
