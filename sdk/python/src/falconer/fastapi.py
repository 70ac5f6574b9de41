"""FastAPI: `caller: Caller = guard.requires("notes:read:<book>")` in the parameters of a path operation.

    app = FastAPI()
    guard = Guard("https://auth.example.com", "https://notes.example.com").install(app)

    @app.get("/books/{book}")
    async def read(book: str, caller: Caller = guard.requires("notes:read:<book>")): ...
"""

# FastAPI reads the annotations of `Required`, so that they are not postponed here.
from collections.abc import Iterator
from typing import Any, TypeVar

from fastapi import Depends, FastAPI, HTTPException, Request, Response

from ._errors import Refused, SettingsError, misconfigured, too_large
from ._scopes import Expression
from ._verifying.caller import AsyncCaller
from ._verifying.requirement import Requirement
from .asgi import ASGIApp, Body, Message, Receive, Scope, Send, answer, for_caches
from .asgi import Guard as ASGIGuard

Caller = AsyncCaller

__all__ = ["Caller", "Guard"]

BODY = "falconer.body"
Self = TypeVar("Self", bound="Guard")


class Guard(ASGIGuard):
    """Protects the path operations of a FastAPI application."""

    def install(self: Self, app: FastAPI) -> Self:
        """Answers preflights and refusals of this application, keeps bodies until they were compared, and holds the scopes of each route against its
        path when the application starts. Call it once, before the first request."""

        async def refused(request: Request, error: Exception) -> Response:
            assert isinstance(error, Refused)
            await self.log(request.scope, error.refusal)
            body = error.refusal.body(request.method, request.scope["path"])
            return Response(body, error.refusal.status, dict(error.refusal.headers))

        app.add_exception_handler(Refused, refused)
        app.add_middleware(Installed, guard=self, checked=app)
        app.add_middleware(_Cors, guard=self)
        return self

    def requires(self, expression: Expression) -> Any:
        """A dependency that gives the caller, who has these scopes; `<book>` is `{book}` of the path. Raises SettingsError."""
        return Depends(Required(self, Requirement(expression)))

    def identify(self) -> Any:  # type: ignore[override]
        """A dependency that gives the caller, whoever it is, unless the credentials are wrong; the handler decides: `await caller.has(...)`."""
        return Depends(Required(self, None))

    def check(self, app: FastAPI) -> None:
        """Holds the scopes of each route against its path. The application does so itself when it starts. Raises SettingsError."""
        for path, names, dependant in _operations(app.routes, []):
            for requirement in _requirements(dependant):
                try:
                    requirement.fit(names)
                except SettingsError as error:
                    raise SettingsError(f"{path}: {error}") from None


class Required:
    """The dependency."""

    def __init__(self, guard: Guard, requirement: Requirement | None) -> None:
        self._guard, self.requirement = guard, requirement

    async def __call__(self, request: Request) -> AsyncCaller:
        body = request.scope.get(BODY)
        if not isinstance(body, RecordedBody):
            raise Refused(misconfigured("guard.install(app) was not called, so nobody could compare the body with what was signed"))
        return await self._guard.verify(request.scope, self.requirement, body.read)


class RecordedBody(Body):
    """FastAPI reads the body before it asks its dependencies: what it read is remembered until it was compared. Nothing is, where its hash is not signed."""

    def __init__(self, receive: Receive, limit: int, signed: bool) -> None:
        super().__init__(receive)
        self._limit, self._signed = limit, signed
        self._read: list[bytes] = []
        self._size = 0

    async def read(self, limit: int) -> bytes:
        while not self._ended and self._size <= limit:
            message = await self._next()
            self._kept.append(message)
            if message["type"] == "http.disconnect":
                break
        # Of an unsigned body it only matters whether there is one.
        return b"".join(self._read) if self._signed else b"." * min(self._size, 1)

    async def receive(self) -> Message:
        return self._kept.pop(0) if self._kept else await self._next()

    async def _next(self) -> Message:
        message = await self._receive()
        if message["type"] != "http.request":
            return message
        part = message.get("body", b"")
        self._ended = not message.get("more_body", False)
        self._size += len(part)
        if self._signed:
            self._read.append(part)
            if self._size > self._limit:
                raise TooLarge(self._limit)
        return message


class TooLarge(Refused, HTTPException):
    """FastAPI lets its own exceptions through while it reads a body."""

    def __init__(self, limit: int) -> None:
        Refused.__init__(self, too_large(limit))
        self.status_code, self.detail, self.headers = 413, self.refusal.message, None


class Installed:
    """What `install` puts around the application."""

    def __init__(self, app: ASGIApp, guard: Guard, checked: FastAPI) -> None:
        self._app, self._guard, self._checked = app, guard, checked
        self._fine = False

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan" and not self._fine:
            try:
                self._check()
            except SettingsError as error:
                await receive()
                await send({"type": "lifespan.startup.failed", "message": str(error)})
                return
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        try:
            # A server that tells nothing of its start.
            self._check()
        except SettingsError as error:
            refusal = misconfigured(str(error))
            await self._guard.log(scope, refusal)
            await answer(refusal, scope, send)
            return
        signed = any(name.lower() == b"authorization" and b'hash="' in value for name, value in scope["headers"])
        body = RecordedBody(receive, self._guard.verifier.body_limit, signed)
        await self._app({**scope, BODY: body}, body.receive, for_caches(scope, send))

    def _check(self) -> None:
        if not self._fine:
            self._guard.check(self._checked)
            self._fine = True


class _Cors:
    def __init__(self, app: ASGIApp, guard: Guard) -> None:
        self._app = guard.cors(app)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self._app(scope, receive, send)


def _operations(routes: Any, above: list[str]) -> Iterator[tuple[str, list[str], Any]]:
    """Path, names of the parameters, and dependencies of each operation; also of routers that were included, which FastAPI keeps apart since 0.12x."""
    for route in routes:
        included = getattr(route, "effective_candidates", None)
        if included is not None:
            yield from _operations(included(), above)
            continue
        path = str(getattr(route, "path_format", None) or getattr(route, "path", ""))
        names = [*above, *(name.split(":")[0] for name in _braces(path))]
        dependant = getattr(route, "dependant", None)
        if dependant is not None:
            yield path, names, dependant
        elif getattr(route, "routes", None):
            yield from _operations(route.routes, names)


def _braces(path: str) -> Iterator[str]:
    for part in path.split("{")[1:]:
        yield part.split("}")[0]


def _requirements(dependant: Any) -> Iterator[Requirement]:
    call = getattr(dependant, "call", None)
    if isinstance(call, Required) and call.requirement is not None:
        yield call.requirement
    for below in dependant.dependencies:
        yield from _requirements(below)
