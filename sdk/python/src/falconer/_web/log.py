"""What this service's own log says of requests that were refused."""

from __future__ import annotations

import logging

from .._errors import Refusal

LOG = logging.getLogger("falconer")


def log_refusal(refusal: Refusal, method: str, path: str) -> None:
    """One line for each refusal. Never the query: it may hold a signature."""
    level = {500: logging.ERROR, 503: logging.WARNING}.get(refusal.status, logging.INFO)
    LOG.log(level, "%s %r refused: %d %s %s", method, path, refusal.status, refusal.log or refusal.reason, refusal.id)


def log_origin(refusal: Refusal, found: str | None) -> None:
    """Which origin the caller meant, if that is why."""
    if found is not None:
        LOG.warning("%s (looked for at most once a minute) %s", found, refusal.id)
