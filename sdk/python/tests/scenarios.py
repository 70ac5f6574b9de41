"""How the cases that all kits share are sent and judged, and what stands in place of Falconer."""

from __future__ import annotations

import http.client
import http.server
import json
import socket
import threading
import time
from urllib.parse import urlsplit

import pytest

from falconer import Credentials, payload_hash
from falconer._signing.hawk import Signed, bewit, ext_text, header


@pytest.fixture(scope="session")
def elsewhere():
    """What stands in place of Falconer: by the word of the cases, a root URL."""
    down, slow = socket.socket(), socket.socket()
    # Bound and not listening: nobody else gets the port, and nobody answers.
    down.bind(("127.0.0.1", 0))
    slow.bind(("127.0.0.1", 0))
    slow.listen(64)

    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self):
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(b"<h1>Welcome</h1>")

        def log_message(self, *_):
            pass

    other = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=other.serve_forever, daemon=True).start()
    urls = {"down": down.getsockname()[1], "slow": slow.getsockname()[1], "other": other.server_port}
    yield {word: f"http://127.0.0.1:{port}" for word, port in urls.items()}
    other.shutdown()
    down.close()
    slow.close()


def host_and_port(origin):
    url = urlsplit(origin)
    return url.hostname, url.port


def filled(expected, origin, falconer):
    """With the addresses of this run."""
    return json.loads(json.dumps(expected).replace("<origin>", origin).replace("<falconer>", falconer))


def judge(answer, body, expected):
    assert answer.status == expected["status"], body
    for name, value in expected.get("headers", {}).items():
        assert answer.getheader(name) == value, name
    if "code" in expected:
        refusal = json.loads(body)
        assert refusal["code"] == expected["code"]
        assert isinstance(refusal["id"], str) and len(refusal["id"]) >= 16
        assert refusal["message"].endswith(refusal["requestInfo"]["time"]) and "?" not in refusal["requestInfo"]["method"]
        if "reason" in expected:
            assert refusal["reason"] == expected["reason"]
    if "json" in expected:
        assert expected["json"].items() <= json.loads(body).items()


def credentials_of(caller, server):
    """Makes the client of a case, and does to it what happened since."""
    if caller is None:
        return None
    state = caller.get("state")
    made = server.client(caller["scopes"])
    credentials = Credentials.of(made)
    if "temporary" in caller:
        now, times = int(time.time()), caller["temporary"]
        begin, end = times.get("startSeconds", -60), times.get("expirySeconds", 3600)
        credentials = credentials.temporary(caller["scopes"], (now + begin) * 1000, (now + end) * 1000)
    path = server.path(made["clientId"])
    if state == "disabled":
        server.call("POST", f"{path}/disable")
    elif state == "deleted":
        server.call("DELETE", path)
    elif state == "reset":
        server.call("POST", f"{path}/reset")
    elif state == "wrong-token":
        credentials = Credentials(made["clientId"], "x" * 44)
    elif state == "unknown":
        credentials = Credentials("py/nobody", made["accessToken"])
    else:
        assert state is None, state
    return credentials


def request_of(given, origin, credentials):
    """Method, path, headers and body as they go over the wire."""
    request, signature = given["request"], given.get("signature", {})
    body = b"." * request["bodyLength"] if "bodyLength" in request else request.get("body", "").encode()
    headers = dict(request.get("headers", {}))
    if "contentType" in request:
        headers["Content-Type"] = request["contentType"]
    method, path = request["method"], request["path"]
    if credentials is None:
        return method, path, headers, body
    host, port = host_and_port(origin)
    host = f"[{host}]" if ":" in host else host
    parts = {"host": signature.get("host", host), "port": signature.get("port", port), "ext": ext_text(credentials.certificate, signature.get("authorizedScopes"))}
    kind, now = signature.get("kind", "header"), int(time.time())
    if kind in ("bewit", "both"):
        signed = Signed("GET", signature.get("path", path), **parts)
        path += f"{'&' if '?' in path else '?'}bewit={bewit(credentials.client_id, credentials.access_token, now + signature.get('expiresInSeconds', 900), signed)}"
    if kind in ("header", "both"):
        covered = signature["body"].encode() if "body" in signature else body
        content_type = signature.get("contentType", request.get("contentType", ""))
        with_hash = signature.get("payloadHash", bool(covered) or "body" in signature)
        hashed = signature.get("hash") or (payload_hash(content_type, covered) if with_hash else "")
        signed = Signed(signature.get("method", method), signature.get("path", path), hash=hashed, **parts)
        headers["Authorization"] = header(credentials.client_id, credentials.access_token, now - signature.get("ageSeconds", 0), "n0nce", signed)
    return method, path, headers, body


def send(origin, method, path, headers, body):
    connection = http.client.HTTPConnection(*host_and_port(origin), timeout=60)
    try:
        connection.putrequest(method, path, skip_host="Host" in headers, skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        if body or method == "PUT":
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body or None)
        answer = connection.getresponse()
        return answer, answer.read()
    finally:
        connection.close()
