"""What xdist's controller and workers tell each other; registered only where xdist is there."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

import pytest

from .keys import RUN_ID

GONE = "the controller of this run is gone"


class Xdist:
    """The controller hands its run's id and start to every worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["llmeval"] = self._config.stash[RUN_ID]

    @pytest.hookimpl(tryfirst=True)
    def pytest_sessionstart(self) -> None:
        """Before a controller gives its queue to its workers."""
        dsession = self._config.pluginmanager.getplugin("dsession")
        if dsession is not None:
            from .controller import look_on_from

            look_on_from(dsession, self._config)

    @pytest.hookimpl(tryfirst=True)
    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """A file's faults come from a worker as a text, which pytest 8 does not look into for its summary."""
        if isinstance(report.longrepr, str) and report.nodeid.lower().endswith((".yaml", ".yml")):
            from .shown import CarriedText

            report.longrepr = CarriedText(report.longrepr)


def share(config: pytest.Config) -> tuple[int, int]:
    """Which worker this is, from 0, of how many; one that takes the place of a crashed one takes its part too."""
    worker: dict[str, Any] = getattr(config, "workerinput", {})
    number = str(worker.get("workerid", "")).removeprefix("gw")
    count = int(worker.get("workercount", 1))
    return (int(number) % count, count) if number.isdecimal() else (0, 1)


def watch_controller(config: pytest.Config) -> Callable[[], str]:
    """Tells, whenever it is called, whether this worker's controller is gone; always empty where this is no worker.

    The channel between them closes when the controller takes its workers down or ends, however it ends; execnet itself
    interrupts what runs five seconds later. The parent's process id tells the same where the channel is not found.
    """
    if not hasattr(config, "workerinput"):
        return str
    parent = os.getppid()
    channels = (getattr(plugin, "channel", None) for plugin in config.pluginmanager.get_plugins())
    channel: Any = next((found for found in channels if hasattr(found, "waitclose")), None)

    def gone() -> str:
        return GONE if os.getppid() != parent or (channel is not None and _closed(channel)) else ""

    return gone


def _closed(channel: Any) -> bool:
    try:
        channel.waitclose(timeout=0)
    except channel.TimeoutError:
        return False
    except Exception:  # noqa: BLE001 - whatever the other side ended with
        return True
    return True
