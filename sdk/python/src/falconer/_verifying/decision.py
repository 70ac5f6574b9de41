"""What is asked about a request, and what Falconer decides."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import dataclass, field
from typing import Union

from .._errors import Refusal, payload_differs, payload_not_signed
from .._scopes import Expression


@dataclass(frozen=True)
class SignedRequest:
    """What of a request is signed. Host and port are missing on purpose: they are the verifier's own."""

    method: str
    """In any case."""
    resource: str
    """Path and query exactly as on the request line, before any proxy or router changed or decoded them."""
    authorization: str | None = field(default=None, repr=False)
    """The value of the Authorization header as it came; None if there was none."""
    content_type: str = ""
    """The value of the Content-Type header; empty if there was none."""
    source_ip: str | None = None
    """Address of the caller, for Falconer's log."""
    traceparent: str | None = None
    """The value of the traceparent header (W3C Trace Context), or that of a span of this service's own: the question to Falconer is a part of that trace. What is not of
    the form is not passed on."""
    dpop: str | None = field(default=None, repr=False)
    """The value of the DPoP header as it came (RFC 9449), which goes with an access token that is bound to a key."""
    follow_up: str | None = field(default=None, repr=False)
    """In place of `dpop`, which counts once, where this request was verified before: `caller.follow_up`."""


@dataclass(frozen=True)
class Identity:
    """Who the person is, if a person granted access and let this service know. Key records by `id`."""

    id: str
    """Such as `local/ann`."""
    provider: str
    subject: str
    target: str
    display_name: str | None = None
    email: str | None = None
    email_verified: bool = False
    """Unless this is true, nobody has checked the address."""


@dataclass(frozen=True)
class Facts:
    """What Falconer says of a caller whose signature is right."""

    expires: str
    """Until when the credentials are good, RFC 3339."""
    client_id: str | None = None
    """For display and logs only: anybody may choose a clientId. None without credentials."""
    hash: str | None = None
    """The payload hash that the caller signed."""
    identity: Identity | None = None
    scopes: tuple[str, ...] = ()
    """The caller's scopes below the prefixes that the verifier's `reveal` names."""
    each: tuple[bool, ...] = ()
    follow_up: str | None = None
    """What goes in place of a proof where the same request is asked about once more."""


@dataclass(frozen=True)
class Allowed:
    """The signature is right (or there is none, and everybody may), the body is the signed one, and the scopes satisfy what is required."""

    facts: Facts


@dataclass(frozen=True)
class Denied:
    """The scopes do not satisfy what is required."""

    missing: Expression
    refusal: Refusal


@dataclass(frozen=True)
class Failed:
    """The credentials do not hold, the body is another one, the request can't be asked about, or Falconer cannot be asked. The refusal says which."""

    reason: str
    refusal: Refusal


Decision = Union[Allowed, Denied, Failed]


def failed(refusal: Refusal) -> Failed:
    """With the reason of the refusal."""
    return Failed(refusal.reason, refusal)


def payload_hash(content_type: str, payload: bytes) -> str:
    """The Hawk hash of a payload: base64 text."""
    kind = content_type.split(";")[0].strip().lower().encode("utf-8")
    digest = hashlib.sha256(b"hawk.1.payload\n" + kind + b"\n")
    digest.update(payload)
    digest.update(b"\n")
    return base64.b64encode(digest.digest()).decode("ascii")


def body_limit(facts: Facts, required: bool, limit: int) -> int | None:
    """How many bytes of the body have to be looked at: None for none of it, 0 where it has to be empty."""
    if facts.hash is not None:
        return limit
    return 0 if required and facts.client_id is not None else None


def body_refusal(facts: Facts, content_type: str, body: bytes) -> Refusal | None:
    """Compares a body with what was signed; without a signed hash it has to be empty."""
    if facts.hash is None:
        return payload_not_signed() if body else None
    computed = payload_hash(content_type, body)
    # The id is the author's own: Falconer did not see the body.
    return None if hmac.compare_digest(computed.encode(), facts.hash.encode("utf-8", "replace")) else payload_differs(facts.hash, computed)
