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
        """Around what must be over before a pause is granted."""
        self.depart()
        try:
            yield
        finally:
            self.arrive()

    def depart(self) -> None:
        """Something is on its way out; ``arrive`` says that it is out, or will never be."""
        self._departing += 1
        self._quiet.clear()

    def arrive(self) -> None:
        self._departing -= 1
        if not self._departing:
            self._quiet.set()

    async def hold(self) -> None:
        """From now on only what the running test asks may leave; returns when nothing else is on its way out."""
        self.held = True
        # what is over may have begun the next thing before this is woken
        while self._departing:
            await self._quiet.wait()

    def release(self) -> None:
        self.held = False
