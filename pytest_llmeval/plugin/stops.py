"""Stops of a run: whichever process decides on one, all of them end their part within a second."""

from __future__ import annotations

import pytest

from .keys import RUN, RUN_ID, SETTINGS, WATCH

INTERRUPTED = "interrupted"


class Stops:
    """Hears pytest's own decisions to stop and tells the run; hears the run's stop and tells pytest.

    In a worker the counting of failures is its controller's business, which alone sees those of all.
    """

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._worker = hasattr(config, "workerinput")
        self._session: pytest.Session | None = None
        self._finished = 0
        self._said = False

    def pytest_sessionstart(self, session: pytest.Session) -> None:
        self._session = session

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logreport(self) -> None:
        if self._session is not None:
            self._hear(self._session)

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        self._finished += 1
        session = self._session
        run = self._config.stash.get(RUN, None)
        if session is None or run is None or not run.stopped:
            return
        if not session.shouldstop and not session.shouldfail:
            # what is left in a worker's queue would only skip, one by one
            session.shouldstop = run.stopped

    def pytest_keyboard_interrupt(self, excinfo: pytest.ExceptionInfo[BaseException]) -> None:
        self._stop(str(excinfo.value) or INTERRUPTED)

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionfinish(self, session: pytest.Session, exitstatus: int) -> None:
        self._hear(session)
        if exitstatus == pytest.ExitCode.INTERNAL_ERROR:
            self._stop("internal error")

    def _hear(self, session: pytest.Session) -> None:
        reason = session.shouldstop or (not self._worker and session.shouldfail)
        if reason and not self._is_last(session):
            self._stop(reason if isinstance(reason, str) else INTERRUPTED)

    def _is_last(self, session: pytest.Session) -> bool:
        """Whether nothing is left that could be stopped, the item whose report is heard being the last."""
        alone = not self._worker and not self._config.pluginmanager.hasplugin("dsession")
        return alone and self._finished + 1 >= session.testscollected

    def _stop(self, reason: str) -> None:
        if self._said:
            return
        self._said = True
        run = self._config.stash.get(RUN, None)
        if run is not None and run.opened:
            run.stop(reason)
            known = True
        else:
            known = self._stop_from_outside(reason)
        watch = self._config.stash.get(WATCH, None)
        if known and watch is not None:
            # there is something to sum up, though no report of an item of ours may have come
            watch.seen = True

    def _stop_from_outside(self, reason: str) -> bool:
        """An xdist controller has no part in the run, nor has a worker before its first item of ours."""
        if not self._worker and not self._config.pluginmanager.hasplugin("dsession"):
            return False
        state = self._config.stash[SETTINGS].state
        watch = self._config.stash.get(WATCH, None)
        if not state.parent.exists() and (watch is None or not watch.seen):
            return False
        from ..wiring.reports import stop_run

        return stop_run(state, self._config.stash[RUN_ID][0], reason)
