"""Which processes live: each holds the lock of a file of its own, beside the state file.

A process id would tell nothing: a killed xdist worker stays a zombie of its controller and looks alive.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import threading
from pathlib import Path
from typing import BinaryIO

from ...core.errors import StateError
from ..filelock import try_lock

#: nanoseconds for which an owner that was seen alive is not looked at again
TRUSTED_NS = 50_000_000

# This process's own, which must never be tested by their locks: opening such a file and closing it drops the lock.
_mine: set[str] = set()
_guard = threading.Lock()


class Owner:
    """This process as an owner of claims, alive until closed or until the process ends."""

    def __init__(self, id_: str, path: Path, file: BinaryIO) -> None:
        self.id = id_
        self._path = path
        self._file: BinaryIO | None = file

    @classmethod
    def enter(cls, folder: Path) -> Owner:
        """Raises OSError where the folder takes no files or no locks."""
        folder.mkdir(exist_ok=True)
        for _ in range(100):
            id_ = secrets.token_hex(8)
            path = folder / id_
            with _guard:
                file = path.open("xb")
                _mine.add(id_)
            # whoever clears dead owners away may have come between the making and the lock
            if try_lock(file) and _still_there(path, file):
                return cls(id_, path, file)
            with _guard:
                _mine.discard(id_)
                file.close()
        raise StateError(f"{folder}: no file of this process can be locked there")

    def close(self) -> None:
        with _guard:
            if self._file is None:
                return
            with contextlib.suppress(OSError):
                # before it is unlocked, so that nobody takes a file for an owner's that is gone; Windows refuses
                self._path.unlink()
            self._file.close()
            self._file = None
            with contextlib.suppress(OSError):
                self._path.unlink(missing_ok=True)
            _mine.discard(self.id)


class Owners:
    """Looks at the lives of owners; belongs to one thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._seen: dict[str, int] = {}

    def alive(self, id_: str, now_ns: int) -> bool:
        """Whether that process lives; one seen alive is believed for 50 ms."""
        if id_ in _mine or now_ns < self._seen.get(id_, 0):
            return True
        if self._dead(self._folder / id_):
            self._seen.pop(id_, None)
            return False
        self._seen[id_] = now_ns + TRUSTED_NS
        return True

    def clear(self) -> None:
        """Remove the files of the dead."""
        with contextlib.suppress(OSError):
            for path in self._folder.iterdir():
                self._dead(path, remove=True)

    @staticmethod
    def _dead(path: Path, *, remove: bool = False) -> bool:
        with _guard:
            if path.name in _mine:
                return False
            try:
                with path.open("r+b") as file:
                    if not try_lock(file):
                        return False
                    if remove:
                        with contextlib.suppress(OSError):
                            path.unlink()
            except FileNotFoundError:
                return True
            except OSError:
                # what cannot be looked at is not robbed
                return False
        return True


def _still_there(path: Path, file: BinaryIO) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(file.fileno()))
    except FileNotFoundError:
        return False
