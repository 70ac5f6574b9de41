"""The gateway as the proxy itself: what passes, in which form, and what never does."""

import base64
import http.client
import json
import socket
import threading

import pytest
from proxies import PATIENCE, Protected, held_port, raw
from scenarios import credentials_of, request_of, send

RULES = """
[session]

[[rule]]
methods = ["*"]
path = "/books/{book}"
scope = "notes:write:<book>"

[[rule]]
methods = ["*"]
path = "/open/{*rest}"
public = true
"""


@pytest.fixture(scope="module")
def service(server, behind, tmp_path_factory):
    running = Protected("upstream", tmp_path_factory.mktemp("front") / "run", server.root_url, behind, rules=RULES)
    yield running
    running.stop()


def headers_of(body):
    found = {}
    for name, value in json.loads(body)["headers"]:
        assert name not in found, f"{name} arrived twice"
        found[name] = value
    return found


def test_what_the_service_gets_to_see(service, server):
    sent = {"Connection": "x-secret, keep-alive", "X-Secret": "1", "Keep-Alive": "5", "TE": "trailers", "Proxy-Authorization": "Basic x", "X-Forwarded-For": "9.9.9.9", "X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "gopher", "X-Real-Thing": "stays", "Forwarded": "for=9.9.9.9", "X-Original-URL": "/admin", "Cookie": "a=1; falconer-gateway=x; b=2"}
    request = {"method": "PUT", "path": "/books/red", "headers": sent, "contentType": "text/plain", "body": "hello"}
    answer, body = send(service.origin, *request_of({"request": request}, service.origin, credentials_of({"scopes": ["notes:*"]}, server)))
    assert answer.status == 200, body
    found = headers_of(body)
    assert json.loads(body)["body"] == "hello"
    for gone in ["x-secret", "keep-alive", "te", "proxy-authorization", "forwarded", "x-original-url", "authorization", "transfer-encoding"]:
        assert gone not in found, gone
    host = service.origin.removeprefix("http://")
    assert (found["x-forwarded-for"], found["x-forwarded-host"], found["x-forwarded-proto"], found["host"]) == ("127.0.0.1", host, "http", host)
    assert (found["cookie"], found["x-real-thing"], found["content-length"]) == ("a=1; b=2", "stays", "5")


def test_a_public_page_keeps_its_own_authorization(service, server):
    answer, body = send(service.origin, *request_of({"request": {"method": "GET", "path": "/open/x", "headers": {"Authorization": "Basic abc"}}}, service.origin, None))
    assert (answer.status, headers_of(body)["authorization"]) == (200, "Basic abc")


def test_a_stream_passes_while_it_comes(service):
    """A body of unknown length arrives in chunks, and nothing waits for its end."""
    host, port = service.origin.removeprefix("http://").rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=60)
    connection.request("POST", "/open/x", body=iter([b"one ", b"two ", b"three"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert json.loads(connection.getresponse().read())["body"] == "one two three"


def one_answer(answer):
    """A service that reads one head, and answers with these bytes."""
    listener = socket.create_server(("127.0.0.1", 0))
    heads = []

    def serve():
        connection, _ = listener.accept()
        head = b""
        while b"\r\n\r\n" not in head:
            head += connection.recv(65536)
        heads.append(head.decode())
        connection.sendall(answer(head.decode()))
        while data := connection.recv(65536):
            connection.sendall(data.upper())
        connection.close()

    threading.Thread(target=serve, daemon=True).start()
    return listener, heads


class At:
    def __init__(self, port):
        self.port = port


def upgrade(origin, more=""):
    return f"GET /open/socket HTTP/1.1\r\nHost: {origin.removeprefix('http://')}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: {base64.b64encode(b'k' * 16).decode()}\r\n{more}\r\n".encode()


def test_a_web_socket_passes(server, tmp_path):
    listener, heads = one_answer(lambda _: b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Accept: yes\r\n\r\n")
    service = Protected("upstream", tmp_path / "run", server.root_url, At(listener.getsockname()[1]), rules=RULES)
    try:
        host, port = service.origin.removeprefix("http://").rsplit(":", 1)
        with socket.create_connection((host, int(port)), timeout=PATIENCE) as client:
            client.sendall(upgrade(service.origin))
            said = b""
            while b"\r\n\r\n" not in said:
                said += client.recv(65536)
            assert said.startswith(b"HTTP/1.1 101") and b"sec-websocket-accept: yes" in said.lower()
            client.sendall(b"hello")
            assert client.recv(5) == b"HELLO"
        head = heads[0].lower()
        assert "upgrade: websocket" in head and "sec-websocket-key:" in head and "falconer-caller:" in head
    finally:
        service.stop()
        listener.close()


def test_a_protocol_that_nobody_asked_for_is_refused(server, tmp_path):
    listener, _ = one_answer(lambda _: b"HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n")
    service = Protected("upstream", tmp_path / "run", server.root_url, At(listener.getsockname()[1]), rules=RULES)
    try:
        said = raw(service.origin, f"GET /open/x HTTP/1.1\r\nHost: {service.origin.removeprefix('http://')}\r\nConnection: close, upgrade, http2-settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n".encode())
        assert said.startswith("HTTP/1.1 502"), said
    finally:
        service.stop()
        listener.close()


def test_a_service_that_is_away_is_said(server, tmp_path):
    service = Protected("upstream", tmp_path / "run", server.root_url, At(held_port()), rules=RULES)
    try:
        answer, body = send(service.origin, *request_of({"request": {"method": "GET", "path": "/open/x"}}, service.origin, None))
        assert (answer.status, json.loads(body)["reason"]) == (502, "service-unavailable")
    finally:
        service.stop()
