"""Who sent a request, as Falconer verified it."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from .._errors import Refused, SettingsError, not_verifiable
from .._scopes import Expression, is_scope, names_somebody
from .decision import Allowed, Decision, Facts, Failed, Identity, SignedRequest
from .question import MOST_EACH, MOST_TEXT, MOST_VALUES, Question

if TYPE_CHECKING:
    from .verifier import AsyncVerifier, Verifier


class BaseCaller:
    """What is known of a caller without asking again. Only a verifier makes one."""

    def __init__(self, facts: Facts, request: SignedRequest, reveal: tuple[str, ...]) -> None:
        same = request if facts.follow_up is None else replace(request, follow_up=facts.follow_up)
        self._facts, self._request, self._reveal = facts, same, reveal

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.client_id!r} until {self.expires}>"

    @property
    def client_id(self) -> str | None:
        """For display and logs only: anybody may choose a clientId. None for a request without credentials."""
        return self._facts.client_id

    @property
    def expires(self) -> str:
        """Until when the credentials are good, RFC 3339."""
        return self._facts.expires

    @property
    def identity(self) -> Identity | None:
        """Who the person is, if a person let this service know and the verifier asks (`identity=True`). Key records by `identity.id`."""
        return self._facts.identity

    @property
    def follow_up(self) -> str | None:
        """What goes in place of a proof (`follow_up` of the request) where the same request is verified once more; None: it had none."""
        return self._request.follow_up

    @property
    def scopes(self) -> tuple[str, ...]:
        """The caller's scopes below the prefixes of `reveal`; what a star covers is a scope with a star."""
        return self._facts.scopes

    def is_person(self, role: str) -> bool:
        """Whether the caller **is** the person of a role such as `mozilla-user:ann@example.com`. A star proves nobody: whoever may act as everybody
        (`assume:mozilla-user:*`, `*`) is not everybody. Raises SettingsError unless `reveal` has a prefix of the role, such as `assume:mozilla-user:`."""
        self._needs_reveal(f"assume:{role}" if names_somebody(role) else None, role)
        return names_somebody(role) and f"assume:{role}" in self._facts.scopes

    def people(self, kind: str) -> list[str]:
        """Who the caller is to a kind of role such as `mozilla-user:`: what follows it in each scope that names one person."""
        self._needs_reveal(f"assume:{kind}", kind)
        roles = [scope[len("assume:") :] for scope in self._facts.scopes if scope.startswith("assume:")]
        return [role[len(kind) :] for role in roles if names_somebody(role) and role.startswith(kind) and len(role) > len(kind)]

    def _needs_reveal(self, scope: str | None, role: str) -> None:
        if scope is not None and not any(scope.startswith(prefix) for prefix in self._reveal):
            kind = role.split(":")[0]
            raise SettingsError(f"To know whether a caller is {role}, make the verifier or guard with reveal=['assume:{kind}:'].")

    def _ask(self, required: Expression, each: Sequence[Expression] = ()) -> Question:
        return Question(self._request, required, each=each)


class Caller(BaseCaller):
    """A caller, for code without asyncio."""

    def __init__(self, verifier: Verifier, facts: Facts, request: SignedRequest) -> None:
        super().__init__(facts, request, verifier.reveal)
        self._verifier = verifier

    def has(self, expression: Expression) -> bool:
        """Whether the caller's scopes satisfy an expression: a question to Falconer. Raises Refused where the credentials no longer hold."""
        return _yes(self._verifier.ask(self._ask(expression)))

    def has_each(self, expressions: Sequence[Expression]) -> list[bool]:
        """The same for many expressions (a page of a list), in one question for up to 128 of them."""
        return [one for part in _parts(expressions) for one in _each(self._verifier.ask(self._ask({"AllOf": []}, part)))]

    def authorized_scopes(self, *scopes: str) -> list[str]:
        """What to restrict a call by that this service makes for the caller with its own credentials: these scopes, all of which the caller has.
        Raises Refused (403) where the caller lacks one, and (400) for a text that no scope can be."""
        wanted = _wanted(scopes)
        _need(self._verifier.ask(self._ask({"AllOf": wanted})))
        return wanted


class AsyncCaller(BaseCaller):
    """A caller, for asyncio and trio."""

    def __init__(self, verifier: AsyncVerifier, facts: Facts, request: SignedRequest) -> None:
        super().__init__(facts, request, verifier.reveal)
        self._verifier = verifier

    async def has(self, expression: Expression) -> bool:
        """Whether the caller's scopes satisfy an expression: a question to Falconer. Raises Refused where the credentials no longer hold."""
        return _yes(await self._verifier.ask(self._ask(expression)))

    async def has_each(self, expressions: Sequence[Expression]) -> list[bool]:
        """The same for many expressions (a page of a list), in one question for up to 128 of them."""
        return [one for part in _parts(expressions) for one in _each(await self._verifier.ask(self._ask({"AllOf": []}, part)))]

    async def authorized_scopes(self, *scopes: str) -> list[str]:
        """What to restrict a call by that this service makes for the caller with its own credentials: these scopes, all of which the caller has.
        Raises Refused (403) where the caller lacks one, and (400) for a text that no scope can be."""
        wanted = _wanted(scopes)
        _need(await self._verifier.ask(self._ask({"AllOf": wanted})))
        return wanted


def _yes(decision: Decision) -> bool:
    if isinstance(decision, Failed):
        raise Refused(decision.refusal)
    return isinstance(decision, Allowed)


def _need(decision: Decision) -> Facts:
    if not isinstance(decision, Allowed):
        raise Refused(decision.refusal)
    return decision.facts


def _each(decision: Decision) -> tuple[bool, ...]:
    return _need(decision).each


def _parts(expressions: Sequence[Expression]) -> list[list[Expression]]:
    """As many in one question as a server reads: it bounds their number, their length and their members."""
    parts: list[list[Expression]] = []
    length, values = 0, 0
    for expression in expressions:
        text = json.dumps(expression)
        # Each member of an expression has quotes around it.
        own = text.count('"')
        if not parts or len(parts[-1]) == MOST_EACH or length + len(text) > MOST_TEXT or values + own > MOST_VALUES:
            parts.append([])
            length, values = 0, 0
        parts[-1].append(expression)
        length, values = length + len(text), values + own
    return parts


def _wanted(scopes: Sequence[str]) -> list[str]:
    for scope in scopes:
        if not isinstance(scope, str) or not scope:
            raise SettingsError(f"{scope!r} is not a scope.")
        if not is_scope(scope):
            # A caller wrote it into a path.
            raise Refused(not_verifiable("a scope that it asks for has a character outside of printable ASCII", "parameter"))
    return list(scopes)


