"""What a service behind each kit answers, from the cases that all kits share, against the real server."""

from __future__ import annotations

import json

import pytest
from conftest import vectors
from scenarios import credentials_of, elsewhere, filled, judge, request_of, send
from services import started

__all__ = ["elsewhere"]

CASES = vectors("ours/scenarios")
KITS = ["FastAPI on uvicorn", "Starlette on uvicorn", "Flask on waitress", "Flask on gunicorn"]


def test_no_case_was_lost():
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.fixture(scope="session")
def services(server, elsewhere):
    """A service by kit and by what a case says of it; each is started once."""
    running = {}

    def service(kit, case):
        host, settings = case.get("host", "127.0.0.1"), case.get("service", {})
        root = elsewhere.get(case.get("falconer"), server.root_url)
        key = (kit, host, root, json.dumps(settings, sort_keys=True))
        if key not in running:
            running[key] = started(kit, root, settings_of(case), host)
        return running[key]

    yield service
    for one in running.values():
        one.stop()


def settings_of(case):
    settings = case.get("service", {})
    return {
        "payload_hash_required": settings.get("payloadHashRequired", False),
        "bearer_tokens": settings.get("bearerTokens", False),
        **({"protected_resource": settings["protectedResource"]} if "protectedResource" in settings else {}),
        "body_limit": settings.get("bodyLimitBytes", 1024 * 1024),
        "cors": settings.get("cors"),
        "timeout": 1.0 if case.get("falconer") == "slow" else 60.0,
    }


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_scenario(kit, case, services, server):
    given, expected = case["input"], case["expected"]
    origin = services(kit, given).origin
    bytes_of = request_of(given, origin, credentials_of(given["caller"], server))
    for _ in range(given.get("times", 1)):
        answer, body = send(origin, *bytes_of)
        judge(answer, body, filled(expected, origin, server.root_url))
