"""The deputy on a real server, between callers and the notes of examples/notes-python, with the real Falconer."""

import base64
import json
import pathlib
import re

import deputy
import notes
import pytest
import requests
from services import Uvicorn

from falconer import Credentials
from falconer.requests import HawkAuth


class Kept:
    """The notes service, and the signatures with which it was called."""

    def __init__(self, app):
        self.app, self.signatures = app, []

    async def __call__(self, scope, receive, send):
        if scope["type"] == "http":
            self.signatures.append(dict(scope["headers"]).get(b"authorization", b"").decode())
        await self.app(scope, receive, send)

    def restricted_to(self):
        """What the last call was restricted to."""
        ext = re.search(r'ext="([^"]+)"', self.signatures[-1]).group(1)
        return json.loads(base64.b64decode(ext))["authorizedScopes"]


@pytest.fixture
def kept(server, tmp_path):
    """Where the notes are, and what came there."""
    seen = []

    def application(origin):
        seen.append(Kept(notes.application(server.root_url, origin, str(tmp_path / "notes.sqlite"))))
        return seen[0]

    running = Uvicorn(application)
    writer = HawkAuth(server.client(["notes:*"]))
    for book, text in [("red", "one two"), ("red", "drei, vier!"), ("blue", "secret")]:
        assert requests.put(f"{running.origin}/books/{book}/notes/{len(text)}", json={"text": text}, auth=writer, timeout=60).status_code == 200
    yield running.origin, seen[0]
    running.stop()


def words(server, origin, scopes, book):
    return requests.get(f"{origin}/books/{book}/words", auth=HawkAuth(server.client(scopes)), timeout=60)


def test_it_reads_for_its_caller_and_for_nobody_else(server, kept):
    notes_origin, seen = kept
    own = server.client(["notes:read:*"])
    credentials = Credentials(own["clientId"], own["accessToken"])
    running = Uvicorn(lambda origin: deputy.application(server.root_url, origin, notes_origin, credentials))
    try:
        assert words(server, running.origin, ["notes:read:red"], "red").json() == {"book": "red", "notes": 2, "words": 4}
        assert seen.restricted_to() == ["notes:read:red"]
        assert words(server, running.origin, ["notes:read:*"], "blue").json()["words"] == 1
        assert seen.restricted_to() == ["notes:read:blue"]
        # It may read the blue book itself, and does not do so for somebody who may not.
        calls = len(seen.signatures)
        for scopes, book in [(["notes:read:red"], "blue"), ([], "red"), (["notes:write:red"], "red"), (["notes:read:red"], "*")]:
            refused = words(server, running.origin, scopes, book)
            assert (refused.status_code, refused.json()["code"]) == (403, "InsufficientScopes"), refused.text
        assert requests.get(f"{running.origin}/books/red/words", timeout=60).status_code == 403
        assert len(seen.signatures) == calls
    finally:
        running.stop()


def test_credentials_that_may_not_read_are_the_services_fault(server, kept):
    own = server.client([])
    running = Uvicorn(lambda origin: deputy.application(server.root_url, origin, kept[0], Credentials(own["clientId"], own["accessToken"])))
    try:
        assert words(server, running.origin, ["notes:read:red"], "red").status_code == 502
    finally:
        running.stop()


def test_a_notes_service_that_is_away(server):
    own = server.client(["notes:read:*"])
    running = Uvicorn(lambda origin: deputy.application(server.root_url, origin, "http://127.0.0.1:1", Credentials(own["clientId"], own["accessToken"])))
    try:
        answer = words(server, running.origin, ["notes:read:red"], "red")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "1")
    finally:
        running.stop()


def test_the_readme_names_what_there_is():
    here = pathlib.Path(__file__).parent
    text = (here / "README.md").read_text()
    code = (here / "deputy.py").read_text()
    assert all(f'"{name}"' in code for name in re.findall(r"\b([A-Z]{5,})=", text.split("falconer client create", 1)[1]) if not name.startswith("TASKCLUSTER"))
