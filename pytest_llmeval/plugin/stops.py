"""A session that ends early ends in all its processes."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from ..core.errors import StateError
from ..wiring.reports import stop_run
from .keys import RUN_ID, SETTINGS


def why_ended(session: pytest.Session, exitstatus: int) -> str:
    """Why a session ends before its items; empty where it does not."""
    for why in (session.shouldfail, session.shouldstop):
        if why:
            return str(why)
    return "interrupted" if exitstatus in {pytest.ExitCode.INTERRUPTED, pytest.ExitCode.INTERNAL_ERROR} else ""


def stop_workers(config: pytest.Config, why: str) -> bool:
    """Tell an xdist controller's workers, which look every 50 ms; False where none of them asks anything of ours."""
    run_id, _ = config.stash[RUN_ID]
    try:
        return stop_run(config.stash[SETTINGS].state, run_id, config.rootpath, why)
    except StateError:
        # the summary reads the state again, and tells
        return False


def orphaned(config: pytest.Config) -> Callable[[], str]:
    """Tells a worker, whenever it asks, that its controller is gone. Where the system tells no parent: never."""
    if not hasattr(config, "workerinput"):
        return lambda: ""
    parent = os.getppid()
    return lambda: "" if os.getppid() == parent else "the process that started this one is gone"
