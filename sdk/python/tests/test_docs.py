"""The pages that print Python: each is run, and what a user adds to a service is counted."""

from __future__ import annotations

import re

import anyio
import pytest
import requests
from conftest import REPOSITORY
from services import Uvicorn, Waitress

from falconer.requests import HawkAuth

PAGE = (REPOSITORY / "docs/python.md").read_text()
README = (REPOSITORY / "sdk/python/README.md").read_text()


def blocks(text, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


DIFFS = dict(zip(["FastAPI", "Flask"], blocks(PAGE, "diff"), strict=True))


def test_every_block_of_code_is_run_by_a_test_here():
    assert len(blocks(PAGE, "python")) == 4 and len(blocks(PAGE, "diff")) == 2 and len(blocks(README, "python")) == 2


@pytest.mark.parametrize("kit", DIFFS)
def test_a_service_is_protected_in_ten_lines(kit):
    added = [line for line in DIFFS[kit].splitlines() if line.startswith("+") and line != "+"]
    assert 1 <= len(added) <= 10
    assert all(line[:1] in "+- " for line in DIFFS[kit].splitlines())


def program(diff, without):
    """One side of a diff."""
    return "\n".join(line[1:] for line in diff.splitlines() if not line.startswith(without))


@pytest.mark.parametrize("kit", DIFFS)
def test_the_service_of_the_page(kit, server, monkeypatch):
    start = Uvicorn if kit == "FastAPI" else Waitress

    def app_of(code):
        def make(origin):
            monkeypatch.setenv("FALCONER", server.root_url)
            monkeypatch.setenv("ORIGIN", origin)
            names = {"__name__": "page"}
            exec(compile(code, "docs/python.md", "exec"), names)
            return names["app"]

        return make

    book = {"book": "red", "notes": []}
    before = start(app_of(program(DIFFS[kit], "+")))
    try:
        assert requests.get(before.origin + "/books/red", timeout=60).json() == book
    finally:
        before.stop()
    after = start(app_of(program(DIFFS[kit], "-")))
    try:
        reader = HawkAuth(server.client(["notes:read:red"]))
        assert requests.get(after.origin + "/books/red", auth=reader, timeout=60).json() == book
        assert requests.get(after.origin + "/books/blue", auth=reader, timeout=60).status_code == 403
        assert requests.get(after.origin + "/books/red", timeout=60).status_code == 403
    finally:
        after.stop()


def test_the_service_of_the_readme_is_the_one_of_the_page():
    def lines(text):
        return [line for line in text.splitlines() if line.strip()]

    assert lines(blocks(README, "python")[0]) == sorted_imports(lines(program(DIFFS["FastAPI"], "-")))


def sorted_imports(lines):
    """The same lines: both begin with the imports, in this order."""
    assert [line.split()[1] for line in lines[:3]] == ["os", "fastapi", "falconer.fastapi"]
    return lines


def of_the_page(code, server, origin=None):
    """Runs a block of code for the running server."""
    names = {}
    code = code.replace("https://auth.example.com", server.root_url)
    exec(compile(code if origin is None else code.replace("https://notes.example.com", origin), "docs/python.md", "exec"), names)
    return names


def test_starlette_of_the_page(server):
    code = blocks(PAGE, "python")[0]
    service = Uvicorn(lambda origin: of_the_page(code, server, origin)["app"])
    try:
        answer = requests.get(service.origin + "/books/red", auth=HawkAuth(server.client(["notes:read:red"])), timeout=60)
        assert answer.status_code == 200 and answer.json()["book"] == "red"
        assert requests.get(service.origin + "/books/red", timeout=60).status_code == 403
    finally:
        service.stop()


def test_the_verifier_of_the_page(server):
    allowed = of_the_page(blocks(PAGE, "python")[1], server)["allowed"]
    header = HawkAuth(server.client(["notes:read:red"])).authorization("PUT", "https://notes.example.com/a", "text/plain", b"x")
    assert allowed("PUT", "/a", header, "text/plain", lambda limit: b"x").client_id
    with pytest.raises(PermissionError) as error:
        allowed("PUT", "/a", header, "text/plain", lambda limit: b"y")
    assert error.value.args[0] == 401


def test_signing_as_on_the_page(server, monkeypatch):
    made = server.client(["auth:current-scopes", "notes:*", "builds:start:red"])
    monkeypatch.setenv("TASKCLUSTER_CLIENT_ID", made["clientId"])
    monkeypatch.setenv("TASKCLUSTER_ACCESS_TOKEN", made["accessToken"])
    monkeypatch.delenv("TASKCLUSTER_CERTIFICATE", raising=False)
    url = server.root_url + "/api/auth/v1/scopes/current"
    names = of_the_page(blocks(PAGE, "python")[2], server)
    for client in ("notes", "session"):
        assert "notes:*" in names[client].get(url, timeout=60).json()["scopes"]
    assert names["link"].startswith("https://notes.example.com/books/red?bewit=")
    readme = of_the_page(blocks(README, "python")[1], server)
    assert readme["client"].get(url).status_code == 401, "the credentials of the page are nobody's"


def test_a_deputy_as_on_the_page(server):
    """Calls `current scopes` in place of the builds: what comes back is what the call was worth."""
    import httpx

    from falconer import AsyncVerifier, SignedRequest
    from falconer.httpx import HawkAuth as HttpxAuth

    code = blocks(PAGE, "python")[3].replace('post("https://builds.example.com/red")', f'get("{server.root_url}/api/auth/v1/scopes/current")').replace("builds:start:red", "auth:current-scopes")
    assert code.count(server.root_url) == 1
    names = {"httpx": httpx}
    exec(compile(code, "docs/python.md", "exec"), names)

    async def main():
        verifier = AsyncVerifier(server.root_url, "https://notes.example.com")
        header = HawkAuth(server.client(["auth:current-scopes", "notes:read:red"])).authorization("GET", "https://notes.example.com/a")
        caller = await verifier.check(SignedRequest("GET", "/a", header), "notes:read:red", body=b"")
        answer = await names["build"](caller, HttpxAuth(server.client(["auth:*", "notes:*", "builds:*"])))
        await verifier.aclose()
        return answer.json()["scopes"]

    assert anyio.run(main) == ["assume:anonymous", "auth:current-scopes"]
