"""Hawk: what is signed, and the texts that carry a signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from .._errors import CredentialsError, SettingsError
from .._verifying.target import host as signed_host


def b64(data: bytes) -> str:
    """Standard base64."""
    return base64.b64encode(data).decode("ascii")


def b64url(data: bytes) -> str:
    """Without padding."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode("ascii")


@dataclass(frozen=True)
class Signed:
    """What a signature covers."""

    method: str
    resource: str
    host: str
    port: int
    hash: str = ""
    ext: str = ""
    app: str = ""
    dlg: str = ""


def normalized(kind: str, ts: str, nonce: str, signed: Signed) -> str:
    """The text that a MAC covers. `kind` is `header` or `bewit`."""
    ext = signed.ext.replace("\\", "\\\\").replace("\n", "\\n")
    lines = [f"hawk.1.{kind}", ts, nonce, signed.method.upper(), signed.resource, signed.host.lower(), str(signed.port), signed.hash, ext]
    if signed.app:
        lines += [signed.app, signed.dlg]
    return "\n".join(lines) + "\n"


def mac(key: str, text: str) -> str:
    """HMAC-SHA256, base64."""
    return b64(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest())


def ext_text(certificate: Mapping[str, Any] | None, authorized_scopes: Sequence[str] | None) -> str:
    """What carries a certificate and authorized scopes; empty where there is nothing to carry. An empty list of scopes is something: it leaves none."""
    ext: dict[str, Any] = {}
    if certificate is not None:
        ext["certificate"] = certificate
    if authorized_scopes is not None:
        ext["authorizedScopes"] = list(authorized_scopes)
    return b64(json.dumps(ext, separators=(",", ":")).encode()) if ext else ""


def header(client_id: str, key: str, ts: int, nonce: str, signed: Signed) -> str:
    """The value of an Authorization header."""
    values = {"id": client_id, "ts": str(ts), "nonce": nonce, "hash": signed.hash, "ext": signed.ext, "mac": mac(key, normalized("header", str(ts), nonce, signed))}
    return "Hawk " + ", ".join(f'{name}="{value}"' for name, value in values.items() if value)


def bewit(client_id: str, key: str, expires: int, signed: Signed) -> str:
    """The value of the query parameter `bewit`."""
    code = mac(key, normalized("bewit", str(expires), "", signed))
    return b64url(f"{client_id}\\{expires}\\{code}\\{signed.ext}".encode())


@dataclass(frozen=True)
class Target:
    """What of a URL is signed."""

    resource: str
    host: str
    port: int

    @classmethod
    def of(cls, url: str) -> Target:
        """From a URL as it goes over the wire. Raises CredentialsError."""
        if any(character <= " " or character > "~" or character == "\\" for character in url):
            raise CredentialsError("A URL has to be percent-encoded before it can be signed.")
        try:
            parts = urlsplit(url)
            port = parts.port
            name = signed_host(parts.hostname or "")
        except (ValueError, SettingsError) as error:
            raise CredentialsError(f"This URL cannot be signed: {error}.") from None
        if parts.scheme not in ("http", "https") or not name:
            raise CredentialsError("Only http and https URLs can be signed.")
        if "@" in parts.netloc:
            raise CredentialsError("A URL with a user name or a password cannot be signed.")
        # Not path and query put together: that would lose a lone `?`, which does go over the wire.
        rest = url.split("#", 1)[0].split("://", 1)[1][len(parts.netloc) :]
        return cls(rest if rest.startswith("/") else "/" + rest, name, port or {"http": 80, "https": 443}[parts.scheme])
