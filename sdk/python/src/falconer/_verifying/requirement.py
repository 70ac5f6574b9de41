"""What the callers of a route need, checked when the route is made."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from .._errors import Refusal, Refused, SettingsError, misconfigured, not_verifiable
from .._scopes import Expression, is_scope

PARAMETER = re.compile(r"<([a-zA-Z][a-zA-Z0-9_]*)>")
DEEPEST = 8


class Requirement:
    """A scope such as `notes:read:<book>`, `{"AllOf": [..]}` or `{"AnyOf": [..]}`. `<book>` is a parameter of the route's path.

    Raises SettingsError for what would fail at each call: an expression that asks for nothing or for something that nobody can have, a `<` without
    a `>`, and, if `parameters` are given, a parameter that the route does not have.
    """

    def __init__(self, expression: Expression, parameters: Iterable[str] | None = None) -> None:
        self._names: list[str] = []
        try:
            self._template = self._read(expression, 1)
        except _Problem as problem:
            raise self._error(expression, str(problem)) from None
        self.expression: Expression = expression
        if parameters is not None:
            self.fit(parameters)

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in angle brackets, each once."""
        return tuple(self._names)

    def fit(self, parameters: Iterable[str]) -> None:
        """Raises SettingsError where the path of the route lacks a parameter."""
        known = list(parameters)
        for name in self._names:
            if name not in known:
                has = ", ".join(f"<{other}>" for other in known) or "no parameters"
                raise self._error(self.expression, f"the path of the route has no parameter <{name}>, it has {has}")

    def fill(self, values: Mapping[str, Any]) -> Expression:
        """The expression for one request, by the decoded parameters of its path. Raises Refused for a value that may not stand in a scope."""
        if not self._names:
            return self._template
        return self._fill(self._template, {name: _text(name, values) for name in self._names})

    def _fill(self, node: Expression, texts: Mapping[str, str]) -> Expression:
        if isinstance(node, str):
            return PARAMETER.sub(lambda found: texts[found[1]], node)
        return {operator: [self._fill(member, texts) for member in members] for operator, members in node.items()}

    def _read(self, node: object, depth: int) -> Expression:
        if isinstance(node, str):
            return self._scope(node)
        if not isinstance(node, Mapping):
            raise _Problem("it is neither a string nor an object")
        if depth > DEEPEST:
            raise _Problem(f"it is nested more than {DEEPEST} deep")
        if len(node) != 1 or next(iter(node)) not in ("AllOf", "AnyOf"):
            raise _Problem("an object has the one key AllOf or AnyOf")
        ((operator, members),) = node.items()
        if isinstance(members, (str, bytes)) or not isinstance(members, Iterable):
            raise _Problem(f"{operator} holds a list")
        read = [self._read(member, depth + 1) for member in members]
        if not read:
            raise _Problem("an empty AllOf asks for nothing" if operator == "AllOf" else "nobody satisfies an empty AnyOf")
        return {operator: read}

    def _scope(self, scope: str) -> str:
        if not scope:
            raise _Problem("a scope is empty")
        if any(bracket in PARAMETER.sub("", scope) for bracket in "<>"):
            raise _Problem(f"`{scope}` has a `<` or `>` that is no part of a parameter such as <book>")
        if not is_scope(scope):
            raise _Problem(f"{scope!r} is not a scope: it has a character outside of printable ASCII")
        for name in PARAMETER.findall(scope):
            if name not in self._names:
                self._names.append(name)
        return scope

    @staticmethod
    def _error(expression: object, problem: str) -> SettingsError:
        try:
            text = json.dumps(expression)
        except TypeError:
            text = repr(expression)
        return SettingsError(f"The scope expression {text} cannot be used: {problem}.")


class _Problem(Exception):
    pass


def _text(name: str, values: Mapping[str, Any]) -> str:
    value = values.get(name)
    if isinstance(value, (int, uuid.UUID)) and not isinstance(value, bool):
        value = str(value)
    if not isinstance(value, str):
        raise Refused(misconfigured(f"the scopes of a route need its parameter <{name}> as a text, and the request has none"))
    refusal = _unfit(name, value)
    if refusal is not None:
        raise Refused(refusal)
    return value


def _unfit(name: str, value: str) -> Refusal | None:
    """A value is refused, never cleaned: cleaned, two values would need the same scope."""
    if not value:
        return not_verifiable(f"the parameter `{name}` of the path is empty", "parameter")
    if not is_scope(value):
        return not_verifiable(f"the parameter `{name}` of the path has a character outside of printable ASCII", "parameter")
    if value.endswith("*"):
        return not_verifiable(f"the parameter `{name}` of the path ends with a star", "parameter")
    return None
