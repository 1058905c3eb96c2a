"""Other plugins hear what happens: events wait in a queue until pytest is between two items."""

from __future__ import annotations

import traceback
from collections import deque
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import pytest

from ..core.events import Listeners
from ..core.text import one_line

PREFIX = "pytest_llmeval_"
KINDS = ("request", "response", "score", "gate")
#: what a hook may raise that is its own fault; an interruption and ``pytest.exit`` are meant
FAULTS = (Exception, pytest.fail.Exception, pytest.skip.Exception)


def implemented(config: pytest.Config, kind: str) -> bool:
    return bool(getattr(config.hook, PREFIX + kind).get_hookimpls())


class Hooks:
    """Registered where a plugin implements one of the hooks, when the first of our items begins."""

    def __init__(self, config: pytest.Config) -> None:
        self._call = Caller(config)
        self._events: deque[tuple[str, object]] = deque()
        put = {kind: partial(self._put, kind) for kind in KINDS if implemented(config, kind)}
        self.listeners = Listeners(**put)
        if put:
            config.pluginmanager.register(self, "llmeval-hooks")

    def _put(self, kind: str, event: object) -> None:
        self._events.append((kind, event))

    def deliver(self) -> None:
        """In the order in which it happened."""
        while self._events:
            self._call(*self._events.popleft())
        self._call.tell()

    @pytest.hookimpl(trylast=True)
    def pytest_runtest_logfinish(self) -> None:
        self.deliver()


class Caller:
    """Calls a hook for each plugin by itself: one that raises keeps nothing from the others, and is told by name."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._faults: dict[str, None] = {}
        self._told: set[str] = set()

    def __call__(self, kind: str, event: object) -> None:
        for name, call in list(self._by_plugin(PREFIX + kind)):
            try:
                call(event=event)
            except pytest.exit.Exception:
                raise
            except FAULTS as error:
                self._faults[_fault(PREFIX + kind, name, error)] = None

    def _by_plugin(self, hook: str) -> Iterator[tuple[str, Callable[..., Any]]]:
        manager = self._config.pluginmanager
        implementations = getattr(self._config.hook, hook).get_hookimpls()
        plugins = [one.plugin for one in implementations]
        # pytest calls the last of them first
        for one in reversed(implementations):
            others = [plugin for plugin in plugins if plugin is not one.plugin]
            yield one.plugin_name, manager.subset_hook_caller(hook, others)

    def tell(self) -> None:
        """Warn of what hooks raised, once each; to be called between items, since a filter may make errors of it."""
        faults, self._faults = [text for text in self._faults if text not in self._told], {}
        self._told.update(faults)
        for text in faults:
            self._config.issue_config_time_warning(pytest.PytestWarning(text), stacklevel=2)


def _fault(hook: str, plugin: str, error: BaseException) -> str:
    place = traceback.extract_tb(error.__traceback__)[-1]
    raised = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    return one_line(f"llmeval: {hook} of {plugin} raised {raised} ({place.filename}:{place.lineno}); nothing is lost")
