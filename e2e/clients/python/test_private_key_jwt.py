"""Authlib, unchanged, as applications that prove who they are by a key (private_key_jwt), in place of a secret."""

import json
import urllib.parse

import pytest
import requests
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc7523 import PrivateKeyJWT
from falconer_server import PATIENCE
from joserfc.jwk import ECKey, OKPKey, RSAKey
from oauth_applications import CALLBACK, pressed, server_of

NEW_KEY = {
    "RS256": lambda: RSAKey.generate_key(2048),
    "PS256": lambda: RSAKey.generate_key(2048),
    "ES256": lambda: ECKey.generate_key("P-256"),
    "Ed25519": lambda: OKPKey.generate_key("Ed25519"),
}
KEYS = {alg: new_key() for alg, new_key in NEW_KEY.items()}


def application_of(alg):
    jwks = json.dumps({"keys": [KEYS[alg].as_dict(private=False)]})
    return f"""
[[application]]
id = "by-{alg}"
name = "By {alg}"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:read:*"]
kind = "confidential"
jwks = '{jwks}'
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("keys"), "".join(application_of(alg) for alg in KEYS))
    yield running
    running.stop()


@pytest.fixture(scope="module")
def metadata(server):
    return requests.get(f"{server.root_url}/.well-known/oauth-authorization-server", timeout=PATIENCE).json()


def session(metadata, alg, key=None):
    application = OAuth2Session(
        f"by-{alg}", key or KEYS[alg], redirect_uri=CALLBACK, scope="notes:read:*", code_challenge_method="S256",
        token_endpoint_auth_method="private_key_jwt", revocation_endpoint_auth_method="private_key_jwt",
    )
    application.register_client_auth_method(PrivateKeyJWT(metadata["token_endpoint"], alg=alg))
    return application


def signed_in(server, metadata, application):
    verifier = "v" * 64
    url, state = application.create_authorization_url(metadata["authorization_endpoint"], code_verifier=verifier)
    back = pressed(server, url)
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["state"] == [state]
    return {"authorization_response": back, "code_verifier": verifier, "state": state}


@pytest.mark.parametrize("alg", KEYS)
def test_an_application_proves_itself_by_its_key(server, metadata, alg):
    application = session(metadata, alg)
    answer = signed_in(server, metadata, application)
    with pytest.raises(OAuthError, match="invalid_client"):
        guess = session(metadata, alg, NEW_KEY[alg]())
        guess.fetch_token(metadata["token_endpoint"], **answer)
    token = application.fetch_token(metadata["token_endpoint"], **answer)
    assert (token["token_type"], token["scope"]) == ("Bearer", "notes:read:*")
    token = application.refresh_token(metadata["token_endpoint"], token["refresh_token"])
    told = application.introspect_token(metadata["introspection_endpoint"], token["access_token"])
    assert (told.json()["active"], told.json()["client_id"]) == (True, f"by-{alg}"), told.text
    ended = application.revoke_token(metadata["revocation_endpoint"], token["access_token"])
    assert ended.status_code == 200, ended.text
