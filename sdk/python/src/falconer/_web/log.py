"""What this service's own log says of requests that were refused."""

from __future__ import annotations

import logging

from .._errors import Refusal
from .._verifying.verifier import BaseVerifier

LOG = logging.getLogger("falconer")


def log_refusal(refusal: Refusal, method: str, path: str, host_header: str | None, verifier: BaseVerifier) -> None:
    """One line for each refusal."""
    origin = verifier.origin
    where = ""
    if refusal.reason == "bad-mac":
        where = f"; verified for {origin.host}:{origin.port}, the configured origin; its Host header says {host_header!r}"
    level = {500: logging.ERROR, 503: logging.WARNING}.get(refusal.status, logging.INFO)
    LOG.log(level, "%s %r refused: %d %s %s%s", method, path, refusal.status, refusal.log or refusal.reason, refusal.id, where)
