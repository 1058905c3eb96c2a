"""What the process that prints has seen of our items: serially it runs them too, under xdist it is the controller."""

from __future__ import annotations

from typing import Any

import pytest


class Watch:
    """Listens to reports. Cheap where no item is ours: an attribute looked for and not found."""

    def __init__(self, state: str = "") -> None:
        self.seen = False
        #: the line that says where the state is, until it was shown
        self.state = state
        #: lines for people that could not be shown before the first test
        self.told: list[str] = []
        #: node id and reason of noted misses, in the order of running
        self.missed: list[tuple[str, str]] = []
        #: node id and whole text of noted misses, where ``-vv`` asks for them
        self.texts: list[tuple[str, str]] = []
        #: why there is no summary or report
        self.problem = ""
        #: files named on the command line that are not ours, and why
        self.strangers: dict[str, str] = {}

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """All workers read the same files: each line is kept once."""
        from .telling import strangers_of, told_by

        self.told.extend(line for line in told_by(node) if line not in self.told)
        self.strangers.update(strangers_of(node))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        facts: dict[str, Any] | None = getattr(report, "llmeval", None)
        # no facts: an item that never came to ask (a fault in a file, a mark of a conftest's)
        if not facts:
            return
        self.seen = True
        if report.when == "call" and "missed" in facts:
            self.missed.append((report.nodeid, facts["missed"]))
            if "text" in facts:
                self.texts.append((report.nodeid, facts["text"]))

    def pytest_report_teststatus(self, report: pytest.CollectReport | pytest.TestReport) -> Any:
        facts = getattr(report, "llmeval", None)
        if facts is not None and report.when == "call" and report.passed and "missed" in facts:
            return "missed", "m", ("MISSED", {"yellow": True})
        return None

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Before junit writes its file."""
        config = session.config
        if self.seen:
            from .ending import add_junit_properties, close_share

            close_share(config)
            add_junit_properties(config)
