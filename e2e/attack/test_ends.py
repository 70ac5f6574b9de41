"""What the command ends with where there is nothing to find, or nothing to find it with."""

import os
import pathlib
import pty
from collections import Counter

import pytest
from attacked import Attacked, attack, broken, held_port


ROUTES = pathlib.Path(__file__).with_name("routes.toml")
NOBODY = "http://127.0.0.1:1"


@pytest.fixture(scope="module")
def whole(server, tmp_path_factory):
    """The service without a fault: its origin."""
    origin, program, _ = broken("Service", server, tmp_path_factory.mktemp("whole"))
    yield origin
    program.stop()


def test_nobody_is_there(server, operator, whole):
    nobody = f"http://127.0.0.1:{held_port()}"
    for service, more, said in [(nobody, [], f"nobody answers at {nobody}"), (whole, ["--root-url", nobody], f"Falconer does not answer at {nobody}")]:
        done = attack(service, "--routes", ROUTES, "--yes", *more, server=server, credentials=operator)
        assert (done.returncode, done.stdout) == (1, "") and said in done.stderr, done.stderr
    done = attack(whole, "--routes", "/nowhere.toml", "--yes", server=server, credentials=operator)
    assert done.returncode == 1 and "can't read the routes" in done.stderr


def test_wrong_use_sends_nothing(server, operator, whole, tmp_path):
    for arguments, said in [
        (["--routes", ROUTES], "--yes"),
        (["--route", "GET /a b", "--scope", "a", "--yes"], "no path as it is sent"),
        (["--route", "GET /a"], "--scope"),
        (["--origin", "notes.example.com", "--yes"], "not a URL"),
    ]:
        done = attack(whole, *arguments, server=server, credentials=operator)
        assert (done.returncode, done.stdout) == (2, "") and said in done.stderr, done.stderr
    assert attack(whole + "/books", "--yes", server=server, credentials=operator).returncode == 2
    (tmp_path / "wrong.toml").write_text('[[route]]\nrequest = "GET /a"\n\n[[route]]\nrequest = "GET /b"\n')
    done = attack(whole, "--routes", tmp_path / "wrong.toml", "--yes", server=server, credentials=operator)
    assert done.returncode == 1 and f"{tmp_path}/wrong.toml:1: " in done.stderr and f"{tmp_path}/wrong.toml:4: " in done.stderr


def test_what_was_not_tried_is_no_pass(server, operator, whole):
    def ended(*arguments, credentials=operator):
        return Attacked(attack(whole, *arguments, "--yes", "--json", server=server, credentials=credentials))

    # No route, no scope, another scope than the service wants, an origin that it is not: each time it refuses everything, and that says nothing.
    assert ended().code == 4
    one = ["--route", "GET /books/red/notes", "--scope"]
    assert ended(*one, "notes:read:red").code == 0
    assert ended(*one, "notes:read:red", "--all").code == 4
    for arguments in ([*one, "notes:read:blue"], ["--route", "GET /nothing", "--scope", "notes:read:red"], [*one, "notes:read:red", "--origin", "https://notes.example.com"]):
        found = ended(*arguments)
        assert found.code == 4 and len(found.said["unusableRoutes"]) == 1, found.rows
        held = [row for row in found.rows if row["outcome"] == "held" and row.get("route")]
        assert {row["attack"] for row in held} <= {"cross-origin", "secrets-in-answers"}, held
    found = ended(*one, "queue:create-task:*")
    assert found.code == 4 and "not enough" in found.said["unusableRoutes"][0], found.said


def test_a_route_that_works_once_only_says_nothing(server, operator, tmp_path):
    """Whatever was let in got the same refusal as what was not."""
    origin, program, _ = broken("OnceOnly", server, tmp_path)
    try:
        found = Attacked(attack(origin, "--routes", ROUTES, "--yes", "--json", server=server, credentials=operator))
    finally:
        program.stop()
    put = "PUT /books/red/notes/attack"
    assert found.code == 4 and put in found.said["unusableRoutes"][0] and "409" in found.said["unusableRoutes"][0], found.said
    assert {row["outcome"] for row in found.rows if row.get("route") == put} == {"not-tried"}
    assert "held" in {row["outcome"] for row in found.rows if row.get("route") == "GET /books/red/notes"}


def test_a_grant_is_enough_for_most(server, whole, tmp_path):
    """Temporary credentials make no certificates: what needs one is not tried, the rest is."""
    granted = server.grant(f"{whole}/", ["notes:read:red"])
    found = Attacked(attack(whole, "--route", "GET /books/red/notes", "--scope", "notes:read:red", "--yes", "--json", server=server, credentials=granted))
    assert (found.code, found.with_outcome("finding")) == (0, {}), found.rows
    untried = found.with_outcome("not-tried")
    assert untried.keys() == {"expired-certificate", "widened-scopes", "look-alike-scope", "secrets-in-logs", "falconer-away"}, untried
    assert "temporary" in untried["expired-certificate"]["seen"][0]


def test_no_secret_of_the_operator_is_said(server, operator, whole):
    done = attack(whole, "--routes", ROUTES, "--yes", server=server, credentials=operator)
    assert done.returncode == 0 and operator["accessToken"] not in done.stdout + done.stderr
    assert "0 findings" in done.stdout and "not tried  falconer-away" in done.stdout


def test_a_service_without_falconer_lets_nobody_in(server, operator, tmp_path):
    # The one that opens does not know who anybody is, and keeps one person's route for that person.
    for name, code, outcomes in (("Service", 0, {"held": 4}), ("OpenWithoutFalconer", 3, {"finding": 3, "note": 1})):
        origin, program, _ = broken(name, server, tmp_path, falconer=NOBODY)
        try:
            done = attack(origin, "--routes", ROUTES, "--falconer-away", "--yes", "--json", server=server, credentials=operator)
        finally:
            program.stop()
        found = Attacked(done)
        assert (found.code, Counter(row["outcome"] for row in found.rows)) == (code, outcomes), found.rows


def test_the_plan_names_everything_and_sends_nothing(server, operator, tmp_path):
    origin, program, log = broken("Service", server, tmp_path)
    try:
        done = attack(origin, "--routes", ROUTES, "--dry-run", server=server, credentials=operator)
    finally:
        program.stop()
    assert (done.returncode, log.read_text()) == (0, "")
    for line in ROUTES.read_text().splitlines():
        if line.startswith("request"):
            assert line.split('"')[1] in done.stdout


@pytest.mark.parametrize(("said", "code", "ends"), [("n", 1, "nothing was sent"), ("", 1, "nothing was sent"), ("y", 0, "0 findings")])
def test_whoever_sits_at_a_terminal_is_asked(server, operator, whole, said, code, ends):
    ours, theirs = pty.openpty()
    try:
        os.write(ours, f"{said}\n".encode())
        done = attack(whole, "--route", "GET /books/red/notes", "--scope", "notes:read:red", server=server, credentials=operator, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)
    assert done.returncode == code and ends in done.stdout + done.stderr
    assert "Is this your service" in done.stderr and "GET /books/red/notes" in done.stderr
