"""What clients of OAuth 2 are told of a service that takes access tokens (RFC 9728): where tokens come from, and which scopes there are."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from .._errors import Refusal, SettingsError
from .._scopes import Expression, is_scope
from .question import token_scheme

WELL_KNOWN = "/.well-known/oauth-protected-resource"
MOST_SCOPES = 200
# A header tells the scopes of a call up to this length. Servers and proxies refuse long ones.
LONGEST_SCOPE = 2048
# Segments of what needs no encoding. None is `.` or `..`, which clients take away.
PATH = re.compile(r"(?=.{0,201}\Z)(/(?!\.\.?(/|\Z))[A-Za-z0-9._~-]+)*")
# The signatures of proofs that count (RFC 9449), as Falconer's own metadata has them.
ALGORITHMS = "ES256 Ed25519 EdDSA ES384 PS256 RS256"
ESCAPES = str.maketrans({" ": "%20", '"': "%22", "\\": "%5C", "%": "%25"})


class Resource:
    """Raises SettingsError. `root` is Falconer's, `origin` this service's."""

    def __init__(self, root: str, origin: str, given: Mapping[str, Any]) -> None:
        if not isinstance(given, Mapping) or not given.keys() <= {"path", "scopes"}:
            raise _wrong("it looks like {'path': '/mcp', 'scopes': ['notes:read:*']}")
        path, scopes = given.get("path", ""), given.get("scopes", ())
        if not isinstance(path, str) or not PATH.fullmatch(path):
            raise _wrong(f"its path is {path!r}, and has to look like /mcp, or to be empty for the whole origin")
        if isinstance(scopes, str) or len(scopes) > MOST_SCOPES:
            raise _wrong(f"`scopes` is a list of at most {MOST_SCOPES} scopes")
        for scope in scopes:
            if not isinstance(scope, str) or not scope or not is_scope(scope):
                raise _wrong(f"{scope!r} is not a scope")
        self.path = WELL_KNOWN + path
        self._url = origin + self.path
        said: dict[str, Any] = {"resource": origin + path, "authorization_servers": [root], "bearer_methods_supported": ["header"], "dpop_signing_alg_values_supported": ALGORITHMS.split()}
        if scopes:
            said["scopes_supported"] = [scope.translate(ESCAPES) for scope in scopes]
        self.document = json.dumps(said).encode()
        # It is the same for everybody, and pages of every origin may read it.
        self.headers = [("Content-Type", "application/json"), ("Cache-Control", "public, max-age=300"), ("Access-Control-Allow-Origin", "*")]

    def is_for(self, method: str, path: str) -> bool:
        """Whether a request asks for the document."""
        return method in ("GET", "HEAD") and path == self.path

    def challenged(self, refusal: Refusal, authorization: str | None, required: Expression) -> Refusal:
        """The refusal with its challenge, where a token can mend it. Whoever shows no credentials is asked for them."""
        where = f'resource_metadata="{self._url}"'
        if refusal.reason == "no-credentials":
            return replace(refusal, code="AuthenticationFailed", challenge=f'Bearer {where}, DPoP algs="{ALGORITHMS}", hawk')
        scheme = token_scheme(authorization)
        if refusal.code == "InsufficientScopes":
            text = _scope_text(required)
            names = "" if text is None else f'scope="{text}", '
            return replace(refusal, challenge=f'{"DPoP" if scheme == "dpop" else "Bearer"} error="insufficient_scope", {names}{where}')
        if refusal.status == 401 and scheme == "dpop":
            error = "invalid_dpop_proof" if (refusal.reason or "").startswith("proof-") else "invalid_token"
            return replace(refusal, challenge=f'DPoP error="{error}", algs="{ALGORITHMS}", {where}, hawk')
        if refusal.status == 401:
            # Clients of OAuth 2 look at the first challenge. Who showed no token is told of no error (RFC 6750, section 3.1).
            error = 'error="invalid_token", ' if scheme == "bearer" else ""
            return replace(refusal, challenge=f'Bearer {error}{where}, DPoP algs="{ALGORITHMS}", hawk')
        return refusal


def _wrong(why: str) -> SettingsError:
    return SettingsError(f"`protected_resource` cannot be used: {why}.")


def _scope_text(required: Expression) -> str | None:
    """The scopes of a call as OAuth 2 writes them; of alternatives the first. None: there are none, or too many for a header."""
    text = " ".join(dict.fromkeys(scope.translate(ESCAPES) for scope in _first_of_each(required)))
    return text if 0 < len(text) <= LONGEST_SCOPE else None


def _first_of_each(required: Expression) -> Iterator[str]:
    if isinstance(required, str):
        yield required
        return
    for operator, members in required.items():
        for member in members if operator == "AllOf" else list(members)[:1]:
            yield from _first_of_each(member)
