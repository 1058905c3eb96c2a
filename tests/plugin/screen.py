"""A small terminal: pytest in a pseudo terminal, and what a person sees there."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios

_TOKEN = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)|\x1b[D78]|.", re.DOTALL)


class Screen:
    """Knows what is written here and no more; an unknown sequence is an error."""

    def __init__(self, columns: int, rows: int) -> None:
        self._columns = columns
        self._rows = rows
        self._gone: list[str] = []
        self._lines = [[" "] * columns for _ in range(rows)]
        self._row = self._column = 0
        #: the cursor stands on the last column, and the next character wraps
        self._full = False
        self._kept = (0, 0)

    def feed(self, text: str) -> None:
        for token in _TOKEN.findall(text):
            if token[0] == "\x1b":
                self._control(token)
            else:
                self._put(token)

    @property
    def lines(self) -> list[str]:
        """All that scrolled away and all that stands, without the empty rest."""
        lines = [*self._gone, *("".join(line).rstrip() for line in self._lines)]
        while lines and not lines[-1]:
            lines.pop()
        return lines

    @property
    def cursor(self) -> tuple[int, int]:
        """Column, and row counted from the first line of all."""
        return self._column, len(self._gone) + self._row

    def _put(self, character: str) -> None:
        if character == "\n":
            self._down()
        elif character == "\r":
            self._column, self._full = 0, False
        else:
            assert character.isprintable(), repr(character)
            if self._full:
                self._column, self._full = 0, False
                self._down()
            self._lines[self._row][self._column] = character
            self._full = self._column == self._columns - 1
            self._column += not self._full

    def _down(self) -> None:
        if self._row < self._rows - 1:
            self._row += 1
            return
        self._gone.append("".join(self._lines.pop(0)).rstrip())
        self._lines.append([" "] * self._columns)

    def _control(self, sequence: str) -> None:
        if sequence == "\x1bD":
            self._down()
        elif sequence == "\x1b7":
            self._kept = (self._row, self._column)
        elif sequence == "\x1b8":
            # as the less careful terminals do it: that the line was full is forgotten
            (self._row, self._column), self._full = self._kept, False
        elif sequence == "\x1b[A":
            self._row = max(0, self._row - 1)
        elif sequence == "\x1b[J":
            self._lines[self._row][self._column :] = [" "] * (self._columns - self._column)
            for row in range(self._row + 1, self._rows):
                self._lines[row] = [" "] * self._columns
        else:
            assert sequence.endswith("m") or sequence.startswith("\x1b]"), repr(sequence)


def on_terminal(project, *arguments: str, columns: int = 80, rows: int = 24, term: str = "xterm") -> str:
    """Run pytest in a terminal of that size; all that it wrote."""
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}}
    process = subprocess.Popen(
        [sys.executable, "-m", "pytest", *project.world, *arguments],
        cwd=project.path,
        env={**environment, "TERM": term},
        stdin=slave,
        stdout=slave,
        stderr=slave,
        start_new_session=True,
    )
    os.close(slave)
    written = b""
    # the end of a pseudo terminal is an error on Linux
    with contextlib.suppress(OSError):
        while chunk := os.read(master, 65536):
            written += chunk
    os.close(master)
    process.wait()
    return written.decode("utf-8")
