"""The handshake by which a user's own test has the process to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Pause:
    """Says whether look-ahead may leave, and knows what stands between admission and the wire. Lives in the loop."""

    def __init__(self) -> None:
        self.held = False
        self._departing = 0
        self._quiet = asyncio.Event()
        self._quiet.set()

    @contextmanager
    def departure(self) -> Iterator[None]:
        """Around admission and the first step of what was admitted."""
        self._departing += 1
        self._quiet.clear()
        try:
            yield
        finally:
            self._departing -= 1
            if not self._departing:
                self._quiet.set()

    async def hold(self) -> None:
        """From now on only what the running test asks may leave; returns when nothing else is on its way out."""
        self.held = True
        await self._quiet.wait()

    def release(self) -> None:
        self.held = False
