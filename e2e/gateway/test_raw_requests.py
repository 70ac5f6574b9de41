"""The requests that all kits share byte by byte, to the gateway in front of a service."""

import pytest
from behind import Behind
from conftest import vectors
from proxies import Protected
from raw_requests import exchange, judge
from scenarios import credentials_of
from test_scenarios import RULES

CASES = vectors("ours/raw-requests")
# What the gateway does otherwise on purpose.
DIFFERENT = {}


def test_no_case_was_lost():
    assert len(CASES) >= 71
    assert set(DIFFERENT) <= {case["name"] for case in CASES}


@pytest.fixture(scope="module")
def services(server, tmp_path_factory):
    running, behind = {}, Behind(["*"])

    def one(case):
        limit = case.get("service", {}).get("bodyLimitBytes")
        if limit not in running:
            head = 'cors = ["*"]\nfalconer_timeout_ms = 60000' + (f"\nbody_limit_bytes = {limit}" if limit else "")
            running[limit] = Protected("upstream", tmp_path_factory.mktemp("raw") / "run", server.root_url, behind, head=head, rules=RULES)
        return running[limit]

    yield one
    for service in [*running.values(), behind]:
        service.stop()


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_raw_request(case, services, server):
    given = case["input"]
    said = exchange(services(given).origin, given, credentials_of(given["caller"], server))
    judge(said, DIFFERENT.get(case["name"], case["expected"]))
