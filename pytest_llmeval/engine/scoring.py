"""Scoring that may take its time (patterns, users' code): in threads, off the engine's loop."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from dataclasses import replace
from functools import partial

import anyio.to_thread
from anyio.abc import TaskGroup

from ..core.plan import RecipePlan, Unit
from ..core.result import Outcome
from ..core.store import Store
from .evaluate import evaluate
from .work import Key, Reply, Work


class Scorings:
    """Scores what is given to it and hands the outcomes to ``keep``; all but the scoring itself in the engine's loop.

    ``share`` says which of how many processes this is: what is another's part is left until this one's is done, and
    then looked for in the ledger before it is scored. ``attention`` is set when ``start`` has something to start.
    """

    def __init__(
        self,
        store: Store,
        share: tuple[int, int],
        attention: asyncio.Event,
        keep: Callable[[Work, Outcome], None],
    ) -> None:
        self._store = store
        self._share = share
        self._attention = attention
        self._keep = keep
        self._begun: deque[tuple[Work, Reply]] = deque()
        self._later: dict[Key, tuple[Work, Reply]] = {}
        self._running = 0
        self._closing = False

    @property
    def idle(self) -> bool:
        return not self._running

    def add(self, work: Work, reply: Reply) -> None:
        """What is this process's to score, or waited for, at once; the rest after that."""
        assert work.unit is not None
        number, of = self._share
        if work.urgent or work.unit.record.ordinal % of == number:
            self._begin(work, reply)
        else:
            self._later[work.unit_key] = (work, reply)
            if not self._running:
                self._take_up()

    def hurry(self, work: Work) -> None:
        """Somebody stands still for it now."""
        waiting = self._later.pop(work.unit_key, None)
        if waiting is not None:
            self._begin(*waiting)

    def start(self, tasks: TaskGroup) -> None:
        """Called by a task: a task group takes tasks from tasks alone, not from callbacks."""
        while self._begun:
            tasks.start_soon(self._score, *self._begun.popleft())

    def close(self) -> None:
        """Take up nothing more of what another process may score."""
        self._closing = True

    def _take_up(self) -> None:
        if self._later and not self._closing:
            self._begin(*self._later.pop(next(iter(self._later))))

    def _begin(self, work: Work, reply: Reply) -> None:
        self._running += 1
        self._begun.append((work, reply))
        self._attention.set()

    async def _score(self, work: Work, reply: Reply) -> None:
        """Abandoned where the engine closes meanwhile."""
        assert work.plan is not None
        assert work.unit is not None
        try:
            outcome = None
            if self._share[1] > 1:
                outcome = await asyncio.wrap_future(self._store.outcome(*work.unit_key))
            if outcome is None:
                score = partial(scored, work.plan, work.unit, reply)
                outcome = await anyio.to_thread.run_sync(score, abandon_on_cancel=True)
            self._keep(work, outcome)
        finally:
            self._running -= 1
            if not self._running:
                self._take_up()


def scored(plan: RecipePlan, unit: Unit, reply: Reply) -> Outcome:
    """What an answer comes to under its recipe's metrics."""
    assert reply.response is not None
    outcome = evaluate(reply.response, unit.sample, plan.scoring)
    return replace(outcome, cached=reply.cached, attempts=reply.attempts)
