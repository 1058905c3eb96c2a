"""What the thread that runs the tests and the engine's own know together."""

from __future__ import annotations

import threading

from ..core.errors import EngineFailure, RequestError, StateError
from ..core.result import Outcome
from .answers import RunStoppedError
from .work import Key, Work

#: seconds between two looks of a waiting main thread at the engine's life, and of the engine at a stop of the run
WATCH = 0.05


class Board:
    """Units under way and settled, and why nothing goes on; ``changed`` wakes who waits for any of it."""

    def __init__(self) -> None:
        self.changed = threading.Condition()
        self.works: dict[Key, Work] = {}
        #: outcomes that are on disk
        self.settled: dict[Key, Outcome] = {}
        #: of units that a test waits for: a mock would have answered
        self.refused: dict[Key, str] = {}
        self.failure: BaseException | None = None
        #: why the run was stopped; empty while it goes on
        self.stopped = ""

    def tell(self) -> None:
        """Wake who waits."""
        with self.changed:
            self.changed.notify_all()

    def fail(self, error: BaseException) -> None:
        """The engine cannot go on; the first reason counts."""
        if self.failure is None:
            self.failure = error
            self.tell()

    def look(self, *, alive: bool) -> None:
        """Raise what a waiting main thread must hear: StateError, EngineFailure, RunStoppedError."""
        if self.failure is not None:
            of_state = _of_state(self.failure)
            if of_state is not None:
                # no fault of the engine's
                raise StateError(str(of_state)) from self.failure
            raise EngineFailure(f"the engine ended: {self.failure!r}") from self.failure
        if not alive:
            raise EngineFailure("the engine's thread is gone")
        if self.stopped:
            raise RunStoppedError(self.stopped)

    def have(self, keys: list[Key], *, alive: bool) -> bool:
        """Whether all of these are settled; returns when that may have changed.

        Raises what ``look`` does, and RequestError for what was refused.
        """
        with self.changed:
            if all(key in self.settled for key in keys):
                return True
            self.look(alive=alive)
            refused = next((self.refused[key] for key in keys if key in self.refused), None)
            if refused is not None:
                raise RequestError(refused)
            self.changed.wait(WATCH)
        return False


def _of_state(failure: BaseException) -> StateError | None:
    """The state's error that ended the engine, also where several tasks met it at once."""
    if isinstance(failure, BaseExceptionGroup):
        return next((found for inner in failure.exceptions if (found := _of_state(inner)) is not None), None)
    return failure if isinstance(failure, StateError) else None
