"""Scopes and scope expressions: what a call requires."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from typing import Union

Expression = Union[str, Mapping[str, "Collection[Expression]"]]
"""A scope, `{"AllOf": [..]}` or `{"AnyOf": [..]}`, nested at will."""


def is_scope(text: str) -> bool:
    """Whether every character is printable ASCII. A scope may be empty."""
    return all("\x20" <= character <= "\x7e" for character in text)


def covers(held: str, required: str) -> bool:
    """Whether a held scope satisfies a required one. A star counts at the end of the held one only."""
    return required.startswith(held[:-1]) if held.endswith("*") else held == required


def missing(scopes: Iterable[str], required: Expression) -> Expression | None:
    """The part of an expression that expanded scopes do not satisfy; None where they satisfy it."""
    held = list(scopes)
    exact, stars = {scope for scope in held}, [scope[:-1] for scope in held if scope.endswith("*")]
    return _missing(exact, tuple(stars), required)


def _missing(exact: set[str], stars: tuple[str, ...], required: Expression) -> Expression | None:
    if isinstance(required, str):
        return None if required in exact or required.startswith(stars) else required
    (operator, members), *_ = required.items()
    lacking = [_missing(exact, stars, member) for member in members]
    if operator == "AnyOf" and None in lacking:
        return None
    left = [member for member in lacking if member is not None]
    if operator == "AllOf" and not left:
        return None
    return left[0] if len(left) == 1 else {operator: left}


def satisfied(scopes: Iterable[str], required: Expression) -> bool:
    """Whether expanded scopes satisfy an expression."""
    return missing(scopes, required) is None


def shown(expression: Expression) -> str:
    """As messages show it: a plain scope as it is, anything else as JSON indented by two."""
    return expression if isinstance(expression, str) else json.dumps(expression, indent=2)


def insufficient(client_id: str | None, lacking: Expression, required: Expression) -> str:
    """The text of a 403."""
    needs = f"satisfy the following scope expression:\n\n```\n{shown(required)}\n```"
    if client_id is None:
        return f"This request requires Taskcluster credentials that {needs}"
    lacks = f"does not have sufficient scopes and is missing the following scopes:\n\n```\n{shown(lacking)}\n```"
    return f"Client ID {client_id} {lacks}\n\nThis request requires the client to {needs}"


def names_somebody(role: str) -> bool:
    """A role of one person: a kind, and who it is, without a star."""
    kind, _, who = role.partition(":")
    return bool(kind and who) and not role.endswith("*")
