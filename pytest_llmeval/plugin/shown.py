"""A text of ours as pytest prints a failure, with the place and the reason that its summary shows."""

from __future__ import annotations

from _pytest._code.code import (
    ReprEntryNative,
    ReprExceptionInfo,
    ReprFileLocation,
    ReprTraceback,
    TerminalRepr,
)
from _pytest._io import TerminalWriter

from ..core.errors import Faults
from ..core.text import one_line, safe


def shown(place: tuple[str, int], text: str, reason: str) -> TerminalRepr:
    """In pytest's own shape, so that the reason survives the way from an xdist worker."""
    lines = [line + "\n" for line in safe(text).split("\n")]
    return ReprExceptionInfo(
        reprtraceback=ReprTraceback([ReprEntryNative(lines)], None, style="native"),
        reprcrash=ReprFileLocation(place[0], place[1], one_line(reason)),
    )


class ShownFaults(TerminalRepr):
    """The faults of a file, a line each; pytest's summary shows the first.

    It has no traceback: so xdist carries it as a text, by which it tells that two workers found the same.
    """

    def __init__(self, faults: Faults) -> None:
        self._text = safe(str(faults))
        self.reprcrash = ReprFileLocation(faults.faults[0].origin.path, faults.faults[0].origin.line, in_short(faults))

    def toterminal(self, tw: TerminalWriter) -> None:
        tw.line(self._text, red=True)

    def __str__(self) -> str:
        return self._text


class CarriedText(str):
    """The faults of a file as xdist carried them; pytest's summary shows the first here too."""

    __slots__ = ("reprcrash",)

    def __init__(self, text: str) -> None:
        self.reprcrash = ReprFileLocation("", 0, text.partition("\n")[0])


def in_short(faults: Faults) -> str:
    """The first fault, and how many more there are."""
    more = f" (and {len(faults.faults) - 1:,} more)" if len(faults.faults) > 1 else ""
    return one_line(f"{faults.faults[0]}{more}")
