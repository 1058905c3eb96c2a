"""An xdist controller looks on while it waits for its workers."""

from __future__ import annotations

import sys
import time
from concurrent.futures import Future
from importlib import import_module
from pathlib import Path
from queue import Empty, Queue
from typing import Any

import pytest

from .keys import RUN_ID, SETTINGS, WATCH
from .meter import Count
from .progress import Progress, look_on

#: seconds between two looks
LOOK = 0.05
#: what reads a run's state
READING = "pytest_llmeval.wiring.reports"


def look_on_from(dsession: Any, config: pytest.Config) -> None:
    """In the controller's own loop, without a thread: it waits for its queue alone."""
    if type(getattr(dsession, "queue", None)) is not Queue:
        return
    progress = look_on(config, lambda: _counted(config))
    if progress is not None:
        dsession.queue = Watched(progress)


class Watched(Queue[Any]):
    """A queue of what workers say: who waits for more of it looks on meanwhile."""

    _monotonic = staticmethod(time.monotonic)

    def __init__(self, onlooker: Progress) -> None:
        super().__init__()
        self._onlooker = onlooker

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
                    self._onlooker.turn()
        finally:
            self._onlooker.leave()


def _counted(config: pytest.Config) -> Future[Count]:
    """How far the run is, as its state file says."""
    run, began = config.stash[RUN_ID]
    state = config.stash[SETTINGS].state
    counted: Future[Count] = Future()
    if not config.stash[WATCH].seen and not _written_since(state, began):
        counted.set_result(None)
    elif READING not in sys.modules:
        # this takes longer than to count, and would be taken for it
        import_module(READING)
        counted.set_result(None)
    else:
        counted.set_result(sys.modules[READING].progress_of(state, run))
    return counted


def _written_since(state: Path, began: float) -> bool:
    """Whether it can hold anything of a run: a suite without recipes opens nothing."""
    files = (state, state.with_name(f"{state.name}-wal"))
    return any(file.exists() and file.stat().st_mtime >= began - 1 for file in files)
