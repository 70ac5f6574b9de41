"""Falconer for Python: services ask who may do what, programs sign their calls.

| for | module |
| --- | --- |
| any program: the parts of a request in, a decision out | `falconer`: `Verifier`, `AsyncVerifier` |
| FastAPI, Starlette, any ASGI application | `falconer.fastapi`, `falconer.starlette`, `falconer.asgi` |
| Flask, any WSGI application | `falconer.flask`, `falconer.wsgi` |
| calls with httpx or requests | `falconer.httpx`, `falconer.requests` |

What it deliberately does not do: it holds no secret of a caller, decides nothing by a clientId, never trusts the Host header, keeps no decision, and lets
nothing through when in doubt.
"""

from ._errors import CredentialsError, FalconerError, Refusal, Refused, SettingsError
from ._scopes import Expression, satisfied
from ._signing.credentials import Credentials
from ._signing.signer import Signer
from ._verifying.caller import AsyncCaller, Caller
from ._verifying.decision import Denied, Failed, Identity, SignedRequest, payload_hash
from ._verifying.requirement import Requirement
from ._verifying.verifier import AsyncVerifier, Verifier

__all__ = [
    "AsyncCaller",
    "AsyncVerifier",
    "Caller",
    "Credentials",
    "CredentialsError",
    "Denied",
    "Expression",
    "Failed",
    "FalconerError",
    "Identity",
    "Refusal",
    "Refused",
    "Requirement",
    "SettingsError",
    "SignedRequest",
    "Signer",
    "Verifier",
    "payload_hash",
    "satisfied",
]
