"""The handshake by which a user's own test has the process to itself."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

#: turns of the loop in which a request that was let out has come past all that a test could patch
TURNS = 20


class Pause:
    """Says whether look-ahead may leave, and knows what stands between admission and the wire. Lives in the loop."""

    def __init__(self) -> None:
        self.held = False
        self._departing = 0
        self._quiet = asyncio.Event()
        self._quiet.set()
        self._fresh = False

    @contextmanager
    def departure(self) -> Iterator[None]:
        """Around admission and the start of what was admitted."""
        self._departing += 1
        self._fresh = True
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
        # what was started takes some turns to reach the wire (a thread begins, a pooled connection is taken)
        for _ in range(TURNS if self._fresh else 0):
            await asyncio.sleep(0)
        self._fresh = False

    def release(self) -> None:
        self.held = False
