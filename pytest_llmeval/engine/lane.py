"""One endpoint at work: requests are admitted, attempted, and what came of them is handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from typing import assert_never

import anyio
from anyio.abc import TaskGroup

from ..core.admission import (
    Answered,
    Decision,
    FailedBefore,
    Granted,
    Heard,
    Missing,
    Recorded,
    Refusal,
    Skipped,
    Stopped,
    Wait,
)
from ..core.clock import SECOND, Clock
from ..core.endpoint import Endpoint
from ..core.errors import EndpointStopped, InvalidRequest, Refused, RequestError, Transient
from ..core.events import NOBODY, Listeners
from ..core.exchange import Request, Response
from ..core.extension import Asker, Opening
from ..core.redaction import Redactor
from ..core.store import Store
from ..limits.retry import GiveUp, next_wait
from .completing import complete
from .pause import Pause
from .queue import Queue
from .ramp import Ramp
from .sending import CURRENT, Sending
from .telling import request_event, response_event
from .work import Job, Reply, Work

#: so many first requests failing with one and the same text stop an endpoint
ALIKE = 10
#: seconds after which what waits is looked at again: another process may have opened the breaker, spent the budget
LOOK_AGAIN = 1.0


@dataclass(frozen=True, slots=True)
class Desk:
    """What all lanes of an engine share."""

    store: Store
    clock: Clock
    pause: Pause
    opening: Callable[[Endpoint], Opening]
    redactor: Redactor
    listeners: Listeners = NOBODY


class Lane:
    """Takes work in, sees that every distinct request is asked once, hands replies out; all in the engine's loop.

    What waits holds no claim and no place on the wire.
    """

    def __init__(self, endpoint: Endpoint, desk: Desk) -> None:
        self.endpoint = endpoint
        self._desk = desk
        self._offline = bool(getattr(endpoint.connector, "offline", False))
        self._queue = Queue(endpoint.limits.max_concurrency, joins=not self._offline)
        self._on_wire = 0
        self._ramp = Ramp(desk.clock)
        self._wake = asyncio.Event()
        self._closing = False
        #: it was closed, and all that it had sent is settled
        self.ended = asyncio.Event()
        self._answers = 0
        self._alike: tuple[str, int] | None = ("", 0)

    def add(self, works: list[Work]) -> None:
        """Take work in; urgent work goes before what is asked ahead."""
        self._queue.add(works)
        self._wake.set()

    def hurry(self, work: Work) -> None:
        """Somebody stands still for this work now."""
        self._queue.hurry(work)
        self._wake.set()

    def drop(self, works: list[Work]) -> None:
        """Nobody wants these any more."""
        self._queue.drop(works)

    def wake(self) -> None:
        self._wake.set()

    def close(self) -> None:
        """Admit nothing more."""
        self._closing = True
        self._wake.set()

    @property
    def idle(self) -> bool:
        return not self._on_wire

    async def run(self) -> None:
        """Serve until closed; the connector is opened when the first request must really be asked."""
        try:
            await self._serve()
        finally:
            self.ended.set()

    async def _serve(self) -> None:
        async with anyio.create_task_group() as wire:
            await self._pump(wire, None)
            if self._closing:
                return
            asker = None
            try:
                await self._serve_open()
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises on opening stops its endpoint
                asker = _Unopened(_text(error))
                await self._stop(_text(error))
            await self._pump(wire, asker)

    async def _serve_open(self) -> None:
        opening = self._desk.opening(self.endpoint)
        async with AsyncExitStack() as stack:
            # opening too may import, connect, start servers: not in the midst of what a test has patched
            with self._desk.pause.departure():
                asker = await stack.enter_async_context(self.endpoint.connector.open(opening))
            async with anyio.create_task_group() as wire:
                await self._pump(wire, asker)

    async def _pump(self, wire: TaskGroup, asker: Asker | None) -> None:
        """Admit and send until closed; without an asker, until something must be asked."""
        while not self._closing:
            await self._ramp.clear()
            batch = self._queue.next(self._desk.clock.monotonic_ns(), self._on_wire, held=self._desk.pause.held)
            if not batch:
                await self._rest()
                continue
            if self._offline:
                if asker is None:
                    self._queue.put_back(batch)
                    return
                with self._desk.pause.departure():
                    for job in batch:
                        await self._ask_offline(job, asker)
                # a look-up never suspends: give the loop's other tasks their turn
                await asyncio.sleep(0)
                continue
            if not await self._admit(batch, wire, asker):
                return

    async def _admit(self, batch: list[Job], wire: TaskGroup, asker: Asker | None) -> bool:
        """False where something was granted and nothing is open yet to ask it."""
        with self._desk.pause.departure():
            decisions = await asyncio.wrap_future(self._desk.store.admit([job.wanted for job in batch]))
            granted: list[tuple[Job, Granted]] = []
            for job, decision in zip(batch, decisions, strict=True):
                if not isinstance(decision, Granted):
                    self._hear(job, decision)
                elif job.unwanted:
                    self._desk.store.withdraw(decision)
                    self._queue.end(job)
                else:
                    granted.append((job, decision))
            mock = self._tampered() if granted else ""
            if mock:
                granted = await self._for_tests(granted, mock)
            if granted and asker is None:
                for _, claim in granted:
                    await asyncio.wrap_future(self._desk.store.release(claim, sent=False))
                self._queue.put_back([job for job, _ in granted])
                return False
            for job, claim in granted:
                assert asker is not None
                self._on_wire += 1
                self._ramp.depart()
                sending = Sending(self._desk.pause, self._tampered, self._ramp.out)
                wire.start_soon(self._send, job, claim, asker, sending)
        return True

    def _hear(self, job: Job, decision: Decision) -> None:
        match decision:
            case Answered():
                self._finish(job, Reply(response=decision.response, cached=decision.cached))
            case Recorded():
                self._finish(job, Reply(outcome=decision.outcome))
            case FailedBefore():
                self._finish(job, Reply(error=decision.message, attempts=decision.attempts))
            case Missing():
                more = f". {decision.why}" if decision.why else ""
                self._finish(job, Reply(error=f"--llmeval-cache only: no stored answer{more}"))
            case Stopped():
                self._finish(job, Reply(error=decision.message, stopped=not decision.run, run_stopped=decision.run))
            case Skipped():
                self._finish(job, Reply(error=decision.reason, attempts=decision.attempts, skipped=True))
                self._queue.look_again()
            case Wait():
                self._postpone(job, decision.seconds, retries=decision.why == "retry")
            case Granted():
                raise AssertionError(decision)
            case _:
                assert_never(decision)

    def _postpone(self, job: Job, seconds: float = 0.0, *, retries: bool = False) -> None:
        due_ns = self._desk.clock.monotonic_ns() + round(min(seconds, LOOK_AGAIN) * SECOND)
        self._queue.wait(job, due_ns, retries=retries)

    async def _rest(self) -> None:
        due = self._queue.next_due(self._on_wire, held=self._desk.pause.held)
        self._wake.clear()
        if due is None:
            await self._wake.wait()
            return
        with anyio.move_on_after(max(0.0, (due - self._desk.clock.monotonic_ns()) / SECOND)):
            await self._wake.wait()

    async def _send(self, job: Job, claim: Granted, asker: Asker, sending: Sending) -> None:
        CURRENT.set(sending)
        if not getattr(self.endpoint.connector, "says_sent", False):
            sending.out_soon()
        if self._desk.listeners.request is not None and not sending.mock:
            self._desk.listeners.request(request_event(job, claim))
        try:
            await self._attempt(job, claim, asker, sending)
        except anyio.get_cancelled_exc_class():
            # not awaited: the loop is closing, the store's own thread is not
            self._desk.store.release(claim)
            raise
        finally:
            sending.out()
            self._on_wire -= 1
            self._wake.set()

    async def _attempt(self, job: Job, claim: Granted, asker: Asker, sending: Sending) -> None:
        clock, patience = self._desk.clock, self.endpoint.patience
        started = clock.monotonic_ns()
        left = patience.deadline - (started - claim.first_sent_ns) / SECOND
        if left <= 0:
            await self._too_late(job, claim)
            return
        try:
            came: Response | BaseException = await self._ask(job, asker, min(patience.timeout, max(left, 0.001)))
        except Refused as error:
            came = Response("", finish="content_filter", reasoning=error.message or None)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what a connector raises is that request's error
            came = error
        sending.out()
        seconds = (clock.monotonic_ns() - started) / SECOND
        if isinstance(came, Response):
            came = self._desk.redactor.response(complete(came, self.endpoint, seconds))
        if self._desk.listeners.response is not None and not sending.mock:
            said = "" if isinstance(came, Response) else self._desk.redactor.all(_text(came))
            self._desk.listeners.response(response_event(job, claim, came, said, seconds))
        if isinstance(came, Transient):
            await self._again(job, claim, came, sending)
        elif sending.mock:
            await self._tell_test(job, claim, came, sending)
        elif isinstance(came, Response):
            self._answers += 1
            self._alike = None
            await asyncio.wrap_future(self._desk.store.answer(claim, came))
            self._finish(job, Reply(response=came, attempts=claim.attempt))
        elif isinstance(came, EndpointStopped):
            # in this order: another process must not take the place on the wire in between
            await self._stop(came.message)
            await asyncio.wrap_future(self._desk.store.release(claim))
            self._postpone(job)
        else:
            await self._failed(job, claim, _text(came), "reply")
            if isinstance(came, InvalidRequest) and self._first_alike(came):
                await self._stop(f"its first {ALIKE} requests all failed alike: {came.message}")

    # --- mocks ---

    def _tampered(self) -> str:
        """What stands in for the way to the service just now."""
        found = getattr(self.endpoint.connector, "tampered", str)()
        return str(found)

    async def _for_tests(self, granted: list[tuple[Job, Granted]], mock: str) -> list[tuple[Job, Granted]]:
        """Those that a test asks for itself, by what is its own mock, very likely; the others are not sent."""
        in_test = self._desk.pause.held
        spared = [(job, claim) for job, claim in granted if not job.questions]
        withdrawn = [self._desk.store.withdraw(claim) for _, claim in spared]
        for (job, _), done in zip(spared, withdrawn, strict=True):
            await asyncio.wrap_future(done)
            await self._spare(job, mock, in_test=in_test)
        return [(job, claim) for job, claim in granted if job.questions]

    async def _spare(self, job: Job, mock: str, *, in_test: bool) -> None:
        """No unit takes its answer from a mock: a test that runs a recipe is told, else the endpoint is stopped."""
        if in_test and job.urgent:
            self._finish(job, Reply(error=f"not asked: {mock}, and what a mock answers is no result", mock=True))
            return
        await self._stop(f"{mock}: its answers may be a mock's. Patch it in tests, not for the session")
        self._postpone(job)

    async def _tell_test(self, job: Job, claim: Granted, came: Response | BaseException, by: Sending) -> None:
        """What came by a mock is for the test that asked; nothing of it is stored, and nobody else hears of it."""
        await asyncio.wrap_future(self._desk.store.withdraw(claim))
        self._queue.end(job)
        if isinstance(came, Response):
            reply = Reply(response=came, attempts=claim.attempt)
        else:
            error = self._desk.redactor.all(_text(came))
            reply = Reply(error=error, attempts=claim.attempt, stopped=isinstance(came, EndpointStopped))
        questions = job.questions
        for work in questions:
            work.settle(work, reply)
        units = [work for work in job.works if work not in questions]
        if not units:
            return
        rest = self._queue.part(units)
        if questions:
            self._postpone(rest)
        else:
            await self._spare(rest, by.mock, in_test=by.in_test)

    async def _ask(self, job: Job, asker: Asker, seconds: float) -> Response:
        try:
            with anyio.fail_after(seconds):
                return await _answer(asker, job.request)
        except TimeoutError:
            raise Transient(f"nothing came within {round(seconds, 2):g} s") from None

    async def _again(self, job: Job, claim: Granted, error: Transient, sending: Sending) -> None:
        now = self._desk.clock.monotonic_ns()
        patience = self.endpoint.patience
        # a mock says nothing of the service
        heard: Heard | None = None if sending.mock else "limit" if error.limited else "fault"
        if error.limited:
            if not sending.mock:
                # before all else: others are about to be let go
                self._desk.store.refuse(claim, Refusal(error.retry_after, error.limits))
            claim = replace(claim, refused=claim.refused + 1)
        wait = next_wait(claim.attempt, error, claim.first_sent_ns, now, patience, refused=claim.refused)
        if not isinstance(wait, GiveUp):
            await asyncio.wrap_future(self._desk.store.release(claim, wait=wait, heard=heard))
            self._postpone(job, wait, retries=True)
            return
        message = f"{error.message} ({wait.reason})"
        if sending.mock:
            await self._tell_test(job, claim, InvalidRequest(message), sending)
            return
        if error.unreached and not self._answers:
            # in this order: another process must not take the place on the wire in between
            await self._stop(message)
            await asyncio.wrap_future(self._desk.store.release(claim))
            self._postpone(job)
            return
        await self._failed(job, claim, message, heard)
        self._queue.look_again()

    async def _failed(self, job: Job, claim: Granted, message: str, heard: Heard | None) -> None:
        message = self._desk.redactor.all(message)
        await asyncio.wrap_future(self._desk.store.fail(claim, message, heard=heard))
        self._finish(job, Reply(error=message, attempts=claim.attempt))

    async def _too_late(self, job: Job, claim: Granted) -> None:
        """It waited for its turn until its time was over."""
        attempts = claim.attempt - 1
        so_far = f"after {attempts} attempt{'s' if attempts != 1 else ''}"
        message = f"no answer within the deadline of {self.endpoint.patience.deadline:g} s ({so_far})"
        await asyncio.wrap_future(self._desk.store.fail(claim, message, sent=False))
        self._finish(job, Reply(error=message, attempts=attempts))

    async def _stop(self, message: str) -> None:
        await asyncio.wrap_future(self._desk.store.stop_endpoint(self.endpoint.id, self._desk.redactor.all(message)))

    def _first_alike(self, error: InvalidRequest) -> bool:
        """Whether the endpoint's first requests all fail with one and the same text."""
        if self._alike is None or error.status is None:
            self._alike = None
            return False
        text, count = self._alike
        self._alike = (error.message, count + 1) if count == 0 or text == error.message else None
        return self._alike is not None and self._alike[1] >= ALIKE

    async def _ask_offline(self, job: Job, asker: Asker) -> None:
        try:
            response = await _answer(asker, job.request)
        except EndpointStopped as error:
            await self._stop(error.message)
            self._finish(job, Reply(error=self._desk.redactor.all(error.message), stopped=True))
        except Refused as error:
            refusal = Response("", finish="content_filter", reasoning=error.message or None)
            self._finish(job, Reply(response=refusal, cached=True))
        except (Exception, SystemExit) as error:  # noqa: BLE001 - what a connector raises is that request's error
            self._finish(job, Reply(error=self._desk.redactor.all(_text(error)), attempts=1))
        else:
            self._finish(
                job, Reply(response=self._desk.redactor.response(complete(response, self.endpoint)), cached=True)
            )

    def _finish(self, job: Job, reply: Reply) -> None:
        self._queue.end(job)
        for work in job.works:
            work.settle(work, reply)


class _Unopened:
    """In place of an asker that could not be opened."""

    def __init__(self, message: str) -> None:
        self._message = message

    async def ask(self, _request: Request) -> Response:
        raise EndpointStopped(self._message)


async def _answer(asker: Asker, request: Request) -> Response:
    came: object = await asker.ask(request)
    if not isinstance(came, Response):
        raise TypeError(f"the connector gave {type(came).__name__}, not a Response")
    return came


def _text(error: BaseException) -> str:
    """What a request's error says: a classed one for itself, any other with its kind."""
    return error.message if isinstance(error, RequestError) else f"{type(error).__name__}: {error}"
