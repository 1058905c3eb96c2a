"""The one thread of a process that speaks to its state file.

Operations are queued, and what is queued together is committed together. A group is one ``BEGIN IMMEDIATE``: a read
transaction that turned into a write would fail at once, whatever the busy timeout.
"""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

from ...core.errors import StateError
from .troubles import BUSY, DAMAGED, code_of, hint_of

T = TypeVar("T")
Operation = Callable[[sqlite3.Connection], T]

#: how many operations are committed together at most
GROUP = 256
#: seconds to wait for another process's transaction; only a stuck one takes so long
PATIENCE = 60.0


@dataclass(slots=True)
class _Job:
    operation: Operation[Any]
    writes: bool
    future: Future[Any] = field(default_factory=Future)


class Writer:
    """Owns a connection. ``damaged`` is called, in its thread, when the file proves corrupt."""

    _sleep = staticmethod(time.sleep)
    _monotonic = staticmethod(time.monotonic)

    def __init__(
        self, connection: sqlite3.Connection, name: str, damaged: Callable[[], None], patience: float = PATIENCE
    ) -> None:
        self._connection = connection
        self._name = name
        self._damaged = damaged
        self._patience = patience
        self._jobs: SimpleQueue[_Job | None] = SimpleQueue()
        self._closed = False
        self._closing = threading.Lock()
        self._thread = threading.Thread(target=self._run, name="llmeval-state", daemon=True)
        self._thread.start()

    def submit(self, operation: Operation[T], *, writes: bool = True) -> Future[T]:
        """Queue an operation; its future is settled after the commit.

        An operation may run twice, where another one of its group failed: it changes nothing but the database.
        ``writes`` False: it only reads, and needs no transaction where its whole group is such.
        """
        job = _Job(operation, writes)
        with self._closing:
            if self._closed:
                job.future.set_exception(StateError(f"{self._name}: the state was closed"))
            else:
                self._jobs.put(job)
        return job.future

    def close(self) -> None:
        """Settle what is queued, then close the connection."""
        with self._closing:
            if not self._closed:
                self._closed = True
                self._jobs.put(None)
        self._thread.join()

    def _run(self) -> None:
        going = True
        while going:
            job = self._jobs.get()
            group = []
            while job is not None:
                # False for one that was cancelled while it was queued
                if job.future.set_running_or_notify_cancel():
                    group.append(job)
                if len(group) >= GROUP:
                    break
                try:
                    job = self._jobs.get_nowait()
                except Empty:
                    break
            going = job is not None
            if group:
                self._settle(group)
        self._connection.close()

    def _settle(self, group: list[_Job]) -> None:
        try:
            results = self._together(group)
        except Exception as error:  # noqa: BLE001 - it is raised where the future is read
            if len(group) == 1:
                group[0].future.set_exception(self._told(error))
                return
            for job in group:
                self._settle([job])
            return
        for job, result in zip(group, results, strict=True):
            job.future.set_result(result)

    def _together(self, group: list[_Job]) -> list[object]:
        if not any(job.writes for job in group):
            return [job.operation(self._connection) for job in group]
        self._patiently("BEGIN IMMEDIATE")
        try:
            results = [job.operation(self._connection) for job in group]
            self._patiently("COMMIT")
        except BaseException:
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")
            raise
        return results

    def _patiently(self, statement: str) -> None:
        """SQLite's own waiting has no queue and sleeps up to 100 ms, so that a busy process starves the others."""
        until = self._monotonic() + self._patience
        while True:
            try:
                self._connection.execute(statement)
            except sqlite3.OperationalError as error:
                if code_of(error) not in BUSY or self._monotonic() > until:
                    raise
                self._sleep(random.uniform(0.0002, 0.002))
            else:
                return

    def _told(self, error: Exception) -> Exception:
        """As an error that names the file and the way out."""
        if not isinstance(error, sqlite3.DatabaseError):
            return error
        if code_of(error) in DAMAGED:
            self._damaged()
            hint = "the file is damaged; the next run saves its answers into a new one"
        elif code_of(error) in BUSY:
            hint = f"another process has kept it locked for {self._patience:g} s; is one stuck?"
        else:
            hint = hint_of(error)
        if not hint:
            return error
        told = StateError(f"{self._name}: {error}: {hint}")
        told.__cause__ = error
        return told
