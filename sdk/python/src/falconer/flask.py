"""Flask: `@guard.requires("notes:read:<book>")` below the route.

    app = Flask(__name__)
    guard = Guard("https://auth.example.com", "https://notes.example.com").install(app)

    @app.get("/books/<book>")
    @guard.requires("notes:read:<book>")
    def read(book): ...
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import io
import weakref
from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, Response, current_app, g, request
from werkzeug.exceptions import RequestEntityTooLarge

from ._errors import Refused, SettingsError, body_unreadable, misconfigured, too_large
from ._scopes import Expression
from ._verifying.caller import Caller
from ._verifying.requirement import Requirement
from .wsgi import Guard as WSGIGuard
from .wsgi import for_caches, path_of

__all__ = ["Caller", "Guard", "caller"]

# What guards have wrapped, by which of them, and what came of it.
_WRAPPED: weakref.WeakKeyDictionary[Callable[..., Any], weakref.WeakKeyDictionary[Guard, weakref.WeakSet[Callable[..., Any]]]] = weakref.WeakKeyDictionary()

View = TypeVar("View", bound=Callable[..., Any])
Self = TypeVar("Self", bound="Guard")


class Guard(WSGIGuard):
    """Protects the views of a Flask application."""

    def install(self: Self, app: Flask) -> Self:
        """Answers preflights and refusals of this application. Call it once, at the start. Requests raise SettingsError where a view is registered without the
        guard that is written above it."""
        inner, looked = app.wsgi_app, False

        def guarded(environ: Any, start: Any) -> Any:
            nonlocal looked
            if not looked:
                # Flask takes no routes after the first request.
                self._look_for_open_views(app)
                looked = True
            return inner(environ, for_caches(environ, start))

        app.wsgi_app = self.cors(guarded)  # type: ignore[method-assign, assignment]
        app.extensions["falconer"] = self
        app.register_error_handler(Refused, self._refused)
        return self

    def requires(self, expression: Expression) -> Callable[[View], View]:
        """A decorator for views whose callers need these scopes; `<book>` is the parameter `book` of the view. `caller()` gives the caller.
        Raises SettingsError, for a parameter that the view doesn't have, too."""
        return functools.partial(self._guarded, Requirement(expression))

    def identifies(self, view: View) -> View:
        """A decorator for views that everybody may call whose credentials aren't wrong; the view decides: `caller().has(...)`."""
        return self._guarded(None, view)

    def _guarded(self, requirement: Requirement | None, view: View) -> View:
        if requirement is not None:
            kinds = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
            requirement.fit([name for name, one in inspect.signature(view).parameters.items() if one.kind in kinds and one.default is one.empty])

        @functools.wraps(view)
        def guarded(*args: Any, **parameters: Any) -> Any:
            if "falconer" not in current_app.extensions:
                raise SettingsError("guard.install(app) was not called.")
            g.falconer_caller = self.verify(request.environ, requirement, request.view_args or {}, _read)
            return current_app.ensure_sync(view)(*args, **parameters)

        # INVARIANT: whoever holds `guarded` holds `view`.
        with contextlib.suppress(TypeError):
            _WRAPPED.setdefault(view, weakref.WeakKeyDictionary()).setdefault(self, weakref.WeakSet()).add(guarded)
        return guarded  # type: ignore[return-value]

    def _refused(self, refused: Refused) -> Response:
        refusal = refused.refusal
        self.log(request.environ, refusal)
        return Response(refusal.body(request.method, path_of(request.environ)), refusal.status, refusal.headers)

    def _look_for_open_views(self, app: Flask) -> None:
        """`@guard.requires(..)` above `@app.get(..)` wraps a function that nobody calls: Flask has registered the one below, which is open then."""
        registered = list(app.view_functions.values())
        within = {id(one) for view in registered for one in _chain(view)}
        for bare, guards in list(_WRAPPED.items()):
            # What another guard of the process has wrapped, for another application, says nothing about this one.
            ours = guards.get(self)
            if ours is None or any(id(one) in within for one in ours):
                continue
            for view in registered:
                if any(view is one for one in _chain(bare)):
                    raise SettingsError(f"The view {getattr(view, '__name__', view)} is registered without its guard: write the guard's decorator below the route's.")


def _chain(view: Callable[..., Any]) -> list[Callable[..., Any]]:
    """A view and what it wraps."""
    chain = [view]
    while len(chain) < 100 and hasattr(chain[-1], "__wrapped__"):
        chain.append(chain[-1].__wrapped__)
    return chain


def caller() -> Caller:
    """Who sent the request that this view answers."""
    found = g.get("falconer_caller")
    if not isinstance(found, Caller):
        raise Refused(misconfigured("caller() was asked for in a view that no guard protects"))
    return found


def _read(limit: int) -> bytes:
    """The body, which Flask keeps for the view in every form: as data, JSON, a form and as a stream."""
    before = request.max_content_length
    # One more, because a stream that may hold nothing complains before it looks whether there is anything.
    request.max_content_length = limit + 1
    try:
        body = request.get_data(cache=True, parse_form_data=False)
    except RequestEntityTooLarge:
        if limit == 0:
            # It had to be empty: what it holds does not matter.
            return b"."
        raise Refused(too_large(limit)) from None
    except Exception:
        # Each server has errors of its own for a body that broke off, and for chunks that are none.
        raise Refused(body_unreadable()) from None
    finally:
        request.max_content_length = before
    request.__dict__["stream"] = io.BytesIO(body)
    return body
