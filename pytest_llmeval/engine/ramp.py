"""Sending begins no faster than requests get out, so that a first refusal is heard of before all have left."""

from __future__ import annotations

import asyncio

import anyio

from ..core.clock import SECOND, Clock

#: seconds from the first request on for which this holds: a connector may take its time to send, and is left to it then
LASTS = 0.3
#: requests that may be on their way out at once meanwhile
ABREAST = 4


class Ramp:
    """Of one endpoint in one process: its requests between leave and wire. Lives in the loop."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._until_ns: int | None = None
        self._leaving = 0
        self._left = asyncio.Event()

    def depart(self) -> None:
        """A request is on its way out; ``out`` says that it is."""
        if self._until_ns is None:
            self._until_ns = self._clock.monotonic_ns() + round(LASTS * SECOND)
        self._leaving += 1

    def out(self) -> None:
        self._leaving -= 1
        self._left.set()

    async def clear(self) -> None:
        """Until another may leave."""
        while self._leaving >= ABREAST and self._until_ns is not None:
            seconds = (self._until_ns - self._clock.monotonic_ns()) / SECOND
            if seconds <= 0:
                return
            self._left.clear()
            with anyio.move_on_after(seconds):
                await self._left.wait()
