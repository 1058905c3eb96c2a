"""Patterns of users' files, run with a limit: one that backtracks for ever on a long answer hangs no run.

The syntax is that of the package ``regex``, which reads all that ``re`` reads.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Protocol

from .text import one_line, trim

if TYPE_CHECKING:
    from collections.abc import Callable

#: seconds that one search may take
LIMIT = 2.0


class PatternTimeoutError(Exception):
    """A search took longer than ``LIMIT``. ``pattern`` is the pattern as written."""

    def __init__(self, pattern: str) -> None:
        self.pattern = pattern
        super().__init__(f"the pattern {shown(pattern)} took longer than {LIMIT:g} s: make it backtrack less")


class Found(Protocol):
    """A match, as ``re`` has it."""

    def group(self, number: int = 0) -> str | None: ...
    def groups(self) -> tuple[str | None, ...]: ...
    def start(self) -> int: ...
    def end(self) -> int: ...


@dataclass(frozen=True, slots=True)
class Pattern:
    """A pattern that compiles. Raises ValueError, with the position, for one that does not."""

    text: str
    ignore_case: bool = False

    def __post_init__(self) -> None:
        _compiled(self.text, self.ignore_case)

    def search(self, text: str) -> Found | None:
        """The first match. Raises PatternTimeoutError past the limit."""
        return self._run("search", text)

    def fullmatch(self, text: str) -> Found | None:
        """The match of the whole text. Raises PatternTimeoutError past the limit."""
        return self._run("fullmatch", text)

    def matches(self, text: str) -> Iterator[Found]:
        """All matches that do not overlap, under one limit together. Raises PatternTimeoutError past it."""
        try:
            yield from _compiled(self.text, self.ignore_case).finditer(text, timeout=LIMIT, concurrent=True)
        except TimeoutError:
            raise PatternTimeoutError(self.text) from None

    def _run(self, method: str, text: str) -> Found | None:
        run: Callable[..., Found | None] = getattr(_compiled(self.text, self.ignore_case), method)
        try:
            # Without `concurrent` a search holds the interpreter's lock for as long as it takes.
            return run(text, timeout=LIMIT, concurrent=True)
        except TimeoutError:
            raise PatternTimeoutError(self.text) from None


def shown(pattern: str) -> str:
    """A pattern as messages quote it: one line, trimmed."""
    return f"'{one_line(trim(pattern, 60))}'"


@lru_cache(maxsize=256)
def _compiled(pattern: str, ignore_case: bool) -> Any:
    import regex

    try:
        return regex.compile(pattern, regex.IGNORECASE if ignore_case else 0)
    except regex.error as error:
        where = "" if error.pos is None else f" at position {error.pos}"
        raise ValueError(f"the pattern {shown(pattern)} does not compile: {error.msg}{where}") from None
    except (ValueError, OverflowError, RecursionError) as error:
        raise ValueError(f"the pattern {shown(pattern)} does not compile: {error}") from None
