"""An xdist controller looks on while it waits for its workers."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from importlib import import_module
from queue import Empty, Queue
from typing import TYPE_CHECKING, Any

import pytest

from .keys import RUN_ID, SETTINGS, WATCH

if TYPE_CHECKING:
    from .meter import Count
    from .progress import Progress

#: seconds between two looks
LOOK = 0.05
#: what reads a run's state
READING = "pytest_llmeval.wiring.reports"


def look_on_from(dsession: Any, config: pytest.Config) -> None:
    """In the controller's own loop, without a thread: it waits for its queue alone."""
    if type(getattr(dsession, "queue", None)) is Queue:
        dsession.queue = Watched(config)


class Watched(Queue[Any]):
    """A queue of what workers say: who waits for more of it looks on meanwhile, once there is something to see."""

    _monotonic = staticmethod(time.monotonic)

    def __init__(self, config: pytest.Config) -> None:
        super().__init__()
        self._config = config
        self._begun = False
        self._onlooker: Progress | None = None

    def get(self, block: bool = True, timeout: float | None = None) -> Any:
        if not block or not self.empty():
            return super().get(block, timeout)
        until = float("inf") if timeout is None else self._monotonic() + timeout
        try:
            while True:
                left = until - self._monotonic()
                try:
                    return super().get(timeout=max(0.0, min(LOOK, left)))
                except Empty:
                    if left <= LOOK:
                        raise
                    self._turn()
        finally:
            if self._onlooker is not None:
                self._onlooker.leave()

    def _turn(self) -> None:
        if not self._begun and _begun(self._config):
            self._begun = True
            # a suite without recipes pays nothing for it
            from .progress import look_on

            self._onlooker = look_on(self._config, lambda: _counted(self._config))
        if self._onlooker is not None:
            self._onlooker.turn()


def _begun(config: pytest.Config) -> bool:
    """Whether the state can hold anything of this run."""
    if config.stash[WATCH].seen:
        return True
    state = config.stash[SETTINGS].state
    since = config.stash[RUN_ID][1] - 1
    files = (state, state.with_name(f"{state.name}-wal"))
    return any(file.exists() and file.stat().st_mtime >= since for file in files)


def _counted(config: pytest.Config) -> Future[Count]:
    """How far the run is, as its state file says."""
    run, _ = config.stash[RUN_ID]
    state = config.stash[SETTINGS].state
    counted: Future[Count] = Future()
    if READING not in sys.modules:
        # this takes longer than to count, and would be taken for it
        import_module(READING)
        counted.set_result(None)
    else:
        counted.set_result(sys.modules[READING].progress_of(state, run))
    return counted
