"""A server of the real binary for all tests here."""

import pathlib
import sys

import httpx
import pytest

REPOSITORY = pathlib.Path(__file__).parents[2]
for folder in ("sdk/python/src", "sdk/python/tests", "e2e/support"):
    sys.path.insert(0, str(REPOSITORY / folder))

from falconer_server import Server  # noqa: E402


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("falconer"))
    yield running
    running.stop()


def client(server, name, scopes):
    """Credentials of a new client."""
    from falconer.httpx import HawkAuth

    url = f"{server.root_url}/api/auth/v1/clients/attack%2F{name}"
    made = httpx.put(url, auth=HawkAuth(server.credentials), json={"expires": "2099-01-01T00:00:00.000Z", "description": "", "scopes": scopes}, timeout=60)
    made.raise_for_status()
    return {"clientId": f"attack/{name}", "accessToken": made.json()["accessToken"]}


@pytest.fixture(scope="session")
def operator(server):
    """Credentials of a client that may what the routes need, and the little that callers are made with."""
    return client(server, "operator", ["notes:*", "assume:*"])
