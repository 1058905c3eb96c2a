"""The one door to time.

References to the real functions are kept as class attributes: libraries that freeze time replace names in modules.
"""

from __future__ import annotations

import time
from datetime import UTC, datetime
from typing import Protocol

#: nanoseconds
SECOND = 1_000_000_000


class Clock(Protocol):
    """Time as the project reads it."""

    def monotonic_ns(self) -> int:
        """Nanoseconds of a clock that never goes back and that all processes of this machine share."""
        ...

    def now(self) -> float:
        """Seconds since the epoch: for what people read, and for ages in days."""
        ...


class SystemClock:
    """The machine's clock, untouched by what tests freeze."""

    _monotonic_ns = staticmethod(time.monotonic_ns)
    _time = staticmethod(time.time)

    def monotonic_ns(self) -> int:
        return self._monotonic_ns()

    def now(self) -> float:
        return self._time()


def timestamp(seconds: float) -> str:
    """``2026-11-25T10:00:00Z`` for seconds since the epoch."""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
