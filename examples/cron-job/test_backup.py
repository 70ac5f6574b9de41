"""The commands of the README, against the real Falconer and the notes of examples/notes-python."""

import json
import os
import pathlib
import re
import shlex
import subprocess

import notes
import pytest
import requests
from falconer_server import BIN, PATIENCE, clean_environment
from services import Uvicorn

from falconer.requests import HawkAuth

HERE = pathlib.Path(__file__).parent
CREATE, LINE = re.findall(r"```\n(.*?)```", (HERE / "README.md").read_text(), re.S)


@pytest.fixture
def service(server, tmp_path):
    running = Uvicorn(lambda origin: notes.application(server.root_url, origin, str(tmp_path / "notes.sqlite")))
    yield running
    running.stop()


def test_a_copy_is_kept(server, service, tmp_path):
    root = server.client(["*"])
    environment = {
        **clean_environment(), "TASKCLUSTER_ROOT_URL": server.root_url, "TASKCLUSTER_CLIENT_ID": root["clientId"],
        "TASKCLUSTER_ACCESS_TOKEN": root["accessToken"], "PATH": f"{pathlib.Path(BIN).parent}:{os.environ['PATH']}",
    }
    places = [
        ("https://auth.example.com", server.root_url), ("https://notes.example.com", service.origin), ("/etc/falconer/", f"{tmp_path}/"),
        ("/usr/local/bin/", f"{HERE}/"), ("/var/backups/", f"{tmp_path}/"),
    ]

    def here(text):
        for written, real in places:
            text = text.replace(written, real)
        return text

    subprocess.run(["sh", "-euc", here(CREATE)], env=environment, check=True, timeout=PATIENCE)
    text = "hällo"
    url = f"{service.origin}/books/red/notes"
    assert requests.put(f"{url}/first", json={"text": text}, auth=HawkAuth(server.client(["notes:*"])), timeout=60).status_code == 200

    # As cron runs it: almost nothing is in its environment.
    of_cron = {name: environment[name] for name in ("PATH", "HOME") if name in environment}
    command = shlex.split(here(LINE))[5:]

    def job(*words):
        return subprocess.run(words, capture_output=True, text=True, env=of_cron, timeout=PATIENCE)

    ran = job(*command)
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "", "")
    kept = tmp_path / "red.json"
    assert json.loads(kept.read_text()) == [{"name": "first", "text": text, "author": None}]

    # Another book is not the client's: the service's own words, and the old copy stays.
    before = kept.read_text()
    ran = job(*[word.replace("/books/red/", "/books/blue/") for word in command])
    assert ran.returncode == 1 and "InsufficientScopes" in ran.stderr and "notes:read:blue" in ran.stderr, ran
    assert kept.read_text() == before and not (tmp_path / "red.json.new").exists()
    # Nor is another host.
    ran = job(*[word if word != f"{service.origin}/books/red/notes" else "https://elsewhere.example/x" for word in command])
    assert ran.returncode == 1 and "Nothing is signed for elsewhere.example" in ran.stderr, ran
    assert kept.read_text() == before


def test_wrong_use_is_told():
    ran = subprocess.run([HERE / "backup.sh", "https://notes.example.com/", "x"], capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE)
    assert ran.returncode == 2 and "falconer proxy -- backup.sh" in ran.stderr
