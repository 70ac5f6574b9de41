"""The question to Falconer and its answer, without the network: `POST /api/falconer/v1/check`, and `authenticateHawk` of older servers."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any
from urllib.parse import unquote

from .._errors import Refusal, misconfigured, new_id, not_verifiable, request_too_large, unavailable
from .._scopes import Expression, insufficient, missing
from .decision import Allowed, Decision, Denied, Facts, Failed, Identity, SignedRequest, failed
from .target import Origin

CHECK = "/api/falconer/v1/check"
AUTHENTICATE = "/api/auth/v1/authenticate-hawk"
LARGEST_QUESTION = 64 * 1024
MOST_EACH = 128
MOST_TEXT = 12 * 1024
MOST_VALUES = 480
TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
# What of a question is the service's own.
OURS = ("data/required", "data/reveal", "data/each")
STALE = "Unauthorized: Stale timestamp"
# Of a server without `check`, which gives a message only: the beginning and the end of it.
REASONS = [
    ("Unauthorized: Bad mac", "", "bad-mac"),
    (STALE, "", "stale-timestamp"),
    ("Unauthorized: Access expired", "", "bewit-expired"),
    ("Client with clientId ", " is disabled", "client-disabled"),
    ("Client with clientId", " has expired", "client-expired"),
    ("ext.certificate.expiry < now", "", "certificate-expired"),
    ("Supplied credentials do not satisfy authorizedScopes", "", "authorized-scopes"),
    ("The grant ", " has been revoked", "grant-revoked"),
    ("Bad Request: ", "", "malformed"),
]


class NoCheck(Exception):
    """This server has no `check`."""


class Strange(Exception):
    """No answer of Falconer's. The text is for the log."""

    def __init__(self, why: str, away: bool = False) -> None:
        super().__init__(why)
        self.away = away
        """Whether the next question would be answered no better. What a caller wrote, and a proxy between did not like, says nothing about that."""


@dataclass(frozen=True)
class Question:
    """One request, and what is asked about it."""

    request: SignedRequest
    required: Expression
    reveal: Sequence[str] = ()
    identity: bool = False
    each: Sequence[Expression] = ()

    def check(self, origin: Origin, bearer_tokens: bool = False) -> bytes:
        """The body for `check`."""
        asked: dict[str, Any] = {"request": self._parts(origin), "required": self.required}
        if self.reveal:
            asked["reveal"] = list(self.reveal)
        if self.identity:
            asked["identity"] = True
        if self.each:
            asked["each"] = list(self.each)
        # Only with a token: an older server would refuse the question.
        scheme = token_scheme(self.request.authorization)
        if bearer_tokens and scheme is not None:
            asked["bearer"] = True
            if scheme == "dpop":
                asked["request"].update(self._proof(origin))
        return json.dumps(asked).encode()

    def headers(self) -> dict[str, str]:
        """What goes along with either."""
        traceparent = self.request.traceparent
        return {"traceparent": traceparent} if traceparent and TRACEPARENT.fullmatch(traceparent) else {}

    def authenticate(self, origin: Origin) -> bytes:
        """The body for `authenticateHawk`."""
        return json.dumps(self._parts(origin)).encode()

    def _parts(self, origin: Origin) -> dict[str, Any]:
        request = self.request
        parts: dict[str, Any] = {"method": request.method.lower(), "resource": request.resource, "host": origin.host, "port": origin.port}
        if request.authorization:
            parts["authorization"] = request.authorization
        if request.source_ip:
            parts["sourceIp"] = request.source_ip
        return parts

    def _proof(self, origin: Origin) -> dict[str, Any]:
        proof = {"followUp": self.request.follow_up} if self.request.follow_up else {"dpop": self.request.dpop} if self.request.dpop else {}
        return {**proof, "scheme": origin.scheme}

    def read_check(self, status: int, text: bytes) -> Decision:
        """What `check` decided. Raises NoCheck, Strange."""
        answer = _object(status, text)
        code = answer.get("code")
        if status == 404 and not isinstance(code, str):
            raise NoCheck
        if status in (400, 413) and isinstance(code, str):
            return _refused_question(status, _said(answer))
        if status != 200:
            raise Strange(f"it answered {status}")
        word = answer.get("status")
        if word == "failed":
            return failed(Refusal("AuthenticationFailed", _text(answer, "reason"), _told(_text(answer, "message")), _id(answer)))
        if word == "denied":
            lacking = answer.get("missing", self.required)
            return Denied(lacking, Refusal("InsufficientScopes", _text(answer, "reason"), _text(answer, "message"), _id(answer)))
        if word != "allowed":
            raise Strange("it is not Falconer that answered")
        each = answer.get("each", [])
        if not isinstance(each, list) or len(each) != len(self.each):
            raise Strange("it did not answer each expression")
        return Allowed(
            Facts(
                expires=_text(answer, "expires"),
                client_id=_optional(answer, "clientId"),
                hash=_optional(answer, "hash"),
                identity=_identity(answer),
                scopes=tuple(_texts(answer.get("revealed", []))),
                each=tuple(isinstance(one, dict) and one.get("status") == "allowed" for one in each),
                follow_up=_optional(answer, "followUp"),
            )
        )

    def read_authenticate(self, status: int, text: bytes) -> Decision:
        """What the list of scopes that `authenticateHawk` gives decides. Raises Strange."""
        answer = _object(status, text)
        if status == 413 and isinstance(answer.get("code"), str):
            return failed(request_too_large())
        # It repeats what the caller sent, and nothing else.
        if status == 400 and isinstance(answer.get("code"), str):
            return failed(not_verifiable(_said(answer)))
        if status != 200:
            raise Strange(f"it answered {status}")
        word = answer.get("status")
        if word == "auth-failed":
            message = _text(answer, "message")
            return failed(Refusal("AuthenticationFailed", _reason(message), _told(message)))
        if word not in ("auth-success", "no-auth"):
            raise Strange("it is not Falconer that answered")
        scopes = _texts(answer.get("scopes"))
        client_id = _text(answer, "clientId") if word == "auth-success" else None
        lacking = missing(scopes, self.required)
        if lacking is not None:
            reason = "no-credentials" if client_id is None else "scopes-missing"
            return Denied(lacking, Refusal("InsufficientScopes", reason, insufficient(client_id, lacking, self.required)))
        return Allowed(
            Facts(
                expires=_text(answer, "expires"),
                client_id=client_id,
                hash=_optional(answer, "hash") if client_id is not None else None,
                identity=_identity(answer) if self.identity else None,
                scopes=tuple(_narrowed(scopes, self.reveal)),
                each=tuple(missing(scopes, one) is None for one in self.each),
            )
        )


def token_scheme(authorization: str | None) -> str | None:
    """By which scheme a request shows an access token, in lower case; None where it shows none."""
    scheme, blank, _ = (authorization or "").partition(" ")
    return scheme.lower() if blank and scheme.lower() in ("bearer", "dpop") else None


def two_schemes(request: SignedRequest) -> Failed | None:
    """A header and a bewit at once. Falconer takes the header, and the bewit as a part of the path that it signs: services refuse both, as the protocol's do. What would be
    taken for a bewit if there were no header is one, and so is a parameter whose decoded name is `bewit`, also without a value."""
    resource = request.resource
    if not request.authorization or not ("?bewit=" in resource or "&bewit=" in resource or _names_bewit(resource)):
        return None
    told = "Cannot use two authentication schemes at once this request has both bewit in querystring and 'authorization' header"
    return failed(Refusal("AuthenticationFailed", "two-schemes", told))


def unreadably_large(asked: bytes) -> Failed | None:
    """Falconer reads no larger question, and may close the connection while it is still being sent, which looks as though it were away. So it is refused before anything is
    asked, and says nothing about Falconer: else strangers could shut everybody out, or have everybody wait while it is away."""
    return failed(request_too_large()) if len(asked) > LARGEST_QUESTION else None


def _names_bewit(resource: str) -> bool:
    return any(unquote(pair.partition("=")[0]) == "bewit" for pair in resource.partition("?")[2].split("&"))


def _said(answer: Mapping[str, Any]) -> str:
    return str(answer.get("message", "")).split("\n\n---\n")[0].strip()


def _refused_question(status: int, said: str) -> Failed:
    """The author's fault where it is about what a route requires, and the caller's where it is about what the caller sent."""
    if status == 413:
        return failed(request_too_large())
    if any(ours in said for ours in OURS):
        return failed(misconfigured(f"Falconer does not understand what this route requires: {said}"))
    if "data/request" in said:
        return failed(not_verifiable(said))
    return failed(unavailable(f"it did not understand the question: {said}"))


def _reason(message: str) -> str:
    found = (word for begin, end, word in REASONS if message.startswith(begin) and message.endswith(end))
    return next(found, "not-accepted")


def _told(message: str) -> str:
    if message != STALE:
        return message
    now = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return f"{STALE}. The request was signed more than 15 minutes ago, or the clock of the computer that signed it is wrong. It is {now} here."


def _narrowed(scopes: Sequence[str], prefixes: Sequence[str]) -> list[str]:
    """As `reveal` shows them: what lies below a prefix, and for a wider star the prefix with a star."""
    shown = {scope for scope in scopes for prefix in prefixes if scope.startswith(prefix)}
    shown |= {f"{prefix}*" for scope in scopes for prefix in prefixes if scope.endswith("*") and prefix.startswith(scope[:-1])}
    return sorted(shown)


def _object(status: int, text: bytes) -> Mapping[str, Any]:
    # Also where a proxy says so with a page of its own.
    if status >= 500:
        raise Strange(f"it answered {status}", away=True)
    try:
        answer = json.loads(text)
    except (ValueError, RecursionError):
        raise Strange("its answer is not JSON") from None
    if not isinstance(answer, dict):
        raise Strange("its answer is not a JSON object")
    return answer


def _text(answer: Mapping[str, Any], name: str) -> str:
    value = answer.get(name)
    if not isinstance(value, str):
        raise Strange(f"its answer has no {name}")
    return value


def _optional(answer: Mapping[str, Any], name: str) -> str | None:
    return _text(answer, name) if name in answer else None


def _id(answer: Mapping[str, Any]) -> str:
    return _optional(answer, "id") or new_id()


def _texts(value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
        raise Strange("its list of scopes is none")
    return value


def _identity(answer: Mapping[str, Any]) -> Identity | None:
    given = answer.get("identity")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise Strange("its identity is none")
    return Identity(
        id=_text(given, "id"),
        provider=_text(given, "provider"),
        subject=_text(given, "subject"),
        target=_text(given, "target"),
        display_name=_optional(given, "displayName"),
        email=_optional(given, "email"),
        email_verified=given.get("emailVerified") is True,
    )
