"""The blocking door to the engine's thread."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from collections.abc import Callable, Collection, Iterable
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from functools import partial
from pathlib import Path
from typing import TypeVar

from ..core.clock import Clock
from ..core.endpoint import Endpoint
from ..core.errors import EngineFailure, RequestError, StateError
from ..core.events import NOBODY, Listeners
from ..core.exchange import Request
from ..core.options import secret_values
from ..core.plan import RecipePlan, Unit
from ..core.redaction import Redactor
from ..core.result import Outcome
from ..core.store import Store
from .answers import Answer, RunStoppedError, answer_of
from .board import WATCH, Board
from .floor import GRACE, Floor
from .waiting import Nobody, Onlooker
from .wanting import bucket_of, wanted_for_question, wanted_for_unit
from .work import Key, Reply, Work

T = TypeVar("T")


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
        self._redactor = redactor
        self._salt = salt
        self._budgeted = budgeted
        self._onlooker = onlooker or Nobody()
        self._buckets: dict[str, str] = {}
        self._board = Board()
        self._floor = Floor(
            store, clock, folder, redactor, self._board, abandoned=abandoned, share=share, listeners=listeners
        )
        self._thread = threading.Thread(target=self._floor.run, name="llmeval-engine", daemon=True)

    def start(self) -> None:
        self._thread.start()
        self._floor.started.wait()

    def serve(self, endpoint: Endpoint, secrets: Iterable[str]) -> None:
        """What is asked of the endpoint of that id goes to this one; ``secrets`` came with it."""
        for secret in secrets:
            self._redactor.add(secret)
        self._floor.served[endpoint.id] = endpoint

    def retire(self, endpoints: Collection[str]) -> None:
        """Returns when nothing more is sent to these and what was in flight is settled; who asks them later begins
        anew."""
        if not self._thread.is_alive():
            return
        # a stopped engine sends nothing either
        with contextlib.suppress(RunStoppedError, EngineFailure, StateError):
            self._result(self._floor.result(self._floor.retire(endpoints)))
        with self._board.changed:
            self._board.works = {
                key: work for key, work in self._board.works.items() if work.wanted.endpoint not in endpoints
            }

    def look_ahead(self, units: Iterable[tuple[RecipePlan, Unit]]) -> None:
        """Settle these in their order, as limits allow."""
        works: dict[str, tuple[Endpoint, list[Work]]] = {}
        for plan, unit in units:
            key = (plan.record.id, unit.record.id)
            if key not in self._board.works and key not in self._board.settled:
                work = self._board.works[key] = self._unit_work(plan, unit)
                works.setdefault(plan.endpoint.id, (plan.endpoint, []))[1].append(work)
        for endpoint, added in works.values():
            self._floor.call(partial(self._floor.add, endpoint, added))

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
            self._board.refused.pop(key, None)
            if key in self._board.settled:
                continue
            work = self._board.works.get(key)
            if work is None:
                work = self._board.works[key] = self._unit_work(plan, unit)
                work.urgent = True
                added.append(work)
            else:
                hurried.append(work)
        if added:
            self._floor.call(partial(self._floor.add, plan.endpoint, added))
        if hurried:
            self._floor.call(partial(self._floor.hurry, plan.endpoint, hurried))
        try:
            while not self._board.have(keys, alive=self._thread.is_alive()):
                self._onlooker.turn()
        except RequestError:
            self._leave(plan.endpoint, added)
            raise
        finally:
            self._onlooker.leave()
        return [self._board.settled[key] for key in keys]

    def _leave(self, endpoint: Endpoint, works: list[Work]) -> None:
        """Who waited for these waits no more: what was not sent stays unasked, and may be asked for again."""
        for work in works:
            self._board.works.pop(work.unit_key, None)
        if works:
            self._floor.call(partial(self._floor.drop, endpoint, works))

    def ask(self, endpoint: Endpoint, requests: Iterable[Request], *, anew: bool = False) -> list[Answer]:
        """A test's own questions, in order; ``anew`` past what is stored.

        All are settled, then the first error is raised: RequestError, as EndpointStopped where the endpoint was, as
        SkippedError where its breaker was open or the budget spent.
        """
        replies = [self._result(future) for future in self._submit(endpoint, requests, anew=anew)]
        return [answer_of(reply) for reply in replies]

    async def aask(self, endpoint: Endpoint, request: Request, *, anew: bool = False) -> Answer:
        """As ``ask``, awaited in an asyncio loop of the test's own."""
        (future,) = self._submit(endpoint, [request], anew=anew)
        waiting = asyncio.wrap_future(future)
        while not waiting.done():
            self._look()
            await asyncio.wait([waiting], timeout=WATCH)
        return answer_of(waiting.result())

    def _submit(self, endpoint: Endpoint, requests: Iterable[Request], *, anew: bool) -> list[Future[Reply]]:
        bucket = self._bucket(endpoint)
        futures: list[Future[Reply]] = []
        works = []
        for request in requests:
            future: Future[Reply] = Future()
            wanted = wanted_for_question(endpoint, bucket, request, anew=anew, budgeted=self._budgeted)
            works.append(Work(wanted, request, partial(_settle_future, future), urgent=True))
            futures.append(future)
        self._floor.call(partial(self._floor.add, endpoint, works))
        return futures

    def forget(self, plan: RecipePlan, unit: Unit) -> None:
        """What came to nothing is asked anew when its item runs again."""
        self._result(self._store.forget(unit.record.key, plan.record.id, unit.record.id))
        key = (plan.record.id, unit.record.id)
        self._board.settled.pop(key, None)
        self._board.works.pop(key, None)

    def pause(self) -> None:
        """Returns when nothing of the look-ahead can reach the wire any more."""
        if not self._thread.is_alive():
            return
        # a stopped engine sends nothing either; that it ended is told to the next who asks it for something
        with contextlib.suppress(RunStoppedError, EngineFailure, StateError):
            self._result(self._floor.result(self._floor.hold()))

    def resume(self) -> None:
        self._floor.call(self._floor.resume)

    def stop(self, reason: str) -> None:
        """This process asks nothing more; who waits is told."""
        self._board.stopped = self._board.stopped or reason
        self._floor.call(self._floor.close_lanes)

    @property
    def stopped(self) -> str:
        """Why the run was stopped; empty while it goes on."""
        return self._board.stopped

    def close(self) -> None:
        """Ask nothing more, settle what is in flight (half a second of it in a stopped run), end the thread."""
        self._floor.call(self._floor.close)
        while self._thread.is_alive() and not self._board.stopped:
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
        self._board.look(alive=self._thread.is_alive())

    def _bucket(self, endpoint: Endpoint) -> str:
        if endpoint.id not in self._buckets:
            for secret in secret_values(endpoint.connector, os.environ):
                self._redactor.add(secret)
            self._buckets[endpoint.id] = bucket_of(endpoint, self._salt)
        return self._buckets[endpoint.id]

    def _unit_work(self, plan: RecipePlan, unit: Unit) -> Work:
        bucket = self._bucket(plan.endpoint)
        wanted = wanted_for_unit(plan.endpoint, bucket, plan.record.id, unit, budgeted=self._budgeted)
        return Work(wanted, unit.request, self._floor.settle_unit, plan, unit)


def _settle_future(future: Future[Reply], _work: Work, reply: Reply) -> None:
    future.set_result(reply)
