"""Lines for people, known once files are read: shown before the first test, by an xdist controller at the end."""

from __future__ import annotations

from typing import Any

import pytest

from ..core.text import one_line
from .keys import LINES, WATCH

#: under which a worker hands them to its controller, which reads no file
TOLD = "llmeval_told"
STRANGERS = "llmeval_strangers"


def tell(config: pytest.Config, line: str) -> None:
    """Once, however often it is said."""
    lines = config.stash.setdefault(LINES, [])
    shown = f"llmeval: {one_line(line)}"
    if shown not in lines:
        lines.append(shown)
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[TOLD] = lines


def tell_not_ours(config: pytest.Config, name: str, why: str) -> None:
    """In the summary: a file named on the command line is not ours, and why."""
    watch = config.stash.get(WATCH, None)
    strangers = config.workeroutput.setdefault(STRANGERS, {}) if watch is None else watch.strangers  # type: ignore[attr-defined] # of a worker
    strangers[name] = why


def told_by(node: Any) -> list[str]:
    """What an xdist worker had to tell."""
    return list(getattr(node, "workeroutput", {}).get(TOLD, ()))


def strangers_of(node: Any) -> dict[str, str]:
    """The files that an xdist worker found to be not ours, and why."""
    return dict(getattr(node, "workeroutput", {}).get(STRANGERS, {}))
