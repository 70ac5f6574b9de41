"""What goes with an access token that is bound to a key: the cases that all kits share, and a proof that counts once."""

from __future__ import annotations

import http.server
import json
import threading
from dataclasses import replace

import httpx
import pytest
from conftest import vectors

from falconer import Caller, SignedRequest, Verifier
from falconer.asgi import Guard as AsgiGuard
from falconer.asgi import caller_of
from falconer.wsgi import Guard as WsgiGuard
from falconer.wsgi import caller_of as wsgi_caller_of

CASES = vectors("ours/proofs")
ALLOWED = json.dumps({"status": "allowed", "expires": "2099-01-01T00:00:00.000Z", "followUp": "f"}).encode()


def test_no_case_was_lost():
    assert len(CASES) >= 8


@pytest.fixture
def asked():
    questions = []

    class Falconer(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            questions.append(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(ALLOWED)))
            self.end_headers()
            self.wfile.write(ALLOWED)

        def log_message(self, *_):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Falconer)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", questions
    server.shutdown()
    server.server_close()


def judge(questions, expected):
    first, second = questions
    said = {"bearer": first.get("bearer"), "dpop": first["request"].get("dpop"), "scheme": first["request"].get("scheme")}
    assert {name: value for name, value in said.items() if value is not None} == expected
    assert "dpop" not in second["request"] and second.get("bearer") == first.get("bearer")
    assert second["request"].get("followUp") == ("f" if "scheme" in expected else None)


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_by_the_verifier(case, asked):
    (root, questions), given = asked, case["input"]
    verifier = Verifier(root, given["origin"], bearer_tokens=given["bearerTokens"])
    request = SignedRequest("GET", "/books/red", given["authorization"], dpop=", ".join(given["dpop"]) or None)
    caller = verifier.check(request, "notes:read:red", body=b"")
    assert isinstance(caller, Caller) and caller.has("notes:write:red")
    judge(questions, case["expected"])
    verifier.close()


def test_a_request_is_verified_once_more(asked):
    root, questions = asked
    verifier = Verifier(root, "https://notes.example", bearer_tokens=True)
    request = SignedRequest("GET", "/books/red", "DPoP t", dpop="p")
    caller = verifier.check(request, "notes:read:red", body=b"")
    assert isinstance(caller, Caller) and caller.follow_up == "f"
    again = verifier.check(replace(request, follow_up=caller.follow_up), "notes:write:red", body=b"")
    assert isinstance(again, Caller) and again.follow_up == "f"
    shown = [(question["request"].get("dpop"), question["request"].get("followUp")) for question in questions]
    assert shown == [("p", None), (None, "f")]
    verifier.close()


def headers_of(given):
    return [("Authorization", given["authorization"]), *(("DPoP", proof) for proof in given["dpop"])]


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_under_asgi(case, asked):
    import anyio

    (root, questions), given = asked, case["input"]
    guard = AsgiGuard(root, given["origin"], bearer_tokens=given["bearerTokens"])

    async def app(scope, receive, send):
        assert await caller_of(scope).has("notes:write:red")
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b""})

    async def main():
        transport = httpx.ASGITransport(guard.protect(app, "notes:read:red"))
        async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
            return await client.get("/books/red", headers=headers_of(given))

    assert anyio.run(main).status_code == 200
    judge(questions, case["expected"])


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_under_wsgi(case, asked):
    (root, questions), given = asked, case["input"]
    guard = WsgiGuard(root, given["origin"], bearer_tokens=given["bearerTokens"])

    def app(environ, start):
        assert wsgi_caller_of(environ).has("notes:write:red")
        start("200 OK", [])
        return [b""]

    # Servers of WSGI put several headers of one name into one.
    headers = [("Authorization", given["authorization"])] + ([("DPoP", ", ".join(given["dpop"]))] if given["dpop"] else [])
    protected = guard.protect(app, "notes:read:red")

    def server(environ, start):
        return protected({**environ, "REQUEST_URI": environ["PATH_INFO"]}, start)

    with httpx.Client(transport=httpx.WSGITransport(server), base_url="http://service") as client:
        assert client.get("/books/red", headers=headers).status_code == 200
    judge(questions, case["expected"])
