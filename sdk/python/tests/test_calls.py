"""Calls that the kit signs, and calls of the published client to services of the kit, against the real server."""

from __future__ import annotations

import time

import httpx
import pytest
import requests
import taskcluster
from fastapi import FastAPI
from flask import Flask, request
from services import Uvicorn, Waitress

import falconer.fastapi
import falconer.flask
import falconer.httpx
import falconer.requests
from falconer import Credentials, Signer



def test_signed_urls_and_the_kits_for_calls(server):
    reader = server.client(["auth:current-scopes", "notes:read:*"])
    url = server.root_url + "/api/auth/v1/scopes/current"
    held = {"scopes": ["assume:anonymous", "auth:current-scopes", "notes:read:*"]}
    narrow = {"scopes": ["assume:anonymous", "auth:current-scopes"]}
    assert requests.get(Signer(reader).signed_url(url), timeout=60).json() == held
    assert requests.get(url, auth=falconer_requests(reader), timeout=60).json() == held
    assert httpx.get(url, auth=falconer_httpx(reader)).json() == held
    assert httpx.get(url, auth=falconer_httpx(reader).restricted(["auth:current-scopes"])).json() == narrow
    now = int(time.time() * 1000)
    temporary = Credentials.of(reader).temporary(["auth:current-scopes"], now - 60_000, now + 60_000)
    assert requests.get(url, auth=falconer_requests(temporary), timeout=60).json() == narrow
    assert requests.get(Signer(temporary).signed_url(url), timeout=60).json() == narrow
    assert requests.get(Signer(reader).signed_url(url, expires_in=-5), timeout=60).status_code == 401


@pytest.mark.parametrize("make", ["httpx", "requests"])
def test_a_wrong_clock_is_put_right(server, make):
    """Signed two hours ahead, by the real server's own 401 and Date."""
    url = server.root_url + "/api/auth/v1/scopes/current"
    module = falconer_httpx if make == "httpx" else falconer_requests
    client = server.client(["auth:current-scopes"])
    get = httpx.get if make == "httpx" else requests.get
    assert get(url, auth=module(client, now=lambda: time.time() + 7200), timeout=60).status_code == 401
    assert get(url, auth=module(client, now=lambda: time.time() + 7200, root_url=server.root_url), timeout=60).status_code == 200


def falconer_httpx(credentials, **settings):
    return falconer.httpx.HawkAuth(credentials, **settings)


def falconer_requests(credentials, **settings):
    return falconer.requests.HawkAuth(credentials, **settings)


@pytest.mark.parametrize("kit", ["FastAPI", "Flask"])
def test_the_published_client_calls_a_service(server, kit):
    """The client of PyPI signs for a service of ours: as the protocol's services, it lies below /api."""
    def with_fastapi(origin):
        app = FastAPI()
        guard = falconer.fastapi.Guard(root, origin, payload_hash_required=True).install(app)

        @app.get("/api/auth/v1/clients/{name:path}")
        async def client(name: str, caller: falconer.fastapi.Caller = guard.requires("notes:read:<name>")):
            return {"clientId": name}

        @app.put("/api/auth/v1/clients/{name:path}")
        async def make(name: str, payload: dict, caller: falconer.fastapi.Caller = guard.requires("notes:write:<name>")):
            return {"clientId": name, **payload}

        return app

    def with_flask(origin):
        app = Flask(__name__)
        guard = falconer.flask.Guard(root, origin, payload_hash_required=True).install(app)

        @app.get("/api/auth/v1/clients/<path:name>")
        @guard.requires("notes:read:<name>")
        def client(name):
            return {"clientId": name}

        @app.put("/api/auth/v1/clients/<path:name>")
        @guard.requires("notes:write:<name>")
        def make(name):
            return {"clientId": name, **request.json}

        return app

    root = server.root_url
    credentials = server.client(["notes:read:*", "notes:write:a/*"])
    service = Uvicorn(with_fastapi) if kit == "FastAPI" else Waitress(with_flask)
    try:
        client = taskcluster.Auth({"rootUrl": service.origin, "credentials": credentials, "maxRetries": 0})
        assert client.client("a/b") == {"clientId": "a/b"}
        assert client.createClient("a/b", {"description": "ä"}) == {"clientId": "a/b", "description": "ä"}
        with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
            client.createClient("c", {"description": ""})
        assert failure.value.status_code == 403 and failure.value.body["code"] == "InsufficientScopes"
        stranger = taskcluster.Auth({"rootUrl": service.origin, "credentials": {**credentials, "accessToken": "x" * 44}, "maxRetries": 0})
        with pytest.raises(taskcluster.exceptions.TaskclusterAuthFailure, match="Bad mac"):
            stranger.client("a/b")
    finally:
        service.stop()
