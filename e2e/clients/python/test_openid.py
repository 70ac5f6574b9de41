"""Authlib, unchanged, as a relying party of OpenID Connect: discovery, ID tokens by ES256 and EdDSA, claims of the person, sign-out, and another key."""

import hashlib
import subprocess
import urllib.parse

import pytest
import requests
from authlib.integrations.requests_client import OAuth2Session
from authlib.jose import JsonWebKey, JsonWebToken
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import OpenIDProviderMetadata
from falconer_server import BIN, PATIENCE, Server, clean_environment
from oauth_applications import CALLBACK, SECRET, pressed, server_of, typed

APPLICATIONS = f"""
[[application]]
id = "page"
name = "A page"
redirect_uris = ["{CALLBACK}"]
scopes = ["openid", "profile", "email", "groups", "notes:read:*"]
device = true

[[application]]
id = "server"
name = "A server"
redirect_uris = ["{CALLBACK}"]
scopes = ["openid", "email"]
kind = "confidential"
secret_sha256 = "{hashlib.sha256(SECRET.encode()).hexdigest()}"
id_token_alg = "EdDSA"
"""


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("openid"), APPLICATIONS)
    yield running
    running.stop()


@pytest.fixture(scope="module")
def metadata(server):
    return requests.get(f"{server.root_url}/.well-known/openid-configuration", timeout=PATIENCE).json()


def signs_in(server, metadata, client, nonce, scope):
    """What the token endpoint answered, and the session that it gave it to."""
    how = {"token_endpoint_auth_method": "none"} if client == "page" else {"client_secret": SECRET, "token_endpoint_auth_method": "client_secret_post"}
    application = OAuth2Session(client, redirect_uri=CALLBACK, code_challenge_method="S256", scope=scope, **how)
    url, state = application.create_authorization_url(metadata["authorization_endpoint"], code_verifier="v" * 64, nonce=nonce)
    back = pressed(server, url)
    return application, application.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier="v" * 64, state=state)


def claims_of(metadata, token, client, nonce):
    """Claims that Authlib has verified against the published keys, each of the checks of its own."""
    keys = JsonWebKey.import_key_set(requests.get(metadata["jwks_uri"], timeout=PATIENCE).json())
    claims = JsonWebToken(metadata["id_token_signing_alg_values_supported"]).decode(
        token["id_token"], keys, claims_cls=CodeIDToken,
        claims_options={"iss": {"essential": True, "value": metadata["issuer"]}, "aud": {"essential": True, "value": client}},
        claims_params={"client_id": client, **({"nonce": nonce} if nonce else {}), "access_token": token["access_token"], "max_age": 600},
    )
    claims.validate(leeway=60)
    return claims


def test_authlib_finds_nothing_wrong_with_the_discovery_document(server, metadata):
    assert metadata["issuer"] == server.root_url
    document = OpenIDProviderMetadata(metadata)
    # Authlib asks for https everywhere and for RS256; the rest it checks one by one.
    for member in ("jwks_uri", "scopes_supported", "response_types_supported", "response_modes_supported", "grant_types_supported", "acr_values_supported", "subject_types_supported"):
        if member != "jwks_uri":
            getattr(document, f"validate_{member}")()


@pytest.mark.parametrize(("client", "algorithm", "scope"), [("page", "ES256", "openid profile email groups notes:read:*"), ("server", "EdDSA", "openid email")])
def test_authlib_signs_somebody_in(server, metadata, client, algorithm, scope):
    application, token = signs_in(server, metadata, client, "a nonce", scope)
    claims = claims_of(metadata, token, client, "a nonce")
    assert (claims.header["alg"], claims["aud"], claims["amr"]) == (algorithm, client, ["pwd"])
    told = application.get(metadata["userinfo_endpoint"], timeout=PATIENCE).json()
    assert told["sub"] == claims["sub"]
    assert ("preferred_username" in told) == ("profile" in scope)
    assert told.get("preferred_username", "local/ann") == "local/ann"


def test_authlib_goes_on_with_a_refresh_token(server, metadata):
    application, token = signs_in(server, metadata, "page", "n", "openid")
    subject = claims_of(metadata, token, "page", "n")["sub"]
    later = application.refresh_token(metadata["token_endpoint"], refresh_token=token["refresh_token"])
    assert later["refresh_token"] != token["refresh_token"]
    assert claims_of(metadata, later, "page", None)["sub"] == subject


def test_authlib_gets_tokens_on_a_device(server, metadata):
    # It asks for no code by itself, and exchanges it as any other grant.
    begun = requests.post(metadata["device_authorization_endpoint"], data={"client_id": "page", "scope": "openid email"}, timeout=PATIENCE).json()
    typed(server, begun["user_code"])
    application = OAuth2Session("page", token_endpoint_auth_method="none")
    token = application.fetch_token(metadata["token_endpoint"], grant_type="urn:ietf:params:oauth:grant-type:device_code", device_code=begun["device_code"])
    subject = claims_of(metadata, token, "page", None)["sub"]
    assert application.get(metadata["userinfo_endpoint"], timeout=PATIENCE).json()["sub"] == subject


def test_authlib_pushes_its_request(server, metadata):
    # It has no call for it: what it would send with the browser goes there as it is.
    application = OAuth2Session("page", redirect_uri=CALLBACK, code_challenge_method="S256", scope="openid", token_endpoint_auth_method="none")
    url, state = application.create_authorization_url(metadata["authorization_endpoint"], code_verifier="v" * 64, nonce="n")
    pushed = requests.post(f"{server.root_url}/login/oauth/par", data=dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(url).query)), timeout=PATIENCE).json()
    asked = urllib.parse.urlencode({"client_id": "page", "request_uri": pushed["request_uri"]})
    back = pressed(server, f"{metadata['authorization_endpoint']}?{asked}")
    token = application.fetch_token(metadata["token_endpoint"], authorization_response=back, code_verifier="v" * 64, state=state)
    claims_of(metadata, token, "page", "n")


def test_another_key_signs_later_and_what_the_first_one_signed_still_holds(server, metadata):
    _, token = signs_in(server, metadata, "page", "n", "openid")
    subprocess.run([BIN, "keys", "rotate-openid", "--data-dir", server.data], check=True, capture_output=True, env=clean_environment(), timeout=PATIENCE)
    claims_of(metadata, token, "page", "n")
    _, later = signs_in(server, metadata, "page", "n2", "openid")
    claims_of(metadata, later, "page", "n2")


def test_signing_out_leads_back_to_the_application(server, metadata):
    _, token = signs_in(server, metadata, "page", "n", "openid")
    asked = urllib.parse.urlencode({"id_token_hint": token["id_token"], "post_logout_redirect_uri": CALLBACK, "state": "s"})
    # Nobody is signed in here, so there is nothing to press.
    answer = requests.get(f"{metadata['end_session_endpoint']}?{asked}", allow_redirects=False, timeout=PATIENCE)
    assert (answer.status_code, answer.headers["location"]) == (303, f"{CALLBACK}?state=s")
