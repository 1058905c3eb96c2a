"""A text of ours as pytest prints a failure, with the place and the reason that its summary shows."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..core.text import one_line, safe

if TYPE_CHECKING:
    from _pytest._code.code import TerminalRepr


def shown(place: tuple[str, int], text: str, reason: str) -> TerminalRepr:
    """In pytest's own shape, so that the reason survives the way from an xdist worker."""
    from _pytest._code.code import ReprEntryNative, ReprExceptionInfo, ReprFileLocation, ReprTraceback

    lines = [line + "\n" for line in safe(text).split("\n")]
    return ReprExceptionInfo(
        reprtraceback=ReprTraceback([ReprEntryNative(lines)], None, style="native"),
        reprcrash=ReprFileLocation(place[0], place[1], one_line(reason)),
    )
