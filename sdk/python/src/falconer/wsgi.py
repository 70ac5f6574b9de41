"""Any WSGI application: `guard.protect(app, "notes:use")` asks Falconer about each request before the application sees it."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any

import httpx

from ._web.cors import Cors
from ._errors import STATUS, Refusal, Refused, SettingsError, body_unreadable, several_authorizations
from ._web.caches import is_signed_url, marked_for_caches
from ._web.log import log_origin, log_refusal
from ._scopes import Expression
from ._verifying.caller import Caller
from ._verifying.decision import SignedRequest
from ._verifying.requirement import Requirement
from ._verifying.target import of_wsgi
from ._verifying.verifier import Settings, Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment
    from typing_extensions import Unpack

__all__ = ["Caller", "Guard", "caller_of"]

KEY = "falconer.caller"
REASONS = {400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 413: "Content Too Large", 500: "Internal Server Error", 503: "Service Unavailable"}
assert set(REASONS) == set(STATUS.values())


class Guard:
    """Protects WSGI applications.

    `falconer` is Falconer's root URL; `origin` is where callers reach this service, never taken from the Host header. `cors` lists the origins whose
    pages may call; None is every origin. `client` is an httpx.Client of your own, for proxies or certificates.
    """

    def __init__(self, falconer: str, origin: str, *, cors: Iterable[str] | None = None, client: httpx.Client | None = None, **settings: Unpack[Settings]) -> None:
        self.verifier = Verifier(falconer, origin, client=client, **settings)
        self._cors = Cors(cors)

    def protect(self, app: WSGIApplication, expression: Expression) -> WSGIApplication:
        """An application whose callers need these scopes. Preflights are answered, and pages can read refusals. Raises SettingsError."""
        return self.cors(self._protected(app, Requirement(expression, ())))

    def identify(self, app: WSGIApplication) -> WSGIApplication:
        """An application that everybody may call whose credentials aren't wrong; the handler decides: `caller.has(...)`."""
        return self.cors(self._protected(app, None))

    def _protected(self, app: WSGIApplication, requirement: Requirement | None) -> WSGIApplication:
        def protected(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            try:
                caller = self.verify(environ, requirement, {}, lambda limit: read_body(environ, limit))
            except Refused as refused:
                return self.answer(refused.refusal, environ, start)
            environ[KEY] = caller
            return app(environ, for_caches(environ, start))

        return protected

    def cors(self, app: WSGIApplication) -> WSGIApplication:
        """The application, with preflights answered and every answer marked for pages of other origins. At the root of a service it says where tokens come from, too
        (`protected_resource`)."""
        resource = self.verifier.resource

        def marking(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if resource and resource.is_for(environ["REQUEST_METHOD"], path_of(environ)):
                start("200 OK", [*resource.headers, ("Content-Length", str(len(resource.document)))])
                return [b"" if environ["REQUEST_METHOD"] == "HEAD" else resource.document]
            origin = environ.get("HTTP_ORIGIN")
            preflight = self._cors.preflight(environ["REQUEST_METHOD"], origin, environ.get("HTTP_ACCESS_CONTROL_REQUEST_METHOD"))
            if preflight is not None:
                start("204 No Content", preflight)
                return [b""]

            def marked(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
                return start(status, [*headers, *self._cors.headers(origin)], exc_info)

            return app(environ, marked)

        return marking

    def verify(self, environ: Mapping[str, Any], requirement: Requirement | None, parameters: Mapping[str, Any], read: Callable[[int], bytes]) -> Caller:
        """The caller of a request. `read` gives its body. Raises Refused."""
        # Servers of WSGI put several into one. Two whole headers are no header of Hawk; one beside an empty one would be.
        if environ.get("HTTP_AUTHORIZATION", "").strip().strip(",") != environ.get("HTTP_AUTHORIZATION", "").strip():
            raise Refused(several_authorizations())
        request = _request(environ)
        required: Expression = requirement.fill(parameters) if requirement else {"AllOf": []}
        decision = self.verifier.check(request, required, body=read)
        if not isinstance(decision, Caller):
            resource = self.verifier.resource
            raise Refused(resource.challenged(decision.refusal, request.authorization, required) if resource else decision.refusal)
        return decision

    def answer(self, refusal: Refusal, environ: Mapping[str, Any], start: StartResponse) -> Iterable[bytes]:
        """Answers with a refusal in the protocol's shape, and logs it."""
        self.log(environ, refusal)
        body = refusal.body(environ["REQUEST_METHOD"], path_of(environ))
        start(f"{refusal.status} {REASONS[refusal.status]}", [*refusal.headers, ("Content-Length", str(len(body)))])
        return [body]

    def log(self, environ: Mapping[str, Any], refusal: Refusal) -> None:
        """Says in this service's log why a request was refused, and which origin its caller may have meant."""
        log_refusal(refusal, environ["REQUEST_METHOD"], path_of(environ))
        if refusal.reason == "bad-mac":
            log_origin(refusal, self.verifier.look_for_other_origin(_request(environ), environ.get("HTTP_HOST")))


def _request(environ: Mapping[str, Any]) -> SignedRequest:
    return SignedRequest(
        method=environ["REQUEST_METHOD"],
        resource=of_wsgi(environ),
        authorization=environ.get("HTTP_AUTHORIZATION"),
        dpop=environ.get("HTTP_DPOP"),
        content_type=environ.get("CONTENT_TYPE", ""),
        source_ip=environ.get("REMOTE_ADDR") or None,
        traceparent=environ.get("HTTP_TRACEPARENT"),
    )


def for_caches(environ: Mapping[str, Any], start: StartResponse) -> StartResponse:
    """Starts an answer marked for caches, where the URL was signed."""
    if not is_signed_url(environ.get("QUERY_STRING", "")):
        return start

    def marking(status: str, headers: list[tuple[str, str]], exc_info: Any = None, /) -> Callable[[bytes], object]:
        return start(status, [*headers, *marked_for_caches(name for name, _ in headers)], exc_info)

    return marking


def path_of(environ: Mapping[str, Any]) -> str:
    """The decoded path, for people."""
    path = environ.get("SCRIPT_NAME", "") + environ.get("PATH_INFO", "")
    return str(path).encode("latin-1", "replace").decode("utf-8", "replace")


def caller_of(environ: Mapping[str, Any]) -> Caller:
    """Who sent the request. Raises SettingsError where no guard verified it."""
    caller = environ.get(KEY)
    if not isinstance(caller, Caller):
        raise SettingsError("No guard has verified this request.")
    return caller


def read_body(environ: WSGIEnvironment, limit: int) -> bytes:
    """All of the body, or more bytes than the limit where it is longer. The application can read it again."""
    stream = environ["wsgi.input"]
    ends_itself = bool(environ.get("wsgi.input_terminated"))
    try:
        length = int(environ.get("CONTENT_LENGTH") or 0)
    except ValueError:
        length = 0
    left = limit + 1 if ends_itself else min(length, limit + 1)
    parts = []
    while left > 0:
        try:
            part = stream.read(left)
        except Exception:
            # Each server has errors of its own for a body that broke off, and for chunks that are none.
            raise Refused(body_unreadable()) from None
        if not part:
            break
        parts.append(part)
        left -= len(part)
    body = b"".join(parts)
    if len(body) <= limit:
        environ["wsgi.input"] = io.BytesIO(body)
        environ["CONTENT_LENGTH"] = str(len(body))
        environ.pop("HTTP_TRANSFER_ENCODING", None)
    return body
