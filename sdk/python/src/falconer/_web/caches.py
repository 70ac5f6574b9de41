"""Caches keep answers to signed URLs, unlike those to requests with an Authorization header (RFC 9111, 3.5): what says nothing itself is marked."""

from __future__ import annotations

from collections.abc import Iterable


def is_signed_url(query: str) -> bool:
    """Whether the query holds a signature."""
    return any(part.startswith("bewit=") for part in query.split("&"))


def marked_for_caches(names: Iterable[str]) -> list[tuple[str, str]]:
    """The header to add to an answer that has headers of these names already."""
    return [] if any(name.lower() == "cache-control" for name in names) else [("Cache-Control", "private, no-cache")]
