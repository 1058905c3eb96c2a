"""Where this plugin keeps its things on pytest's objects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..core.registry import Registry
    from .options import Settings
    from .run import Run
    from .watch import Watch

#: what options and ini files say, read when the first file of ours is met
SETTINGS: pytest.StashKey[Settings] = pytest.StashKey()
#: what files and options may name, our own and others'
REGISTRY: pytest.StashKey[Registry] = pytest.StashKey()
#: this process's share of the run, made when the first file of ours is met
RUN: pytest.StashKey[Run] = pytest.StashKey()
#: what the process that prints and writes reports has seen of the items' reports
WATCH: pytest.StashKey[Watch] = pytest.StashKey()
#: the run's id and start; an xdist controller hands them to its workers
RUN_ID: pytest.StashKey[tuple[str, float]] = pytest.StashKey()
#: on a test of the user's own that asked something of ours
USED: pytest.StashKey[bool] = pytest.StashKey()
#: lines for people that are shown before the first test
LINES: pytest.StashKey[list[str]] = pytest.StashKey()
