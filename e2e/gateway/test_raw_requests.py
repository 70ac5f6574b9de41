"""The requests that all kits share byte by byte: to the gateway in front of a service, and to each proxy with the gateway beside it."""

import pytest
from behind import Behind
from conftest import vectors
from proxies import PLACES, Protected
from raw_requests import exchange, judge
from scenarios import credentials_of
from test_scenarios import RULES, UNCHECKED

CASES = vectors("ours/raw-requests")
ENVOY = ("envoy", "envoy-grpc")
BESIDE = tuple(place for place in PLACES if place != "upstream")

# Beside a proxy nobody compares the body: the route says `body = "unchecked"`, and whoever protects a service so knows it.
NEEDS_THE_BODY = (
    "a changed body in chunks",
    "a request whose body was changed, and another one behind it",
    "a body in chunks beyond the limit of the service",
    "a packed body, signed unpacked",
)

# An answer of HTTP/0.9: a body alone.
HEADLESS = {"answers": [], "never": '"book":"red"'}

# What a proxy does before the gateway is asked, or with the answer: the places, the case, and what is expected there. Nobody gets more than they may.
DIFFERENT = [
    # nginx refuses what Falconer would refuse too, in words of its own.
    (("nginx",), "the same Authorization header two times", {"answers": [{"status": [400]}]}),
    (("nginx",), "a good Authorization header before another one", {"answers": [{"status": [400]}]}),
    (("nginx",), "a good Authorization header behind another one", {"answers": [{"status": [400]}]}),
    (("nginx",), "a good Authorization header before an empty one", {"answers": [{"status": [400]}]}),
    (("nginx",), "a good Authorization header behind an empty one", {"answers": [{"status": [400]}]}),
    # Envoy drops an empty header, for the gateway and for the service alike.
    (ENVOY, "a good Authorization header before an empty one", {"answers": [{"status": [200], "body": '"book":"red"'}]}),
    (ENVOY, "a good Authorization header behind an empty one", {"answers": [{"status": [200], "body": '"book":"red"'}]}),
    # A body is asked for before anybody was asked whether the request may be made.
    (("nginx", *ENVOY), "a body that is announced by nobody is not asked for", {"answers": [{"status": [403], "reason": "no-credentials"}], "never": '"book":"red"', "continues": True}),
    (
        ("nginx", *ENVOY),
        "a body that is announced with a wrong signature is not asked for",
        {"answers": [{"status": [401], "reason": "bad-mac"}], "never": '"book":"red"', "continues": True},
    ),
    # A line without a version is HTTP/0.9 to nginx, whose answers have no head, and a reason to speak a newer one to Envoy.
    (("nginx",), "a line feed in the path", HEADLESS),
    (ENVOY, "a line feed in the path", {"answers": [{"status": [426]}], "never": '"book":"red"'}),
    (ENVOY, "HTTP/1.0 without a Host header", {"answers": [{"status": [426]}]}),
    (ENVOY, "HTTP/1.0 without a Host header, nobody signed", {"answers": [{"status": [426]}]}),
    # Traefik tidies paths up, and the gateway is asked about the tidy path, which is the one that the service gets.
    (("traefik",), "dots in the path, signed for what they lead to", {"answers": [{"status": [200], "body": '"path":"/books/red"'}]}),
    (("traefik",), "an encoded letter, signed as it is", {"answers": [{"status": [401], "reason": "bad-mac"}], "never": '"book":"red"'}),
    (("traefik",), "an encoded letter, signed decoded", {"answers": [{"status": [200], "body": '"path":"/books/red"'}]}),
    # The service behind never gets the whole of it, and the proxy says so in its way.
    (("traefik", "caddy"), "chunks that are no chunks", {"answers": [{"status": [400, 500, 502], "optional": True}], "never": '"book":"red"'}),
    (("traefik", "caddy"), "a body that ends half way", {"answers": [{"status": [400, 499, 500, 502], "optional": True}], "never": '"book":"red"'}),
    (("traefik", "caddy"), "chunks that end half way", {"answers": [{"status": [400, 499, 500, 502], "optional": True}], "never": '"book":"red"'}),
    # The answer is the service's, as it is: the page says what to add for signed URLs.
    (BESIDE, "a signed URL is kept by no cache", {"answers": [{"status": [200], "headers": {"Cache-Control": None}, "body": '"book":"red"'}]}),
    (BESIDE, "a signed URL with a query of its own is kept by no cache", {"answers": [{"status": [200], "headers": {"Cache-Control": None}, "body": '"book":"red"'}]}),
]

WHERE = [(place, case) for place in PLACES for case in CASES if place == "upstream" or case["name"] not in NEEDS_THE_BODY]


def expected(place, case):
    """What the case says, unless a rule of this place says something else."""
    return next((rule for places, name, rule in DIFFERENT if place in places and name == case["name"]), case["expected"])


def test_no_case_was_lost():
    names = {case["name"] for case in CASES}
    assert len(CASES) >= 71
    assert {*NEEDS_THE_BODY, *(name for _, name, _ in DIFFERENT)} <= names
    assert len({(place, name) for places, name, _ in DIFFERENT for place in places}) == sum(len(places) for places, _, _ in DIFFERENT)


@pytest.fixture(scope="module")
def services(server, tmp_path_factory):
    running, behind = {}, Behind(["*"])

    def one(place, case):
        limit = case.get("service", {}).get("bodyLimitBytes")
        if (place, limit) not in running:
            head = 'cors = ["*"]\nfalconer_timeout_ms = 60000' + (f"\nbody_limit_bytes = {limit}" if limit else "")
            folder = tmp_path_factory.mktemp(place) / "run"
            running[place, limit] = Protected(place, folder, server.root_url, behind, head=head, rules=RULES if place == "upstream" else UNCHECKED)
        return running[place, limit]

    yield one
    for service in [*running.values(), behind]:
        service.stop()


@pytest.mark.parametrize(("place", "case"), WHERE, ids=[f"{place}: {case['name']}" for place, case in WHERE])
def test_raw_request(place, case, services, server):
    given = case["input"]
    said = exchange(services(place, given).origin, given, credentials_of(given["caller"], server))
    wanted = expected(place, case)
    if wanted is HEADLESS:
        assert "HTTP/1." not in said and '"code"' in said, said
        said = said.replace('": "', '":"')
        assert wanted["never"] not in said, said
        return
    judge(said, wanted)
