"""Locks of the operating system on files: they end with the process that holds them, however it ends.

On POSIX a lock belongs to the process: it never refuses that process itself, and closing *any* descriptor of the file
drops it. So a file that this process has locked must not be opened by it a second time.
"""

from __future__ import annotations

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO

from ..core.clock import SECOND, SystemClock
from ..core.errors import StateError

if sys.platform == "win32":
    import msvcrt

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock if nobody else has it. Raises OSError where the file system has no locks."""
        file.seek(0)
        try:
            msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)
        except PermissionError:
            return False
        return True

else:
    import fcntl

    def try_lock(file: BinaryIO) -> bool:
        """Take the lock if nobody else has it. Raises OSError where the file system has no locks."""
        try:
            # lockf and not flock: a forked child would inherit the latter and keep a dead process alive
            fcntl.lockf(file.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):
            return False
        return True


_one_at_a_time = threading.Lock()


@contextmanager
def locked(path: Path, patience: float = 60.0) -> Iterator[None]:
    """Hold the lock of a file while the block runs, over all processes and threads.

    Raises StateError where it cannot be had within ``patience`` seconds, OSError where the file cannot be made.
    """
    with _one_at_a_time, path.open("ab") as file:
        clock = SystemClock()
        until = clock.monotonic_ns() + round(patience * SECOND)
        while not try_lock(file):
            if clock.monotonic_ns() > until:
                raise StateError(f"{path}: another process has been holding this lock for {patience:g} s; is it stuck?")
            time.sleep(0.005)
        yield
