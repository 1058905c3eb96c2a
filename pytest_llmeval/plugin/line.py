"""A line below pytest's own on a terminal, gone before pytest writes."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest
from _pytest.terminal import TerminalReporter

from ..core.events import ProgressEvent
from ..reports.progress import line

#: seconds between two drawings; pytest must be quiet for as long, unless the line stood as long before
STEADY = 0.1
#: columns and rows below which there is no place for it
NARROW, LOW = 10, 2
# What the DEC VT100 knew, and every terminal since. Room is made below without leaving the column (the screen may
# scroll); the cursor is kept and put back, so that nobody need know where in its line pytest stands.
ROOM, KEEP, BACK, BELOW, CLEAR = "\x1bD\x1b[A", "\x1b7", "\x1b8", "\r\n", "\x1b[J"
INDENT = "  "


class Line:
    """Drawn by the thread that waits, past pytest's capture; whoever writes by pytest's writer erases it first."""

    # a test of the user's own may have replaced them
    _write = staticmethod(os.write)
    _size = staticmethod(os.get_terminal_size)

    def __init__(self, terminal: int, writer: Any, now: Callable[[], float]) -> None:
        self._terminal = terminal
        self._writer = writer
        self._now = now
        self._lock = threading.RLock()
        self._shown = ""
        self._drawn = 0.0
        self._stands_since = 0.0
        self._steady = False
        self._waits_since: float | None = None
        self._file = writer._file  # noqa: SLF001 - pytest has no public door to it
        writer._file = Guarded(self._file, self)  # noqa: SLF001 - as above

    def show(self, event: ProgressEvent) -> None:
        """Where there is place, and the line is likely to stand for a while."""
        now = self._now()
        with self._lock:
            if self._waits_since is None:
                self._waits_since = now
            waited = now - (self._drawn if self._shown else self._waits_since)
            if waited >= STEADY or (self._steady and not self._shown):
                self._draw(event, now)

    def _draw(self, event: ProgressEvent, now: float) -> None:
        try:
            columns, rows = self._size(self._terminal)
        except OSError:
            return
        # at the edge a terminal is about to wrap, and not all of them keep that in mind with the cursor
        at = self._writer.width_of_current_line
        if columns < NARROW or rows < LOW or at < 0 or (at and at % columns == 0):
            return
        text = f"{INDENT}{line(event, columns - len(INDENT) - 1)}"
        if text != self._shown and text.strip():
            self._put(f"{ROOM}{KEEP}{BELOW}{CLEAR}{text}{BACK}")
            self._stands_since = self._stands_since if self._shown else now
            self._shown, self._drawn = text, now

    def hide(self) -> None:
        """The wait is over."""
        with self._lock:
            self.erase()
            self._waits_since = None

    def erase(self) -> None:
        if self._shown:
            self._shown = ""
            self._steady = self._now() - self._stands_since >= STEADY
            self._put(f"{KEEP}{BELOW}{CLEAR}{BACK}")

    def _put(self, text: str) -> None:
        # a terminal that is gone or too busy is not worth a word
        with contextlib.suppress(OSError):
            self._write(self._terminal, text.encode("ascii"))

    @property
    def lock(self) -> threading.RLock:
        return self._lock

    def close(self) -> None:
        self.hide()
        self._writer._file = self._file  # noqa: SLF001 - as above
        os.close(self._terminal)


class Guarded:
    """The file that pytest's terminal writer writes to."""

    def __init__(self, file: Any, line: Line) -> None:
        self._file = file
        self._line = line

    def write(self, text: str) -> Any:
        with self._line.lock:
            self._line.erase()
            return self._file.write(text)

    def flush(self) -> None:
        with self._line.lock:
            self._line.erase()
            self._file.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


def line_for(config: pytest.Config, now: Callable[[], float]) -> Line | None:
    """None where output is no terminal, or others may write to it at any time."""
    reporter = config.pluginmanager.getplugin("terminalreporter")
    capture = config.pluginmanager.getplugin("capturemanager")
    # another reporter has ways of its own; without capture of descriptors anybody's print would land in the line
    if type(reporter) is not TerminalReporter or capture is None or config.option.capture != "fd":
        return None
    if sys.platform == "win32" or os.environ.get("TERM", "dumb") in {"", "dumb", "unknown"}:
        return None
    writer = config.get_terminal_writer()
    file = getattr(writer, "_file", None)
    try:
        # while an item runs, the descriptor leads to what pytest captures
        with capture.global_and_fixture_disabled():
            if file is None or not file.isatty() or min(os.get_terminal_size(file.fileno())) <= 0:
                return None
            terminal = os.dup(file.fileno())
    except (OSError, ValueError):
        return None
    return Line(terminal, writer, now)
