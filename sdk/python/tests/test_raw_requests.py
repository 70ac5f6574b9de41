"""What a service behind each kit answers to requests that no client library would send, from the cases that all kits share, against the real server."""

from __future__ import annotations

import pytest
from conftest import vectors
from raw_requests import exchange, judge
from scenarios import credentials_of
from services import started
from test_scenarios import settings_of

CASES = vectors("ours/raw-requests")
KITS = ["FastAPI on uvicorn", "Starlette on uvicorn", "Starlette on uvicorn with httptools", "Flask on waitress", "Flask on gunicorn"]
# These ask for a body before they hand a request on.
ASKING_EARLY = ["Flask on waitress", "Flask on gunicorn"]
# An ASGI server does not tell whether there was a `?` without a query: what was signed with one is not verified, and what was signed without one is the same to the application.
DIFFERENT = {
    "an empty query, signed as it is": {"answers": [{"status": [401], "reason": "bad-mac"}]},
    "an empty query, signed without": {"answers": [{"status": [200]}]},
}
# It takes a trailer that came with the body for a header. Whose signature it is, is known all the same.
IN_THE_TRAILER = {"an Authorization header in the trailer": {"answers": [{"status": [200, 403]}]}}


def test_no_case_was_lost():
    assert len(CASES) >= 71
    assert len({case["name"] for case in CASES}) == len(CASES)
    assert set(DIFFERENT) <= {case["name"] for case in CASES}


@pytest.fixture(scope="module")
def services(server):
    running = {}

    def service(kit, case):
        key = (kit, str(case.get("service")))
        if key not in running:
            running[key] = started(kit, server.root_url, settings_of(case))
        return running[key]

    yield service
    for one in running.values():
        one.stop()


@pytest.mark.parametrize("kit", KITS)
@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_raw_request(kit, case, services, server):
    given, expected = case["input"], case["expected"]
    if "uvicorn" in kit:
        expected = DIFFERENT.get(case["name"], expected)
    if kit.endswith("httptools"):
        expected = IN_THE_TRAILER.get(case["name"], expected)
    said = exchange(services(kit, given).origin, given, credentials_of(given["caller"], server))
    judge(said, expected, asks_early=kit in ASKING_EARLY)
