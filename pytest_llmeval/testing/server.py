"""A chat completions server on loopback, in a thread and an event loop of its own."""

from __future__ import annotations

import asyncio
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace

from .behaviours import Answer, Behaviour, answering
from .wire import Received, Reply, error_body, json_reply, parse

_CHUNK = b"10000\r\n" + b" " * 0x10000 + b"\r\n"


class _Loop(asyncio.SelectorEventLoop):
    """Its clock is the machine's, also while a test freezes the time."""

    _monotonic = staticmethod(time.monotonic)

    def time(self) -> float:
        return self._monotonic()


class LoopbackServer:
    """A running server. Its figures may be read from any thread, also after it ended."""

    def __init__(self, behaviours: tuple[Behaviour, ...], *, delay: float, record: bool, tls: bool) -> None:
        self._behaviours = behaviours
        self._delay = delay
        self._record = record
        self._scheme = "https" if tls else "http"
        self.port = 0
        #: what came in, in order of arrival (empty with ``record=False``)
        self.requests: list[Received] = []
        #: how many requests came
        self.count = 0
        #: how many connections were ever opened, and how many are open
        self.connections = 0
        self.open_connections = 0
        #: requests without a reply yet, and the most of them at one time
        self.in_flight = 0
        self.most_in_flight = 0

    @property
    def url(self) -> str:
        """What to write as ``base_url``."""
        return f"{self._scheme}://127.0.0.1:{self.port}/v1"

    def respond(self, received: Received) -> Reply:
        """The first behaviour that has a reply gives it. The server's own thread calls this, once a request."""
        if received.path.startswith("/health"):
            return json_reply({"status": "ok"})
        self.count += 1
        if self._record:
            self.requests.append(received)
        for behaviour in self._behaviours:
            try:
                reply = behaviour(received)
            except Exception as error:  # noqa: BLE001 - a user's function: its fault is the reply
                return json_reply(error_body(f"the behaviour raised {error!r}"), 500)
            if reply is not None:
                return replace(reply, headers={**received.told, **reply.headers}) if received.told else reply
        return json_reply(error_body("no behaviour answers this"), 500)

    def delay_of(self, reply: Reply) -> float:
        return reply.delay or (self._delay if reply.status == 200 else 0.0)


class _Connection(asyncio.Protocol):
    """One client: its requests are answered one after the other."""

    def __init__(self, server: LoopbackServer, loop: asyncio.AbstractEventLoop, opened: set[_Connection]) -> None:
        self._server = server
        self._loop = loop
        self._opened = opened
        self._buffer = bytearray()
        self._busy = False
        self._timer: asyncio.TimerHandle | None = None
        self._writable = True
        self._endless = False
        self._number = 0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._opened.add(self)
        self._server.connections += 1
        self._server.open_connections += 1
        self._number = self._server.connections

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - the protocol's signature
        self._opened.discard(self)
        self._server.open_connections -= 1
        self._endless = False
        if self._timer is not None:
            self._timer.cancel()
        if self._busy:
            self._settled()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        self._next()

    def _next(self) -> None:
        if self._busy or not self._buffer:
            return
        try:
            parsed = parse(self._buffer)
        except ValueError as error:
            reply = json_reply(error_body(str(error)), 400)
            self._transport.write(reply.head() + reply.body)
            self._transport.close()
            return
        if parsed is None:
            return
        method, path, headers, body, used = parsed
        del self._buffer[:used]
        server = self._server
        self._busy = True
        server.in_flight += 1
        server.most_in_flight = max(server.most_in_flight, server.in_flight)
        received = Received(server.count + 1, self._loop.time(), method, path, headers, body, self._number)
        reply = server.respond(received)
        delay = server.delay_of(reply)
        if delay > 0:
            self._timer = self._loop.call_later(delay, self._send, reply)
        else:
            self._send(reply)

    def _settled(self) -> None:
        self._busy = False
        self._server.in_flight -= 1

    def _send(self, reply: Reply) -> None:
        self._timer = None
        head = reply.head()
        match reply.manner:
            case "whole":
                self._transport.write(head + reply.body)
                self._settled()
                self._next()
            case "cut":
                self._transport.write(head + reply.body[: len(reply.body) // 2])
                self._transport.close()
            case "endless":
                self._transport.write(head)
                self._endless = True
                self._pour()
            case "dropped":
                self._transport.abort()
            case "dribbled":
                self._dribble(head, 0, reply)
            case "withheld":
                pass

    def _pour(self) -> None:
        if self._endless and self._writable:
            self._transport.write(_CHUNK)
            self._loop.call_soon(self._pour)

    def _dribble(self, head: bytes, sent: int, reply: Reply) -> None:
        steps = 16
        if sent == steps:
            self._transport.write(reply.body)
            self._settled()
            self._next()
            return
        size = -(-len(head) // steps)
        self._transport.write(head[sent * size : (sent + 1) * size])
        self._timer = self._loop.call_later(reply.seconds / steps, self._dribble, head, sent + 1, reply)

    def pause_writing(self) -> None:
        self._writable = False

    def resume_writing(self) -> None:
        self._writable = True
        self._pour()

    def abort(self) -> None:
        self._transport.abort()


@contextmanager
def serve(
    *behaviours: Behaviour,
    answer: Answer = "ok",
    delay: float = 0.0,
    tls: ssl.SSLContext | None = None,
    port: int = 0,
    record: bool = True,
) -> Iterator[LoopbackServer]:
    """A server on 127.0.0.1 for the time of the block.

    Each request goes to the ``behaviours`` in their order until one replies; what none takes gets ``answer`` (a text, a
    mapping from prompt to text, or a function of the request). ``delay``: seconds before an answer's first byte (errors
    come at once). ``tls``: a server-side context, for https. ``port`` 0 takes a free one. ``record=False`` keeps no
    requests, for long runs.
    """
    server = LoopbackServer((*behaviours, answering(answer)), delay=delay, record=record, tls=tls is not None)
    loop = _Loop()
    opened: set[_Connection] = set()
    listening = loop.run_until_complete(
        loop.create_server(lambda: _Connection(server, loop, opened), "127.0.0.1", port, ssl=tls, backlog=1024)
    )
    server.port = listening.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever, name="llmeval-loopback", daemon=True)
    thread.start()
    try:
        yield server
    finally:
        _in_loop(loop, lambda: _end(loop, listening, opened))
        thread.join()
        loop.close()


def _in_loop(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> None:
    loop.call_soon_threadsafe(call)


def _end(loop: asyncio.AbstractEventLoop, listening: asyncio.Server, opened: set[_Connection]) -> None:
    listening.close()
    for connection in list(opened):
        connection.abort()
    # a turn of the loop lets the connections be lost before it ends
    loop.call_soon(lambda: loop.call_soon(loop.stop))
