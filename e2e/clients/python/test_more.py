"""The program of docs/agents.md that asks its person for more, as it is printed, and a person who answers."""

import json
import pathlib
import re
import subprocess
import sys

import pytest
from falconer_server import BIN, PATIENCE, clean_environment
from oauth_applications import PASSWORD, server_of

REPOSITORY = pathlib.Path(__file__).parents[3]
SCRIPT = REPOSITORY / "e2e/support/grant-over-http.mjs"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    running = server_of(tmp_path_factory.mktemp("more"), "", ann_has=["notes:read:red", "notes:write:red"])
    yield running
    running.stop()


def ann(server, *words):
    """What ann's browser ends with."""
    done = subprocess.run(["node", str(SCRIPT), *words], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def started(server):
    """The program of the page, with a grant of ann's, and the page at which it says that it waits."""
    granted = json.loads(ann(server, server.root_url, "ann", PASSWORD, "https://agent.example.com/", "notes:read:red"))
    [program] = re.findall(r"^```python\n(.*?)^```$", (REPOSITORY / "docs/agents.md").read_text(), re.M | re.S)
    environment = {
        **clean_environment(),
        "PYTHONPATH": str(REPOSITORY / "sdk/python/src"),
        "TASKCLUSTER_ROOT_URL": server.root_url,
        "TASKCLUSTER_CLIENT_ID": granted["clientId"],
        "TASKCLUSTER_ACCESS_TOKEN": granted["accessToken"],
        "TASKCLUSTER_CERTIFICATE": granted["certificate"],
    }
    # As the page says it is run: it read a variable that no command sets.
    command = [BIN, "exec", "--", sys.executable, "-B", "-c", program]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment)
    words = process.stdout.readline().split()
    assert words[:2] == ["Answer", "at"], words
    assert words[2].startswith(f"{server.root_url}/me/grants/request?id=")
    return process, words[2]


@pytest.mark.parametrize(("pressed", "printed"), [("--more", "granted notes:read:red notes:write:red"), ("--refuse", "refused")])
def test_a_program_asks_for_more(server, pressed, printed):
    process, page = started(server)
    ends_at = ann(server, pressed, server.root_url, "ann", PASSWORD, page)
    assert ends_at == ("/me/grants?done=widened" if pressed == "--more" else "/me/grants?done=refused")
    out, _ = process.communicate(timeout=PATIENCE)
    assert (out.strip(), process.returncode) == (printed, 0)
