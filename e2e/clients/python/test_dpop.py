"""Tokens that are bound to a key, at services behind the kits and behind the gateway: the same table for each."""

import base64
import hashlib
import json
import secrets
import time

import pytest
import requests
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from falconer_server import PATIENCE
from token_services import given, origin, server  # noqa: F401


def base64url(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Holder:
    """Whoever has a key."""

    def __init__(self):
        self.key = Ed25519PrivateKey.generate()

    def proof(self, method, url, token=None, **other):
        public = self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw)
        header = {"typ": "dpop+jwt", "alg": "Ed25519", "jwk": {"kty": "OKP", "crv": "Ed25519", "x": base64url(public)}}
        claims = {"jti": secrets.token_hex(16), "htm": method, "htu": url, "iat": int(time.time())}
        if token is not None:
            claims["ath"] = base64url(hashlib.sha256(token.encode()).digest())
        message = ".".join(base64url(json.dumps(part).encode()) for part in (header, {**claims, **other}))
        return f"{message}.{base64url(self.key.sign(message.encode()))}"


def token_of_ann(server, proof=None):
    """Of her grant to the page."""
    tokens = given(server, "notes:read:*", None if proof is None else {"DPoP": proof})
    assert tokens["token_type"] == ("Bearer" if proof is None else "DPoP")
    return tokens["access_token"]


@pytest.fixture(scope="module")
def bound(server):
    """Whoever has a key, and a token that is bound to it."""
    holder = Holder()
    return holder, token_of_ann(server, holder.proof("POST", f"{server.root_url}/login/oauth/token"))


def shown(origin, token, proof, scheme="DPoP", method="GET"):
    headers = {"Authorization": f"{scheme} {token}", **({} if proof is None else {"DPoP": proof})}
    return requests.request(method, f"{origin}/books/red?page=2", headers=headers, timeout=PATIENCE)


def test_a_bound_token_is_verified_and_its_proof_counts_once(origin, bound):
    holder, token = bound
    proof = holder.proof("GET", f"{origin}/books/red", token)
    answer = shown(origin, token, proof)
    assert answer.status_code == 200, answer.text
    again = shown(origin, token, proof)
    assert (again.status_code, again.json()["reason"]) == (401, "proof-replayed")
    assert again.headers["WWW-Authenticate"].startswith('DPoP error="invalid_dpop_proof", algs="ES256 Ed25519 EdDSA ES384 PS256 RS256", resource_metadata=')


REFUSED = {
    "without a proof": (lambda holder, at, token: None, "proof-missing"),
    "of another key": (lambda holder, at, token: Holder().proof("GET", at, token), "proof-other-key"),
    "another method": (lambda holder, at, token: holder.proof("POST", at, token), "proof-method"),
    "another path": (lambda holder, at, token: holder.proof("GET", at.replace("red", "blue"), token), "proof-url"),
    "another host": (lambda holder, at, token: holder.proof("GET", "http://other.example/books/red", token), "proof-url"),
    "another port": (lambda holder, at, token: holder.proof("GET", "http://127.0.0.1:1/books/red", token), "proof-url"),
    "by https": (lambda holder, at, token: holder.proof("GET", at.replace("http:", "https:"), token), "proof-url"),
    "of another token": (lambda holder, at, token: holder.proof("GET", at, token + "x"), "proof-other-token"),
    "of no token": (lambda holder, at, token: holder.proof("GET", at), "proof-other-token"),
    "an old one": (lambda holder, at, token: holder.proof("GET", at, token, iat=int(time.time()) - 100), "proof-stale"),
    "one of the time to come": (lambda holder, at, token: holder.proof("GET", at, token, iat=int(time.time()) + 100), "proof-stale"),
    "no proof at all": (lambda holder, at, token: "x", "proof-malformed"),
    "a long one": (lambda holder, at, token: holder.proof("GET", at, token, more="m" * 4096), "proof-malformed"),
    "two in one header": (lambda holder, at, token: ", ".join(holder.proof("GET", at, token) for _ in range(2)), "proof-malformed"),
    "without a signature": (lambda holder, at, token: holder.proof("GET", at, token).rsplit(".", 1)[0] + ".", "proof-signature"),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what, origin, bound):
    holder, token = bound
    made, reason = REFUSED[what]
    answer = shown(origin, token, made(holder, f"{origin}/books/red", token))
    assert (answer.status_code, answer.json()["reason"]) == (401, reason), answer.text


def test_a_bound_token_is_no_bearer_token(origin, bound):
    holder, token = bound
    for proof in [None, holder.proof("GET", f"{origin}/books/red", token)]:
        answer = shown(origin, token, proof, "Bearer")
        assert (answer.status_code, answer.json()["reason"]) == (401, "token-bound")


def test_a_token_that_is_bound_to_no_key_is_none_for_a_proof(origin, server, bound):
    holder, _ = bound
    token = token_of_ann(server)
    answer = shown(origin, token, holder.proof("GET", f"{origin}/books/red", token))
    assert (answer.status_code, answer.json()["reason"]) == (401, "token-not-bound")
