"""The process that prints looks on while somebody waits: a live line on a terminal, else a line now and then."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from concurrent.futures import Future

import pytest
from _pytest.terminal import TerminalReporter

from ..core.clock import SECOND, SystemClock
from ..core.events import ProgressEvent
from ..reports.progress import line
from .hooks import Caller, implemented
from .line import Line, line_for
from .meter import Count, Meter

#: seconds between two lines where there is no terminal
PLAIN = 30.0
#: pytest's verbosity below which nothing is shown
SILENT = -2


class Progress:
    """Looks on for the engine's door in one process, for xdist's loop in a controller."""

    def __init__(self, config: pytest.Config, count: Callable[[], Future[Count]]) -> None:
        self._clock = SystemClock()
        self._config = config
        self._meter = Meter(count, self._now)
        self._call = Caller(config)
        self._heard = implemented(config, "progress")
        self._latest: ProgressEvent | None = None
        shows = config.get_verbosity() > SILENT
        self._line: Line | None = line_for(config, self._now) if shows else None
        self._plain = self._now() + PLAIN if shows and self._line is None else float("inf")
        #: a test of the user's own runs: hooks of others have no business in what it patched
        self.beside_test = False

    def _now(self) -> float:
        return self._clock.monotonic_ns() / SECOND

    def turn(self) -> None:
        self._look(heard=self._heard and not self.beside_test)
        if self._line is not None and self._latest is not None:
            self._line.show(self._latest)

    def leave(self) -> None:
        if self._line is not None:
            self._line.hide()

    def _look(self, *, heard: bool) -> None:
        if self._line is None and not heard and self._now() < self._plain:
            return
        event = self._meter.look()
        if event is None:
            return
        self._latest = event
        if self._now() >= self._plain:
            self._plain = self._now() + PLAIN
            self._say(line(event))
        if heard:
            self.leave()
            with self._uncaptured():
                self._call("progress", event)

    def _say(self, text: str) -> None:
        """On a line of its own, however far pytest is in its own."""
        reporter = self._config.pluginmanager.getplugin("terminalreporter")
        if type(reporter) is not TerminalReporter or not text:
            return
        writer = self._config.get_terminal_writer()
        with self._uncaptured():
            if reporter.showlongtestinfo:
                # so that pytest names the item again when it is done
                reporter.ensure_newline()
            if writer.width_of_current_line:
                writer.line()
            writer.line(f"llmeval: {text}")
            writer.flush()

    @contextlib.contextmanager
    def _uncaptured(self) -> Iterator[None]:
        capture = self._config.pluginmanager.getplugin("capturemanager")
        with contextlib.nullcontext() if capture is None else capture.global_and_fixture_disabled():
            yield

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        if self._heard:
            self._look(heard=True)
        self._call.tell()

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self) -> None:
        self.leave()
        self._call.tell()

    def pytest_unconfigure(self) -> None:
        if self._line is not None:
            self._line.close()
            self._line = None


def look_on(config: pytest.Config, count: Callable[[], Future[Count]]) -> Progress | None:
    """None where nobody is there to see or hear it."""
    hooks = implemented(config, "progress")
    if not hooks and type(config.pluginmanager.getplugin("terminalreporter")) is not TerminalReporter:
        return None
    progress = Progress(config, count)
    config.pluginmanager.register(progress, "llmeval-progress")
    return progress
