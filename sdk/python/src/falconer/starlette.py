"""Starlette: a route states its path and its scopes together.

    guard = Guard("https://auth.example.com", "https://notes.example.com")
    app = guard.cors(Starlette(routes=[guard.route("/books/{book}", "notes:read:<book>", read)]))
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.routing import Route

from ._scopes import Expression
from ._verifying.caller import AsyncCaller
from ._verifying.requirement import Requirement
from .asgi import Guard as ASGIGuard
from .asgi import Protected, caller_of

__all__ = ["AsyncCaller", "Guard", "caller"]


class Guard(ASGIGuard):
    """Protects the routes of a Starlette application."""

    def route(self, path: str, expression: Expression, endpoint: Callable[..., Any], *, methods: Iterable[str] = ("GET",), prefix: str = "") -> Route:
        """A route whose callers need these scopes; `<book>` is `{book}` of the path. `prefix` is the path of the Mount around it, if that has parameters.
        Raises SettingsError for what would fail at each call."""
        requirement = Requirement(expression)
        route = Route(path, endpoint, methods=list(methods), middleware=[Middleware(Protected, self, requirement)])
        above = Route(prefix or "/", endpoint).param_convertors
        requirement.fit([*above, *route.param_convertors])
        return route


def caller(request: Request) -> AsyncCaller:
    """Who sent a request that a guard let through."""
    return caller_of(request.scope)
