"""When Falconer is away, slow, old, or somebody else answers in its place: nobody is let in, and nobody waits long."""

from __future__ import annotations

import concurrent.futures
import json
import socket
import time

import anyio
import httpx
import pytest
from authority import ALLOWED, Authority
from conftest import vectors
from services import bound

from falconer import AsyncVerifier, Caller, Denied, Failed, SignedRequest, Verifier

ORIGIN = "https://notes.example.com"
REQUEST = SignedRequest("GET", "/books/red")


@pytest.fixture
def authority():
    running = Authority()
    yield running
    running.stop()


def check_sync(root_url, times=1, **settings):
    verifier = Verifier(root_url, ORIGIN, **settings)
    return [verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]


def check_async(root_url, times=1, **settings):
    async def main():
        verifier = AsyncVerifier(root_url, ORIGIN, **settings)
        decisions = [await verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]
        await verifier.aclose()
        return decisions

    return anyio.run(main)


BOTH = pytest.mark.parametrize("check", [check_sync, check_async])


@BOTH
def test_connections_are_kept(check, authority):
    authority.answer = ALLOWED
    assert all(not isinstance(one, (Denied, Failed)) for one in check(authority.root_url, 10))
    assert (authority.asked, authority.connections) == (10, 1)


TRACE = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"


@BOTH
@pytest.mark.parametrize(("given", "sent"), [(TRACE, TRACE), (None, None), ("", None), (f"{TRACE}-more", None), (f"{TRACE}\n", None), (TRACE.upper(), None)])
def test_the_question_is_a_part_of_the_trace_of_the_request(check, authority, monkeypatch, given, sent):
    authority.answer = ALLOWED
    monkeypatch.setattr(f"{__name__}.REQUEST", SignedRequest("GET", "/books/red", traceparent=given))
    check(authority.root_url)
    assert authority.traces == [sent]


@BOTH
def test_a_kept_connection_that_broke_is_made_anew(check, authority):
    authority.answer, authority.hang_up_after = ALLOWED, 2
    assert all(not isinstance(one, (Denied, Failed)) for one in check(authority.root_url, 9))
    assert authority.asked == 9


@BOTH
@pytest.mark.parametrize(
    "answer",
    [
        (200, b""), (200, b"[]"), (200, b"null"), (200, b'{"status": "ok"}'), (200, b'{"status": "allowed"}'), (200, b"["  * 100_000), (200, b'{"status": "failed", "reason": 7}'),
        (204, b""), (302, b"{}"), (400, b"<h1>"), (401, b"{}"), (403, b"no"),
        (429, b"{}"), (500, b"{}"), (503, b'{"code": "ServiceUnavailable"}'), (404, b'{"code": "ResourceNotFound"}'),
        (200, b'{"status": "allowed", "expires": "x", "identity": 7}'), (200, b'{"status": "allowed", "expires": "x", "revealed": [7]}'), (200, b'{"status": "allowed", "expires": "x", "hash": null}'),
    ],
    ids=lambda answer: f"{answer[0]} {answer[1][:60]!r}",
)
def test_an_answer_that_is_none_lets_nobody_through(check, authority, answer):
    authority.answer = answer
    (decision,) = check(authority.root_url)
    assert isinstance(decision, Failed) and decision.reason == "unavailable" and decision.refusal.status == 503
    assert "127.0.0.1" not in decision.refusal.message and authority.root_url in decision.refusal.log


REFUSED = vectors("ours/refused-questions")


def test_no_case_was_lost():
    assert len(REFUSED) >= 21


@BOTH
@pytest.mark.parametrize("case", REFUSED, ids=[case["name"] for case in REFUSED])
def test_a_question_that_falconer_refuses_is_the_callers_fault_or_the_authors(check, authority, case):
    """The kits had it otherwise, so that one answered 400 for what another called an outage."""
    given = case["input"]
    body = given["body"] if isinstance(given["body"], str) else json.dumps(given["body"])
    authority.only, authority.answer = given["method"], (given["status"], body.encode())
    (decision,) = check(authority.root_url)
    assert isinstance(decision, Failed)
    refusal = decision.refusal
    assert {"status": refusal.status, "code": refusal.code, "reason": refusal.reason} == case["expected"]
    assert "---" not in refusal.message and authority.root_url not in refusal.message


@BOTH
@pytest.mark.parametrize("answer", [(500, b"{}"), (502, b"<h1>Bad gateway</h1>")], ids=["an error", "a page of a proxy"])
def test_after_five_failures_nobody_waits(check, authority, answer):
    now = [0.0]
    authority.answer = answer
    assert all(one.reason == "unavailable" for one in check(authority.root_url, 20, monotonic=lambda: now[0]))
    assert authority.asked == 5


LARGE = vectors("ours/large-questions")


def test_no_large_question_was_lost():
    assert len(LARGE) >= 8


@pytest.mark.parametrize("case", LARGE, ids=[case["name"] for case in LARGE])
@pytest.mark.parametrize("under_asyncio", [False, True])
def test_a_request_that_falconer_would_not_read_is_not_asked_about(authority, case, under_asyncio):
    """Falconer would close the connection while such a question is still being sent: five of them, and nobody else would be asked about."""

    def text(begins, name):
        given = case["input"].get(name, {"text": "", "times": 0})
        return begins + given["text"] * given["times"]

    request, required = SignedRequest("GET", text("/", "resource"), text("Hawk ", "authorization")), text("notes:", "required")

    async def main():
        return await AsyncVerifier(authority.root_url, ORIGIN).check(request, required, body=b"")

    authority.answer = ALLOWED
    decision = anyio.run(main) if under_asyncio else Verifier(authority.root_url, ORIGIN).check(request, required, body=b"")
    refusal = decision.refusal if isinstance(decision, (Denied, Failed)) else None
    said = {"status": refusal.status, "code": refusal.code, "reason": refusal.reason} if refusal else {"status": 200, "code": None, "reason": None}
    assert {"asked": authority.asked > 0, **said} == case["expected"]


def test_a_request_that_is_too_large_says_nothing_about_falconer(authority):
    """It took the place of the one question that tries whether Falconer is back, and was told as an answer of it."""
    now = [0.0]
    authority.answer = (500, b"{}")
    verifier = Verifier(authority.root_url, ORIGIN, monotonic=lambda: now[0])

    def status(request):
        decision = verifier.check(request, "notes:read:red", body=b"")
        assert isinstance(decision, Failed)
        return decision.refusal.status

    assert [status(REQUEST) for _ in range(5)] == [503] * 5
    now[0] = 1.1
    assert status(SignedRequest("GET", "/books/red", "a" * 70_000)) == 413
    assert [status(REQUEST), status(REQUEST), authority.asked] == [503, 503, 6]


def test_one_question_tries_whether_falconer_is_back(authority):
    now = [0.0]
    authority.answer = (500, b"{}")
    verifier = Verifier(authority.root_url, ORIGIN, monotonic=lambda: now[0])

    def ask(times):
        before = authority.asked
        decisions = [verifier.check(REQUEST, "notes:read:red", body=b"") for _ in range(times)]
        return authority.asked - before, sum(isinstance(one, Caller) for one in decisions)

    assert ask(20) == (5, 0)
    now[0] = 1.1
    assert ask(20) == (1, 0)
    now[0], authority.answer = 2.2, ALLOWED
    assert ask(20) == (20, 20)


def test_what_a_caller_wrote_does_not_shut_others_out(authority):
    """A proxy before Falconer that dislikes a URL, or a caller who hangs up, says nothing about Falconer."""
    authority.answer = (403, b"<h1>attack detected</h1>")
    verifier = Verifier(authority.root_url, ORIGIN)
    assert all(isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Failed) for _ in range(10))
    authority.answer = ALLOWED
    assert isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Caller)

    async def main():
        listener, root_url = bound("127.0.0.1")
        listener.listen(64)
        verifier = AsyncVerifier(root_url, ORIGIN)
        for _ in range(10):
            with anyio.move_on_after(0.01):
                await verifier.check(REQUEST, "notes:read:red", body=b"")
        paused = verifier._breaker.may_ask()
        listener.close()
        return paused

    assert anyio.run(main)


@BOTH
def test_a_slow_answer_ends_in_time(check):
    listener, root_url = bound("127.0.0.1")
    listener.listen(8)
    began = time.monotonic()
    (decision,) = check(root_url, timeout=0.3)
    assert decision.reason == "unavailable" and time.monotonic() - began < 30
    listener.close()


def test_a_server_that_got_check_is_asked_again(authority):
    """One that was brought up to date is noticed, without a restart of the services."""
    now = [0.0]
    verifier = Verifier(authority.root_url, ORIGIN, monotonic=lambda: now[0])
    authority.answer = (404, b'{"error": "Not found"}')
    assert isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Failed)
    for seconds, answer, asked in ((0, (200, b'{"status": "no-auth", "expires": "x", "scopes": ["notes:read:*"]}'), 1), (601, ALLOWED, 1)):
        now[0], authority.answer, before = float(seconds), answer, authority.asked
        assert isinstance(verifier.check(REQUEST, "notes:read:red", body=b""), Caller) and authority.asked == before + asked
    assert verifier.counts() == {"allowed": 2, "denied": 0, "failed": 0, "unavailable": 1}


@BOTH
def test_servers_without_check_are_asked_for_the_scopes(check, authority, caplog):
    class Old(Authority):
        pass

    def answers():
        yield 404, b'{"error": "Not found"}'
        while True:
            yield 200, b'{"status": "no-auth", "scheme": "none", "expires": "2099-01-01T00:00:00.000Z", "scopes": ["notes:read:*"]}'

    turns = answers()
    Old.answer = property(lambda self: next(turns), lambda self, value: None)
    old = Old()
    try:
        decisions = check(old.root_url, 3)
        assert all(not isinstance(one, (Denied, Failed)) for one in decisions)
        assert old.asked == 4 and caplog.text.count("has no method `check`") == 1
    finally:
        old.stop()


def test_who_waits_for_a_connection_that_others_hold_shuts_nobody_out():
    """One question holds the only connection to a Falconer that is silent; nine wait for it, and say nothing about Falconer."""
    silent = socket.create_server(("127.0.0.1", 0))
    root_url = f"http://127.0.0.1:{silent.getsockname()[1]}"
    limits = httpx.Limits(max_connections=1)
    said = []

    async def main():
        verifier = AsyncVerifier(root_url, ORIGIN, client=httpx.AsyncClient(limits=limits), timeout=0.4)

        async def ask():
            said.append((await verifier.check(REQUEST, "notes:read:red", body=b"")).refusal.log)

        async with anyio.create_task_group() as group:
            for _ in range(10):
                group.start_soon(ask)
        await ask()

    anyio.run(main)
    verifier = Verifier(root_url, ORIGIN, client=httpx.Client(limits=limits), timeout=0.4)
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        said += pool.map(lambda _: verifier.check(REQUEST, "notes:read:red", body=b"").refusal.log, range(10))
    said.append(verifier.check(REQUEST, "notes:read:red", body=b"").refusal.log)
    silent.close()
    assert len(said) == 22 and not [one for one in said if "did not answer the last questions" in one], said
