"""Access tokens at services behind each kit and behind the gateway: the same verdicts, on the real server."""

import base64
import hashlib
import urllib.parse

import pytest
import requests
from falconer_server import PATIENCE
from oauth_applications import CALLBACK, pressed, server_of
from token_services import PLACES, service

PAGE = f"""
[[application]]
id = "page"
name = "A page"
redirect_uris = ["{CALLBACK}"]
scopes = ["notes:read:*"]
"""
VERIFIER = "v" * 64
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("tokens"), PAGE)
    yield running
    running.stop()


@pytest.fixture(scope="module", params=PLACES)
def origin(request, server, tmp_path_factory):
    with service(request.param, server, tmp_path_factory.mktemp(request.param)) as at:
        yield at


def token(server, scope, **more):
    """What ann gives the page."""
    asked = {"response_type": "code", "client_id": "page", "redirect_uri": CALLBACK, "state": "s", "scope": scope, **more}
    asked |= {"code_challenge": CHALLENGE, "code_challenge_method": "S256"}
    back = pressed(server, f"{server.root_url}/login/oauth/authorize?{urllib.parse.urlencode(asked)}")
    code = urllib.parse.parse_qs(urllib.parse.urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "client_id": "page", "code": code, "redirect_uri": CALLBACK, "code_verifier": VERIFIER}
    answer = requests.post(f"{server.root_url}/login/oauth/token", data=form, timeout=PATIENCE)
    assert answer.status_code == 200, answer.text
    return answer.json()["access_token"]


def shown(origin, token):
    return requests.get(f"{origin}/books/red?page=2", headers={"Authorization": f"Bearer {token}"}, timeout=PATIENCE)


def refused(origin, token):
    answer = shown(origin, token)
    return answer.status_code, answer.json()["reason"], answer.headers["WWW-Authenticate"].split(", resource_metadata=")[0]


def test_a_token_counts_for_what_its_grant_gives_and_until_that_ends(origin, server):
    red = token(server, "notes:read:red")
    assert shown(origin, red).status_code == 200, shown(origin, red).text
    other = red[:-1] + ("A" if red[-1] != "A" else "B")
    assert refused(origin, other) == (401, "token-malformed", 'Bearer error="invalid_token"')
    blue = token(server, "notes:read:blue")
    assert refused(origin, blue) == (403, "scopes-missing", 'Bearer error="insufficient_scope", scope="notes:read:red"')
    ended = requests.post(f"{server.root_url}/login/oauth/revoke", data={"token": red, "client_id": "page"}, timeout=PATIENCE)
    assert ended.status_code == 200, ended.text
    assert refused(origin, red) == (401, "grant-revoked", 'Bearer error="invalid_token"')


def test_a_token_for_some_services_counts_at_those(origin, server):
    assert shown(origin, token(server, "notes:read:red", resource=origin)).status_code == 200
    elsewhere = token(server, "notes:read:red", resource="https://other.example.com/")
    assert refused(origin, elsewhere) == (401, "token-other-service", 'Bearer error="invalid_token"')
