"""The signing proxy's own words: what docs/proxy.md says of refusals and of headers."""

import contextlib
import json
import pathlib
import re
import subprocess

from falconer_server import BIN, PATIENCE, clean_environment, root_url_of
from proxies import held_port, raw
from scenarios import credentials_of
from test_in_front import one_answer

PAGE = (pathlib.Path(__file__).parents[2] / "docs/proxy.md").read_text()
# A minute without an answer, and what is wrong with this program itself: no test makes them happen.
NOT_TRIED = {"no-answer", "proxy-failed"}


@contextlib.contextmanager
def proxy(server, credentials, *arguments):
    given = {} if credentials is None else {"TASKCLUSTER_CLIENT_ID": credentials.client_id, "TASKCLUSTER_ACCESS_TOKEN": credentials.access_token}
    if credentials is not None and credentials.certificate:
        given["TASKCLUSTER_CERTIFICATE"] = json.dumps(credentials.certificate)
    environment = {**clean_environment(), "TASKCLUSTER_ROOT_URL": server.root_url, **given}
    process = subprocess.Popen([BIN, "proxy", "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        yield root_url_of(process)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def ask(origin, method, path, headers=(), body=b"", length=None):
    lines = [f"{method} {path} HTTP/1.1", "Connection: close", *headers]
    if not any(line.lower().startswith("host:") for line in headers):
        lines.append("Host: localhost")
    if not any(line.lower().startswith("transfer-encoding:") for line in headers):
        lines.append(f"Content-Length: {len(body) if length is None else length}")
    answer = raw(origin, "\r\n".join([*lines, "", ""]).encode() + body)
    head, _, text = answer.partition("\r\n\r\n")
    return int(head.split(" ")[1]), json.loads(text)["reason"], head


def test_every_refusal_of_the_page(server):
    rows = re.findall(r"^\| ([\d, ]+) \| ((?:`[a-z-]+`(?:, )?)+) \|", PAGE.split("| status | reason |", 1)[1], re.M)
    page = {word: statuses for statuses, words in rows for word in re.findall(r"`([a-z-]+)`", words)}
    away = f"127.0.0.1:{held_port()}"
    seen = {}

    def refused(origin, *request, **more):
        status, reason, _ = ask(origin, *request, **more)
        assert str(status) in page[reason], (status, reason)
        seen[reason] = status

    credentials = credentials_of({"scopes": ["notes:read:red"]}, server)
    with proxy(server, credentials, "--host", f"http://{away}", "--body-limit", "16") as origin:
        refused(origin, "GET", f"/{away}/%2e%2e/x")
        refused(origin, "GET", "/api/auth/v1/ping?bewit=abc")
        refused(origin, "POST", "/bewit", body=b"no URL")
        refused(origin, "PUT", f"/{away}/x", ["Transfer-Encoding: chunked"], body=b"nonsense\r\n")
        refused(origin, "GET", "/evil.example/x")
        refused(origin, "GET", f"/{away}/x", ["Origin: null"])
        refused(origin, "PUT", "/credentials", body=b"{}")
        refused(origin, "GET", "/nothing")
        refused(origin, "GET", "/credentials")
        refused(origin, "PUT", f"/{away}/x", body=b"." * 17)
        refused(origin, "GET", f"/{away}/x", ["Host: evil.example"])
        refused(origin, "GET", f"/{away}/x")
    with proxy(server, None, "--host", f"http://{away}", "--accept-credentials") as origin:
        refused(origin, "GET", f"/{away}/x")
    assert set(seen) | NOT_TRIED == set(page), (seen, page)


def test_an_answer_says_with_what_it_was_signed(server):
    forged = b"X-Taskcluster-Proxy-Temp-Scopes: forged\r\nX-Taskcluster-Proxy-Revision: forged\r\n"
    listener, _ = one_answer(lambda _: b"HTTP/1.1 200 OK\r\n" + forged + b"Content-Type: application/json\r\nContent-Length: 15\r\n\r\n{\"reason\":\"ok\"}")
    at = f"127.0.0.1:{listener.getsockname()[1]}"
    credentials = credentials_of({"scopes": ["notes:read:red", "notes:write:red"], "temporary": {}}, server)
    with proxy(server, credentials, "--host", f"http://{at}", "--scope", "notes:read:red") as origin:
        status, _, head = ask(origin, "GET", f"/{at}/books/red?page=2")
    listener.close()
    headers = dict(line.lower().split(": ", 1) for line in head.split("\r\n")[1:])
    assert status == 200 and headers["x-taskcluster-endpoint"] == f"http://{at}/books/red?page=2"
    assert headers["x-taskcluster-proxy-temp-clientid"] == credentials.client_id and "x-taskcluster-proxy-perm-clientid" not in headers
    assert json.loads(headers["x-taskcluster-proxy-temp-scopes"]) == ["notes:read:red", "notes:write:red"]
    assert json.loads(headers["x-taskcluster-authorized-scopes"]) == ["notes:read:red"]
    assert headers["x-taskcluster-proxy-version"] and headers.get("x-taskcluster-proxy-revision") != "forged"
