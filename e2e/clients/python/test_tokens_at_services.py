"""Access tokens at services behind each kit and behind the gateway: the same verdicts, on the real server."""

import requests
from falconer_server import PATIENCE
from token_services import given, origin, server  # noqa: F401


def token(server, scope, **more):
    return given(server, scope, **more)["access_token"]


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
