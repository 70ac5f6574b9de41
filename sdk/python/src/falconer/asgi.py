"""Any ASGI application: `guard.protect(app, "notes:use")` asks Falconer about each request before the application sees it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any

import httpx

from ._web.cors import Cors
from ._errors import Refusal, Refused, SettingsError, body_unreadable, misconfigured, several_authorizations
from ._web.caches import is_signed_url, marked_for_caches
from ._web.log import log_origin, log_refusal
from ._scopes import Expression
from ._verifying.caller import AsyncCaller
from ._verifying.decision import SignedRequest
from ._verifying.requirement import Requirement
from ._verifying.resource import Resource
from ._verifying.target import of_asgi
from ._verifying.verifier import AsyncVerifier, Settings

if TYPE_CHECKING:
    from typing_extensions import Unpack

__all__ = ["ASGIApp", "AsyncCaller", "Guard", "caller_of"]

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
ASGIApp = Callable[[Scope, Receive, Send], Awaitable[None]]

KEY = "falconer.caller"


class Guard:
    """Protects ASGI applications.

    `falconer` is Falconer's root URL; `origin` is where callers reach this service, never taken from the Host header. `cors` lists the origins whose
    pages may call; None is every origin. `client` is an httpx.AsyncClient of your own, for proxies or certificates.
    """

    def __init__(
        self, falconer: str, origin: str, *, cors: Iterable[str] | None = None, client: httpx.AsyncClient | None = None, **settings: Unpack[Settings]
    ) -> None:
        self.verifier = AsyncVerifier(falconer, origin, client=client, **settings)
        self._cors = Cors(cors)

    def protect(self, app: ASGIApp, expression: Expression, parameters: Iterable[str] = ()) -> ASGIApp:
        """An application whose callers need these scopes. `<name>` stands for `scope["path_params"][name]`; `parameters` names those that there are.
        Preflights are answered, and pages can read refusals. Raises SettingsError."""
        return self.cors(Protected(app, self, Requirement(expression, parameters)))

    def identify(self, app: ASGIApp) -> ASGIApp:
        """An application that everybody may call whose credentials aren't wrong; the handler decides: `await caller.has(...)`."""
        return self.cors(Protected(app, self, None))

    def cors(self, app: ASGIApp) -> ASGIApp:
        """The application, with preflights answered and every answer marked for pages of other origins. At the root of a service it says where tokens come from, too
        (`protected_resource`)."""
        return CorsApp(app, self._cors, self.verifier.resource)

    async def verify(self, scope: Scope, requirement: Requirement | None, read: Callable[[int], Awaitable[bytes]]) -> AsyncCaller:
        """The caller of a request. `read` gives its body. Raises Refused."""
        if sum(name.lower() == b"authorization" for name, _ in scope["headers"]) > 1:
            raise Refused(several_authorizations())
        request = _request(scope)
        required: Expression = requirement.fill(scope.get("path_params") or {}) if requirement else {"AllOf": []}
        decision = await self.verifier.check(request, required, body=read)
        if not isinstance(decision, AsyncCaller):
            resource = self.verifier.resource
            raise Refused(resource.challenged(decision.refusal, request.authorization, required) if resource else decision.refusal)
        return decision

    async def log(self, scope: Scope, refusal: Refusal) -> None:
        """Says in this service's log why a request was refused, and which origin its caller may have meant."""
        log_refusal(refusal, scope["method"], scope["path"])
        if refusal.reason == "bad-mac":
            log_origin(refusal, await self.verifier.look_for_other_origin(_request(scope), _headers(scope).get("host")))


class Protected:
    """An application behind a guard."""

    def __init__(self, app: ASGIApp, guard: Guard, requirement: Requirement | None) -> None:
        self._app, self._guard, self._requirement = app, guard, requirement

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
            return
        if scope["type"] != "http":
            raise Refused(misconfigured(f"a {scope['type']} connection cannot be verified"))
        body = Body(receive)
        try:
            caller = await self._guard.verify(scope, self._requirement, body.read)
        except Refused as refused:
            await self._guard.log(scope, refused.refusal)
            await answer(refused.refusal, scope, send)
            return
        await self._app({**scope, KEY: caller}, body.receive, for_caches(scope, send))


def for_caches(scope: Scope, send: Send) -> Send:
    """Sends an answer marked for caches, where the URL was signed."""
    if not is_signed_url((scope.get("query_string") or b"").decode("latin-1")):
        return send

    async def marking(message: Message) -> None:
        if message["type"] == "http.response.start":
            names = [name.decode("latin-1") for name, _ in message.get("headers", [])]
            message = {**message, "headers": [*message.get("headers", []), *_encoded(marked_for_caches(names))]}
        await send(message)

    return marking


def caller_of(scope: Mapping[str, Any]) -> AsyncCaller:
    """Who sent the request. Raises SettingsError where no guard verified it."""
    caller = scope.get(KEY)
    if not isinstance(caller, AsyncCaller):
        raise SettingsError("No guard has verified this request.")
    return caller


class Body:
    """Reads a body before the application does, and gives it to the application again."""

    def __init__(self, receive: Receive) -> None:
        self._receive = receive
        self._kept: list[Message] = []
        self._ended = False

    async def read(self, limit: int) -> bytes:
        """All of the body, or more bytes than the limit where it is longer."""
        size = sum(len(message.get("body", b"")) for message in self._kept)
        while not self._ended and size <= limit:
            message = await self._receive()
            if message["type"] == "http.disconnect":
                raise Refused(body_unreadable())
            self._keep(message)
            size += len(message.get("body", b""))
        return b"".join(message.get("body", b"") for message in self._kept)

    def _keep(self, message: Message) -> None:
        self._kept.append(message)
        self._ended = not message.get("more_body", False)

    async def receive(self) -> Message:
        """For the application: what was read comes first."""
        return self._kept.pop(0) if self._kept else await self._receive()


class CorsApp:
    """An application that pages of other origins may call."""

    def __init__(self, app: ASGIApp, cors: Cors, resource: Resource | None = None) -> None:
        self._app, self._cors, self._resource = app, cors, resource

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        if self._resource and self._resource.is_for(scope["method"], scope["path"]):
            await respond(200, self._resource.headers, b"" if scope["method"] == "HEAD" else self._resource.document, send)
            return
        headers = _headers(scope)
        origin = headers.get("origin")
        preflight = self._cors.preflight(scope["method"], origin, headers.get("access-control-request-method"))
        if preflight is not None:
            await respond(204, preflight, b"", send)
            return
        marks = self._cors.headers(origin)

        async def marked(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message.get("headers", []), *_encoded(marks)]}
            await send(message)

        await self._app(scope, receive, marked)


async def answer(refusal: Refusal, scope: Scope, send: Send) -> None:
    """Sends a refusal in the protocol's shape."""
    await respond(refusal.status, refusal.headers, refusal.body(scope["method"], scope["path"]), send)


async def respond(status: int, headers: list[tuple[str, str]], body: bytes, send: Send) -> None:
    """Sends a whole answer."""
    length = [] if status == 204 else [("Content-Length", str(len(body)))]
    await send({"type": "http.response.start", "status": status, "headers": _encoded(headers + length)})
    await send({"type": "http.response.body", "body": body})


def _request(scope: Scope) -> SignedRequest:
    headers = _headers(scope)
    client = scope.get("client")
    return SignedRequest(
        method=scope["method"],
        resource=of_asgi(scope),
        authorization=headers.get("authorization"),
        # Several are no proof.
        dpop=b", ".join(value for name, value in scope["headers"] if name.lower() == b"dpop").decode("latin-1") or None,
        content_type=headers.get("content-type", ""),
        source_ip=client[0] if client else None,
        # Of several none counts.
        traceparent=headers.get("traceparent") if sum(name.lower() == b"traceparent" for name, _ in scope["headers"]) == 1 else None,
    )


def _encoded(headers: list[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in headers]


def _headers(scope: Scope) -> dict[str, str]:
    """By name, in lower case; of several with one name the first."""
    headers: dict[str, str] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1").lower(), value.decode("latin-1"))
    return headers
