"""Where a service is, where Falconer is, and what of a request is signed."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._errors import Refused, SettingsError, misconfigured


@dataclass(frozen=True)
class Origin:
    """Scheme, host and port that callers write for a service."""

    scheme: str
    host: str
    """In lower case; an address of IPv6 in its shortest form, in brackets."""
    port: int

    @classmethod
    def parse(cls, text: str) -> Origin:
        """From `https://notes.example.com`. Raises SettingsError."""
        parts = _split(text, "The public origin of this service", "https://notes.example.com")
        if parts.path not in ("", "/") or parts.query or parts.fragment:
            raise SettingsError(f"The public origin of this service cannot be used: {text!r} has a path, query or fragment. It looks like https://notes.example.com.")
        return parts.origin

    def text(self) -> str:
        """As browsers write it: without the scheme's own port."""
        port = "" if self.port == {"http": 80, "https": 443}[self.scheme] else f":{self.port}"
        return f"{self.scheme}://{self.host}{port}"


@dataclass(frozen=True)
class _Parts:
    origin: Origin
    path: str
    query: str
    fragment: str


def root_url(text: str) -> str:
    """Falconer's root URL without a slash at its end. Raises SettingsError."""
    parts = _split(text, "Falconer's root URL", "https://auth.example.com")
    if parts.query or parts.fragment:
        raise SettingsError(f"Falconer's root URL cannot be used: {text!r} has a query or fragment. It looks like https://auth.example.com.")
    return text.rstrip("/")


def _split(text: str, what: str, example: str) -> _Parts:
    def error(problem: str) -> SettingsError:
        return SettingsError(f"{what} cannot be used: {problem}. It looks like {example}.")

    if not isinstance(text, str) or not text or any(character <= " " or character > "~" or character == "\\" for character in text):
        raise error(f"{text!r} is not a URL")
    try:
        url = urlsplit(text)
        port = url.port
    except ValueError as problem:
        raise error(f"{text!r}: {problem}") from None
    if url.scheme not in ("http", "https"):
        raise error(f"{text!r} does not begin with https:// or http://")
    if "@" in url.netloc:
        raise error("it holds a user name")
    if not url.hostname or port == 0:
        raise error(f"{text!r} has no host, or the port 0")
    return _Parts(Origin(url.scheme, host(url.hostname), port or {"http": 80, "https": 443}[url.scheme]), url.path, url.query, url.fragment)


def host(name: str) -> str:
    """As it is signed: in lower case, an address of IPv6 in its shortest form and in brackets."""
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    try:
        return f"[{ipaddress.IPv6Address(bare)}]"
    except ValueError:
        return name.lower()


_ABSOLUTE = re.compile(r"(?i)https?://[^/?#]*")


def resource(target: str) -> str:
    """Path and query of a request target as it came; of the form with scheme and host, what is behind them."""
    begun = _ABSOLUTE.match(target)
    if begun is None:
        return target
    rest = target[begun.end() :]
    return rest if rest.startswith("/") else "/" + rest


def of_asgi(scope: Mapping[str, Any]) -> str:
    """The raw target of an ASGI request. Raises Refused where the server does not tell it: a decoded path is not what was signed."""
    raw = scope.get("raw_path")
    if not isinstance(raw, bytes) or not raw:
        raise Refused(misconfigured("the ASGI server gives no raw_path, so nobody knows what was signed; uvicorn, hypercorn and gunicorn do"))
    query = scope.get("query_string") or b""
    return resource((raw + b"?" + query if query else raw).decode("latin-1"))


def of_wsgi(environ: Mapping[str, Any]) -> str:
    """The raw target of a WSGI request: RAW_URI (gunicorn) or REQUEST_URI (waitress, uWSGI, mod_wsgi). Raises Refused where neither is there."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI")
    if not isinstance(raw, str) or not raw:
        raise Refused(misconfigured("the WSGI server gives neither RAW_URI nor REQUEST_URI, so nobody knows what was signed; gunicorn, waitress and uWSGI do"))
    return resource(raw)
