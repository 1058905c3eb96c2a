"""The engine's own thread: a loop with a lane for each endpoint, and what becomes of their replies."""

from __future__ import annotations

import asyncio
import contextlib
import math
import threading
from collections.abc import Callable, Collection, Coroutine
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

import anyio
from anyio.abc import TaskGroup

from ..core.clock import Clock
from ..core.endpoint import Endpoint
from ..core.events import Listeners, ScoreEvent
from ..core.extension import Opening
from ..core.redaction import Redactor
from ..core.result import Outcome
from ..core.store import Store
from .answers import unanswered
from .board import WATCH, Board
from .lane import Desk, Lane
from .loop import SteadyLoop
from .opening import StoreOpening
from .pause import Pause
from .scoring import Scorings, scored
from .telling import score_event
from .work import Reply, Work

#: seconds that requests in flight are given to end by themselves when a run was stopped
GRACE = 0.5

T = TypeVar("T")


class Floor:
    """``run`` is the thread; all else but ``call`` and ``result`` is for its loop alone.

    ``Engine`` says what the parameters are.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folder: Path,
        redactor: Redactor,
        board: Board,
        *,
        abandoned: Callable[[], str],
        share: tuple[int, int],
        listeners: Listeners,
    ) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder
        self._redactor = redactor
        self._board = board
        self._abandoned = abandoned
        self._share = share
        self._listeners = listeners
        self.started = threading.Event()
        #: endpoints whose address came later, by their ids
        self.served: dict[str, Endpoint] = {}
        self._lanes: dict[str, Lane] = {}
        self._unstarted: list[Lane] = []
        self._closing = False
        self._outbox: list[tuple[str, str, Outcome]] = []

    def run(self) -> None:
        """What the thread does, from its beginning to its end."""
        try:
            with asyncio.Runner(loop_factory=SteadyLoop) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._board.failure = error
        finally:
            self.started.set()
            self._board.tell()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._broken)
        self._attention = asyncio.Event()
        self._pause = Pause()
        self._scorings = Scorings(self._store, self._share, self._attention, self._keep)
        self._desk = Desk(self._store, self._clock, self._pause, self._opening, self._redactor, self._listeners)
        async with anyio.create_task_group() as lanes:
            self._task_group: TaskGroup = lanes
            self.started.set()
            lanes.start_soon(self._watch_run)
            while not self._closing:
                await self._attention.wait()
                self._attention.clear()
                # here and not in `_add`: a task group takes tasks from tasks alone, not from callbacks
                while self._unstarted:
                    lanes.start_soon(self._unstarted.pop(0).run)
                self._scorings.start(lanes)
            self.close_lanes()
            await self._settle_rest()
            lanes.cancel_scope.cancel()

    async def _settle_rest(self) -> None:
        """Until nothing is in flight: another process may wait for it. A stopped run is given a moment only."""
        end = math.inf
        while not self._scorings.idle or any(not lane.idle for lane in self._lanes.values()):
            if self._board.stopped:
                end = min(end, self._loop.time() + GRACE)
            if self._loop.time() >= end:
                return
            self._scorings.start(self._task_group)
            # once in a session: looking again is simpler than an event a lane
            await asyncio.sleep(0.005)

    def _broken(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A callback of ours raised: who waits must hear it, since nothing else would ever wake them."""
        error = context.get("exception")
        if isinstance(error, Exception):
            self._board.fail(error)

    async def _watch_run(self) -> None:
        """Another process may stop the run, or be gone that would hear of its end."""
        while True:
            await asyncio.sleep(WATCH)
            reason = self._abandoned() or await asyncio.wrap_future(self._store.run_stopped())
            if reason:
                self._hear_stop(reason)

    def _hear_stop(self, reason: str) -> None:
        if not self._board.stopped:
            self._board.stopped = reason
            self.close_lanes()

    def _opening(self, endpoint: Endpoint) -> Opening:
        limits, patience = endpoint.limits, endpoint.patience
        return StoreOpening(endpoint.id, patience.timeout, limits.max_concurrency, self._folder, self._store)

    def call(self, function: Callable[[], object]) -> None:
        """Have something done here; from any thread."""
        # a closed loop: nobody is there to be told
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def result(self, work: Coroutine[Any, Any, T]) -> Future[T]:
        """Have something awaited here; from any thread."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    async def hold(self) -> None:
        """A test of the user's own begins; returns when nothing of the look-ahead can reach the wire any more."""
        await self._pause.hold()

    def add(self, endpoint: Endpoint, works: list[Work]) -> None:
        """Work for an endpoint, whose lane is made with the first."""
        lane = self._lanes.get(endpoint.id)
        if lane is None:
            lane = self._lanes[endpoint.id] = Lane(self.served.get(endpoint.id, endpoint), self._desk)
            self._unstarted.append(lane)
            self._attention.set()
        lane.add(works)

    def hurry(self, endpoint: Endpoint, works: list[Work]) -> None:
        """Somebody stands still for these now."""
        for work in works:
            self._lanes[endpoint.id].hurry(work)
            self._scorings.hurry(work)

    async def retire(self, endpoints: Collection[str]) -> None:
        """Nothing more is sent to these; returns when what was in flight is settled."""
        lanes = [self._lanes.pop(name) for name in endpoints if name in self._lanes]
        for lane in lanes:
            lane.close()
        for lane in lanes:
            await lane.ended.wait()

    def drop(self, endpoint: Endpoint, works: list[Work]) -> None:
        """Nobody wants these any more."""
        self._lanes[endpoint.id].drop(works)

    def resume(self) -> None:
        """A test of the user's own is over."""
        self._pause.release()
        for lane in self._lanes.values():
            lane.wake()

    def close(self) -> None:
        """Ask nothing more, settle what is in flight, end."""
        self._closing = True
        self._scorings.close()
        self._attention.set()

    def close_lanes(self) -> None:
        """Ask nothing more."""
        if self._board.stopped:
            self._scorings.close()
        for lane in self._lanes.values():
            lane.close()
        self._board.tell()

    def settle_unit(self, work: Work, reply: Reply) -> None:
        """A reply to a unit's work came."""
        assert work.plan is not None
        assert work.unit is not None
        if reply.run_stopped:
            # no outcome: it is as if the run had ended before
            self._hear_stop(reply.error)
        elif reply.mock:
            self._refuse(work, reply.error)
        elif reply.response is None:
            self._keep(work, unanswered(reply))
        elif work.plan.scoring.blocking:
            self._scorings.add(work, reply)
        else:
            self._keep(work, scored(work.plan, work.unit, reply))

    def _refuse(self, work: Work, error: str) -> None:
        """To the test that waits for it; its own item will ask anew."""
        with self._board.changed:
            self._board.works.pop(work.unit_key, None)
            self._board.refused[work.unit_key] = error
            self._board.changed.notify_all()

    def _keep(self, work: Work, outcome: Outcome) -> None:
        """Record an outcome with all that settle in the same turn of the loop; who waits is told when it is on disk."""
        if not self._outbox:
            self._loop.call_soon(self._flush)
        self._outbox.append((*work.unit_key, outcome))

    def _flush(self) -> None:
        batch, self._outbox = self._outbox, []
        self._store.record(batch).add_done_callback(partial(self._publish, batch))

    def _publish(self, batch: list[tuple[str, str, Outcome]], recorded: Future[list[bool]]) -> None:
        error = recorded.exception()
        if error is None and self._listeners.score is not None:
            self._tell(self._listeners.score, batch, recorded.result())
        with self._board.changed:
            if error is not None:
                self._board.failure = error
            for recipe, unit, outcome in batch:
                self._board.settled[recipe, unit] = outcome
                self._board.works.pop((recipe, unit), None)
            self._board.changed.notify_all()

    def _tell(
        self, hear: Callable[[ScoreEvent], None], batch: list[tuple[str, str, Outcome]], first: list[bool]
    ) -> None:
        """Of those that this process recorded first: the others were told where they were."""
        for (recipe, unit, outcome), ours in zip(batch, first, strict=True):
            work = self._board.works.get((recipe, unit))
            if ours and work is not None:
                hear(score_event(work, outcome, self._redactor))
