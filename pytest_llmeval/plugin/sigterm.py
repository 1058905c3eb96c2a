"""SIGTERM does what Ctrl-C does: a CI or ``timeout`` that ends a run gets its report and loses no answer."""

from __future__ import annotations

import signal
import threading
from typing import Any

import pytest

from ..core.clock import SECOND, SystemClock

#: of the plugin
NAME = "llmeval-sigterm"
SAID = "terminated (SIGTERM)"
#: seconds in which a second one is the same: ``timeout`` sends one to the process and one to its group
ONE = 1.0


class Sigterm:
    """Set where the default would end the process at once; put back when pytest ends."""

    def __init__(self) -> None:
        self._clock = SystemClock()
        self._heard = float("-inf")
        self._set = False

    def set(self) -> None:
        """Said more often, the first time counts."""
        if self._set or threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:
            signal.signal(signal.SIGTERM, self._interrupt)
            self._set = True

    def _interrupt(self, _number: int, _frame: Any) -> None:
        now = self._clock.monotonic_ns() / SECOND
        if now - self._heard > ONE:
            self._heard = now
            raise KeyboardInterrupt(SAID)

    @pytest.hookimpl(optionalhook=True)
    def pytest_xdist_node_collection_finished(self) -> None:
        """A controller collects nothing, and does not know whose the items are."""
        self.set()

    @pytest.hookimpl(trylast=True)
    def pytest_unconfigure(self) -> None:
        if self._set and signal.getsignal(signal.SIGTERM) == self._interrupt:
            signal.signal(signal.SIGTERM, signal.SIG_DFL)
        self._set = False


def heed_sigterm(config: pytest.Config) -> None:
    """Items of ours are there."""
    config.pluginmanager.getplugin(NAME).set()
