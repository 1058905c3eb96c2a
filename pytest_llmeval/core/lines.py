"""Lines of bytes as text, with the place of what is no UTF-8; what the readers of row files share."""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO

from .errors import Fault
from .plain import LONGEST_TEXT
from .sample import Origin

#: the longest line that is read; a row may hold several texts
LONGEST_LINE = 4 * LONGEST_TEXT
#: a file with more faults than this is not read on
MOST_FAULTS = 100
BOM = b"\xef\xbb\xbf"


def lines(stream: IO[bytes], path: str, faults: list[Fault]) -> Iterator[tuple[str, int]]:
    """Each line with its number from 1, its line feed kept; lines end at line feeds only.

    A line that is no UTF-8 is left out and becomes a fault, one that is too long ends the reading.
    """
    number = 0
    while line := stream.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            faults.append(Fault(Origin(path, number), f"a line over {LONGEST_LINE // 1024 // 1024} MiB"))
            return
        if number == 1:
            line = line.removeprefix(BOM)
        try:
            yield line.decode("utf-8"), number
        except UnicodeDecodeError as error:
            column = len(line[: error.start].decode("utf-8")) + 1
            message = f"the byte 0x{line[error.start]:02x} is not UTF-8; save the file as UTF-8"
            faults.append(Fault(Origin(path, number, column), message))
        if len(faults) >= MOST_FAULTS:
            return
