"""`falconer attack` on the gateway: beside each real proxy, and as the proxy itself."""

import http.server
import json
import sys
import threading

import proxies
import pytest
from proxies import REPOSITORY
from test_sessions import signed_in

sys.path.insert(0, str(REPOSITORY / "e2e/attack"))
from attacked import Attacked, attack  # noqa: E402

HEAD = 'public = ["/open/{*rest}"]'
RULES = """
[session]

[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["DELETE", "PUT"]
path = "/books/{book}"
scope = "notes:write:<book>"
"""
ROUTES = """
[[route]]
request = "GET /open/door"
public = true

[[route]]
request = "GET /books/red?page=2"
scope = "notes:read:red"

[[route]]
request = "DELETE /books/red"
scope = "notes:write:red"
"""
# Only who sees bodies can compare them.
WITH_BODY = """
[[route]]
request = "PUT /books/red"
scope = "notes:write:red"
body = '{"text": "sent by falconer attack"}'
"""


class Books:
    """A service without any protection, which says the same to everybody, and reads paths as generously as many do."""

    def __init__(self):
        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def answer(self):
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                path = self.path.split("?")[0].split(";")[0].strip("/").lower().replace("//", "/")
                said = json.dumps({"this is": path}).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(said)))
                self.end_headers()
                self.wfile.write(said)

            do_GET = do_PUT = do_DELETE = do_OPTIONS = answer

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def stop(self):
        self.server.shutdown()


@pytest.fixture(scope="module")
def behind():
    service = Books()
    yield service
    service.stop()


def granted(server, person):
    """Credentials of a grant, as Falconer hands them to the protected host."""
    return server.grant("https://notes.example.com/", ["notes:*"], person=person, person_has=["notes:*"])


@pytest.fixture(scope="module")
def session_elsewhere(server, behind, tmp_path_factory):
    """The cookie of a browser that is signed in at another gateway."""
    other = proxies.Protected("upstream", tmp_path_factory.mktemp("other") / "run", server.root_url, behind, head=HEAD, rules=RULES)
    yield cookie(signed_in(other, granted(server, "cat")))
    other.stop()


def cookie(cookies):
    return "; ".join(f"{name}={value}" for name, value in cookies.items())


def test_the_gateway_holds(service, server, session_elsewhere, tmp_path):
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES + (WITH_BODY if service.place == "upstream" else ""))
    operator, session, other = server.client(["notes:*"]), tmp_path / "session", tmp_path / "other-session"
    session.write_text(cookie(signed_in(service, granted(server, f"ben-{service.place}"))))
    other.write_text(session_elsewhere)
    of_browsers = ["--session", session, "--other-session", other, "--sign-out", "/.falconer/sign-out"]
    done = attack(service.origin, "--routes", routes, *of_browsers, "--log", service.log, "--yes", "--json", server=server, credentials=operator)
    found = Attacked(done)
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")
    untried = {name: row["seen"] for name, row in found.with_outcome("not-tried").items()}
    assert {row["outcome"] for name in ("session-of-elsewhere", "ended-session") for row in found.named(name)} == {"held"}, found.rows
    # The gateway writes nothing where nothing went wrong.
    assert untried.keys() - {"secrets-in-logs"} == {"falconer-away"}, untried


def test_a_proxy_that_passes_the_clients_own_header_on_is_found_out(server, behind, tmp_path, monkeypatch):
    """What happens where a line of the page is forgotten, or switched off by one of its kind further inside."""
    whole = proxies.snippet("nginx")
    without = "".join(line for line in whole.splitlines(keepends=True) if "X-Original-Request" not in line)
    assert without != whole
    monkeypatch.setattr(proxies, "snippet", lambda proxy: without)
    routes = tmp_path / "routes.toml"
    routes.write_text(ROUTES)
    protected = proxies.Protected("nginx", tmp_path / "run", server.root_url, behind, head=HEAD, rules=RULES)
    try:
        done = attack(protected.origin, "--routes", routes, "--yes", "--json", server=server, credentials=server.client(["notes:*"]))
    finally:
        protected.stop()
    found = Attacked(done)
    assert found.code == 3 and found.with_outcome("finding").keys() == {"forged-original"}, found.rows
