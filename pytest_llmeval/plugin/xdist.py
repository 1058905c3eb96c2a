"""What xdist's controller and workers tell each other; registered only where xdist is there."""

from __future__ import annotations

from typing import Any

import pytest

from .keys import RUN_ID


class Xdist:
    """The controller hands its run's id and start to every worker."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

    @pytest.hookimpl(optionalhook=True)
    def pytest_configure_node(self, node: Any) -> None:
        node.workerinput["llmeval"] = self._config.stash[RUN_ID]
