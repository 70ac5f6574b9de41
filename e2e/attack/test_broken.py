"""Each broken service is found out, by the attack that is meant for it, and the one that is whole is not."""

import pathlib

import pytest
from attacked import Attacked, attack, broken
from broken import FOUND, Service
from frame import session_cookie

ROUTES = pathlib.Path(__file__).with_name("routes.toml").read_text()
# What each broken service is asked for, besides what its own fault needs; the whole one is asked for all.
USUAL = ["GET /", "GET /openapi.json", "GET /books/red/notes", "PUT /books/red/notes/attack"]


def tried(name, server, operator, folder, wanted=None):
    origin, program, log = broken(name, server, folder)
    routes, session, other = folder / "routes.toml", folder / "session", folder / "other-session"
    session.write_text(session_cookie(origin.removeprefix("http://")) + "\n")
    other.write_text(session_cookie("other.example.com"))
    blocks = ["[[route]]" + block for block in ROUTES.split("[[route]]")[1:]]
    routes.write_text("".join(block for block in blocks if wanted is None or any(f'"{request}"' in block for request in wanted)))
    try:
        of_browsers = ["--session", session, "--other-session", other, "--sign-out", "/sign-out"]
        return Attacked(attack(origin, "--routes", routes, *of_browsers, "--log", log, "--yes", "--json", server=server, credentials=operator))
    finally:
        program.stop()


@pytest.mark.parametrize("service", FOUND, ids=lambda service: service.__name__)
def test_a_broken_service_is_found_out(service, server, operator, tmp_path):
    found = tried(service.__name__, server, operator, tmp_path, [*USUAL, *getattr(service, "also", [])])
    assert found.code == 3, found.stderr
    findings = found.with_outcome("finding")
    assert FOUND[service] in findings, findings
    finding = findings[FOUND[service]]
    assert finding["seen"] and finding["means"] and finding["advice"], finding


def test_a_whole_service_is_not(server, operator, tmp_path):
    found = tried(Service.__name__, server, operator, tmp_path)
    assert (found.code, found.with_outcome("finding"), found.said["unusableRoutes"]) == (0, {}, []), found.with_outcome("finding")
    # Everything was tried but what can't be.
    assert found.with_outcome("not-tried").keys() == {"falconer-away"}
    assert found.with_outcome("does-not-apply") == {}
    assert found.with_outcome("note").keys() == {"replay"}
