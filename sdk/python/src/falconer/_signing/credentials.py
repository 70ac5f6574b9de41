"""What signs."""

from __future__ import annotations

import hashlib
import hmac
import json
import os
import re
import secrets
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from .._errors import CredentialsError
from .hawk import b64, b64url

LONGEST_MS = 31 * 24 * 60 * 60 * 1000
VALUE = re.compile(r'[ !#-\[\]-~]+')


@dataclass(frozen=True)
class Credentials:
    """A client's, or temporary ones with their certificate. Raises CredentialsError for what can't sign."""

    client_id: str
    access_token: str = field(repr=False)
    certificate: Mapping[str, Any] | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not isinstance(self.client_id, str) or not VALUE.fullmatch(self.client_id):
            raise CredentialsError("The clientId is empty, or has a character that no header can carry.")
        if not isinstance(self.access_token, str) or not self.access_token:
            raise CredentialsError("The access token is missing.")
        if self.certificate is not None and not isinstance(self.certificate, Mapping):
            raise CredentialsError("The certificate is not an object.")

    @classmethod
    def of(cls, given: Mapping[str, Any]) -> Credentials:
        """From `{"clientId", "accessToken", "certificate"?}`; the certificate may be its JSON text."""
        certificate = given.get("certificate") or None
        if isinstance(certificate, str):
            try:
                certificate = json.loads(certificate)
            except ValueError:
                raise CredentialsError("The certificate is not JSON.") from None
        return cls(given.get("clientId", ""), given.get("accessToken", ""), certificate)

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] | None = None) -> Credentials:
        """From TASKCLUSTER_CLIENT_ID, TASKCLUSTER_ACCESS_TOKEN and, for temporary ones, TASKCLUSTER_CERTIFICATE."""
        found = os.environ if environment is None else environment
        names = {"clientId": "TASKCLUSTER_CLIENT_ID", "accessToken": "TASKCLUSTER_ACCESS_TOKEN", "certificate": "TASKCLUSTER_CERTIFICATE"}
        for name in ("TASKCLUSTER_CLIENT_ID", "TASKCLUSTER_ACCESS_TOKEN"):
            if not found.get(name):
                raise CredentialsError(f"{name} is not set.")
        return cls.of({key: found.get(name) for key, name in names.items()})

    def temporary(self, scopes: Sequence[str], start_ms: int, expiry_ms: int, name: str | None = None, seed: str | None = None) -> Credentials:
        """Credentials that end by themselves, made without a call. Only a client's own can make them. `name` is a clientId that this client may make."""
        if self.certificate is not None:
            raise CredentialsError("Temporary credentials cannot make others.")
        if expiry_ms - start_ms > LONGEST_MS:
            raise CredentialsError("Temporary credentials cannot last longer than 31 days.")
        if name == self.client_id:
            raise CredentialsError("The name of temporary credentials has to differ from the clientId of their maker.")
        seed = _slug() + _slug() if seed is None else seed
        certificate: dict[str, Any] = {"version": 1, "scopes": list(scopes), "start": start_ms, "expiry": expiry_ms, "seed": seed}
        lines = ["version:1", *([f"clientId:{name}", f"issuer:{self.client_id}"] if name else []), f"seed:{seed}", f"start:{start_ms}", f"expiry:{expiry_ms}", "scopes:"]
        certificate["signature"] = b64(self._hmac("\n".join([*lines, *scopes])))
        if name:
            certificate["issuer"] = self.client_id
        return Credentials(name or self.client_id, b64url(self._hmac(seed)), certificate)

    def _hmac(self, text: str) -> bytes:
        return hmac.new(self.access_token.encode(), text.encode(), hashlib.sha256).digest()


def _slug() -> str:
    return b64url(uuid.UUID(bytes=secrets.token_bytes(16), version=4).bytes)
