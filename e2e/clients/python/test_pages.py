"""The commands that pages of docs/ and README.md print, run in a shell as they are printed, but for addresses, paths and `...`."""

import json
import os
import pathlib
import re
import sqlite3
import subprocess
import textwrap
import time
import urllib.request

import pytest
import taskcluster
from books_service import books
from falconer_server import BIN, PATIENCE, Server, clean_environment, held_port, root_url_of

REPOSITORY = pathlib.Path(__file__).parents[3]
# Whether `support/on-postgres` stands in the place of the binary.
ON_POSTGRES = bool(os.environ.get("E2E_POSTGRES"))
CALLER = ("TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN")


def blocks(page):
    return [block for _, block in re.findall(r"^```(\w*)\n(.*?)^```$", (REPOSITORY / page).read_text(), re.M | re.S)]


class Shell:
    """A shell of somebody in a folder of their own, with `falconer` in the path. What one script exports is there for the next."""

    def __init__(self, folder, root_url, **variables):
        (folder / "bin").mkdir(exist_ok=True)
        (folder / "bin/falconer").symlink_to(pathlib.Path(BIN).absolute())
        self.folder = folder
        self.replaced = {"https://auth.example.com": root_url, "http://localhost:8080": root_url, "<checkout>": str(REPOSITORY)}
        self.environment = {**clean_environment(), "PATH": f"{folder / 'bin'}:{os.environ['PATH']}", "TASKCLUSTER_ROOT_URL": root_url, **variables}

    def fill(self, script, **values):
        """`values`: of the variables that the page prints as `NAME=...`."""
        for name, value in values.items():
            script, number = re.subn(rf"\b{name}=\.\.\.", f"{name}={value}", script)
            assert number == 1, (name, script)
        for printed, there in self.replaced.items():
            script = script.replace(printed, str(there))
        return script

    def run(self, script, expected=0, **values):
        script = self.fill(script, **values)
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"{script}\nenv -0 >.environment"],
            cwd=self.folder, capture_output=True, text=True, env=self.environment, stdin=subprocess.DEVNULL, timeout=PATIENCE,
        )
        assert done.returncode == expected, f"{script}\n{done.stdout}{done.stderr}"
        if expected == 0:
            kept = (self.folder / ".environment").read_text().split("\0")
            self.environment = dict(line.split("=", 1) for line in kept if "=" in line)
        return done.stdout if expected == 0 else done.stdout + done.stderr


def until(shell, script):
    """Runs a script until it succeeds."""
    end = time.monotonic() + PATIENCE
    while True:
        try:
            return shell.run(script)
        except AssertionError:
            assert time.monotonic() < end


def as_root(folder, server):
    folder.mkdir(exist_ok=True)
    return Shell(folder, server.root_url, FALCONER_DATA_DIR=server.data, **dict(zip(CALLER, server.credentials.values(), strict=True)))


def started(shell, script):
    """A program of the page that goes on."""
    return subprocess.Popen(["bash", "-c", f"exec {shell.fill(script).strip()}"], cwd=shell.folder, env=shell.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def stop(process):
    process.terminate()
    process.wait(PATIENCE)
    process.stdout.close()


@pytest.fixture
def shell(server, tmp_path):
    return as_root(tmp_path / "shell", server)


def test_scopes_md(shell):
    roles, said, parameters, *_ = blocks("docs/scopes.md")
    assert shell.run(roles).endswith(said)
    command = parameters.splitlines()[-1]
    assert shell.run(parameters).split()[-2:] == command.partition("#")[2].split()


def test_getting_started_md(tmp_path):
    page = blocks("docs/getting-started.md")
    _, settings, scopes, check, _, _, _, serve, said, account, credentials, role, expanded, _, client, tried = page
    root_url = f"http://127.0.0.1:{held_port()}"
    shell = Shell(tmp_path, root_url)
    shell.replaced.update({"/var/lib/falconer": tmp_path / "data", "/etc/falconer.toml": tmp_path / "falconer.toml", "127.0.0.1:8080": root_url.removeprefix("http://")})
    (tmp_path / "falconer.toml").write_text(shell.fill(settings) + shell.fill(scopes))
    shell.run(check)

    process = started(shell, serve)
    try:
        for line in shell.fill(said).splitlines():
            printed = process.stdout.readline().strip()
            assert re.fullmatch(re.escape(line).replace(re.escape("..."), r"\S+"), printed), (line, printed)
        assert shell.run(account).strip()
        root = json.loads((tmp_path / "data/root-credentials.json").read_text())
        shell.run(credentials, TASKCLUSTER_ACCESS_TOKEN=root["accessToken"])
        assert shell.run(role).endswith(expanded)
        made = shell.run(client, TASKCLUSTER_ACCESS_TOKEN=root["accessToken"])
        token = re.search(r"[\w-]{43,44}", made).group()
        with books(root_url) as origin:
            shell.replaced["https://notes.example.com"] = origin
            answers = shell.run(tried, TASKCLUSTER_ACCESS_TOKEN=token)
        assert "notes:write:red" in answers and '"book": "red"' in answers
    finally:
        stop(process)


def test_migration_md(server, tmp_path):
    move, file, records, out, one, several = blocks("docs/migration.md")
    (tmp_path / "old").mkdir()
    old = Server(tmp_path / "old")
    # A published client makes bytes of what it is given.
    old_client, old_token = old.credentials.values()
    try:
        taskcluster.Auth(old.options()).createRole("team:moved", {"scopes": ["notes:read:moved"], "description": ""})
        shell = as_root(tmp_path / "shell", server)
        shell.replaced["https://old.example.com"] = old.root_url
        client, token = server.credentials.values()
        said = shell.run(move, TASKCLUSTER_CLIENT_ID=client, TASKCLUSTER_ACCESS_TOKEN=token, FALCONER_FROM_CLIENT_ID=old_client, FALCONER_FROM_ACCESS_TOKEN=old_token)
        assert "team:moved" in said, said
    finally:
        old.stop()
    kept = "x" * 44
    (shell.folder / "moved.jsonl").write_text(records.replace('"..."', f'"{kept}"'))
    shell.run(file)
    assert '"project/robot"' in (shell.folder / "tokens.jsonl").read_text()
    shell.run(out)
    exported = [json.loads(line) for line in (shell.folder / "records.jsonl").read_text().splitlines()]
    assert {"team:red", "team:moved"} <= {record.get("roleId") for record in exported}
    assert json.loads(shell.run(several))["clients"][0]["outcome"] == "updated"
    shell.run(one.replace('"..."', f'"{kept}"'))


def test_operation_md(tmp_path):
    keys, backup, nightly, tried, restore, *_ = blocks("docs/operation.md")
    server = Server(tmp_path)
    shell = as_root(tmp_path / "shell", server)
    shell.replaced.update({"/backup": tmp_path, "/var/lib/falconer": server.data, "/tmp/try": tmp_path / "tried"})
    # As cron reads it: five fields, the user, and `%` only behind a backslash.
    command = nightly.split(None, 6)[6].replace("\\%", "%").replace("/usr/local/bin/", "").replace("/etc/falconer.toml", "falconer.toml")
    (shell.folder / "falconer.toml").write_text("")
    try:
        *before, remove = keys.splitlines()
        shell.run("\n".join(before))
        until(shell, remove)
        # PostgreSQL brings its own commands for that, which the page names.
        if not ON_POSTGRES:
            shell.run(backup)
            shell.run(tried)
            assert (tmp_path / "tried/falconer.sqlite").exists()
            shell.run(command)
            assert list(tmp_path.glob("falconer-20??-??-??.sqlite"))
    finally:
        server.stop()
    if not ON_POSTGRES:
        shell.run(restore)
        assert list(pathlib.Path(server.data).glob("falconer.sqlite.before-*"))


def test_auditing_md(server, shell):
    shell.run("falconer role create audited --scope notes:read:red")
    backup, query = blocks("docs/auditing.md")[0].splitlines()
    shell.replaced["/backup"] = shell.folder
    if ON_POSTGRES:
        return
    shell.run(backup)
    # Not by the command of SQLite, which not every machine has.
    with sqlite3.connect(shell.folder / "audit.sqlite") as database:
        rows = [json.loads(row) for (row,) in database.execute(re.search('"(SELECT .*)"', query).group(1))]
    [made] = [row for row in rows if (row["entity_type"], row["entity_id"]) == ("role", "audited")]
    assert (made["action"], made["actor"]) == ("created", server.credentials["clientId"])
    assert set(made) == set(re.findall(r"'(\w+)',", query))


def test_people_md(server, shell):
    [commands] = blocks("docs/people.md")
    lines = commands.splitlines()
    shell.run("falconer account create ann-old --scope notes:read:red")
    shell.run("falconer account create ann")
    for line in lines:
        # An invitation is for somebody new, nobody came from a provider, and nobody has a passkey.
        refused = line.startswith(("falconer person invite", "falconer person refresh", "falconer account remove-passkeys"))
        shell.run(line, expected=1 if refused else 0)
    shell.run(lines[1].replace("local/ann", "local/ben"))
    assert len(lines) == 10


def test_events_md(server, shell):
    shell.run("".join(f"falconer role create 'events:{number}'\n" for number in range(20)))
    every, since = [line.partition("#")[0] for line in blocks("docs/events.md")[1].splitlines()]
    process = started(shell, since)
    try:
        assert json.loads(process.stdout.readline())
    finally:
        stop(process)
    process = started(shell, every)
    stop(process)


def test_backend_md(server, shell):
    page = blocks("docs/backend.md")
    install, check, credentials, calls, why = page[0], page[3], page[6], page[7], page[10]
    shell.run(f"cargo init --quiet --name books\nexport CARGO_NET_OFFLINE=true\n{install}")
    manifest = (shell.folder / "Cargo.toml").read_text()
    assert all(name in manifest for name in ("falconer-middleware", "axum", "serde_json", "tracing-subscriber", "rt-multi-thread"))
    assert json.loads(shell.run(check))["status"] == "failed"

    shell.replaced[".demo"] = server.data
    token = shell.run(credentials.splitlines()[1]).split()[-1]
    server.credentials["accessToken"] = token
    shell.run("\n".join([credentials.splitlines()[0], *credentials.splitlines()[2:]]), TASKCLUSTER_ACCESS_TOKEN=token)
    # The page says that it takes a second.
    until(shell, "falconer current-scopes")
    with books(server.root_url) as origin:
        shell.replaced["http://127.0.0.1:8082"] = origin
        said = shell.run(calls)
        assert '"book": "red"' in said and '"author": null' in said, said
        [nobody] = re.findall(r"`(env -u [^`]+)`", (REPOSITORY / "docs/backend.md").read_text())
        assert "notes:read:red" in shell.run(nobody, expected=1)
    question = {"request": {"method": "get", "resource": "/", "host": "notes.example.com", "port": 443}, "required": "notes:read:red"}
    request = urllib.request.Request(f"{server.root_url}/api/falconer/v1/check", json.dumps(question).encode(), {"Content-Type": "application/json"})
    answer = json.load(urllib.request.urlopen(request, timeout=PATIENCE))
    assert "notes.example.com" in shell.run(why.replace("Vk3nWm2DTaC5m0nUoZ1fGg", answer["id"]))


def test_node_md(shell):
    [install, *_] = blocks("docs/node.md")
    shell.run(f"npm init -y && npm pkg set type=module\nexport npm_config_offline=true\n{install}")
    assert shell.run("node -e \"import('falconer/http').then(({ Guard }) => console.log(typeof Guard))\"") == "function\n"


def test_settings_of_pages_are_accepted(shell):
    """Those of docs/metrics.md, docs/scaling.md and docs/scim.md; other pages' are read by crates/falconer/tests/commands/docs.rs."""
    keys = shell.run('cat "$FALCONER_DATA_DIR/falconer.keys"')
    for name, text in {"falconer.keys": keys, "company.secret": "a secret", "company.scim-token": "a-token-of-more-than-22-characters"}.items():
        (shell.folder / name).write_text(text)
        (shell.folder / name).chmod(0o600)
    shell.replaced = {"/etc/falconer/": f"{shell.folder}/"}
    shell.environment.pop("FALCONER_DATA_DIR")
    for page in ("docs/metrics.md", "docs/scaling.md", "docs/scim.md"):
        (shell.folder / "falconer.toml").write_text(shell.fill(blocks(page)[0].replace("/var/lib/falconer", str(shell.folder / "data"))))
        shell.run("falconer config check --config falconer.toml")


def test_answers_of_pages(server):
    """What docs/scaling.md, docs/grants.md and docs/frontend.md say that a server answers."""
    def get(path):
        with urllib.request.urlopen(server.root_url + path, timeout=PATIENCE) as answer:
            return answer.read().decode()

    assert json.loads(blocks("docs/scaling.md")[2]).keys() >= json.loads(get("/__heartbeat__")).keys() >= {"revision"}
    request = blocks("docs/grants.md")[0].strip()
    assert "notes.example.com" in get(request.removeprefix("https://auth.example.com"))
    command, example = blocks("docs/frontend.md")[4].splitlines()
    about = json.loads(get(command.removeprefix("curl https://auth.example.com")))
    assert about.keys() == json.loads(example.removeprefix("# ")).keys()


def test_readme_md(server, shell, tmp_path):
    demo, said, path, serve, python, calls = blocks("README.md")
    shell.run(path)
    process = started(shell, demo.strip().replace("cargo run --release --", "falconer") + " --listen 127.0.0.1:0 --data-dir demo")
    try:
        printed = [process.stdout.readline() for _ in said.splitlines()]
        labels = [re.split(r"\s{2,}|http", line)[0] for line in said.splitlines()]
        assert all(line.startswith(label) for line, label in zip(printed, labels, strict=True)), printed
        notes, falconer = printed[0].split()[-1], printed[-1].split()[-1]
        token = shell.run("falconer root-reset --data-dir demo").split()[-1]
        shell.environment.update(TASKCLUSTER_CLIENT_ID="static/falconer/root", TASKCLUSTER_ACCESS_TOKEN=token)
        shell.replaced.update({"http://localhost:8080": falconer, "http://127.0.0.1:8081": notes})
        # The browser gives root's credentials here.
        lines = [line for line in calls.splitlines() if "signin" not in line]
        assert len(lines) == 3
        until(shell, f"{lines[0]}\nfalconer current-scopes")
        assert "*" in shell.run("\n".join(lines))
    finally:
        stop(process)

    shell.replaced["/var/lib/falconer"] = tmp_path / "served"
    shell.environment.pop("FALCONER_DATA_DIR")
    process = started(shell, serve.strip() + " --listen 127.0.0.1:0")
    try:
        root_url = root_url_of(process)
        assert root_url
        root = json.loads((tmp_path / "served/root-credentials.json").read_text())
        script = textwrap.dedent(python).replace("http://localhost:8080", root_url).replace("...", repr(root["accessToken"]))
        *before, last = script.strip().splitlines()
        names = {}
        exec("\n".join(before), names)  # noqa: S102
        expression, _, comment = last.partition("#")
        assert eval(expression, names)["scopes"] == comment.strip().split(", ")  # noqa: S307
    finally:
        stop(process)
