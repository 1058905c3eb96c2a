"""One request on its way from admission to the wire."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from contextvars import ContextVar

from .pause import Pause

#: turns of the loop after which a request is taken to be on the wire, where its connector does not say when it is
TURNS = 4


class Sending:
    """Holds a pause off until the request is out, and looks at both ends of the way whether a mock stands in it.

    ``mock`` says which one; empty where there was none. ``in_test``: a test of the user's own ran when it left.
    ``is_out`` is called when it is.
    """

    def __init__(self, pause: Pause, tampered: Callable[[], str], is_out: Callable[[], None]) -> None:
        self._pause = pause
        self._tampered = tampered
        self._is_out = is_out
        self._loop = asyncio.get_running_loop()
        self._out = False
        self.mock = tampered()
        self.in_test = pause.held
        pause.depart()

    def out(self) -> None:
        """It stands on the wire, or never will; said more often, the first time counts."""
        if self._out:
            return
        self._out = True
        self.mock = self.mock or self._tampered()
        self._pause.arrive()
        self._is_out()

    def out_from_anywhere(self) -> None:
        """As ``out``, from any thread."""
        # a closed loop: the call was left behind
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(self.out)

    def out_soon(self, turns: int = TURNS) -> None:
        """For a connector that says nothing: it had its turns."""
        if turns:
            self._loop.call_soon(self.out_soon, turns - 1)
        else:
            self.out()


#: the sending of the request that the current task asks
CURRENT: ContextVar[Sending] = ContextVar("llmeval_sending")
