"""Every example, as its operator runs it, holds against all attacks."""

import json
import os
import pathlib
import shutil
import subprocess
import sys
import time

import pytest
from attacked import Attacked, Running, attack, held_port
from conftest import REPOSITORY, client
from falconer_server import BIN, PATIENCE, Server, clean_environment

EXAMPLES = REPOSITORY / "examples"


class Started:
    """An example: where it is, whom it asks, with whose credentials it is attacked, what it writes."""

    def __init__(self, origin, programs, server, operator, logs, root_url=None):
        self.origin, self.programs, self.server, self.operator, self.logs = origin, programs, server, operator, logs
        self.root_url = root_url or server.root_url

    def stop(self):
        for program in reversed(self.programs):
            program.stop()


def notes(command, ready, server, operator, folder, cwd=None):
    """A notes service, which is told by its environment where it is."""
    listen, log = f"127.0.0.1:{held_port()}", folder / "log"
    environment = {"FALCONER": server.root_url, "ORIGIN": f"http://{listen}", "LISTEN": listen, "NOTES": str(folder / "notes")}
    return Started(f"http://{listen}", [Logged(command, ready, environment, cwd, log)], server, operator, [log])


class Logged(Running):
    """All that it says goes to a file."""

    def __init__(self, command, ready, environment, cwd, log):
        with log.open("w") as out:
            self.process = subprocess.Popen(command, stdout=out, stderr=out, env={**clean_environment(), **environment}, cwd=cwd)
        with log.open() as said:
            text, until = "", time.monotonic() + PATIENCE
            while ready not in text:
                assert self.process.poll() is None and time.monotonic() < until, text
                if line := said.readline():
                    text += line
                else:
                    # A file can't be waited for in another way.
                    time.sleep(0.02)

    def stop(self):
        self.process.kill()
        self.process.wait(PATIENCE)


def notes_python(server, operator, folder):
    return notes([sys.executable, str(EXAMPLES / "notes-python/notes.py")], "Uvicorn running on", server, operator, folder)


def deputy(server, operator, folder):
    """Before the notes service that it reads from, with a client of its own."""
    behind = notes_python(server, operator, folder)
    own, listen, log = client(server, "deputy", ["notes:read:*"]), f"127.0.0.1:{held_port()}", folder / "deputy.log"
    environment = {
        "FALCONER": server.root_url, "ORIGIN": f"http://{listen}", "LISTEN": listen, "NOTES": behind.origin,
        "TASKCLUSTER_CLIENT_ID": own["clientId"], "TASKCLUSTER_ACCESS_TOKEN": own["accessToken"],
    }
    program = Logged([sys.executable, str(EXAMPLES / "deputy/deputy.py")], "Uvicorn running on", environment, None, log)
    return Started(f"http://{listen}", [*behind.programs, program], server, operator, [*behind.logs, log])


def notes_node(server, operator, folder):
    modules = folder / "node_modules"
    modules.mkdir()
    (modules / "falconer").symlink_to(REPOSITORY / "sdk/js")
    (modules / "express").symlink_to(REPOSITORY / "sdk/js/node_modules/express")
    shutil.copy(EXAMPLES / "notes-node/notes.js", folder / "notes.mjs")
    return notes(["node", str(folder / "notes.mjs")], "bound to", server, operator, folder)


def notes_go(server, operator, folder):
    built = ["go", "build", "-o", str(folder / "notes-go"), "."]
    subprocess.run(built, check=True, cwd=EXAMPLES / "notes-go", env={**os.environ, "GOPROXY": "off"}, timeout=PATIENCE)
    return notes([str(folder / "notes-go")], "bound to", server, operator, folder)


def notes_rust(server, operator, folder):
    """As the demo runs it, with a Falconer of its own."""
    data, log = folder / "data", folder / "log"
    command = [BIN, "serve", "--demo", "--json", "--data-dir", str(data), "--listen", "127.0.0.1:0"]
    program = Logged(command, '"listening"', {}, None, log)
    said = json.loads(next(line for line in log.read_text().splitlines() if '"listening"' in line))
    reset = subprocess.run([BIN, "root-reset", "--data-dir", str(data), "--json"], check=True, capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE)
    operator = {key: json.loads(reset.stdout)[key] for key in ("clientId", "accessToken")}
    environment = clean_environment() | {"TASKCLUSTER_ROOT_URL": said["listening"], "TASKCLUSTER_CLIENT_ID": operator["clientId"], "TASKCLUSTER_ACCESS_TOKEN": operator["accessToken"]}
    # The running server follows what was changed beside it.
    until = time.monotonic() + PATIENCE
    while subprocess.run([BIN, "current-scopes"], env=environment, capture_output=True).returncode:
        assert time.monotonic() < until
    return Started(said["notes"], [program], server, operator, [log], said["listening"])


def static_site(server, operator, folder):
    """nginx, and the gateway beside it."""
    site = folder / "site"
    shutil.copytree(EXAMPLES / "static-site", site)
    (site / "tmp").mkdir(exist_ok=True)
    # Started by root, nginx reads the site as somebody else.
    for place in [folder, *folder.parents][:3]:
        place.chmod(0o755)
    port, gateway_port = held_port(), held_port()
    log = folder / "gateway.log"
    origin = f"http://127.0.0.1:{port}"

    def change(name, changes):
        text = (site / name).read_text()
        for before, after in changes:
            assert before in text, (name, before)
            text = text.replace(before, after)
        (site / name).write_text(text)

    change("gateway.toml", [("http://localhost:8080", server.root_url), ("http://127.0.0.1:8084", origin)])
    change("nginx.conf", [("127.0.0.1:8084", f"127.0.0.1:{port}"), ("127.0.0.1:4180", f"127.0.0.1:{gateway_port}")])
    gateway = Logged([BIN, "gateway", "run", str(site / "gateway.toml"), "--listen", f"127.0.0.1:{gateway_port}"], "listening on", {}, None, log)
    nginx_log = folder / "nginx.log"
    with nginx_log.open("w") as errors:
        nginx = subprocess.Popen(["nginx", "-p", str(site), "-c", str(site / "nginx.conf")], stderr=errors, env=clean_environment())
    programs = [gateway, Ended(nginx)]
    return Started(origin, programs, server, operator, [log, nginx_log])


class Ended:
    """A program that is ended as it wants to be."""

    def __init__(self, process):
        self.process = process

    def stop(self):
        self.process.terminate()
        self.process.wait(PATIENCE)


STARTERS = {"notes": notes_rust, "notes-node": notes_node, "notes-python": notes_python, "notes-go": notes_go, "static-site": static_site, "deputy": deputy}
# A page that calls a service, and a script: nobody calls them.
NO_SERVICES = {"frontend-tool", "cron-job"}


def test_every_example_is_attacked():
    assert STARTERS.keys() == {folder.name for folder in EXAMPLES.iterdir() if folder.is_dir()} - NO_SERVICES


@pytest.mark.parametrize("name", STARTERS)
def test_an_example_holds(name, server, operator, tmp_path):
    example = STARTERS[name](server, operator, tmp_path)
    logs, before = [argument for log in example.logs for argument in ("--log", log)], sizes(example)
    try:
        routes = EXAMPLES / name / "attack.toml"
        done = attack(example.origin, "--routes", routes, *logs, "--yes", "--json", "--root-url", example.root_url, server=example.server, credentials=example.operator)
        found = Attacked(done)
    finally:
        example.stop()
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")
    untried = {name: row["seen"] for name, row in found.with_outcome("not-tried").items()}
    # A log to which nothing was written says nothing.
    assert untried.keys() == {"falconer-away"} | ({"secrets-in-logs"} if any(now == then for now, then in zip(sizes(example), before)) else set()), untried


def test_the_rules_of_a_gateway_name_the_routes(server, operator, tmp_path):
    """Without a file of routes: each protected path is tried by what the rules say of it."""
    example = static_site(server, operator, tmp_path)
    rules = tmp_path / "site/gateway.toml"
    try:
        wrong = attack(example.origin, "--rules", rules, "--yes", server=server)
        done = attack(example.origin, "--rules", rules, "--value", "book=red", "--value", "file=site.css", "--yes", "--json", server=server, credentials=operator)
        found = Attacked(done)
    finally:
        example.stop()
    assert wrong.returncode == 2 and "--value" in wrong.stderr, wrong.stderr
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")
    tried = {(row["route"], row["attack"]) for row in found.said["rows"] if row["outcome"] == "held"}
    assert {("GET /books/red", name) for name in ("no-credentials", "without-scope", "other-spelling", "other-path")} <= tried


def notes_flask(server, operator, folder):
    """The Flask application of the Python example, on waitress."""
    listen, log = f"127.0.0.1:{held_port()}", folder / "log"
    environment = {"FALCONER": server.root_url, "ORIGIN": f"http://{listen}"}
    command = [sys.executable, "-m", "waitress", f"--listen={listen}", "--call", "notes_flask:application"]
    program = Logged(command, "Serving on", environment, EXAMPLES / "notes-python", log)
    return Started(f"http://{listen}", [program], server, operator, [log])


def test_flask_holds(server, operator, tmp_path):
    example = notes_flask(server, operator, tmp_path)
    routes = tmp_path / "routes.toml"
    routes.write_text('[[route]]\nrequest = "PUT /books/red"\nscope = "notes:write:red"\nbody = \'{"text": "sent by falconer attack"}\'\n[[route]]\nrequest = "GET /books/red"\nscope = "notes:read:red"\n')
    try:
        found = Attacked(attack(example.origin, "--routes", routes, "--log", example.logs[0], "--yes", "--json", server=server, credentials=operator))
    finally:
        example.stop()
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")


def sizes(example):
    return [log.stat().st_size for log in example.logs]


def test_falconer_itself_holds(tmp_path):
    """Its API is a service as others are; `limits.refuse_replays` makes each change once."""
    falconer = Server(tmp_path, settings={"FALCONER_LIMITS__REFUSE_REPLAYS": "true"})
    try:
        routes = pathlib.Path(__file__).with_name("falconer.toml")
        found = Attacked(attack(falconer.root_url, "--routes", routes, "--log", falconer.log, "--yes", "--json", server=falconer))
    finally:
        falconer.stop()
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")
    assert found.with_outcome("not-tried").keys() == {"falconer-away"}
