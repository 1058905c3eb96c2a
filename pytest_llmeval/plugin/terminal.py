"""Our section of pytest's summary."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from ..core.text import safe
from ..reports.terminal import lines
from .ending import RECORD
from .keys import WATCH
from .shell import shell_of

LOG_WIDTH = 120


def show(reporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """The table of recipes, what was asked, and where pytest was asked for it the missed samples."""
    watch = config.stash[WATCH]
    for name, why in watch.strangers.items():
        reporter.write_line(f"llmeval: {safe(name)} is no recipe or cookbook: {safe(why)}")
    if watch.problem:
        reporter.write_line(f"llmeval: no report: {safe(watch.problem)}", red=True)
    record = config.stash.get(RECORD, None)
    if record is None:
        _tell(reporter, watch.told)
        return
    for node_id, text in watch.texts:
        reporter.write_sep("_", safe(node_id))
        reporter.write_line(text)
    if set(str(config.option.reportchars)) & set("mAa") and watch.missed:
        reporter.write_sep("=", "missed samples")
        for node_id, reason in watch.missed:
            reporter.write_line(f"MISSED {node_id} - {reason}", yellow=True)
    # a log has no width of its own: there every column fits
    width = reporter._tw.fullwidth if reporter._tw.hasmarkup else max(reporter._tw.fullwidth, LOG_WIDTH)  # noqa: SLF001 - pytest has no public door to it
    if config.get_verbosity() > -2:
        reporter.write_sep("=", "llmeval")
    # under xdist no hook knows the files before the first test
    if config.get_verbosity() >= 0:
        _tell(reporter, [*([watch.state] if watch.state else []), *watch.told])
    for line in lines(record, width, config.get_verbosity(), missed=len(watch.missed), shell=shell_of(config)):
        reporter.write_line(line.text, **({line.style: True} if line.style else {}))


def _tell(reporter: pytest.TerminalReporter, lines: Iterable[str]) -> None:
    for line in lines:
        reporter.write_line(safe(line))
