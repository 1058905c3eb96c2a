"""How far the run is, looked up now and then, and how long it may take."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import replace

from ..core.events import ProgressEvent

#: seconds between two looks
EVERY = 1.0
#: the same while there is nothing to count yet
SOON = 0.2
#: a look may take up to this part of the time, and is put off for so many seconds at most
SHARE = 0.1
LONGEST = 5.0
#: seconds over which the pace is taken
WINDOW = 30.0

Count = ProgressEvent | None


class Meter:
    """``count`` begins to count; what it came to is taken when it is there. Never waits, never raises."""

    def __init__(self, count: Callable[[], Future[Count]], now: Callable[[], float]) -> None:
        self._count = count
        self._now = now
        self._due = now()
        self._began = now()
        self._asked = 0.0
        self._pending: Future[Count] | None = None
        self._seen: deque[tuple[float, int]] = deque()

    def look(self) -> ProgressEvent | None:
        """A new count, if one has come; at most one in a second."""
        now = self._now()
        if self._pending is None and now >= self._due:
            self._asked = now
            self._pending = self._count()
            # a count may be there at once, and have taken its time
            now = self._now()
        if self._pending is None or not self._pending.done():
            return None
        counted, self._pending = self._pending, None
        # the state may be closed already, or be read by nobody now
        event = None if counted.exception() is not None else counted.result()
        if event is None:
            self._due = now + SOON
            return None
        self._due = now + max(EVERY, min(LONGEST, (now - self._asked) / SHARE))
        return self._timed(event, now)

    def _timed(self, event: ProgressEvent, now: float) -> ProgressEvent:
        while len(self._seen) > 1 and now - self._seen[0][0] > WINDOW:
            self._seen.popleft()
        left = None
        if self._seen and event.done > self._seen[0][1]:
            then, done = self._seen[0]
            left = max(0, event.total - event.done) * (now - then) / (event.done - done)
        self._seen.append((now, event.done))
        return replace(event, seconds=now - self._began, left=left)
