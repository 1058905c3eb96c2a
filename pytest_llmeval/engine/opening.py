"""What a connector is opened with."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path

from ..core.errors import EndpointStopped
from ..core.store import Store
from .sending import CURRENT

#: seconds between two looks at a value that another process is making
LOOK_AGAIN = 0.02


@dataclass(frozen=True, slots=True)
class StoreOpening:
    """An opening whose ``once`` goes through the shared state, and whose ``sent`` lets a test begin."""

    endpoint: str
    timeout: float
    max_concurrency: int
    folder: Path
    store: Store

    async def once(self, name: str, make: Callable[[], Awaitable[str]]) -> str:
        """Made by one process of the run and read by all; where making it fails, all of them are told why.

        Raises EndpointStopped with the maker's message.
        """
        while True:
            found = await asyncio.wrap_future(self.store.once(name, None))
            if found is None:
                await asyncio.sleep(LOOK_AGAIN)
            elif found:
                kept = json.loads(found)
                if "error" in kept:
                    raise EndpointStopped(kept["error"])
                return str(kept["value"])
            else:
                return await self._make(name, make)

    def sent(self) -> None:
        """The request that the caller asks stands on the wire. From any thread that has the task's context."""
        sending = CURRENT.get(None)
        if sending is not None:
            sending.out_from_anywhere()

    async def _make(self, name: str, make: Callable[[], Awaitable[str]]) -> str:
        try:
            value = await make()
        except Exception as error:
            message = error.message if isinstance(error, EndpointStopped) else f"{type(error).__name__}: {error}"
            await asyncio.wrap_future(self.store.once(name, json.dumps({"error": message})))
            raise
        await asyncio.wrap_future(self.store.once(name, json.dumps({"value": value})))
        return value
