"""Both services on real servers, against the real Falconer."""

import os
import pathlib
import subprocess
import sys

import notes
import notes_flask
import requests
from services import Uvicorn, Waitress

from falconer.requests import HawkAuth

HERE = pathlib.Path(__file__).parent


def test_notes_with_fastapi(server, tmp_path):
    def ann_may(*scopes):
        return HawkAuth(server.client(list(scopes)))

    writer, reader, blue = ann_may("notes:*"), ann_may("notes:read:red"), ann_may("notes:read:blue")
    path = str(tmp_path / "notes.sqlite")
    service = Uvicorn(lambda origin: notes.application(server.root_url, origin, path))
    url = service.origin + "/books/red/notes"
    try:
        first = {"name": "first", "text": "hällo", "author": None}
        for _ in range(2):
            assert requests.put(f"{url}/first", json={"text": "hällo"}, auth=writer, timeout=60).json() == first
        assert requests.get(url, auth=reader, timeout=60).json() == [first]
        assert requests.put(f"{url}/first", json={"text": "x"}, auth=reader, timeout=60).status_code == 403
        assert requests.get(url, auth=blue, timeout=60).status_code == 403
        assert requests.put(f"{url}/first", json={"text": 7}, auth=writer, timeout=60).status_code == 422
        # The list shows each caller what they may read.
        assert requests.put(service.origin + "/books/blue/notes/a", json={"text": ""}, auth=writer, timeout=60).status_code == 200
        books = service.origin + "/books"
        assert requests.get(books, auth=writer, timeout=60).json() == ["blue", "red"]
        assert requests.get(books, auth=blue, timeout=60).json() == ["blue"]
        assert requests.get(books, timeout=60).json() == []
        assert requests.delete(f"{url}/first", auth=reader, timeout=60).status_code == 403
        assert requests.delete(f"{url}/first", auth=writer, timeout=60).status_code == 204
        assert requests.delete(f"{url}/first", auth=writer, timeout=60).status_code == 404
        unsigned = HawkAuth(server.client(["notes:*"]), payload_hash=False)
        assert requests.put(f"{url}/first", json={"text": "x"}, auth=unsigned, timeout=60).status_code == 401
    finally:
        service.stop()


def test_notes_with_flask(server):
    writer = HawkAuth(server.client(["notes:*"]))
    service = Waitress(lambda origin: notes_flask.application(server.root_url, origin))
    try:
        url = service.origin + "/books/red"
        assert requests.put(url, json={"text": "ä"}, auth=writer, timeout=60).json() == {"book": "red", "text": "ä"}
        assert requests.get(url, auth=writer, timeout=60).json() == {"book": "red", "text": "ä"}
        assert requests.get(url, timeout=60).status_code == 403
    finally:
        service.stop()


def test_a_setting_that_is_none_is_told_at_the_start(tmp_path):
    settings = {"FALCONER": "https://auth.example.com", "ORIGIN": "notes.example.com", "NOTES": str(tmp_path / "notes.sqlite")}
    ended = subprocess.run([sys.executable, str(HERE / "notes.py")], env={**os.environ, **settings}, capture_output=True, text=True, timeout=120)
    assert ended.returncode == 1
    assert ended.stderr == "FALCONER or ORIGIN: The public origin of this service cannot be used: 'notes.example.com' does not begin with https:// or http://. It looks like https://notes.example.com.\n"
