"""When Falconer is away, callers are told at once instead of after a timeout each."""

from __future__ import annotations

import threading
from collections.abc import Callable

FAILURES = 5
PAUSE_SECONDS = 1.0


class Breaker:
    """After five failures in a row nothing is asked for a second; then one question tries, while the others are still refused."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._lock = threading.Lock()
        self._failures = 0
        self._until = 0.0

    def may_ask(self) -> bool:
        """Whether this question goes out. Who is told so reports how it went."""
        with self._lock:
            if self._failures < FAILURES:
                return True
            now = self._monotonic()
            if now < self._until:
                return False
            # This one tries. Should nobody report what it found, another one tries after the same pause.
            self._until = now + PAUSE_SECONDS
            return True

    def report(self, answered: bool) -> None:
        """How a question went."""
        with self._lock:
            if answered:
                self._failures = 0
            else:
                self._failures += 1
                self._until = self._monotonic() + PAUSE_SECONDS
