"""What stays open ends with its credentials, one address takes no more than its share, and operators see it."""

import json
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
from falconer_server import BIN, clean_environment, root_url_of
from proxies import PATIENCE, PLACES, Protected, raw
from scenarios import credentials_of, host_and_port, request_of, send
from test_in_front import At, one_answer, upgrade
from test_sessions import call, signed_in

SWITCHES = b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\n"
RULES = """
[session]

[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = "notes:read:<book>"

[[rule]]
methods = ["GET"]
path = "/open/{*rest}"
public = true
"""


def opened(origin, target, headers):
    """A WebSocket that was let through, and is used once."""
    client = socket.create_connection(host_and_port(origin), timeout=PATIENCE)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    client.sendall(upgrade(origin, lines).replace(b"/open/socket", target.encode(), 1))
    said = b""
    while b"\r\n\r\n" not in said:
        more = client.recv(65536)
        assert more, said
        said += more
    assert said.startswith(b"HTTP/1.1 101"), said
    client.sendall(b"hello")
    assert client.recv(5) == b"HELLO"
    return client


def ended(client):
    """Waits for its end."""
    with client:
        return client.recv(1) == b""


def eventually(holds):
    """Asks until it holds; whoever waits for another process can be told in no other way."""
    deadline = time.monotonic() + PATIENCE
    while not (found := holds()):
        assert time.monotonic() < deadline
    return found


def metrics(service):
    where = eventually(lambda: re.search(r"metrics on (\S+)/metrics", service.log.read_text()))
    return raw(where.group(1), b"GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")


def count(service, name):
    return float(re.search(rf"^falconer_gateway_{re.escape(name)} (\S+)$", metrics(service).replace("\r", ""), re.M).group(1))


@pytest.fixture
def socket_behind(server, tmp_path, request):
    """The gateway in front of a service that takes one WebSocket."""
    listener, _ = one_answer(lambda _: SWITCHES)
    head = "recheck_seconds = 1\nmetrics_listen = \"127.0.0.1:0\""
    service = Protected("upstream", tmp_path / "run", server.root_url, At(listener.getsockname()[1]), head=head, rules=RULES)
    yield service
    service.stop()
    listener.close()


def test_a_web_socket_of_a_program_ends_with_its_credentials(server, socket_behind):
    credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
    _, target, headers, _ = request_of({"request": {"method": "GET", "path": "/books/red"}}, socket_behind.origin, credentials)
    client = opened(socket_behind.origin, target, headers)
    assert count(socket_behind, "websockets") == 1
    server.call("POST", f"{server.path(credentials.client_id)}/disable")
    assert ended(client)
    eventually(lambda: count(socket_behind, "websockets") == 0)
    assert count(socket_behind, "websockets_ended_total") == 1


def test_a_web_socket_of_a_browser_ends_with_its_session(server, socket_behind):
    made = credentials_of({"scopes": ["notes:read:red"], "temporary": {}}, server)
    cookies = signed_in(socket_behind, {"clientId": made.client_id, "accessToken": made.access_token, "certificate": json.dumps(made.certificate)}, to="/books/red")
    cookie = "; ".join(f"{name}={value}" for name, value in cookies.items())
    client = opened(socket_behind.origin, "/books/red", {"Origin": socket_behind.origin, "Cookie": cookie})
    server.call("POST", f"{server.path(made.client_id)}/disable")
    assert ended(client)


def test_a_web_socket_that_took_no_credentials_stays(server, socket_behind):
    credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
    client = opened(socket_behind.origin, "/open/socket", {})
    server.call("POST", f"{server.path(credentials.client_id)}/disable")
    client.sendall(b"still")
    assert client.recv(5) == b"STILL"
    client.close()


def test_a_web_socket_through_the_signing_proxy_ends_with_its_credentials(server):
    listener, heads = one_answer(lambda _: SWITCHES)
    credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
    environment = {"TASKCLUSTER_ROOT_URL": server.root_url, "TASKCLUSTER_CLIENT_ID": credentials.client_id, "TASKCLUSTER_ACCESS_TOKEN": credentials.access_token}
    host = f"http://127.0.0.1:{listener.getsockname()[1]}"
    process = subprocess.Popen(
        [BIN, "proxy", "--listen", "127.0.0.1:0", "--host", host, "--recheck", "1"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env={**clean_environment(), **environment}
    )
    try:
        client = opened(root_url_of(process), f"/{host.removeprefix('http://')}/socket", {})
        assert 'authorization: hawk id="' in heads[0].lower()
        server.call("POST", f"{server.path(credentials.client_id)}/disable")
        assert ended(client)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
        listener.close()


def waiting(origin):
    """A connection that was accepted, and asks for nothing."""
    return socket.create_connection(host_and_port(origin), timeout=PATIENCE)


def test_one_address_has_no_more_connections_than_its_share(server, behind, tmp_path):
    head = 'connections_per_address = 2\nmetrics_listen = "127.0.0.1:0"\nproxies = ["127.0.0.9"]'
    service = Protected("upstream", tmp_path / "run", server.root_url, behind, head=head, rules=RULES)
    try:
        eventually(lambda: count(service, "connections") == 0)
        first, second = waiting(service.origin), waiting(service.origin)
        eventually(lambda: count(service, "connections") == 2)
        assert ended(waiting(service.origin)) and count(service, "connections_refused_total") >= 1
        # Another address has its own.
        with socket.create_connection(host_and_port(service.origin), timeout=PATIENCE, source_address=("127.0.0.2", 0)) as other:
            other.sendall(f"GET /open/x HTTP/1.1\r\nHost: {service.origin.removeprefix('http://')}\r\n\r\n".encode())
            assert other.recv(12) == b"HTTP/1.1 200"
        # And so has a proxy, behind which everybody is.
        proxied = [socket.create_connection(host_and_port(service.origin), timeout=PATIENCE, source_address=("127.0.0.9", 0)) for _ in range(4)]
        eventually(lambda: count(service, "connections") >= 6)
        for one in [first, second, *proxied]:
            one.close()
        eventually(lambda: count(service, "connections") == 0)
        assert call(service, "GET", "/open/x")[0].status == 200
    finally:
        service.stop()


class Hangs:
    """In place of Falconer: takes questions, and answers none until it is let go."""

    def __init__(self):
        self.listener, self.asked = socket.create_server(("127.0.0.1", 0)), []
        self.root_url = f"http://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self.take, daemon=True).start()

    def take(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            connection.recv(65536)
            self.asked.append(connection)


@pytest.mark.parametrize("place", [place for place in PLACES if place != "envoy"])
def test_one_address_asks_no_more_than_its_share(behind, tmp_path, place):
    falconer = Hangs()
    head = 'questions_per_address = 2\nfalconer_timeout_ms = 60000\nproxies = ["127.0.0.1"]'
    service = Protected(place, tmp_path / "run", falconer.root_url, behind, head=head, rules=RULES)
    answers = []

    def ask(address):
        # Beside a proxy it is the proxy that says from where somebody comes, whatever they write.
        source = "127.0.0.1" if place == "upstream" else address
        with socket.create_connection(host_and_port(service.origin), timeout=PATIENCE, source_address=(source, 0)) as client:
            said = address if place == "upstream" else "192.0.2.77"
            client.sendall(f"GET /books/red HTTP/1.1\r\nHost: {service.origin.removeprefix('http://')}\r\nX-Forwarded-For: 198.51.100.1, {said}\r\nConnection: close\r\n\r\n".encode())
            head = b""
            while more := client.recv(65536):
                head += more
        answers.append((address, head.decode()))

    def asks(address):
        thread = threading.Thread(target=ask, args=[address], daemon=True)
        thread.start()
        return thread

    try:
        threads = [asks("127.0.0.7"), asks("127.0.0.7")]
        eventually(lambda: len(falconer.asked) == 2)
        ask("127.0.0.7")
        assert len(falconer.asked) == 2
        # nginx knows no such answer in a subrequest, and fetches it afterwards.
        assert answers[0][1].startswith("HTTP/1.1 429") and '"too-many"' in answers[0][1] and "retry-after" in answers[0][1].lower(), answers
        threads.append(asks("127.0.0.8"))
        eventually(lambda: len(falconer.asked) == 3)
    finally:
        falconer.listener.shutdown(socket.SHUT_RDWR)
        for connection in falconer.asked:
            connection.close()
        service.stop()
    for thread in threads:
        thread.join(PATIENCE)


def test_operators_see_what_is_decided_and_nobody_else_does(server, behind, tmp_path):
    service = Protected("upstream", tmp_path / "run", server.root_url, behind, head='metrics_listen = "127.0.0.1:0"', rules=RULES)
    try:
        credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
        for path, status in [("/books/red", 200), ("/books/red", 200), ("/books/blue", 403)]:
            assert send(service.origin, *request_of({"request": {"method": "GET", "path": path}}, service.origin, credentials))[0].status == status
        wrong = credentials_of({"scopes": ["notes:read:red"], "state": "wrong-token"}, server)
        assert send(service.origin, *request_of({"request": {"method": "GET", "path": "/books/red"}}, service.origin, wrong))[0].status == 401
        for path, status in [("/open/x", 200), ("/metrics", 404), ("/books//red", 400), ("/.falconer/sign-in", 303)]:
            assert call(service, "GET", path)[0].status == status
        told = metrics(service)
        for outcome, times in [("allowed", 2), ("denied", 1), ("failed", 1), ("public", 1), ("no-rule", 1), ("bad-request", 1), ("own-page", 1)]:
            assert f'falconer_gateway_decisions_total{{outcome="{outcome}"}} {times}' in told, told
        assert count(service, "question_seconds_count") == 4 and count(service, "breaker_open") == 0
        assert 'falconer_gateway_sessions_total{event="begun"} 1' in told and told.rstrip().endswith("# EOF")
        assert credentials.client_id not in told and "books" not in told
        where = re.search(r"metrics on (\S+)/metrics", service.log.read_text()).group(1)
        for request in [b"GET / HTTP/1.1", b"GET /books/red HTTP/1.1", b"POST /metrics HTTP/1.1"]:
            assert raw(where, request + b"\r\nHost: x\r\nConnection: close\r\n\r\n").startswith("HTTP/1.1 40")
    finally:
        service.stop()


def test_there_are_no_metrics_that_nobody_asked_for(server, behind, tmp_path):
    service = Protected("upstream", tmp_path / "run", server.root_url, behind, rules=RULES)
    try:
        assert call(service, "GET", "/metrics")[0].status == 404
    finally:
        service.stop()
    assert "metrics on" not in service.log.read_text()


def test_rules_are_read_again_where_somebody_says_so(server, socket_behind, behind, tmp_path):
    service = Protected("upstream", tmp_path / "again", server.root_url, behind, rules=RULES)
    rules = service.folder / "gateway.toml"
    first = rules.read_text()

    def replaced(text, said):
        before = service.log.read_text().count(said)
        rules.write_text(text)
        service.processes[0].send_signal(signal.SIGUSR1)
        eventually(lambda: service.log.read_text().count(said) > before)

    def status(path):
        return call(service, "GET", path)[0].status

    try:
        more = first + '[[rule]]\nmethods = ["GET"]\npath = "/more"\npublic = true\n'
        rules.write_text(more)
        assert (status("/more"), status("/open/x")) == (404, 200)
        replaced(more, "the rules were read again")
        assert (status("/more"), status("/open/x")) == (200, 200)
        # A mistake is said with its line, and changes nothing.
        replaced(first.replace("<book>", "<boook>"), "the rules stay as they were")
        assert "gateway.toml:" in service.log.read_text() and status("/more") == 200
        replaced(first.replace(f"http://127.0.0.1:{behind.port}", "http://127.0.0.1:1"), "takes a new start")
        assert status("/more") == 200
        replaced(first.replace('path = "/open/{*rest}"', 'path = "/other"'), "the rules were read again")
        assert (status("/more"), status("/open/x"), status("/other")) == (404, 404, 200)
    finally:
        service.stop()
    # What is open was decided by rules that may count no more.
    client = opened(socket_behind.origin, "/open/socket", {})
    socket_behind.processes[0].send_signal(signal.SIGUSR1)
    assert ended(client)


def test_nobody_keeps_what_is_protected(server, behind, tmp_path):
    """A session is a cookie, so that a cache in front would take the answer for everybody's."""
    service = Protected("upstream", tmp_path / "run", server.root_url, behind, rules=RULES)
    try:
        credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
        allowed = request_of({"request": {"method": "GET", "path": "/books/red"}}, service.origin, credentials)
        by_url = request_of({"request": {"method": "GET", "path": "/books/red"}, "signature": {"kind": "bewit"}}, service.origin, credentials)
        denied = request_of({"request": {"method": "GET", "path": "/books/blue"}}, service.origin, credentials)
        for request, status, kept in [(allowed, 200, "private, no-cache"), (by_url, 200, "private, no-cache"), (denied, 403, "no-store")]:
            answer, _ = send(service.origin, *request)
            assert (answer.status, answer.getheader("Cache-Control")) == (status, kept)
        assert call(service, "GET", "/open/x")[0].getheader("Cache-Control") is None
    finally:
        service.stop()
