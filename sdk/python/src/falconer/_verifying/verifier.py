"""Asks Falconer about the requests of one service. Knows nothing of a web framework."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypedDict, Union

import httpx

from .._errors import Refusal, SettingsError, too_large, unavailable
from .._scopes import Expression, is_scope
from .breaker import Breaker
from .caller import AsyncCaller, Caller
from .decision import Allowed, Decision, Denied, Facts, Failed, SignedRequest, body_limit, body_refusal, failed
from .question import AUTHENTICATE, CHECK, NoCheck, Question, Strange, two_schemes, unreadably_large
from .resource import Resource
from .target import Origin, root_url
from .transport import AsyncTransport, Transport

if TYPE_CHECKING:
    from typing_extensions import Unpack

LOG = logging.getLogger("falconer")
MEBIBYTE = 1024 * 1024
# A server without `check` is asked for lists for so long. Then `check` is tried once more: the server may be another release by then.
OLDER_SECONDS = 600.0
# Another origin is looked for at most once in this time.
LOOK_SECONDS = 60.0
COUNTED = ("allowed", "denied", "failed", "unavailable")

Body = Union[bytes, Callable[[int], bytes]]
"""The body as it arrived, or what reads it: given a limit, all of it, or more bytes than the limit where it is longer."""
AsyncBody = Union[bytes, Callable[[int], Awaitable[bytes]]]
"""The same for asyncio."""


class Settings(TypedDict, total=False):
    """What verifiers and guards may be told beside the two URLs."""

    payload_hash_required: bool
    """Refuse bodies whose hash was not signed, so that nobody between caller and service can change them. Default: False."""
    bearer_tokens: bool
    """Take access tokens (`Authorization: Bearer falconer_at_...`), too. A token signs nothing: whoever sees one, such as another service that it is sent to,
    can use it here until it ends. Default: False."""
    protected_resource: Mapping[str, Any]
    """Take access tokens, and tell clients of OAuth 2 where they come from (RFC 9728), such as those of the Model Context Protocol: `{"path": "/mcp", "scopes": [...]}`.
    `path` is below the origin, all of it if it is left out; `scopes` are those that a client may want. Guards answer the metadata, and their refusals have challenges; who
    shows no credentials is refused with 401 in place of 403. Default: nothing is told."""
    body_limit: int
    """How many bytes of a body with a signed hash are read. Default: 1 MiB."""
    reveal: Sequence[str]
    """Prefixes of scopes that this service wants to see of its callers, such as `assume:mozilla-user:`. Default: none."""
    identity: bool
    """Whether this service wants to know who the person is, where the person agreed to tell. Default: False."""
    timeout: float
    """Seconds for a question to Falconer. Default: 5."""
    monotonic: Callable[[], float]
    """A clock that never goes back, in seconds. For tests."""


class BaseVerifier:
    """What both verifiers have in common."""

    def __init__(self, falconer: str, origin: str, settings: Settings) -> None:
        unknown = settings.keys() - Settings.__annotations__.keys()
        if unknown:
            raise TypeError(f"a verifier has no setting {sorted(unknown)[0]!r}")
        self._root = root_url(falconer)
        self.origin = Origin.parse(origin)
        self.payload_hash_required = settings.get("payload_hash_required", False)
        given = settings.get("protected_resource")
        self.resource = None if given is None else Resource(self._root, self.origin.text(), given)
        self.bearer_tokens = settings.get("bearer_tokens", False) or self.resource is not None
        self.body_limit = settings.get("body_limit", MEBIBYTE)
        self.reveal = _prefixes(settings.get("reveal", ()))
        self.identity = settings.get("identity", False)
        self._timeout = settings.get("timeout", 5.0)
        self._monotonic = settings.get("monotonic", time.monotonic)
        self._breaker = Breaker(self._monotonic)
        # Until this time the server is asked for the list of scopes, because it has no `check`.
        self._older_until: float | None = None
        self._looked: float | None = None
        self._counts = dict.fromkeys(COUNTED, 0)
        self._lock = threading.Lock()

    def _question(self, request: SignedRequest, required: Expression) -> Question:
        return Question(request, required, self.reveal, self.identity)

    def _paused(self) -> Failed | None:
        return None if self._breaker.may_ask() else failed(unavailable(f"{self._root} did not answer the last questions"))

    def _strange(self, why: Strange) -> Failed:
        if why.away:
            self._breaker.report(False)
        return failed(unavailable(f"{self._root}: {why}"))

    @property
    def _has_check(self) -> bool:
        return self._older_until is None or self._monotonic() >= self._older_until

    def _without_check(self) -> None:
        if self._has_check:
            LOG.warning("%s has no method `check`: it is asked for all scopes of each caller", self._root)
        self._older_until = self._monotonic() + OLDER_SECONDS

    def counts(self) -> dict[str, int]:
        """How requests were decided since the start (`allowed`, `denied`, `failed`, `unavailable`), for the metrics of a service."""
        with self._lock:
            return dict(self._counts)

    def _counted(self, decision: Decision) -> Decision:
        word = "allowed" if isinstance(decision, Allowed) else "denied" if isinstance(decision, Denied) else "unavailable" if decision.refusal.status == 503 else "failed"
        with self._lock:
            self._counts[word] += 1
        return decision

    def _others(self, host_header: str | None) -> list[Origin]:
        """The origins that a Host header may mean, at most once a minute, and without this service's own."""
        with self._lock:
            now = self._monotonic()
            if host_header is None or (self._looked is not None and now < self._looked + LOOK_SECONDS):
                return []
            self._looked = now
        others = []
        for scheme in ("https", "http"):
            try:
                other = Origin.parse(f"{scheme}://{host_header}")
            except SettingsError:
                continue
            if (other.host, other.port) != (self.origin.host, self.origin.port):
                others.append(other)
        return others

    def _found(self, other: Origin, decision: Decision) -> str | None:
        if isinstance(decision, Failed) and (decision.reason == "bad-mac" or decision.refusal.status != 401):
            return None
        return f"verified for {other.host}:{other.port}, your configured origin is {self.origin.host}:{self.origin.port}"

    def _compared(self, facts: Facts, content_type: str, body: bytes, limit: int) -> Refusal | None:
        if facts.hash is not None and len(body) > limit:
            return too_large(limit)
        return body_refusal(facts, content_type, body)


class Verifier(BaseVerifier):
    """Verifies requests, for code without asyncio. May be used by many threads.

    `falconer` is Falconer's root URL. `origin` is where callers reach this service, such as `https://notes.example.com`: what they signed is compared
    with it, never with the Host header. Raises SettingsError.
    """

    def __init__(self, falconer: str, origin: str, *, client: httpx.Client | None = None, **settings: Unpack[Settings]) -> None:
        super().__init__(falconer, origin, settings)
        self._transport = Transport(client, self._timeout)

    def check(self, request: SignedRequest, required: Expression, *, body: Body) -> Caller | Denied | Failed:
        """Who may do what is required, or why not. The body is read only if it has to be compared with a signed hash."""
        decision = self.ask(self._question(request, required))
        if not isinstance(decision, Allowed):
            return decision
        limit = body_limit(decision.facts, self.payload_hash_required, self.body_limit)
        if limit is not None:
            arrived = body if isinstance(body, bytes) else body(limit)
            refusal = self._compared(decision.facts, request.content_type, arrived, limit)
            if refusal is not None:
                return failed(refusal)
        return Caller(self, decision.facts, request)

    def ask(self, question: Question) -> Decision:
        """The question alone: no body is compared."""
        return self._counted(self._decided(question))

    def look_for_other_origin(self, request: SignedRequest, host_header: str | None) -> str | None:
        """Why a signature that does not hold may be right all the same, for the log of this service: Falconer is asked about the Host header of the request,
        at most once a minute. What comes out lets nobody in."""
        question = Question(request, {"AllOf": []})
        for other in self._others(host_header):
            try:
                decision = question.read_check(*self._transport.post(self._root + CHECK, question.check(other), question.headers()))
            except (NoCheck, Strange):
                return None
            found = self._found(other, decision)
            if found is not None:
                return found
        return None

    def _decided(self, question: Question) -> Decision:
        asked = question.check(self.origin, self.bearer_tokens)
        refused = two_schemes(question.request) or unreadably_large(asked) or self._paused()
        if refused is not None:
            return refused
        try:
            decision = self._ask(question, asked)
        except Strange as why:
            return self._strange(why)
        self._breaker.report(True)
        return decision

    def _ask(self, question: Question, asked: bytes) -> Decision:
        if self._has_check:
            try:
                return question.read_check(*self._transport.post(self._root + CHECK, asked, question.headers()))
            except NoCheck:
                self._without_check()
        return question.read_authenticate(*self._transport.post(self._root + AUTHENTICATE, question.authenticate(self.origin), question.headers()))

    def close(self) -> None:
        """Closes the connections that are kept."""
        self._transport.close()


class AsyncVerifier(BaseVerifier):
    """The same under asyncio and trio."""

    def __init__(self, falconer: str, origin: str, *, client: httpx.AsyncClient | None = None, **settings: Unpack[Settings]) -> None:
        super().__init__(falconer, origin, settings)
        self._transport = AsyncTransport(client, self._timeout)

    async def check(self, request: SignedRequest, required: Expression, *, body: AsyncBody) -> AsyncCaller | Denied | Failed:
        """Who may do what is required, or why not. The body is read only if it has to be compared with a signed hash."""
        decision = await self.ask(self._question(request, required))
        if not isinstance(decision, Allowed):
            return decision
        limit = body_limit(decision.facts, self.payload_hash_required, self.body_limit)
        if limit is not None:
            arrived = body if isinstance(body, bytes) else await body(limit)
            refusal = self._compared(decision.facts, request.content_type, arrived, limit)
            if refusal is not None:
                return failed(refusal)
        return AsyncCaller(self, decision.facts, request)

    async def ask(self, question: Question) -> Decision:
        """The question alone: no body is compared."""
        return self._counted(await self._decided(question))

    async def look_for_other_origin(self, request: SignedRequest, host_header: str | None) -> str | None:
        """Why a signature that does not hold may be right all the same, for the log of this service: Falconer is asked about the Host header of the request,
        at most once a minute. What comes out lets nobody in."""
        question = Question(request, {"AllOf": []})
        for other in self._others(host_header):
            try:
                decision = question.read_check(*await self._transport.post(self._root + CHECK, question.check(other), question.headers()))
            except (NoCheck, Strange):
                return None
            found = self._found(other, decision)
            if found is not None:
                return found
        return None

    async def _decided(self, question: Question) -> Decision:
        asked = question.check(self.origin, self.bearer_tokens)
        refused = two_schemes(question.request) or unreadably_large(asked) or self._paused()
        if refused is not None:
            return refused
        try:
            decision = await self._ask(question, asked)
        except Strange as why:
            return self._strange(why)
        # Somebody who hung up meanwhile says nothing about Falconer: nothing is reported then.
        self._breaker.report(True)
        return decision

    async def _ask(self, question: Question, asked: bytes) -> Decision:
        if self._has_check:
            try:
                return question.read_check(*await self._transport.post(self._root + CHECK, asked, question.headers()))
            except NoCheck:
                self._without_check()
        return question.read_authenticate(*await self._transport.post(self._root + AUTHENTICATE, question.authenticate(self.origin), question.headers()))

    async def aclose(self) -> None:
        """Closes the connections that this event loop keeps."""
        await self._transport.aclose()


def _prefixes(reveal: Sequence[str]) -> tuple[str, ...]:
    if isinstance(reveal, str) or len(reveal) > 16:
        raise SettingsError("`reveal` is a list of at most 16 prefixes of scopes.")
    for prefix in reveal:
        if ":" not in prefix or prefix.endswith("*") or not is_scope(prefix):
            raise SettingsError(f"`reveal` holds {prefix!r}, which is no prefix of scopes: it has a colon, and no star at its end, such as 'notes:read:'.")
    return tuple(reveal)
