"""docs/attack.md: its file and its commands work, and its tables name what there is."""

import json
import re
import shlex
import subprocess

from attacked import BIN, attack, broken
from conftest import REPOSITORY
from falconer_server import PATIENCE, clean_environment

PAGE = (REPOSITORY / "docs/attack.md").read_text()


def blocks(language):
    return re.findall(rf"```{language}\n(.*?)```", PAGE, re.S)


def test_the_commands_do_what_the_page_says(server, operator, tmp_path):
    origin, program, log = broken("Service", server, tmp_path)
    (tmp_path / "attack.toml").write_text(blocks("toml")[0])
    lines = [line for line in PAGE.splitlines() if line.startswith("falconer attack http") and "away" not in line]
    said = []
    try:
        for line in lines:
            for before, after in (("http://127.0.0.1:8082", origin), ("attack.toml", tmp_path / "attack.toml"), ("/var/log/notes.log", log)):
                line = line.replace(before, str(after))
            said.append(attack(*shlex.split(line)[2:], server=server, credentials=operator))
    finally:
        program.stop()
    dry, asks, sends = said
    assert dry.returncode == 0 and f"Attacks {origin} and no other host" in dry.stdout and "PUT /books/red/notes/attack (needs notes:write:red)" in dry.stdout
    # Nobody can be asked here.
    assert (asks.returncode, asks.stdout) == (2, "") and "--yes" in asks.stderr
    # The frame lists a path that is one person's, which the file of the page does not have.
    assert (sends.returncode, json.loads(sends.stdout)["findings"]) == (0, 0), sends.stdout


def test_the_tables_are_complete(tmp_path):
    listed = subprocess.run([BIN, "attack", "--list"], check=True, capture_output=True, text=True, env=clean_environment(), timeout=PATIENCE).stdout
    rows = [line.split(None, 1) for line in listed.splitlines()[1:]]
    table = PAGE.split("| attack | sends |\n| --- | --- |\n", 1)[1].split("\n\n", 1)[0]
    assert re.findall(r"^\| `([^`]+)` \| (.*) \|$", table, re.M) == [tuple(row) for row in rows]
    assert len(rows) >= 35

    (tmp_path / "routes.toml").write_text("[[route]]\nno_such_key = 1\n")
    said = attack("http://127.0.0.1:1", "--routes", tmp_path / "routes.toml").stderr
    known = set(re.findall(r"`(\w+)`", said.split("expected one of", 1)[1]))
    keys = PAGE.split("| key of a route | if not given | |", 1)[1].split("\n\n", 1)[0]
    assert known - {"public"} == set(re.findall(r"^\| `([^`]+)` \|", keys, re.M))


def test_each_attack_says_where_more_is_said():
    sources = (REPOSITORY / "crates/attack/src/attacks").glob("*/*.rs")
    pages = [page for source in sources for page in re.findall(r'page: "([^"]+)"', source.read_text())]
    assert len(pages) >= 35
    for page in pages:
        name, _, anchor = page.partition("#")
        text = (REPOSITORY / "docs" / name).read_text()
        anchors = {re.sub(r"[^\w -]", "", title).strip().lower().replace(" ", "-") for title in re.findall(r"^#+ (.*)$", text, re.M)}
        assert not anchor or anchor in anchors, (page, anchors)
