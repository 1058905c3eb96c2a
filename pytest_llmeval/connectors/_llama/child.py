"""The child's program: one llama.cpp server on loopback, which ends with its last user.

Run by path and with ``-P`` (its folder's ``openai.py`` and ``python.py`` would shadow other modules), in a session of
its own: ``python -P _llama.py MODEL LOG CONTEXT THREADS``. It prints one JSON line (``url``, ``key``, ``users``, the
port of the users, ``hello``, ``pid``) when the model is loaded. No pipe and no death signal ties it to the process
that started it; each process that uses it holds one connection to the users' port, on which it may also reserve the
server: ``t`` tries to (``1``: it has it, ``0``: another has it), ``r`` gives it back.
"""

from __future__ import annotations

import json
import os
import secrets
import select
import socket
import sys
import threading
import time

#: seconds in which the first user must come
PATIENCE = 30.0


class Users:
    """The connections of those who use this server; without any the process ends."""

    def __init__(self) -> None:
        #: said to each that comes, so that nobody takes another process on a reused port for this one
        self.hello = secrets.token_hex(8)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listening.getsockname()[1]
        self._connections: set[socket.socket] = set()
        self._holder: socket.socket | None = None
        self._came = False
        #: when the model was loaded
        self.ready = float("inf")

    def watch(self) -> None:
        """Serve until nobody is left, then end the process."""
        while not self._came or self._connections:
            ready, _, _ = select.select([self._listening, *self._connections], [], [], None if self._came else 1.0)
            if not self._came and time.monotonic() - self.ready > PATIENCE:
                break
            self._hear(ready)
        os._exit(0)

    def _hear(self, ready: list[socket.socket]) -> None:
        tries = []
        for connection in ready:
            if connection is self._listening:
                self._accept()
                continue
            said = _read(connection)
            if b"r" in said and self._holder is connection:
                self._holder = None
            if said.endswith(b"t"):
                tries.append(connection)
            if not said:
                self._drop(connection)
        # whoever tries comes last: what was given back in the same moment is free
        for connection in tries:
            if self._holder is None:
                self._holder = connection
            self._say(connection, b"1" if self._holder is connection else b"0")

    def _accept(self) -> None:
        connection, _ = self._listening.accept()
        self._connections.add(connection)
        self._came = True
        self._say(connection, self.hello.encode("ascii"))

    def _say(self, connection: socket.socket, text: bytes) -> None:
        try:
            connection.sendall(text)
        except OSError:
            self._drop(connection)

    def _drop(self, connection: socket.socket) -> None:
        self._connections.discard(connection)
        if self._holder is connection:
            self._holder = None
        connection.close()


def _read(connection: socket.socket) -> bytes:
    try:
        return connection.recv(64)
    except OSError:
        return b""


def main(model: str, log: str, context: int, threads: int) -> None:
    """Load the model, say where it answers, serve until the last user has gone."""
    # llama.cpp prints from C++: only the descriptors themselves can be sent to the log
    told = os.fdopen(os.dup(1), "w")
    descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(descriptor, 1)
    os.dup2(descriptor, 2)

    users = Users()
    threading.Thread(target=users.watch, daemon=True).start()

    import xllamacpp

    # without a key any page in the user's browser could ask it
    key = secrets.token_urlsafe(24)
    params = xllamacpp.CommonParams()
    params.model.path = model
    params.hostnames = ["127.0.0.1"]
    params.port = 0
    params.api_keys = [key]
    params.n_parallel = 1
    params.n_ctx = context
    params.cpuparams.n_threads = threads
    params.cpuparams_batch.n_threads = threads
    params.n_gpu_layers = 0
    params.warmup = False
    params.cache_ram_mib = 0
    # with it an answer depends on which prompt came before: the same recipe in another order, another figure
    params.cache_prompt = False
    params.ui = params.endpoint_slots = params.fit_params = False
    params.offline = True
    params.verbosity = 2
    server = xllamacpp.Server(params)
    where = {
        "url": server.listening_address,
        "key": key,
        "users": users.port,
        "hello": users.hello,
        "pid": os.getpid(),
    }
    print(json.dumps(where), file=told, flush=True)
    told.close()
    users.ready = time.monotonic()
    threading.Event().wait()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
    except BaseException as error:  # noqa: BLE001 - whatever ended it stands in the log, and ends it at once
        sys.stderr.write(f"{type(error).__name__}: {error}\n")
        sys.stderr.flush()
        os._exit(1)
