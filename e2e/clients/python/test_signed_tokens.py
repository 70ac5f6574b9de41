"""Authlib's validator of RFC 9068, unchanged, in a service that verifies signed access tokens by itself."""

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc6750 import InsufficientScopeError, InvalidTokenError
from authlib.oauth2.rfc9068 import JWTBearerTokenValidator
from falconer_server import PATIENCE
from oauth_applications import CALLBACK, pressed, server_of

RESOURCE = "https://notes.example.com/api"
CONFIG = f"""
[[application]]
id = "page"
name = "A page"
redirect_uris = ["{CALLBACK}"]
scopes = ["openid", "notes:read:*"]

[[offline_service]]
resource = "{RESOURCE}"
scopes = ["notes:read:*"]
"""


class Validator(JWTBearerTokenValidator):
    def __init__(self, root_url, resource):
        super().__init__(issuer=root_url, resource_server=resource)
        self.jwks_uri = requests.get(f"{root_url}/.well-known/oauth-authorization-server", timeout=PATIENCE).json()["jwks_uri"]

    def get_jwks(self):
        return requests.get(self.jwks_uri, timeout=PATIENCE).json()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("signed"), CONFIG)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def tokens(server):
    application = OAuth2Session("page", redirect_uri=CALLBACK, code_challenge_method="S256", scope="openid notes:read:red", token_endpoint_auth_method="none")
    url, state = application.create_authorization_url(f"{server.root_url}/login/oauth/authorize", code_verifier="v" * 64, resource=RESOURCE)
    back = pressed(server, url)
    return application.fetch_token(f"{server.root_url}/login/oauth/token", authorization_response=back, code_verifier="v" * 64, state=state)


def test_authlib_takes_a_token_for_its_service(server, tokens):
    validator = Validator(server.root_url, RESOURCE)
    claims = validator.authenticate_token(tokens["access_token"])
    validator.validate_token(claims, ["notes:read:red"], None)
    assert (claims["client_id"], claims["scope"]) == ("page", "notes:read:red")
    with pytest.raises(InsufficientScopeError):
        validator.validate_token(claims, ["notes:read:blue"], None)


def test_authlib_takes_none_for_another_service_and_no_id_token(server, tokens):
    for validator, token in [
        (Validator(server.root_url, "https://other.example.com/api"), tokens["access_token"]),
        (Validator(server.root_url, RESOURCE), tokens["id_token"]),
        (Validator(server.root_url, "page"), tokens["id_token"]),
    ]:
        with pytest.raises(InvalidTokenError):
            claims = validator.authenticate_token(token)
            validator.validate_token(claims, ["notes:read:red"], None)
