"""Pages of other origins: preflights are answered before anything else, and every answer is marked, refusals too."""

from __future__ import annotations

from collections.abc import Iterable

from .._errors import SettingsError
from .._verifying.target import Origin

METHODS = "GET, HEAD, POST, PUT, PATCH, DELETE"


class Cors:
    """Which pages may call. Signed calls need no cookies, so letting every origin call gives nobody anything that they couldn't do without a browser."""

    def __init__(self, origins: Iterable[str] | None = None) -> None:
        """Pages of every origin, or of these only. Raises SettingsError for what is no origin."""
        self._origins: frozenset[str] | None = None
        if origins is not None:
            if isinstance(origins, str):
                raise SettingsError("`cors` is a list of origins, such as ['https://notes.example.com'].")
            self._origins = frozenset(_as_sent(origin) for origin in origins)

    def headers(self, origin: str | None) -> list[tuple[str, str]]:
        """What marks an answer to a request with this Origin header."""
        headers = []
        allowed = "*" if self._origins is None else origin if origin in self._origins else None
        if allowed is not None:
            headers += [("Access-Control-Allow-Origin", allowed), ("Access-Control-Expose-Headers", "WWW-Authenticate, Retry-After, Date")]
        if self._origins is not None:
            headers.append(("Vary", "Origin"))
        return headers

    def preflight(self, method: str, origin: str | None, requested_method: str | None) -> list[tuple[str, str]] | None:
        """The headers of the answer (204) to a preflight; None for any other request."""
        if method != "OPTIONS" or origin is None or requested_method is None:
            return None
        allowed = [("Access-Control-Allow-Methods", METHODS), ("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP"), ("Access-Control-Max-Age", "900")]
        return self.headers(origin) + allowed


def _as_sent(text: str) -> str:
    """As browsers write an origin: without the scheme's own port."""
    return Origin.parse(text).text()
