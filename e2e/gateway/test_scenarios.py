"""The cases that all kits share, through each proxy and through the gateway alone."""

import json

import pytest
from behind import Behind
from conftest import vectors
from proxies import PLACES, Protected
from scenarios import credentials_of, filled, judge, request_of, send

CASES = vectors("ours/scenarios")
RULES = """
[[rule]]
methods = ["GET"]
path = "/books/{book}"
scope = { AnyOf = ["notes:read:<book>", "notes:admin"] }

[[rule]]
methods = ["PUT"]
path = "/books/{book}"
scope = "notes:write:<book>"
"""
UNCHECKED = RULES + 'body = "unchecked"\n'

# What the gateway does otherwise on purpose, everywhere: a request for another host is another service's, a preflight of a page that may not call is no request of a rule, and a
# path with a control character is none either.
DIFFERENT = {
    "the Host header does not count": {"status": 421, "code": "InputError", "reason": "other-host"},
    "signed for what the Host header says": {"status": 421, "code": "InputError", "reason": "other-host"},
    "a parameter with a line feed": {"status": 400, "code": "InputError", "reason": "bad-target"},
    "preflight of an origin that is not listed": {"status": 404, "code": "ResourceNotFound", "headers": {"Access-Control-Allow-Origin": None}},
}


def needs_to_be_in_front(case):
    """Whether the case is about a body that has to be compared, which nobody sees beside a proxy, or about an answer of the gateway's own."""
    service = case["input"].get("service", {})
    if case["input"]["request"]["path"].startswith("/.well-known/") and case["expected"]["status"] == 200:
        return True
    return case["expected"].get("reason") == "payload-differs" or "payloadHashRequired" in service or "bodyLimitBytes" in service


WHERE = [(place, case) for place in PLACES for case in CASES if place == "upstream" or not needs_to_be_in_front(case)]


def test_no_case_was_lost():
    left_out = [case["name"] for case in CASES if needs_to_be_in_front(case)]
    assert len(CASES) >= 80 and len(left_out) == 12, left_out
    assert set(DIFFERENT) <= {case["name"] for case in CASES}


@pytest.fixture(scope="module")
def protected(server, elsewhere, tmp_path_factory):
    running, services = {}, {}

    def one(place, case):
        host, settings = case.get("host", "127.0.0.1"), case.get("service", {})
        root = elsewhere.get(case.get("falconer"), server.root_url)
        key = (place, host, root, json.dumps(settings, sort_keys=True))
        if key not in running:
            cors = settings.get("cors", ["*"])
            if str(cors) not in services:
                services[str(cors)] = Behind(cors)
            head = [f"cors = {json.dumps(cors)}", f"falconer_timeout_ms = {1000 if case.get('falconer') == 'slow' else 60000}"]
            if settings.get("payloadHashRequired"):
                head.append("payload_hash_required = true")
            if settings.get("bearerTokens"):
                head.append("bearer_tokens = true")
            resource = settings.get("protectedResource")
            if resource is not None:
                head.append(f"protected_resource = {{ path = {json.dumps(resource['path'])}, scopes = {json.dumps(resource['scopes'])} }}")
            if "bodyLimitBytes" in settings:
                head.append(f"body_limit_bytes = {settings['bodyLimitBytes']}")
            folder = tmp_path_factory.mktemp(place) / "run"
            running[key] = Protected(place, folder, root, services[str(cors)], host, "\n".join(head), UNCHECKED)
        return running[key]

    yield one
    for service in [*running.values(), *services.values()]:
        service.stop()


@pytest.mark.parametrize(("place", "case"), WHERE, ids=[f"{place}: {case['name']}" for place, case in WHERE])
def test_scenario(place, case, protected, server):
    given, expected = case["input"], DIFFERENT.get(case["name"], case["expected"])
    if place == "envoy" and expected["status"] == 503:
        # Envoy takes it for a failure of its own, and drops what the answer says.
        expected = {"status": 503}
    service = protected(place, given)
    sent = request_of(given, service.origin, credentials_of(given["caller"], server))
    for _ in range(given.get("times", 1)):
        answer, body = send(service.origin, *sent)
        judge(answer, body, filled(expected, service.origin, server.root_url))
