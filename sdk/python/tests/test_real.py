"""Against the real server: callers, deputies, published clients, grants' people, and what happens when Falconer comes and goes."""

from __future__ import annotations

import threading
import time

import anyio
import httpx
import pytest
import requests
import taskcluster
from fastapi import FastAPI
from flask import Flask, request
from services import Uvicorn, Waitress, bound, fastapi_service, flask_service

import falconer.fastapi
import falconer.flask
import falconer.httpx
import falconer.requests
from falconer import AsyncCaller, AsyncVerifier, Caller, Credentials, Denied, Failed, Refused, SettingsError, SignedRequest, Signer, Verifier

ORIGIN = "https://notes.example.com"


def signed(credentials, path="/books/red", **settings):
    return SignedRequest("GET", path, Signer(credentials, **settings).authorization("GET", ORIGIN + path))


def test_a_decision(server):
    verifier = Verifier(server.root_url, ORIGIN)
    reader = server.client(["notes:read:*", "notes:write:red"])
    caller = verifier.check(signed(reader), "notes:read:red", body=b"")
    assert isinstance(caller, Caller) and caller.client_id == reader["clientId"] and caller.identity is None and caller.scopes == ()
    assert reader["accessToken"] not in repr(caller) and "mac" not in repr(caller)
    denied = verifier.check(signed(reader), {"AllOf": ["notes:read:red", "notes:admin", "x:y"]}, body=b"")
    assert isinstance(denied, Denied) and denied.missing == {"AllOf": ["notes:admin", "x:y"]} and denied.refusal.status == 403
    assert "notes:admin" in denied.refusal.message
    failed = verifier.check(signed({**reader, "accessToken": "x" * 44}), "notes:read:red", body=b"")
    assert isinstance(failed, Failed) and failed.reason == "bad-mac" and failed.refusal.status == 401
    verifier.close()


def test_a_caller_is_asked_about_more(server):
    verifier = Verifier(server.root_url, ORIGIN)
    caller = verifier.check(signed(server.client(["notes:read:*", "notes:write:red"])), "notes:read:red", body=b"")
    assert caller.has("notes:write:red") and not caller.has({"AnyOf": ["notes:write:blue", "notes:admin"]})
    assert caller.has_each([f"notes:write:{book}" for book in ["red", "blue"] * 100]) == [True, False] * 100
    assert caller.has_each([]) == []
    assert caller.authorized_scopes("notes:read:red", "notes:write:red") == ["notes:read:red", "notes:write:red"]
    with pytest.raises(Refused) as refused:
        caller.authorized_scopes("notes:read:red", "notes:write:blue")
    assert refused.value.refusal.status == 403
    with pytest.raises(SettingsError):
        caller.authorized_scopes("")


def test_the_same_under_asyncio_and_trio(server):
    reader = server.client(["notes:read:*"])

    async def main():
        verifier = AsyncVerifier(server.root_url, ORIGIN)
        caller = await verifier.check(signed(reader), "notes:read:red", body=b"")
        assert isinstance(caller, AsyncCaller) and await caller.has("notes:read:blue") and not await caller.has("notes:write:red")
        assert await caller.has_each(["notes:read:a", "a:b"]) == [True, False]
        assert await caller.authorized_scopes("notes:read:red") == ["notes:read:red"]
        assert isinstance(await verifier.check(signed(reader), "notes:write:red", body=b""), Denied)
        await verifier.aclose()

    anyio.run(main)
    # A second event loop has connections of its own.
    anyio.run(main)


def test_what_a_caller_lost_meanwhile_is_gone(server):
    verifier = Verifier(server.root_url, ORIGIN)
    reader = server.client(["notes:read:*"])
    caller = verifier.check(signed(reader), "notes:read:red", body=b"")
    server.call("POST", server.path(reader["clientId"]) + "/disable")
    with pytest.raises(Refused) as refused:
        caller.has("notes:read:red")
    assert refused.value.refusal.status == 401


def test_who_a_caller_is(server):
    verifier = Verifier(server.root_url, ORIGIN, reveal=["assume:mozilla-user:"])
    ann = verifier.check(signed(server.client(["assume:mozilla-user:ann@example.com", "notes:read:*"])), "notes:read:red", body=b"")
    assert ann.is_person("mozilla-user:ann@example.com") and not ann.is_person("mozilla-user:bob@example.com")
    assert ann.people("mozilla-user:") == ["ann@example.com"] and ann.scopes == ("assume:mozilla-user:ann@example.com",)
    for scopes in (["*"], ["assume:mozilla-user:*", "notes:*"], ["assume:mozilla-user:ann@example.com*", "notes:*"]):
        boss = verifier.check(signed(server.client(scopes)), "notes:read:red", body=b"")
        assert not boss.is_person("mozilla-user:ann@example.com") and boss.people("mozilla-user:") == []
        assert boss.has("assume:mozilla-user:ann@example.com"), "what Ann may do"
    with pytest.raises(SettingsError, match="reveal=\\['assume:github-user:'\\]"):
        ann.is_person("github-user:ann")


def test_a_person_who_let_the_service_know_and_who_revokes(server):
    """Ann grants access to https://notes.example.com and agrees to tell it who she is; then she revokes it."""
    credentials = server.grant(ORIGIN + "/cb", ["notes:read:red"], identity=True)
    ann = Verifier(server.root_url, ORIGIN, identity=True).check(signed(credentials), "notes:read:red", body=b"")
    assert ann.identity.id == "local/ann" and ann.identity.provider == "local" and ann.identity.target == ORIGIN
    # Only where the service asks, and only that origin.
    assert Verifier(server.root_url, ORIGIN).check(signed(credentials), "notes:read:red", body=b"").identity is None
    elsewhere = SignedRequest("GET", "/", Signer(credentials).authorization("GET", "https://other.example.com/"))
    assert Verifier(server.root_url, "https://other.example.com", identity=True).check(elsewhere, "notes:read:red", body=b"").identity is None
    grant = credentials["clientId"].split("/")[-1]
    server.call("DELETE", f"/api/falconer/v1/people/local%2Fann/grants/{grant}")
    refused = Verifier(server.root_url, ORIGIN).check(signed(credentials), "notes:read:red", body=b"")
    assert isinstance(refused, Failed) and refused.refusal.status == 401 and refused.reason == "grant-revoked"


def test_a_body_may_be_read_when_it_has_to_be(server):
    writer = server.client(["notes:*"])
    url, read = ORIGIN + "/books/red", []

    def reader(limit):
        read.append(limit)
        return b"hello"

    def check(header, **settings):
        request = SignedRequest("PUT", "/books/red", header, "text/plain")
        return Verifier(server.root_url, ORIGIN, **settings).check(request, "notes:write:red", body=reader)

    assert isinstance(check(Signer(writer).authorization("PUT", url, "text/plain", b"hello"), body_limit=5), Caller)
    assert check(Signer(writer).authorization("PUT", url, "text/plain", b"hello"), body_limit=4).reason == "body-too-large"
    assert check(Signer(writer).authorization("PUT", url, "text/plain", b"other")).reason == "payload-differs"
    assert read == [5, 4, 1024 * 1024]
    unsigned = Signer(writer, payload_hash=False).authorization("PUT", url)
    assert isinstance(check(unsigned), Caller) and len(read) == 3
    assert check(unsigned, payload_hash_required=True).reason == "payload-not-signed" and read[-1] == 0
    # A stranger makes this service read nothing.
    assert check(Signer({**writer, "accessToken": "x" * 44}).authorization("PUT", url, "text/plain", b"hello")).reason == "bad-mac" and len(read) == 4


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


class Authority:
    """Something in Falconer's place that can be told what to answer, and counts how often it is asked over how many connections."""

    def __init__(self):
        self.listener, self.root_url = bound("127.0.0.1")
        self.listener.listen(64)
        self.asked, self.connections, self.answer = 0, 0, None
        self.hang_up_after = None
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        answered = 0
        with connection, connection.makefile("rb") as lines:
            while True:
                length, line = 0, lines.readline()
                if not line:
                    return
                while (line := lines.readline()).strip():
                    if line.lower().startswith(b"content-length:"):
                        length = int(line.split(b":")[1])
                lines.read(length)
                if answered == self.hang_up_after:
                    return
                answered += 1
                self.asked += 1
                status, body = self.answer
                connection.sendall(f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

    def stop(self):
        self.listener.close()


ALLOWED = (200, b'{"status": "allowed", "expires": "2099-01-01T00:00:00.000Z"}')
REQUEST = SignedRequest("GET", "/books/red")


@pytest.fixture
def authority():
    running = Authority()
    yield running
    running.stop()


def check_sync(root_url, times=1, **settings):
    verifier = Verifier(root_url, ORIGIN, **settings)
    return [verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]


def check_async(root_url, times=1, **settings):
    async def main():
        verifier = AsyncVerifier(root_url, ORIGIN, **settings)
        decisions = [await verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]
        await verifier.aclose()
        return decisions

    return anyio.run(main)


BOTH = pytest.mark.parametrize("check", [check_sync, check_async])


@BOTH
def test_connections_are_kept(check, authority):
    authority.answer = ALLOWED
    assert all(not isinstance(one, (Denied, Failed)) for one in check(authority.root_url, 10))
    assert (authority.asked, authority.connections) == (10, 1)


@BOTH
def test_a_kept_connection_that_broke_is_made_anew(check, authority):
    authority.answer, authority.hang_up_after = ALLOWED, 2
    assert all(not isinstance(one, (Denied, Failed)) for one in check(authority.root_url, 9))
    assert authority.asked == 9


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        (200, b""), (200, b"[]"), (200, b"null"), (200, b'{"status": "ok"}'), (200, b'{"status": "allowed"}'), (200, b"["  * 100_000), (200, b'{"status": "failed", "reason": 7}'),
        (204, b""), (302, b"{}"), (400, b"<h1>"), (400, b'{"code": "InputValidationError", "message": "data/required must be a string"}'), (401, b"{}"), (403, b"no"),
        (429, b"{}"), (500, b"{}"), (503, b'{"code": "ServiceUnavailable"}'), (404, b'{"code": "ResourceNotFound"}'),
        (200, b'{"status": "allowed", "expires": "x", "identity": 7}'), (200, b'{"status": "allowed", "expires": "x", "revealed": [7]}'), (200, b'{"status": "allowed", "expires": "x", "hash": null}'),
    ],
    ids=lambda answer: f"{answer[0]} {answer[1][:60]!r}",
)
def test_an_answer_that_is_none_lets_nobody_through(check, authority, answer):
    authority.answer = answer
    (decision,) = check(authority.root_url)
    assert isinstance(decision, Failed) and decision.reason == "unavailable" and decision.refusal.status == 503
    assert "127.0.0.1" not in decision.refusal.message and authority.root_url in decision.refusal.log or "required" in decision.refusal.log


@BOTH
def test_a_question_that_the_callers_request_spoils_is_the_callers_fault(check, authority):
    authority.answer = (400, b'{"code": "InputValidationError", "message": "data/request/method must match pattern\\n\\n---\\n\\n* x"}')
    (decision,) = check(authority.root_url)
    assert isinstance(decision, Failed) and decision.refusal.status == 400


@BOTH
def test_after_five_failures_nobody_waits(check, authority):
    now = [0.0]
    authority.answer = (500, b"{}")
    assert all(one.reason == "unavailable" for one in check(authority.root_url, 20, monotonic=lambda: now[0]))
    assert authority.asked == 5


def test_one_question_tries_whether_falconer_is_back(authority):
    now = [0.0]
    authority.answer = (500, b"{}")
    verifier = Verifier(authority.root_url, ORIGIN, monotonic=lambda: now[0])

    def ask(times):
        before = authority.asked
        decisions = [verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]
        return authority.asked - before, sum(isinstance(one, Caller) for one in decisions)

    assert ask(20) == (5, 0)
    now[0] = 1.1
    assert ask(20) == (1, 0)
    now[0], authority.answer = 2.2, ALLOWED
    assert ask(20) == (20, 20)


def test_what_a_caller_wrote_does_not_shut_others_out(authority):
    """A proxy before Falconer that dislikes a URL, or a caller who hangs up, says nothing about Falconer."""
    authority.answer = (403, b"<h1>attack detected</h1>")
    verifier = Verifier(authority.root_url, ORIGIN)
    assert all(isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Failed) for _ in range(10))
    authority.answer = ALLOWED
    assert isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Caller)

    async def main():
        listener, root_url = bound("127.0.0.1")
        listener.listen(64)
        verifier = AsyncVerifier(root_url, ORIGIN)
        for _ in range(10):
            with anyio.move_on_after(0.01):
                await verifier.check(REQUEST, "notes:read:red", body=b"")
        paused = verifier._breaker.may_ask()
        listener.close()
        return paused

    assert anyio.run(main)


@BOTH
def test_a_slow_answer_ends_in_time(check):
    listener, root_url = bound("127.0.0.1")
    listener.listen(8)
    began = time.monotonic()
    (decision,) = check(root_url, timeout=0.3)
    assert decision.reason == "unavailable" and time.monotonic() - began < 30
    listener.close()


@BOTH
def test_servers_without_check_are_asked_for_the_scopes(check, authority, caplog):
    class Old(Authority):
        pass

    def answers():
        yield 404, b'{"error": "Not found"}'
        while True:
            yield 200, b'{"status": "no-auth", "scheme": "none", "expires": "2099-01-01T00:00:00.000Z", "scopes": ["notes:read:*"]}'

    turns = answers()
    Old.answer = property(lambda self: next(turns), lambda self, value: None)
    old = Old()
    try:
        decisions = check(old.root_url, 3)
        assert all(not isinstance(one, (Denied, Failed)) for one in decisions)
        assert old.asked == 4 and caplog.text.count("has no method `check`") == 1
    finally:
        old.stop()


@pytest.mark.parametrize("kit", ["FastAPI", "Flask"])
def test_the_log_says_what_was_verified_and_no_secret(server, kit, caplog):
    caplog.set_level("INFO", "falconer")
    root = server.root_url
    service = Uvicorn(lambda origin: fastapi_service(root, "https://notes.example.com")) if kit == "FastAPI" else Waitress(lambda origin: flask_service(root, "https://notes.example.com"))
    try:
        answer = requests.get(service.origin + "/books/red?secret=1", auth=falconer_requests(server.client(["notes:*"])), timeout=60)
        assert answer.status_code == 401
        line = [record.getMessage() for record in caplog.records if "refused" in record.getMessage()][-1]
        assert "verified for notes.example.com:443, the configured origin" in line and service.origin.split("//")[1] in line and answer.json()["id"] in line
        assert "secret" not in caplog.text and "mac=" not in caplog.text
    finally:
        service.stop()


def test_forms_and_json_are_still_there_for_a_view(server):
    """Flask: as data, JSON, a form, a file; FastAPI: as a model and as a form's raw body."""
    writer = server.client(["notes:*"])
    auth = falconer_requests(writer)

    def with_flask(origin):
        app = Flask(__name__)
        guard = falconer.flask.Guard(server.root_url, origin, payload_hash_required=True).install(app)

        @app.post("/form")
        @guard.requires("notes:write")
        def form():
            return {"text": request.form["text"], "file": request.files["file"].read().decode() if request.files else None}

        @app.post("/json")
        @guard.requires("notes:write")
        def as_json():
            return {"json": request.json, "data": request.data.decode()}

        @app.get("/anybody")
        @guard.identifies
        def anybody():
            return {"signed": falconer.flask.caller().client_id, "may": falconer.flask.caller().has("notes:write")}

        return app

    service = Waitress(with_flask)
    try:
        assert requests.post(service.origin + "/form", data={"text": "ä"}, auth=auth, timeout=60).json() == {"text": "ä", "file": None}
        files = {"file": ("a.txt", b"content")}
        assert requests.post(service.origin + "/form", data={"text": "ä"}, files=files, auth=auth, timeout=60).json() == {"text": "ä", "file": "content"}
        assert requests.post(service.origin + "/json", json={"a": 1}, auth=auth, timeout=60).json() == {"json": {"a": 1}, "data": '{"a": 1}'}
        assert requests.get(service.origin + "/anybody", timeout=60).json() == {"signed": None, "may": False}
        assert requests.get(service.origin + "/anybody", auth=auth, timeout=60).json() == {"signed": writer["clientId"], "may": True}
        assert requests.get(service.origin + "/anybody", auth=falconer_requests({**writer, "accessToken": "x" * 44}), timeout=60).status_code == 401
    finally:
        service.stop()


def test_chunked_bodies(server):
    """A body without a length: its hash is compared, and where a hash is needed an unsigned one is refused."""
    writer = server.client(["notes:*"])
    for start, make in ((Uvicorn, fastapi_service), (Waitress, flask_service)):
        for strict in (False, True):
            service = start(lambda origin, make=make, strict=strict: make(server.root_url, origin, payload_hash_required=strict))
            try:
                url = service.origin + "/books/red"
                header = Signer(writer).authorization("PUT", url, "text/plain", b"hello")
                headers = {"Authorization": header, "Content-Type": "text/plain"}
                assert requests.put(url, data=iter([b"hel", b"lo"]), headers=headers, timeout=60).json() == {"book": "red", "body": "hello"}
                assert requests.put(url, data=iter([b"hel", b"p"]), headers=headers, timeout=60).json()["reason"] == "payload-differs"
                unsigned = requests.put(url, data=iter([b"hel", b"lo"]), auth=falconer_requests(writer, payload_hash=False), headers={"Content-Type": "text/plain"}, timeout=60)
                assert (unsigned.status_code, unsigned.json().get("reason")) == ((401, "payload-not-signed") if strict else (200, None))
            finally:
                service.stop()
