"""Which request of an endpoint is next. Nothing here waits or asks; times are given."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from .work import Job, Work

#: how many requests one look into the state is for
LOOK = 64


class Queue:
    """Requests in the order of the work, those that somebody stands still for first.

    What must wait (for a rate, a free connection, another attempt, another process that asks the same) keeps its place.
    ``slots``: how many may be on the wire at once. ``joins``: work that wants the same is one request.
    """

    def __init__(self, slots: int, *, joins: bool) -> None:
        self._slots = slots
        self._joins = joins
        self._ahead: deque[Work] = deque()
        self._hurried: deque[Work] = deque()
        self._jobs: dict[str, Job] = {}
        self._waiting: list[Job] = []

    def add(self, works: Iterable[Work]) -> None:
        for work in works:
            (self._hurried if work.urgent else self._ahead).append(work)

    def hurry(self, work: Work) -> None:
        """Somebody stands still for this work now."""
        work.urgent = True
        if not work.taken:
            self._hurried.append(work)

    def next(self, now_ns: int, on_wire: int, *, held: bool) -> list[Job]:
        """The requests to look at: those whose wait is over, then new ones; while ``held``, urgent ones alone."""
        batch: list[Job] = []
        kept: list[Job] = []
        places = self._places(on_wire)
        urgent = [job for job in self._waiting if job.urgent]
        others = [job for job in self._waiting if not job.urgent] if urgent else self._waiting
        for jobs, may_go in ((urgent, True), (others, not held)):
            for job in jobs:
                ready = may_go and job.due_ns <= now_ns and len(batch) < places[job.retries]
                (batch if ready else kept).append(job)
        self._waiting = kept
        room = max(LOOK, 2 * self._slots) - len(kept) - len(batch) if self._joins else LOOK
        while len(batch) < LOOK and self._hurried:
            self._take(self._hurried.popleft(), batch)
        while len(batch) < LOOK and room > 0 and self._ahead and not held:
            if self._take(self._ahead.popleft(), batch):
                room -= 1
        return batch

    def next_due(self, on_wire: int, *, held: bool) -> int | None:
        """When the first of those that wait may go; None where none may before something else happens."""
        places = self._places(on_wire)
        return min(
            (job.due_ns for job in self._waiting if (job.urgent or not held) and places[job.retries] > 0), default=None
        )

    def wait(self, job: Job, due_ns: int, *, retries: bool = False) -> None:
        job.due_ns = due_ns
        job.retries = retries
        if job.unwanted:
            self.end(job)
        else:
            self._waiting.append(job)

    def look_again(self) -> None:
        """What waits is looked at at once: it may be known by now that it never goes."""
        for job in self._waiting:
            job.due_ns = 0

    def put_back(self, jobs: list[Job]) -> None:
        """As if they had not been taken."""
        wanted = []
        for job in jobs:
            if job.unwanted:
                self.end(job)
            else:
                wanted.append(job)
        self._waiting = [*wanted, *self._waiting]

    def drop(self, works: Collection[Work]) -> None:
        """Nobody wants these any more; what is on the wire goes on."""
        for work in works:
            work.taken = work.dropped = True
        waiting, self._waiting = self._waiting, []
        self.put_back(waiting)

    def end(self, job: Job) -> None:
        """It waits for nothing any more: who wants the same from now on asks anew."""
        self._jobs.pop(job.wanted.key, None)

    def part(self, works: list[Work]) -> Job:
        """A request for these alone, in place of an ended one."""
        job = Job(works)
        self._jobs[job.wanted.key] = job
        return job

    def _places(self, on_wire: int) -> dict[bool, int]:
        """On the wire, for another attempt (True) and for a first: these are held back while many attempts failed."""
        free = self._slots - on_wire
        retrying = sum(job.retries for job in self._waiting)
        return {True: free, False: min(free, 2 * self._slots - retrying - on_wire)}

    def _take(self, work: Work, batch: list[Job]) -> bool:
        """Make a job of a piece of work, or join one that is under way for the same request."""
        if work.taken:
            return False
        work.taken = True
        job = self._jobs.get(work.wanted.key) if self._joins else None
        if job is not None:
            job.works.append(work)
            return False
        batch.append(self.part([work]) if self._joins else Job([work]))
        return True
