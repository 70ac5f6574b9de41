"""Signs requests and URLs, by Falconer's time."""

from __future__ import annotations

import copy
import re
import secrets
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar

from .._errors import CredentialsError
from .._scopes import is_scope
from .._verifying.decision import payload_hash
from .._verifying.target import root_url as read_root_url
from .credentials import Credentials
from .hawk import Signed, Target, bewit, ext_text, header

# A difference below this can't be why a call was refused: signatures may be 15 minutes off.
STEP_SECONDS = 60
# An empty body is signed where one is expected, so that nobody can add one (vectors/ours/signed-bodies.json).
BODIED = ("POST", "PUT", "PATCH")
PING = "/api/auth/v1/ping"


class Clock:
    """Falconer's time, as far as it is known. Only Falconer is believed: another server could collect signatures for later."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now, self._ahead = now, 0.0
        self._asked: float | None = None
        self._lock = threading.Lock()

    def now(self) -> float:
        """Seconds since 1970."""
        return self._now() + self._ahead

    def may_ask(self) -> bool:
        """Whether Falconer may be asked for its time: once a minute, so that calls that are refused for another reason don't double."""
        with self._lock:
            now = self._now()
            fine = self._asked is None or abs(now - self._asked) >= STEP_SECONDS
            if fine:
                self._asked = now
            return fine

    def learn(self, date: str | None) -> bool:
        """From the Date header of an answer. True if it is another time than was thought, so that signing again may help."""
        try:
            there = parsedate_to_datetime(date or "").timestamp()
        except (TypeError, ValueError, OverflowError):
            return False
        ahead = there - self._now()
        other = abs(ahead - self._ahead) >= STEP_SECONDS
        if other:
            self._ahead = ahead
        return other


Self = TypeVar("Self", bound="Signer")


class Signer:
    """Signs with credentials: `Credentials(...)`, or a mapping with `clientId` and `accessToken`. Raises CredentialsError.

    `root_url` is Falconer's: after a 401 it is asked for its time, once a minute at most, and the call is made once more if this computer's clock was
    wrong. `authorized_scopes` restricts each call. `payload_hash=False` leaves bodies unsigned.
    """

    def __init__(
        self,
        credentials: Credentials | Mapping[str, Any],
        *,
        root_url: str | None = None,
        authorized_scopes: Sequence[str] | None = None,
        payload_hash: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        self._credentials = credentials if isinstance(credentials, Credentials) else Credentials.of(credentials)
        self._root_url = None if root_url is None else read_root_url(root_url)
        self._payload_hash = payload_hash
        self._clock = Clock(now)
        self._ext = self._ext_of(authorized_scopes)

    def restricted(self: Self, authorized_scopes: Sequence[str]) -> Self:
        """The same, with each call restricted to these scopes: for calls that a service makes for its caller (`caller.authorized_scopes(...)`)."""
        narrow = copy.copy(self)
        narrow._ext = self._ext_of(authorized_scopes)
        return narrow

    def _ext_of(self, authorized_scopes: Sequence[str] | None) -> str:
        if isinstance(authorized_scopes, str):
            raise CredentialsError("Authorized scopes are a list.")
        for scope in authorized_scopes or ():
            if not is_scope(scope):
                raise CredentialsError(f"{scope!r} is not a scope.")
        return ext_text(self._credentials.certificate, authorized_scopes)

    def authorization(self, method: str, url: str, content_type: str = "", body: bytes | None = None) -> str:
        """The value of an Authorization header for a request as it goes over the wire. `body` None leaves it unsigned; an empty one is signed too with
        POST, PUT and PATCH, so that nobody can add one."""
        target = Target.of(url)
        unsigned = body is None or not self._payload_hash or (not body and method.upper() not in BODIED)
        signed_hash = "" if unsigned else payload_hash(content_type, body or b"")
        signed = Signed(method, target.resource, target.host, target.port, signed_hash, self._ext)
        credentials = self._credentials
        return header(credentials.client_id, credentials.access_token, int(self._clock.now()), secrets.token_urlsafe(9), signed)

    def signed_url(self, url: str, expires_in: float = 900) -> str:
        """The URL with a signature in its query: it works for GET and HEAD, without these credentials, for so many seconds."""
        begin, hash_mark, fragment = url.partition("#")
        begin = begin[:-1] if begin.endswith("?") else begin
        target = Target.of(begin)
        if "?bewit=" in target.resource or "&bewit=" in target.resource:
            raise CredentialsError("This URL is signed already.")
        signed = Signed("GET", target.resource, target.host, target.port, ext=self._ext)
        credentials = self._credentials
        value = bewit(credentials.client_id, credentials.access_token, int(self._clock.now() + expires_in), signed)
        scheme, _, rest = begin.partition("://")
        authority = re.split("[/?]", rest, maxsplit=1)[0]
        joint = "&" if "?" in target.resource else "?"
        return f"{scheme}://{authority}{target.resource}{joint}bewit={value}{hash_mark}{fragment}"

    def _ping(self) -> str | None:
        """Where to ask for the time, if it may be asked for."""
        return self._root_url + PING if self._root_url is not None and self._clock.may_ask() else None

