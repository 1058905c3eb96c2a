"""Lines for people, known once files are read: shown before the first test, by an xdist controller at the end."""

from __future__ import annotations

from typing import Any

import pytest

from ..core.text import one_line
from .keys import LINES

#: under which a worker hands them to its controller, which reads no file
TOLD = "llmeval_told"


def tell(config: pytest.Config, line: str) -> None:
    """Once, however often it is said."""
    lines = config.stash.setdefault(LINES, [])
    shown = f"llmeval: {one_line(line)}"
    if shown not in lines:
        lines.append(shown)
    output = getattr(config, "workeroutput", None)
    if output is not None:
        output[TOLD] = lines


def told_by(node: Any) -> list[str]:
    """What an xdist worker had to tell."""
    return list(getattr(node, "workeroutput", {}).get(TOLD, ()))
