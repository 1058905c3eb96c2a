"""Starting the children, and one process's seat at each of them."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.to_thread

from pytest_llmeval.core.errors import EndpointStopped
from pytest_llmeval.core.text import one_line, trim

#: seconds in which a child must have loaded its model
LOADING = 120.0
#: seconds in which a child answers on its users' port
ANSWERING = 0.2
_PROGRAM = Path(__file__).with_name("child.py")
#: kept so that an unfinished child is not complained about when its handle goes; it ends by its users
_started: list[subprocess.Popen[str]] = []


@dataclass(frozen=True, slots=True)
class Address:
    """Where a child answers: its URL and key, the users' port and its greeting, the log of what it prints."""

    url: str
    key: str
    users: int
    hello: str
    pid: int
    log: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What to start: a GGUF file, its context in tokens, how many children of how many threads, the log's path."""

    model: Path
    context: int
    children: int
    threads: int
    log: Path


async def start(plan: Plan) -> list[Address]:
    """Start all children of a plan; they answer when this returns.

    Raises EndpointStopped where one ends while it loads or takes longer than two minutes; none is left behind then.
    """
    plan.log.parent.mkdir(parents=True, exist_ok=True)
    processes = [await anyio.to_thread.run_sync(_launch, plan) for _ in range(plan.children)]
    try:
        lines = [await _first_line(process, plan) for process in processes]
    except BaseException:
        for process in processes:
            process.kill()
            process.wait()
        raise
    finally:
        for process in processes:
            assert process.stdout is not None
            process.stdout.close()
    _started.extend(processes)
    return [Address(**json.loads(line), log=str(plan.log)) for line in lines]


def _launch(plan: Plan) -> subprocess.Popen[str]:
    arguments = [str(plan.model), str(plan.log), str(plan.context), str(plan.threads)]
    descriptor = os.open(plan.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    try:
        return subprocess.Popen(  # noqa: S603 - our own program, arguments as a list
            [sys.executable, "-P", str(_PROGRAM), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=descriptor,
            text=True,
            # Ctrl-C is for pytest: the child ends when its users have gone
            start_new_session=True,
            creationflags=getattr(subprocess, "CREATE_NEW_PROCESS_GROUP", 0),
        )
    finally:
        os.close(descriptor)


async def _first_line(process: subprocess.Popen[str], plan: Plan) -> str:
    assert process.stdout is not None
    try:
        with anyio.fail_after(LOADING):
            line = await anyio.to_thread.run_sync(process.stdout.readline, abandon_on_cancel=True)
    except TimeoutError:
        raise EndpointStopped(
            f"the local server did not load {plan.model} within {LOADING:g} s (log: {plan.log})"
        ) from None
    if not line:
        said = trim(one_line(_last_line(plan.log)), 300)
        raise EndpointStopped(f"the local server ended while it loaded {plan.model}: {said} (log: {plan.log})")
    return line


def _last_line(log: Path) -> str:
    lines = log.read_text("utf-8", "replace").strip().splitlines() if log.exists() else []
    return lines[-1] if lines else "it said nothing"


def reap(seconds: float) -> None:
    """Collect children of this process that have ended, waiting a moment for those about to."""
    until = time.monotonic() + seconds
    while _started:
        _started[:] = [process for process in _started if process.poll() is None]
        if time.monotonic() > until:
            break
        time.sleep(0.005)


class Seat:
    """This process's connection to a child: it keeps the child alive, and reserves it for one request at a time.

    Calls block for some ten microseconds; a child that does not answer is used without reservations.
    """

    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection
        self._reserves = True
        self._holding = False
        self.gone = False

    @classmethod
    def take(cls, address: Address) -> Seat | None:
        """Sit down; None where the child is gone (or another process has its port)."""
        try:
            connection = socket.create_connection(("127.0.0.1", address.users), timeout=1.0)
        except OSError:
            return None
        try:
            with connection.makefile("rb", buffering=0) as stream:
                heard = stream.read(len(address.hello))
        except OSError:
            heard = None
        if heard != address.hello.encode("ascii"):
            connection.close()
            return None
        connection.settimeout(ANSWERING)
        # giving back and trying again are two small writes: else the second waits 40 ms for the first to be confirmed
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return cls(connection)

    def reserve(self) -> bool:
        """Whether this process alone has the child now. ``gone`` tells afterwards that the child has ended."""
        if not self._reserves or self._holding or self.gone:
            return False
        try:
            self._connection.sendall(b"t")
            heard = self._connection.recv(1)
        except TimeoutError:
            self._reserves = False
            return False
        except OSError:
            heard = b""
        self.gone = not heard
        self._holding = heard == b"1"
        return self._holding

    def give_back(self) -> None:
        """Let another process have it, where this one has."""
        if not self._holding:
            return
        self._holding = False
        try:
            self._connection.sendall(b"r")
        except OSError:
            self.gone = True

    def close(self) -> None:
        """Stand up; the child ends with its last user."""
        self._connection.close()


def end(addresses: Sequence[Address]) -> None:
    """End children that this process started and nobody is to use."""
    pids = {address.pid for address in addresses}
    for process in [process for process in _started if process.pid in pids]:
        process.kill()
        process.wait()
        _started.remove(process)


def sit_down(addresses: Sequence[Address]) -> list[Seat] | None:
    """A seat at each child; None where any of them is gone."""
    seats: list[Seat] = []
    for address in addresses:
        seat = Seat.take(address)
        if seat is None:
            for taken in seats:
                taken.close()
            return None
        seats.append(seat)
    return seats
