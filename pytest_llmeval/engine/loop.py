"""The engine's event loop: its time is the machine's, whatever a test has frozen."""

from __future__ import annotations

import asyncio
import time


class SteadyLoop(asyncio.SelectorEventLoop):
    """A loop whose clock cannot be replaced by name.

    asyncio reads ``time.monotonic`` at each call; under a frozen clock a sleep begun in the loop would never end.
    """

    _steady = staticmethod(time.monotonic)

    def time(self) -> float:
        return self._steady()
