"""A service over TLS with a certificate of one's own authority, by HTTP/1.1 and by HTTP/2; and rules of a gateway that only change something."""

import os
import subprocess
import sys

import pytest
from attacked import Attacked, Running, attack, held_port
from falconer_server import BIN, PATIENCE

ROUTE = ["--route", "GET /books/red/notes", "--scope", "notes:read:red"]
ROUTES = """
[[route]]
request = "GET /books/red/notes"
scope = "notes:read:red"

[[route]]
request = "PUT /books/red/notes"
scope = "notes:write:red"
body = '{"text": "sent by falconer attack"}'
"""


def openssl(folder, *arguments):
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True, timeout=PATIENCE)


@pytest.fixture(scope="module")
def authority(tmp_path_factory):
    """A folder with an authority (ca.pem), and a key and a certificate of it for this machine."""
    folder = tmp_path_factory.mktemp("authority")
    new_key = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
    openssl(folder, "req", "-x509", *new_key, "-keyout", "ca.key", "-out", "ca.pem", "-subj", "/CN=An authority of our own", "-addext", "keyUsage=critical,keyCertSign")
    openssl(folder, "req", *new_key, "-keyout", "key.pem", "-out", "request.pem", "-subj", "/CN=notes")
    (folder / "names").write_text("subjectAltName=IP:127.0.0.1\nbasicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth\n")
    openssl(folder, "x509", "-req", "-in", "request.pem", "-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial", "-days", "2", "-extfile", "names", "-out", "certificate.pem")
    return folder


@pytest.fixture(scope="module")
def over_tls(server, authority):
    port = held_port()
    origin = f"https://127.0.0.1:{port}"
    script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "over_tls.mjs")
    program = Running(["node", script, authority / "key.pem", authority / "certificate.pem"], "listening", {"FALCONER": server.root_url, "ORIGIN": origin, "PORT": str(port)}, log=authority / "log")
    yield origin
    program.stop()


@pytest.mark.parametrize("transport", [[], ["--http2"]], ids=["HTTP/1.1", "HTTP/2"])
def test_it_holds_over_tls(server, operator, over_tls, authority, tmp_path, transport):
    (tmp_path / "routes.toml").write_text(ROUTES)
    done = attack(over_tls, "--routes", tmp_path / "routes.toml", "--ca", authority / "ca.pem", *transport, "--yes", "--json", server=server, credentials=operator)
    found = Attacked(done)
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), [row for row in found.rows if row['outcome'] == 'finding']
    assert len(found.with_outcome("held")) >= 19
    assert ("large-certificate" in found.with_outcome("not-tried")) == bool(transport)


def test_an_authority_that_nobody_trusts(server, operator, over_tls):
    done = attack(over_tls, *ROUTE, "--yes", server=server, credentials=operator)
    assert done.returncode == 1 and "certificate" in done.stderr, done.stderr


def test_a_file_without_a_certificate(server, operator, over_tls, tmp_path):
    (tmp_path / "empty.pem").write_text("")
    for file, code in ((tmp_path / "empty.pem", 2), (tmp_path / "nowhere.pem", 1)):
        done = attack(over_tls, *ROUTE, "--ca", file, "--yes", server=server, credentials=operator)
        assert (done.returncode, done.stdout) == (code, "") and "certificate" in done.stderr, done.stderr


RULES = """
origin = "{origin}"
upstream = "{behind}"
listen = "127.0.0.1:{port}"
falconer = "{falconer}"

[[rule]]
methods = ["PUT"]
path = "/books/{{book}}"
scope = "notes:write:<book>"

[[rule]]
methods = ["DELETE"]
path = "/shelves"
scope = "notes:write:red"
"""

# Answers everything with 200, and says what it was sent.
BEHIND = """
import http.server, sys

class Behind(http.server.BaseHTTPRequestHandler):
    def do_PUT(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.send_response(200)
        self.send_header("Content-Length", "0")
        self.end_headers()

    do_DELETE = do_GET = do_PUT

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Behind)
print("listening on", server.server_address[1], flush=True)
server.serve_forever()
"""


def test_rules_that_only_change_something(server, operator, tmp_path):
    """Without --changes nothing of them could be tried."""
    behind = Running([sys.executable, "-c", BEHIND], "listening on")
    port = held_port()
    rules = tmp_path / "gateway.toml"
    address = f"http://127.0.0.1:{port}"
    rules.write_text(RULES.format(origin=address, behind=f"http://127.0.0.1:{behind.said.split()[-1]}", port=port, falconer=server.root_url))
    gateway = Running([BIN, "gateway", "run", rules], "listening", log=tmp_path / "log")
    options = ["--rules", rules, "--value", "book=red", "--yes", "--json"]
    try:
        none = Attacked(attack(address, *options, server=server, credentials=operator))
        found = Attacked(attack(address, *options, "--changes", "--body", '{"text": "x"}', server=server, credentials=operator))
        plan = attack(address, *options[:-2], "--changes", "--dry-run", server=server, credentials=operator).stdout
    finally:
        gateway.stop()
        behind.stop()
    assert (none.code, {row.get("route") for row in none.rows}) == (4, {None})
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), [row for row in found.rows if row['outcome'] == 'finding']
    assert {row["route"] for row in found.rows if row.get("route")} == {"PUT /books/red", "DELETE /shelves"}
    assert {row["route"] for row in found.named("changed-body")} == {"PUT /books/red"}
    assert plan.count("CHANGES") == 2
