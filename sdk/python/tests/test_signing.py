"""Calls that are signed: against another implementation of Hawk, and over the wire."""

from __future__ import annotations

import http.server
import threading
import time
from email.utils import formatdate

import httpx
import mohawk
import pytest
import requests

import falconer.httpx
import falconer.requests
from falconer import Credentials, CredentialsError, Signer
from falconer._signing.hawk import Target

CREDENTIALS = {"clientId": "py/one", "accessToken": "a-token_0123456789"}


def judged(authorization, url, method, body=b"", content_type=""):
    """What mohawk says of a header."""
    known = {"id": CREDENTIALS["clientId"], "key": CREDENTIALS["accessToken"], "algorithm": "sha256"}
    return mohawk.Receiver(lambda _: known, authorization, url, method, content=body, content_type=content_type, accept_untrusted_content=not body).resource


@pytest.mark.parametrize("url", ["https://notes.example.com/a%20b?x=%2F&y", "http://notes.example.com:8080/", "https://Notes.example.com/?x", "http://127.0.0.1:81/a#b"])
@pytest.mark.parametrize(("method", "body"), [("GET", b""), ("PUT", b'{"a": "\xc3\xa4"}'), ("POST", b"")])
def test_another_implementation_agrees(url, method, body):
    header = Signer(CREDENTIALS).authorization(method, url, "application/json; charset=utf-8", body)
    assert ("hash=" in header) == (method != "GET")
    judged(header, url, method, body, "application/json")


def test_what_goes_over_the_wire_is_signed():
    """Where mohawk differs: it signs an empty path, loses a lone `?`, and writes an address of IPv6 without its brackets."""
    for url, resource, host in [("https://a.example", "/", "a.example"), ("https://a.example?x", "/?x", "a.example"), ("http://[::1]/b?", "/b?", "[::1]"), ("http://[2001:DB8:0::1]/", "/", "[2001:db8::1]")]:
        target = Target.of(url)
        assert (target.resource, target.host) == (resource, host)


def test_what_a_header_carries():
    import base64
    import json

    certificate = {"version": 1, "scopes": []}
    signer = Signer(Credentials("c", "t", certificate))
    assert 'ext="' in signer.authorization("GET", "https://a/")
    narrow = signer.restricted(["a:b"])
    ext = narrow.authorization("GET", "https://a/").split('ext="')[1].split('"')[0]
    assert json.loads(base64.b64decode(ext)) == {"certificate": certificate, "authorizedScopes": ["a:b"]}
    assert "authorizedScopes" not in str(base64.b64decode(signer.authorization("GET", "https://a/").split('ext="')[1].split('"')[0]))
    assert 'ext="' in Signer(CREDENTIALS).restricted([]).authorization("GET", "https://a/")
    assert "hash=" not in Signer(CREDENTIALS, payload_hash=False).authorization("PUT", "https://a/", "", b"x")


@pytest.mark.parametrize("url", ["ftp://a/", "https://u:p@a/", "/a", "https://a/ b", "https://a/é", "https:///a", "https://a:99999/", "https://a/\n"])
def test_what_cannot_be_signed(url):
    with pytest.raises(CredentialsError):
        Signer(CREDENTIALS).authorization("GET", url)
    with pytest.raises(CredentialsError):
        Signer(CREDENTIALS).signed_url(url)


@pytest.mark.parametrize("given", [{}, {"clientId": "a"}, {"clientId": 'a"', "accessToken": "b"}, {"clientId": "a\n", "accessToken": "b"}, {"clientId": "a", "accessToken": "b", "certificate": "{"}, {"clientId": "a", "accessToken": "b", "certificate": "[]"}])
def test_credentials_that_are_none(given):
    with pytest.raises(CredentialsError):
        Credentials.of(given)


def test_no_secret_is_shown():
    assert "a-token" not in repr(Credentials.of(CREDENTIALS)) and "a-token" not in repr(Signer(CREDENTIALS))


def test_credentials_of_the_environment():
    found = {"TASKCLUSTER_CLIENT_ID": "c", "TASKCLUSTER_ACCESS_TOKEN": "t", "TASKCLUSTER_CERTIFICATE": '{"version": 1}'}
    assert Credentials.from_environment(found) == Credentials("c", "t", {"version": 1})
    with pytest.raises(CredentialsError, match="TASKCLUSTER_ACCESS_TOKEN is not set"):
        Credentials.from_environment({"TASKCLUSTER_CLIENT_ID": "c"})


class Recorder:
    """A server that remembers what it was asked, and answers what a test says."""

    def __init__(self):
        recorder = self
        self.seen, self.answers = [], {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                length = int(self.headers.get("Content-Length") or 0)
                recorder.seen.append((self.command, self.path, self.headers.get("Authorization"), self.rfile.read(length)))
                answers = recorder.answers.get(self.path, [(200, {})])
                status, headers = answers.pop(0) if len(answers) > 1 else answers[0]
                self.send_response_only(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", "0")
                self.end_headers()

            do_PUT = do_GET

            def log_message(self, *_):
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.origin = f"http://127.0.0.1:{self._server.server_port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def stop(self):
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def recorders():
    both = Recorder(), Recorder()
    yield both
    for one in both:
        one.stop()


def with_httpx(method, url, body, follow=False, **settings):
    with httpx.Client(auth=falconer.httpx.HawkAuth(CREDENTIALS, **settings), follow_redirects=follow) as client:
        return client.request(method, url, content=body, headers={"Content-Type": "text/plain"}).status_code


def with_async_httpx(method, url, body, follow=False, **settings):
    import anyio

    async def call():
        async with httpx.AsyncClient(auth=falconer.httpx.HawkAuth(CREDENTIALS, **settings), follow_redirects=follow) as client:
            return (await client.request(method, url, content=body, headers={"Content-Type": "text/plain"})).status_code

    return anyio.run(call)


def with_requests(method, url, body, follow=False, **settings):
    auth = falconer.requests.HawkAuth(CREDENTIALS, **settings)
    return requests.request(method, url, data=body, headers={"Content-Type": "text/plain"}, auth=auth, allow_redirects=follow, timeout=60).status_code


CLIENTS = pytest.mark.parametrize("call", [with_httpx, with_async_httpx, with_requests])


@CLIENTS
def test_a_call_is_signed_with_its_body(call, recorders):
    service, _ = recorders
    url = service.origin + "/a%20b?x=%2F"
    assert call("PUT", url, b"hello") == 200
    ((method, path, header, body),) = service.seen
    assert (method, path, body) == ("PUT", "/a%20b?x=%2F", b"hello")
    judged(header, url, method, body, "text/plain")


@CLIENTS
def test_no_signature_goes_to_another_origin(call, recorders):
    service, other = recorders
    service.answers["/a"] = [(302, {"Location": other.origin + "/stolen"})]
    assert call("GET", service.origin + "/a", None) == 302
    assert other.seen == []
    assert call("GET", service.origin + "/a", None, follow=True) == 200
    assert [(path, header) for _, path, header, _ in other.seen] == [("/stolen", None)]


@CLIENTS
def test_falconers_time_is_learned(call, recorders):
    service, authority = recorders
    there = time.time() + 7200
    authority.answers["/api/auth/v1/ping"] = [(200, {"Date": formatdate(there, usegmt=True)})]
    service.answers["/a"] = [(401, {}), (200, {})]
    assert call("PUT", service.origin + "/a", b"x", root_url=authority.origin) == 200
    first, second = (int(header.split('ts="')[1].split('"')[0]) for _, _, header, _ in service.seen)
    assert abs(second - first - 7200) <= 5
    assert [body for *_, body in service.seen] == [b"x", b"x"]
    assert [header for _, _, header, _ in authority.seen] == [None], "Falconer is asked for its time without a signature"


@CLIENTS
def test_the_time_of_another_server_is_not_believed(call, recorders):
    service, authority = recorders
    service.answers["/a"] = [(401, {"Date": formatdate(time.time() + 7200, usegmt=True)})]
    assert call("GET", service.origin + "/a", None, root_url=authority.origin) == 401
    assert len(service.seen) == 1
    # Without a root URL nobody is asked.
    assert call("GET", service.origin + "/a", None) == 401
    assert len(service.seen) == 2


@CLIENTS
def test_the_caller_gets_the_first_answer_where_falconer_is_away(call, recorders):
    service, authority = recorders
    service.answers["/a"] = [(401, {})]
    for answers in ([(503, {})], [(200, {"Date": "yesterday"})], [(302, {"Location": service.origin + "/b"})]):
        authority.answers["/api/auth/v1/ping"] = answers
        assert call("GET", service.origin + "/a", None, root_url=authority.origin) == 401
    assert call("GET", service.origin + "/a", None, root_url="http://127.0.0.1:1") == 401
    assert [path for _, path, *_ in service.seen] == ["/a"] * 4


def test_falconer_is_asked_for_its_time_once_a_minute(recorders):
    service, authority = recorders
    service.answers["/a"] = [(401, {})]
    with httpx.Client(auth=falconer.httpx.HawkAuth(CREDENTIALS, root_url=authority.origin)) as client:
        for _ in range(3):
            assert client.get(service.origin + "/a").status_code == 401
    assert len(authority.seen) == 1


def test_a_stream_is_not_signed_silently(recorders):
    service, _ = recorders
    with pytest.raises(CredentialsError, match="stream"):
        with_requests("PUT", service.origin + "/a", iter([b"x"]))
    assert with_requests("PUT", service.origin + "/a", iter([b"x"]), payload_hash=False) == 200


def test_signed_urls():
    signer = Signer(CREDENTIALS, now=lambda: 1_000_000)
    for url, begin, end in [
        ("https://a.example/b", "https://a.example/b?bewit=", ""),
        ("https://A.example:8443?x=1", "https://A.example:8443/?x=1&bewit=", ""),
        ("http://[::1]/b?", "http://[::1]/b?bewit=", ""),
        ("https://a.example/b?x=%2F#c?d", "https://a.example/b?x=%2F&bewit=", "#c?d"),
    ]:
        signed = signer.signed_url(url)
        assert signed.startswith(begin) and signed.endswith(end), signed
    with pytest.raises(CredentialsError, match="signed already"):
        signer.signed_url(signed)
