"""The blocking door to the engine's thread."""

from __future__ import annotations

import asyncio
import contextlib
import math
import os
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeVar

import anyio
from anyio.abc import TaskGroup

from ..core.clock import Clock
from ..core.endpoint import Endpoint
from ..core.errors import EndpointStopped, EngineFailure, RequestError, StateError
from ..core.events import NOBODY, Listeners, ScoreEvent
from ..core.exchange import Request, Response
from ..core.extension import Opening
from ..core.options import secret_values
from ..core.plan import RecipePlan, Unit
from ..core.redaction import Redactor
from ..core.result import Outcome
from ..core.store import Store
from .lane import Desk, Lane
from .loop import SteadyLoop
from .opening import StoreOpening
from .pause import Pause
from .scoring import Scorings, scored
from .telling import score_event
from .waiting import Nobody, Onlooker
from .wanting import bucket_of, wanted_for_question, wanted_for_unit
from .work import Key, Reply, Work

#: seconds between two looks of a waiting main thread at the engine's life, and of the engine at a stop of the run
WATCH = 0.05
#: seconds that requests in flight are given to end by themselves when a run was stopped
GRACE = 0.5

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Answer:
    """A response, and whether it was there before this run began."""

    response: Response
    cached: bool


class RunStoppedError(Exception):
    """The run was stopped; nothing is asked any more."""


class SkippedError(RequestError):
    """Not asked: the endpoint's breaker is open, or the run's budget spent."""


class Engine:
    """Asks, scores and records in a thread of its own.

    Units handed to ``look_ahead`` are settled in their order as far ahead as limits allow; ``settle`` waits for some.
    All public methods are called from one thread, the one that runs the tests; they raise EngineFailure where the
    engine died, StateError where the state did, and RunStoppedError where the run was stopped. ``abandoned`` is asked
    every 50 ms why nobody waits for this process any more; a text stops it. ``share``: which of how many processes this
    is; what takes long to score is left to its process, and taken up when that has not come to it. ``budgeted``: the
    run has a budget. ``listeners`` are told from the engine's threads, the ``onlooker`` in the thread that waits.
    """

    def __init__(
        self,
        store: Store,
        clock: Clock,
        folder: Path,
        redactor: Redactor,
        salt: str,
        *,
        abandoned: Callable[[], str] = str,
        share: tuple[int, int] = (0, 1),
        budgeted: bool = False,
        listeners: Listeners = NOBODY,
        onlooker: Onlooker | None = None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._folder = folder
        self._redactor = redactor
        self._salt = salt
        self._abandoned = abandoned
        self._share = share
        self._budgeted = budgeted
        self._listeners = listeners
        self._onlooker = onlooker or Nobody()
        self._changed = threading.Condition()
        self._settled: dict[Key, Outcome] = {}
        self._works: dict[Key, Work] = {}
        self._refused: dict[Key, str] = {}
        self._buckets: dict[str, str] = {}
        self._served: dict[str, Endpoint] = {}
        self._failure: BaseException | None = None
        self._stopped = ""
        self._started = threading.Event()
        self._thread = threading.Thread(target=self._run, name="llmeval-engine", daemon=True)
        # of the loop's thread alone:
        self._lanes: dict[str, Lane] = {}
        self._unstarted: list[Lane] = []
        self._closing = False
        self._outbox: list[tuple[str, str, Outcome]] = []

    # --- for the thread that runs the tests ---

    def start(self) -> None:
        self._thread.start()
        self._started.wait()

    def serve(self, endpoint: Endpoint, secrets: Iterable[str]) -> None:
        """What is asked of the endpoint of that id goes to this one; ``secrets`` came with it."""
        for secret in secrets:
            self._redactor.add(secret)
        self._served[endpoint.id] = endpoint

    def retire(self, endpoints: Collection[str]) -> None:
        """Returns when nothing more is sent to these and what was in flight is settled; who asks them later begins
        anew."""
        if not self._thread.is_alive():
            return
        # a stopped engine sends nothing either
        with contextlib.suppress(RunStoppedError, EngineFailure):
            self._result(asyncio.run_coroutine_threadsafe(self._retire(endpoints), self._loop))
        with self._changed:
            self._works = {key: work for key, work in self._works.items() if work.wanted.endpoint not in endpoints}

    def look_ahead(self, units: Iterable[tuple[RecipePlan, Unit]]) -> None:
        """Settle these in their order, as limits allow."""
        works: dict[str, tuple[Endpoint, list[Work]]] = {}
        for plan, unit in units:
            key = (plan.record.id, unit.record.id)
            if key not in self._works and key not in self._settled:
                work = self._works[key] = self._unit_work(plan, unit)
                works.setdefault(plan.endpoint.id, (plan.endpoint, []))[1].append(work)
        for endpoint, added in works.values():
            self._call(partial(self._add, endpoint, added))

    def settle(self, plan: RecipePlan, units: Iterable[Unit]) -> list[Outcome]:
        """Wait for these units, asking for what nobody has asked yet.

        Raises RequestError where a mock of the running test's would have answered.
        """
        keys: list[Key] = []
        added: list[Work] = []
        hurried: list[Work] = []
        for unit in units:
            key = (plan.record.id, unit.record.id)
            keys.append(key)
            self._refused.pop(key, None)
            if key in self._settled:
                continue
            work = self._works.get(key)
            if work is None:
                work = self._works[key] = self._unit_work(plan, unit)
                work.urgent = True
                added.append(work)
            else:
                hurried.append(work)
        if added:
            self._call(partial(self._add, plan.endpoint, added))
        if hurried:
            self._call(partial(self._hurry, plan.endpoint, hurried))
        try:
            while not self._have(keys):
                self._onlooker.turn()
        except RequestError:
            self._leave(plan.endpoint, added)
            raise
        finally:
            self._onlooker.leave()
        return [self._settled[key] for key in keys]

    def _have(self, keys: list[Key]) -> bool:
        """Whether all of these are settled; returns when that may have changed."""
        with self._changed:
            if all(key in self._settled for key in keys):
                return True
            self._look()
            refused = next((self._refused[key] for key in keys if key in self._refused), None)
            if refused is not None:
                raise RequestError(refused)
            self._changed.wait(WATCH)
        return False

    def _leave(self, endpoint: Endpoint, works: list[Work]) -> None:
        """Who waited for these waits no more: what was not sent stays unasked, and may be asked for again."""
        for work in works:
            self._works.pop(work.unit_key, None)
        if works:
            self._call(partial(self._drop, endpoint, works))

    def ask(self, endpoint: Endpoint, requests: Iterable[Request], *, anew: bool = False) -> list[Answer]:
        """A test's own questions, in order; ``anew`` past what is stored.

        All are settled, then the first error is raised: RequestError, as EndpointStopped where the endpoint was, as
        SkippedError where its breaker was open or the budget spent.
        """
        replies = [self._result(future) for future in self._submit(endpoint, requests, anew=anew)]
        return [_answer(reply) for reply in replies]

    async def aask(self, endpoint: Endpoint, request: Request, *, anew: bool = False) -> Answer:
        """As ``ask``, awaited in an asyncio loop of the test's own."""
        (future,) = self._submit(endpoint, [request], anew=anew)
        waiting = asyncio.wrap_future(future)
        while not waiting.done():
            self._look()
            await asyncio.wait([waiting], timeout=WATCH)
        return _answer(waiting.result())

    def _submit(self, endpoint: Endpoint, requests: Iterable[Request], *, anew: bool) -> list[Future[Reply]]:
        bucket = self._bucket(endpoint)
        futures: list[Future[Reply]] = []
        works = []
        for request in requests:
            future: Future[Reply] = Future()
            wanted = wanted_for_question(endpoint, bucket, request, anew=anew, budgeted=self._budgeted)
            works.append(Work(wanted, request, partial(_settle_future, future), urgent=True))
            futures.append(future)
        self._call(partial(self._add, endpoint, works))
        return futures

    def forget(self, plan: RecipePlan, unit: Unit) -> None:
        """What came to nothing is asked anew when its item runs again."""
        self._result(self._store.forget(unit.record.key, plan.record.id, unit.record.id))
        key = (plan.record.id, unit.record.id)
        self._settled.pop(key, None)
        self._works.pop(key, None)

    def pause(self) -> None:
        """Returns when nothing of the look-ahead can reach the wire any more."""
        if not self._thread.is_alive():
            return
        # a stopped engine sends nothing either; that it ended is told to the next who asks it for something
        with contextlib.suppress(RunStoppedError, EngineFailure, StateError):
            self._result(asyncio.run_coroutine_threadsafe(self._pause.hold(), self._loop))

    def resume(self) -> None:
        self._call(self._resume)

    def stop(self, reason: str) -> None:
        """This process asks nothing more; who waits is told."""
        self._stopped = self._stopped or reason
        self._call(self._close_lanes)

    @property
    def stopped(self) -> str:
        """Why the run was stopped; empty while it goes on."""
        return self._stopped

    def close(self) -> None:
        """Ask nothing more, settle what is in flight (half a second of it in a stopped run), end the thread."""
        self._call(self._close)
        while self._thread.is_alive() and not self._stopped:
            self._thread.join(WATCH)
        self._thread.join(GRACE * 6)

    def _result(self, future: Future[T]) -> T:
        """Wait for a future, watching the engine's life."""
        try:
            while True:
                try:
                    return future.result(WATCH)
                except FutureTimeoutError:
                    if future.done():
                        raise
                    self._look()
                    self._onlooker.turn()
        finally:
            self._onlooker.leave()

    def _look(self) -> None:
        """Raise what a waiting main thread must hear."""
        if self._failure is not None:
            of_state = _of_state(self._failure)
            if of_state is not None:
                # no fault of the engine's
                raise StateError(str(of_state)) from self._failure
            raise EngineFailure(f"the engine ended: {self._failure!r}") from self._failure
        if not self._thread.is_alive():
            raise EngineFailure("the engine's thread is gone")
        if self._stopped:
            raise RunStoppedError(self._stopped)

    def _call(self, function: Callable[[], object]) -> None:
        # a closed loop: nobody is there to be told
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(function)

    def _bucket(self, endpoint: Endpoint) -> str:
        if endpoint.id not in self._buckets:
            for secret in secret_values(endpoint.connector, os.environ):
                self._redactor.add(secret)
            self._buckets[endpoint.id] = bucket_of(endpoint, self._salt)
        return self._buckets[endpoint.id]

    def _unit_work(self, plan: RecipePlan, unit: Unit) -> Work:
        bucket = self._bucket(plan.endpoint)
        wanted = wanted_for_unit(plan.endpoint, bucket, plan.record.id, unit, budgeted=self._budgeted)
        return Work(wanted, unit.request, self._settle_unit, plan, unit)

    # --- for the engine's own thread ---

    def _run(self) -> None:
        try:
            with asyncio.Runner(loop_factory=SteadyLoop) as runner:
                runner.run(self._main())
        except BaseException as error:  # noqa: BLE001 - the main thread raises it
            self._failure = error
        finally:
            self._started.set()
            with self._changed:
                self._changed.notify_all()

    async def _main(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.set_exception_handler(self._broken)
        self._attention = asyncio.Event()
        self._pause = Pause()
        self._scorings = Scorings(self._store, self._share, self._attention, self._keep)
        self._desk = Desk(self._store, self._clock, self._pause, self._opening, self._redactor, self._listeners)
        async with anyio.create_task_group() as lanes:
            self._task_group: TaskGroup = lanes
            self._started.set()
            lanes.start_soon(self._watch_run)
            while not self._closing:
                await self._attention.wait()
                self._attention.clear()
                # here and not in `_add`: a task group takes tasks from tasks alone, not from callbacks
                while self._unstarted:
                    lanes.start_soon(self._unstarted.pop(0).run)
                self._scorings.start(lanes)
            self._close_lanes()
            await self._settle_rest()
            lanes.cancel_scope.cancel()

    async def _settle_rest(self) -> None:
        """Until nothing is in flight: another process may wait for it. A stopped run is given a moment only."""
        end = math.inf
        while not self._scorings.idle or any(not lane.idle for lane in self._lanes.values()):
            if self._stopped:
                end = min(end, self._loop.time() + GRACE)
            if self._loop.time() >= end:
                return
            self._scorings.start(self._task_group)
            # once in a session: looking again is simpler than an event a lane
            await asyncio.sleep(0.005)

    def _broken(self, _loop: asyncio.AbstractEventLoop, context: dict[str, object]) -> None:
        """A callback of ours raised: who waits must hear it, since nothing else would ever wake them."""
        error = context.get("exception")
        if isinstance(error, Exception) and self._failure is None:
            self._failure = error
            with self._changed:
                self._changed.notify_all()

    async def _watch_run(self) -> None:
        """Another process may stop the run, or be gone that would hear of its end."""
        while True:
            await asyncio.sleep(WATCH)
            reason = self._abandoned() or await asyncio.wrap_future(self._store.run_stopped())
            if reason:
                self._hear_stop(reason)

    def _hear_stop(self, reason: str) -> None:
        if not self._stopped:
            self._stopped = reason
            self._close_lanes()

    def _opening(self, endpoint: Endpoint) -> Opening:
        limits, patience = endpoint.limits, endpoint.patience
        return StoreOpening(endpoint.id, patience.timeout, limits.max_concurrency, self._folder, self._store)

    def _add(self, endpoint: Endpoint, works: list[Work]) -> None:
        lane = self._lanes.get(endpoint.id)
        if lane is None:
            lane = self._lanes[endpoint.id] = Lane(self._served.get(endpoint.id, endpoint), self._desk)
            self._unstarted.append(lane)
            self._attention.set()
        lane.add(works)

    def _hurry(self, endpoint: Endpoint, works: list[Work]) -> None:
        for work in works:
            self._lanes[endpoint.id].hurry(work)
            self._scorings.hurry(work)

    async def _retire(self, endpoints: Collection[str]) -> None:
        lanes = [self._lanes.pop(name) for name in endpoints if name in self._lanes]
        for lane in lanes:
            lane.close()
        for lane in lanes:
            await lane.ended.wait()

    def _drop(self, endpoint: Endpoint, works: list[Work]) -> None:
        self._lanes[endpoint.id].drop(works)

    def _resume(self) -> None:
        self._pause.release()
        for lane in self._lanes.values():
            lane.wake()

    def _close(self) -> None:
        self._closing = True
        self._scorings.close()
        self._attention.set()

    def _close_lanes(self) -> None:
        if self._stopped:
            self._scorings.close()
        for lane in self._lanes.values():
            lane.close()
        with self._changed:
            self._changed.notify_all()

    def _settle_unit(self, work: Work, reply: Reply) -> None:
        assert work.plan is not None
        assert work.unit is not None
        if reply.run_stopped:
            # no outcome: it is as if the run had ended before
            self._hear_stop(reply.error)
        elif reply.mock:
            self._refuse(work, reply.error)
        elif reply.response is None:
            self._keep(work, _unanswered(reply))
        elif work.plan.scoring.blocking:
            self._scorings.add(work, reply)
        else:
            self._keep(work, scored(work.plan, work.unit, reply))

    def _refuse(self, work: Work, error: str) -> None:
        """To the test that waits for it; its own item will ask anew."""
        with self._changed:
            self._works.pop(work.unit_key, None)
            self._refused[work.unit_key] = error
            self._changed.notify_all()

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
        with self._changed:
            if error is not None:
                self._failure = error
            for recipe, unit, outcome in batch:
                self._settled[recipe, unit] = outcome
                self._works.pop((recipe, unit), None)
            self._changed.notify_all()

    def _tell(
        self, hear: Callable[[ScoreEvent], None], batch: list[tuple[str, str, Outcome]], first: list[bool]
    ) -> None:
        """Of those that this process recorded first: the others were told where they were."""
        for (recipe, unit, outcome), ours in zip(batch, first, strict=True):
            work = self._works.get((recipe, unit))
            if ours and work is not None:
                hear(score_event(work, outcome, self._redactor))


def _unanswered(reply: Reply) -> Outcome:
    if reply.outcome is not None:
        return reply.outcome
    if reply.stopped:
        return Outcome("not_asked", error=reply.error, endpoint_stopped=True)
    if reply.skipped:
        return Outcome("not_asked", error=reply.error, attempts=reply.attempts)
    return Outcome("error", error=reply.error, attempts=reply.attempts)


def _answer(reply: Reply) -> Answer:
    if reply.run_stopped:
        raise RunStoppedError(reply.error)
    if reply.skipped:
        raise SkippedError(reply.error)
    if reply.response is None:
        raise EndpointStopped(reply.error) if reply.stopped else RequestError(reply.error)
    return Answer(reply.response, reply.cached)


def _settle_future(future: Future[Reply], _work: Work, reply: Reply) -> None:
    future.set_result(reply)


def _of_state(failure: BaseException) -> StateError | None:
    """The state's error that ended the engine, also where several tasks met it at once."""
    if isinstance(failure, BaseExceptionGroup):
        return next((found for inner in failure.exceptions if (found := _of_state(inner)) is not None), None)
    return failure if isinstance(failure, StateError) else None
