"""The signing proxy: what docs/proxy.md prints, the published Python client and curl, through the real binary to a real service."""

import contextlib
import pathlib
import re
import shlex
import subprocess
import sys

import pytest
import taskcluster
from books_service import books
from falconer_server import BIN, PATIENCE, clean_environment, root_url_of

REPOSITORY = pathlib.Path(__file__).parents[3]
PAGE = (REPOSITORY / "docs/proxy.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


@pytest.fixture(scope="module")
def notes(server):
    """Where the service is."""
    with books(server.root_url) as origin:
        yield origin


@pytest.fixture(scope="module")
def environment(server):
    """A client that may read books, and knows what it may do."""
    scopes = ["notes:read:*", "auth:current-scopes"]
    made = taskcluster.Auth(server.options()).createClient("tests/job", {"expires": taskcluster.fromNow("1 hour"), "description": "", "scopes": scopes})
    return {**clean_environment(), "TASKCLUSTER_ROOT_URL": server.root_url, "TASKCLUSTER_CLIENT_ID": "tests/job", "TASKCLUSTER_ACCESS_TOKEN": made["accessToken"]}


@contextlib.contextmanager
def proxy(environment, *arguments):
    process = subprocess.Popen([BIN, "proxy", "--listen", "127.0.0.1:0", *arguments], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        yield root_url_of(process)
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0


def curl(*arguments):
    return subprocess.run(["curl", "-sS", "--fail-with-body", *arguments], capture_output=True, text=True, timeout=PATIENCE)


def test_the_commands_of_the_page(environment, notes):
    start, *calls = blocks("sh")[0].strip().splitlines()
    binary, command, *arguments = shlex.split(start.replace("https://notes.example.com", notes))
    assert (binary, command) == ("falconer", "proxy")
    with proxy(environment, *arguments) as url:
        answers = []
        for call in calls:
            program, address = shlex.split(call.replace("http://127.0.0.1:8090", url).replace("notes.example.com", notes.removeprefix("http://")))
            assert program == "curl"
            answers.append(curl(address).stdout)
        assert '"book": "red"' in answers[0] and "notes:read:red" in answers[1], answers
        # The page asks for one book only.
        blue = curl(f"{url}/{notes.removeprefix('http://')}/books/blue")
        assert blue.returncode == 22 and "InsufficientScopes" in blue.stdout


def test_the_environment_of_the_page(environment, tmp_path):
    """What was said of it, `eval`, waits for ever: the proxy goes on and keeps its stdout."""
    start, wait = re.search(r"`(rm -f proxy\.env; falconer proxy --print-env > proxy\.env &)`.*?`(until .*?; \. \./proxy\.env)`", PAGE).groups()
    own = start.replace("falconer proxy", f"{shlex.quote(str(BIN))} proxy --listen 127.0.0.1:0")
    script = f"trap 'kill $!' EXIT\n{own}\n{wait}\ncurl -sS \"$TASKCLUSTER_PROXY_URL/api/auth/v1/scopes/current\"; echo \"left:$TASKCLUSTER_CLIENT_ID$TASKCLUSTER_ACCESS_TOKEN\""
    ran = subprocess.run(["sh", "-c", script], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=PATIENCE)
    assert "auth:current-scopes" in ran.stdout and ran.stdout.endswith("left:\n"), ran


def test_the_program_of_the_page(environment, notes, tmp_path):
    words = shlex.split(blocks("sh")[1].replace("https://notes.example.com", notes))
    (tmp_path / "job.py").write_text(blocks("python")[0] + "\nassert not set(os.environ) & {'TASKCLUSTER_CLIENT_ID', 'TASKCLUSTER_ACCESS_TOKEN'}\n")
    assert words[0] == "falconer" and words[-2:] == ["python3", "job.py"]
    ran = subprocess.run([BIN, *words[1:-2], sys.executable, "job.py"], cwd=tmp_path, capture_output=True, text=True, env=environment, timeout=PATIENCE)
    assert (ran.returncode, ran.stderr) == (0, "")
    assert "notes:read:*" in ran.stdout


def test_the_published_client(environment, notes, server):
    with proxy(environment, "--host", notes) as url:
        auth = taskcluster.Auth({"rootUrl": url, "maxRetries": 0})
        assert auth.currentScopes()["scopes"] == ["assume:anonymous", "auth:current-scopes", "notes:read:*"]
        assert auth.ping()["alive"] is True
        # Ids with slashes, and queries, arrive as they were meant.
        root = taskcluster.Auth(server.options())
        root.createRole("proxy/a b", {"scopes": ["notes:read:x"], "description": ""})
        root.createRole("anonymous", {"scopes": ["auth:get-role:proxy/*", "auth:list-clients"], "description": ""})
        assert auth.role("proxy/a b")["scopes"] == ["notes:read:x"]
        assert [found["clientId"] for found in auth.listClients(query={"prefix": "tests/j"})["clients"]] == ["tests/job"]
        with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure) as failure:
            auth.createRole("proxy/b", {"scopes": [], "description": ""})
        assert (failure.value.status_code, failure.value.body["code"]) == (403, "InsufficientScopes")
        # The proxy's own refusals are read as any others.
        beside = taskcluster.Queue({"rootUrl": f"{url}/other.example", "maxRetries": 0})
        with pytest.raises(taskcluster.exceptions.TaskclusterRestFailure, match="--host https://other.example"):
            beside.ping()
        # What a client signs itself is replaced.
        stranger = taskcluster.Auth({"rootUrl": url, "credentials": {"clientId": "nobody", "accessToken": "x" * 44}, "maxRetries": 0})
        assert "notes:read:*" in stranger.currentScopes()["scopes"]


def test_the_environment_of_a_task(environment):
    """The helper class of the client takes the proxy where it is told of one."""
    arguments = [BIN, "proxy", "--listen", "127.0.0.1:0", "--print-env"]
    process = subprocess.Popen(arguments, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True, env=environment)
    try:
        lines = "".join(process.stdout.readline() for _ in range(3))
        script = "import taskcluster.helper; print(taskcluster.helper.TaskclusterConfig().get_service('auth').currentScopes()['scopes'])"
        shell = f"{lines}\nexport TASK_ID=x\nexec {shlex.quote(sys.executable)} -c {shlex.quote(script)}"
        ran = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, env=environment, timeout=PATIENCE)
        assert (ran.returncode, "notes:read:*" in ran.stdout) == (0, True), ran
    finally:
        process.terminate()
        assert process.wait(PATIENCE) == 0
