"""Our section of pytest's summary."""

from __future__ import annotations

import pytest

from ..core.text import safe
from ..reports.terminal import lines
from .ending import RECORD
from .keys import WATCH


def show(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of recipes, what was asked, and where pytest was asked for it the missed samples."""
    record = config.stash.get(RECORD, None)
    if record is None:
        return
    watch = config.stash[WATCH]
    for node_id, text in watch.texts:
        reporter.write_sep("_", safe(node_id))
        reporter.write_line(text)
    if set(str(config.option.reportchars)) & set("mAa") and watch.missed:
        reporter.write_sep("=", "missed samples")
        for node_id, reason in watch.missed:
            reporter.write_line(f"MISSED {node_id} - {reason}", yellow=True)
    width = reporter._tw.fullwidth  # noqa: SLF001 - pytest has no public door to the terminal's width
    reporter.section("llmeval", sep="=")
    for line in lines(record, width, config.get_verbosity()):
        reporter.write_line(line.text, **({line.style: True} if line.style else {}))
