"""httpx-oauth, unchanged: OAuth 2 with PKCE and refresh tokens, and OpenID Connect by its discovery."""

import asyncio
import base64
import hashlib
import urllib.parse

import pytest
from httpx_oauth.clients.openid import OpenID
from httpx_oauth.exceptions import GetProfileError
from httpx_oauth.oauth2 import BaseOAuth2, GetAccessTokenError, RefreshTokenError
from oauth_applications import CALLBACK, pressed, server_of

# The library puts a secret into the header as it is, without the form encoding that RFC 6749 section 2.3.1 asks for.
SECRET = "0123456789abcdef0123456789abcdef"
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
APPLICATIONS = f"""
[[application]]
id = "server"
name = "A server"
redirect_uris = ["{CALLBACK}"]
scopes = ["openid", "email", "notes:read:*"]
kind = "confidential"
secret_sha256 = "{hashlib.sha256(SECRET.encode()).hexdigest()}"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("httpx-oauth"), APPLICATIONS)
    yield running
    running.stop()


def code_of(server, client, **more):
    """The code that the application is given after Grant."""
    url = asyncio.run(client.get_authorization_url(CALLBACK, "the state", code_challenge=CHALLENGE, code_challenge_method="S256", **more))
    given = urllib.parse.parse_qs(urllib.parse.urlsplit(pressed(server, url)).query)
    assert (given["state"], given["iss"]) == (["the state"], [server.root_url])
    return given["code"][0]


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
def test_an_application_gets_tokens_refreshes_them_and_ends_them(server, method):
    at = f"{server.root_url}/login/oauth"
    client = BaseOAuth2(
        "server", SECRET, f"{at}/authorize", f"{at}/token", f"{at}/token", f"{at}/revoke",
        base_scopes=["notes:read:*"], token_endpoint_auth_method=method, revocation_endpoint_auth_method=method,
    )
    code = code_of(server, client)
    token = asyncio.run(client.get_access_token(code, CALLBACK, VERIFIER))
    assert not token.is_expired() and token["scope"] == "notes:read:*"
    later = asyncio.run(client.refresh_token(token["refresh_token"]))
    assert later["access_token"] != token["access_token"]
    asyncio.run(client.revoke_token(later["access_token"]))
    with pytest.raises(RefreshTokenError):
        asyncio.run(client.refresh_token(later["refresh_token"]))
    with pytest.raises(GetAccessTokenError):
        asyncio.run(client.get_access_token(code, CALLBACK, VERIFIER))
    with pytest.raises(GetAccessTokenError):
        asyncio.run(client.get_access_token(code_of(server, client), CALLBACK, "w" * 64))


def test_it_learns_who_somebody_is(server):
    client = OpenID("server", SECRET, f"{server.root_url}/.well-known/openid-configuration")
    token = asyncio.run(client.get_access_token(code_of(server, client), CALLBACK, VERIFIER))
    subject, _ = asyncio.run(client.get_id_email(token["access_token"]))
    assert subject and token["id_token"].count(".") == 2


def test_a_token_for_one_service_says_nothing_to_falconer(server):
    client = OpenID("server", SECRET, f"{server.root_url}/.well-known/openid-configuration")
    code = code_of(server, client, extras_params={"resource": "https://notes.example.com/mcp"})
    token = asyncio.run(client.get_access_token(code, CALLBACK, VERIFIER))
    with pytest.raises(GetProfileError) as refused:
        asyncio.run(client.get_profile(token["access_token"]))
    assert refused.value.response.status_code == 401
