"""What can go wrong, and what a caller is told of it."""

from __future__ import annotations

import json
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timezone
from typing import Any


class FalconerError(Exception):
    """Anything that this package raises."""


class SettingsError(FalconerError, ValueError):
    """A service that cannot be set up like this: the author's or the operator's to mend, at the start. The text is a whole sentence."""


class CredentialsError(FalconerError, ValueError):
    """Credentials that cannot sign, or a URL that cannot be signed."""


class Refused(FalconerError):
    """Raised instead of a handler's answer; the kits for frameworks make an answer of `refusal`."""

    def __init__(self, refusal: Refusal) -> None:
        # Not `super()`: kits mix this with exceptions of their framework, which are made of something else.
        Exception.__init__(self, refusal.message)
        self.refusal = refusal


# The protocol's codes by what is wrong. The status of each is in `STATUS`.
STATUS = {
    "InputError": 400,
    "AuthenticationFailed": 401,
    "InsufficientScopes": 403,
    "InputTooLarge": 413,
    "InternalServerError": 500,
    "ServiceUnavailable": 503,
}


def new_id() -> str:
    """For a refusal that Falconer did not number: 22 characters, as Falconer's own."""
    return secrets.token_urlsafe(16)


@dataclass(frozen=True)
class Refusal:
    """Why a request does not reach its handler."""

    code: str
    """The protocol's, such as `InsufficientScopes`; it has the status."""
    reason: str
    """A stable word, such as `bad-mac`, `scopes-missing`, `payload-differs`, `unavailable`."""
    message: str
    """For the caller. Nothing of how this service or Falconer is set up."""
    id: str = field(default_factory=new_id)
    """Of this refusal: `falconer why <id>` says more where Falconer refused, the log of this service otherwise."""
    log: str | None = None
    """For this service's log only."""
    challenge: str | None = None
    """`WWW-Authenticate` of the answer, where the service says where tokens come from."""

    @property
    def status(self) -> int:
        """The HTTP status."""
        return STATUS[self.code]

    @property
    def headers(self) -> list[tuple[str, str]]:
        """What goes with the answer."""
        headers = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]
        challenge = self.challenge or ("hawk" if self.status == 401 else None)
        if challenge:
            headers.append(("WWW-Authenticate", challenge))
        if self.status == 503:
            headers.append(("Retry-After", "1"))
        return headers

    def body(self, method: str, path: str, now: datetime | None = None) -> bytes:
        """The protocol's body of an error. `path` is given without the query, which may hold a signature."""
        moment = now or datetime.now(timezone.utc)
        time = moment.astimezone(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        asked = f"{method} {path}"
        trailer = f"* method:     {asked}\n* errorCode:  {self.code}\n* statusCode: {self.status}\n* time:       {time}"
        shown: dict[str, Any] = {
            "code": self.code,
            "message": f"{self.message}\n\n---\n\n{trailer}",
            "reason": self.reason,
            "id": self.id,
            "requestInfo": {"method": asked, "params": {}, "time": time},
        }
        return json.dumps(shown).encode()


def unavailable(why: str) -> Refusal:
    """Falconer gave no answer that could be trusted."""
    told = "The authorization server cannot be asked at the moment. Try again soon."
    return Refusal("ServiceUnavailable", "unavailable", told, log=f"Falconer cannot verify a request: {why}")


def misconfigured(why: str) -> Refusal:
    """The author's fault, found by a request."""
    told = "This service is not set up correctly. Its log says more."
    return Refusal("InternalServerError", "misconfigured", told, log=why)


def not_verifiable(why: str, reason: str = "not-verifiable") -> Refusal:
    """A request that Falconer cannot be asked about."""
    return Refusal("InputError", reason, f"The request cannot be verified: {why}")


def request_too_large() -> Refusal:
    """A request about which Falconer cannot be asked because it is too large."""
    return Refusal("InputTooLarge", "not-verifiable", "The request cannot be verified: it is too large")


def several_authorizations() -> Refusal:
    """More than one Authorization header: who reads the first and who reads the last would take the request for another one's."""
    return Refusal("AuthenticationFailed", "malformed", "There is more than one Authorization header")


def body_unreadable() -> Refusal:
    """A body that broke off, or has no form."""
    return Refusal("InputError", "body-unreadable", "The body could not be read")


def too_large(limit: int) -> Refusal:
    """A body with a signed hash that is larger than this service reads."""
    return Refusal("InputTooLarge", "body-too-large", f"The body is larger than {limit} bytes")


def payload_not_signed(id: str | None = None) -> Refusal:
    """A body whose hash was not signed, where this service wants that."""
    return Refusal("AuthenticationFailed", "payload-not-signed", "This service accepts a body only if its hash is signed", id or new_id())


def payload_differs(signed: str, computed: str, id: str | None = None) -> Refusal:
    """A body that is not the one whose hash was signed."""
    told = (
        f"Invalid payload hash: {signed}\nComputed payload hash: {computed}\nThis happens when your request carries a signed hash of the payload "
        "and the hash doesn't match the hash we've computed on the server-side."
    )
    return Refusal("AuthenticationFailed", "payload-differs", told, id or new_id())
