"""``python -m pytest_llmeval state explain``: of items that pytest collects, why their requests are asked again."""

from __future__ import annotations

import contextlib
import io
import sys
from collections.abc import Sequence

import pytest

from ..core.clock import SystemClock
from ..core.errors import StateError
from ..core.text import safe
from ..wiring.explaining import Explaining
from .items import CookbookGateItem, GateItem, LlmevalItem, SampleItem, left_out
from .keys import SETTINGS
from .marked import marked

#: that an endpoint cannot be asked here is no matter, and that this package is loaded before pytest is no news
IGNORED = ("pytest_llmeval.plugin.unavailable.UnavailableWarning", "pytest.PytestAssertRewriteWarning")


def explain(nodeid: str, arguments: Sequence[str]) -> int:
    """Print what is found of each item that the id means; the exit code. Faults go to standard error and make it 2."""
    telling = Telling()
    # what pytest prints is not asked for; its own errors go to standard error
    with contextlib.redirect_stdout(io.StringIO()):
        filters = [f"-Wignore::{category}" for category in IGNORED]
        code = pytest.main([nodeid, *arguments, "--collect-only", *filters], plugins=[telling])
    sys.stdout.write("".join(f"{safe(line)}\n" for line in telling.lines))
    sys.stderr.write("".join(f"{safe(fault)}\n" for fault in telling.faults))
    if code == pytest.ExitCode.NO_TESTS_COLLECTED:
        sys.stderr.write(f"{safe(nodeid)}: no item is left of it\n")
    return 0 if code == pytest.ExitCode.OK and not telling.faults else 2


class Telling:
    """Notes what came of the collection, and what is to be said of each item."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self.faults: list[str] = []

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        settings = session.config.stash[SETTINGS]
        explaining = Explaining(settings.state, settings.cache, settings.ttl_days, SystemClock())
        for item in session.items:
            try:
                first, *rest = _told(item, explaining)
            except StateError as error:
                self.faults.append(str(error))
                return
            self.lines += [f"{item.nodeid}: {first}", *rest]


def _told(item: pytest.Item, explaining: Explaining) -> list[str]:
    about = item if isinstance(item, SampleItem) else marked(item)
    if about is None:
        return [_asks_nothing(item)]
    if about.unit.record.skip is None and left_out(item):
        return ["it is marked to be skipped: nothing is asked"]
    return explaining.explain(about.plan, about.unit)


def _asks_nothing(item: pytest.Item) -> str:
    if isinstance(item, LlmevalItem):
        what = "a gate" if isinstance(item, GateItem | CookbookGateItem) else "a recipe"
        whole = any(plan.items == "gates" for plan in item.recipes()) or not isinstance(item, GateItem)
        how = " (with --llmeval-items samples they are items)" if whole else ""
        return f"{what} asks nothing of its own; name one of its samples{how}"
    if "llmeval" in getattr(item, "fixturenames", ()):
        return "what it asks is known only when it runs"
    return "it asks nothing"
