"""A server of the real binary for all tests, and clients of it."""

from __future__ import annotations

import itertools
import json
import pathlib
from datetime import datetime, timedelta, timezone
from urllib.parse import quote

import httpx
import pytest
from falconer_server import Server

from falconer.httpx import HawkAuth

REPOSITORY = pathlib.Path(__file__).parents[3]


def vectors(name):
    """The cases of a file of the repository."""
    return json.loads((REPOSITORY / "vectors" / f"{name}.json").read_text())


class Falconer:
    """The running server, and what the tests do on it as its administrator."""

    def __init__(self, server):
        self.root_url, self.grant = server.root_url, server.grant
        self._http = httpx.Client(base_url=server.root_url, auth=HawkAuth(server.credentials), timeout=60)
        self._numbers = itertools.count()

    def call(self, method, path, body=None):
        answer = self._http.request(method, path, **({} if body is None else {"json": body}))
        answer.raise_for_status()
        return answer.json() if answer.content else None

    def client(self, scopes, name=None):
        """A new client: its credentials."""
        client_id = name or f"py/{next(self._numbers)}"
        expires = (datetime.now(timezone.utc) + timedelta(hours=1)).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        made = self.call("PUT", self.path(client_id), {"expires": expires, "description": "", "scopes": scopes})
        return {"clientId": client_id, "accessToken": made["accessToken"]}

    def reason_of(self, credentials):
        """The word with which a check refuses a request that these credentials sign; None where it is allowed."""
        url = "https://notes.example.com/"
        header = HawkAuth(credentials).authorization("GET", url, "", b"")
        request = {"method": "get", "resource": "/", "host": "notes.example.com", "port": 443, "authorization": header}
        return self.call("POST", "/api/falconer/v1/check", {"request": request, "required": {"AllOf": []}}).get("reason")

    @staticmethod
    def path(client_id):
        return f"/api/auth/v1/clients/{quote(client_id, safe='')}"


@pytest.fixture(scope="session")
def server(tmp_path_factory):
    running = Server(tmp_path_factory.mktemp("falconer"))
    yield Falconer(running)
    running.stop()
