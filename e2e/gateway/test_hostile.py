"""What somebody tries who may do little, or nothing: through each real proxy, and at the gateway's own port."""

import http.client
import json
import re
import time

import pytest
from proxies import PAGE, Protected, raw
from scenarios import credentials_of, request_of, send

HEAD = 'public = ["/open/{*rest}"]'
RULES = """
[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = "notes:read:<book>"
reveal = ["assume:team:"]

[[rule]]
methods = ["PUT"]
path = "/books/{book}"
scope = "notes:write:<book>"

[[rule]]
methods = ["GET"]
path = "/{page}"
scope = "notes:read:page"

[[rule]]
methods = ["*"]
path = "/admin"
scope = "notes:admin"
"""
# The helper that the page prints for services.
exec(re.search(r"```python\n(.*?)```", PAGE, re.S).group(1))  # noqa: S102

FORGED = {
    "Falconer-Caller": "forged",
    "X-Original-Request": "GET evil.example /open/x",
    "X-Original-Method": "GET",
    "X-Original-URI": "/open/x",
    "X-Original-URL": "/open/x",
    "X-Rewrite-URL": "/open/x",
    "X-Forwarded-Method": "GET",
    "X-Forwarded-Uri": "/open/x",
    "X-Forwarded-Host": "evil.example",
    "X-Forwarded-Prefix": "/open",
    "X-HTTP-Method-Override": "GET",
    "Forwarded": "host=evil.example",
}


def get(service, server, path, headers=None, scopes=None, method="GET", **signature):
    request = {"method": method, "path": path, "headers": headers or {}}
    credentials = credentials_of({"scopes": scopes}, server) if scopes is not None else None
    return send(service.origin, *request_of({"request": request, "signature": signature}, service.origin, credentials))


def told(service, body):
    """What the service behind was told, as the page's helper reads it; there is one such header."""
    said = json.loads(body)
    (header,) = [value for name, value in said["headers"] if name == "falconer-caller"]
    return caller(header, service.caller_key, said["method"], said["path"])  # noqa: F821


def test_forged_headers_decide_nothing(service, server):
    for name, value in [*FORGED.items(), *((name.replace("-", "_"), value) for name, value in FORGED.items())]:
        answer, body = get(service, server, "/books/red", {name: value})
        assert (answer.status, json.loads(body)["reason"]) == (403, "no-credentials"), name
    answer, body = get(service, server, "/books/red", FORGED, ["notes:read:*", "assume:team:a", "assume:team:b", "assume:user:x"])
    assert answer.status == 200
    found = told(service, body)
    assert (found["method"], found["path"], found["scopes"]) == ("GET", "/books/red", ["assume:team:a", "assume:team:b"])
    assert found["host"] == service.origin.removeprefix("http://") and found["clientId"].startswith("py/")


def test_public_pages_carry_no_forged_statement(service, server):
    answer, body = get(service, server, "/open/x?y=1", {"Falconer-Caller": "forged", "falconer_caller": "forged"})
    assert answer.status == 200, body
    found = told(service, body)
    assert (found["clientId"], found["identity"], found["scopes"], found["path"]) == (None, None, [], "/open/x?y=1")


def test_a_statement_is_worth_nothing_elsewhere(service, server):
    _, body = get(service, server, "/open/x")
    (header,) = [value for name, value in json.loads(body)["headers"] if name == "falconer-caller"]
    for key, method, path, sent in [
        ("k" * 43, "GET", "/open/x", header),
        (service.caller_key, "PUT", "/open/x", header),
        (service.caller_key, "GET", "/open/y", header),
        (service.caller_key, "GET", "/open/x", header[:-1] + ("A" if header[-1] != "A" else "Q")),
        (service.caller_key, "GET", "/open/x", "forged"),
    ]:
        with pytest.raises(ValueError):
            caller(sent, key, method, path)  # noqa: F821


def test_paths_that_could_be_read_otherwise(service, server):
    """Never 200, whatever the proxy makes of them first: it may refuse them itself, or send the client to the path without dots."""
    for path in ["/open/../admin", "/open/..%2fadmin", "/open/%2e%2e/admin", "/open//../admin", "//admin", "/open/..;/admin", "/%61dmin", "/%2561dmin", "/admin;x", "/ADMIN", "/admin/", "/admin%00", "/open/x\\..\\..\\admin", "/adm%69n", "/.falconer/check", "/.falconer/check/open/x", "/.falconer/../admin"]:
        answer, body = get(service, server, path, scopes=["notes:read:*", "notes:write:*"])
        assert answer.status in (301, 307, 308, 400, 401, 403, 404), (path, answer.status, body)


def test_another_method_in_a_header(service, server):
    """Whoever may read does not write through a service that takes its method from a header."""
    for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override"]:
        answer, body = get(service, server, "/books/red", {name: "PUT"}, ["notes:read:*"])
        assert (answer.status, json.loads(body)["reason"]) == (400, "other-method"), name
        # Many services read underscores as dashes. Whoever passes them on asks the gateway with them; some proxies drop them.
        for other in [name.replace("-", "_"), name.replace("-", "_", 1)]:
            answer, body = get(service, server, "/books/red", {other: "PUT"}, ["notes:read:*"])
            if answer.status == 200:
                assert other.lower() not in [one.lower() for one, _ in json.loads(body)["headers"]], other
            else:
                assert (answer.status, json.loads(body)["reason"]) == (400, "other-method"), other
    assert get(service, server, "/open/x?_method=DELETE")[0].status == 400


def test_two_hosts_in_one_request(service):
    """A proxy that serves by the request line, and asks about the Host header, would let a signature for one host in at another."""
    host = service.origin.removeprefix("http://")
    for line, header in [("http://evil.example", host), ("http://evil.example", "evil.example")]:
        said = raw(service.origin, f"GET {line}/open/x HTTP/1.1\r\nHost: {header}\r\nConnection: close\r\n\r\n".encode())
        assert '"path"' not in said, (line, header, said)


def test_a_signed_body_that_nobody_sees_is_refused(service, server):
    request = {"method": "PUT", "path": "/books/red", "contentType": "application/json", "body": "{}"}
    credentials = credentials_of({"scopes": ["notes:*"]}, server)
    answer, body = send(service.origin, *request_of({"request": request}, service.origin, credentials))
    if service.place == "upstream":
        assert (answer.status, json.loads(body)["body"]) == (200, "{}")
    else:
        assert (answer.status, json.loads(body)["reason"]) == (401, "payload-not-seen")
    answer, body = send(service.origin, *request_of({"request": request, "signature": {"payloadHash": False}}, service.origin, credentials))
    assert (answer.status, json.loads(body)["body"]) == (200, "{}")


def test_one_connection_many_requests(service, server):
    """What one request left on a connection says nothing about the next one."""
    for _ in range(3):
        assert get(service, server, "/open/x")[0].status == 200
        assert get(service, server, "/admin", scopes=["notes:read:*"])[0].status == 403
        assert get(service, server, "/admin", scopes=["notes:admin"])[0].status == 200


SMUGGLED = b"GET /admin HTTP/1.1\r\nHost: %b\r\n\r\n"


def test_nothing_is_smuggled(service, server):
    """Two lengths, or an unclear one: the bytes behind never become a request that reaches the service."""
    host = service.origin.removeprefix("http://").encode()
    inner = SMUGGLED % host
    for head, body in [
        (b"Content-Length: %d\r\nTransfer-Encoding: chunked\r\n" % (5 + len(inner)), b"0\r\n\r\n" + inner),
        (b"Transfer-Encoding: chunked\r\nContent-Length: 5\r\n", b"0\r\n\r\n" + inner),
        (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + inner),
        (b"Transfer-Encoding: xchunked\r\nContent-Length: %d\r\n" % len(inner), inner),
        (b"Content-Length: 0\r\nContent-Length: %d\r\n" % len(inner), inner),
        (b"Content-Length: +%d\r\n" % len(inner), inner),
        (b"Transfer-Encoding : chunked\r\nContent-Length: %d\r\n" % len(inner), inner),
    ]:
        request = b"GET /open/x HTTP/1.1\r\nHost: %b\r\nConnection: close\r\n%b\r\n%b" % (host, head, body)
        said = raw(service.origin, request)
        assert '"path": "/admin"' not in said, (head, said)


def test_only_configured_proxies_are_answered(server, behind, tmp_path):
    """A process on this machine that is none of `proxies` learns nothing, whatever it sends."""
    service = Protected("nginx", tmp_path / "run", server.root_url, behind, head='proxies = ["192.0.2.1"]\n' + HEAD, rules=RULES)
    try:
        assert get(service, server, "/open/x")[0].status in (401, 403, 500)
        host, port = service.gateway.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=60)
        connection.request("GET", "/.falconer/check", headers={"X-Original-Request": f"GET {service.origin[7:]} /open/x"})
        answer = connection.getresponse()
        assert (answer.status, answer.read(), answer.getheader("Falconer-Caller")) == (403, b"", None)
    finally:
        service.stop()


def test_a_gateway_that_is_away_lets_nothing_through(service, server, behind, tmp_path):
    if service.place == "upstream":
        return
    away = Protected(service.place, tmp_path / "run", server.root_url, behind, head=HEAD, rules=RULES)
    try:
        assert get(away, server, "/open/x")[0].status == 200
        away.processes[0].terminate()
        away.processes[0].wait(20)
        began = time.monotonic()
        assert get(away, server, "/open/x")[0].status >= 500 and time.monotonic() - began < 30
    finally:
        away.stop()
