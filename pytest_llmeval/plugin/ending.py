"""The end of a session: the process's share is closed; the process that prints sums up and writes the reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ..core.summary import RunRecord
from ..wiring.reports import read_run, write_reports
from .environment import describe
from .keys import REGISTRY, RUN, RUN_ID, SETTINGS, WATCH

RECORD: pytest.StashKey[RunRecord] = pytest.StashKey()


def close_share(config: pytest.Config) -> None:
    """End this process's share. The ledger's run is ended by the process that prints."""
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()


def sum_up(config: pytest.Config, *, interrupted: bool) -> None:
    """Read the ledger back and write the reports. Nothing where no item of ours ran."""
    if not config.stash[WATCH].seen:
        return
    settings = config.stash[SETTINGS]
    run_id, _ = config.stash[RUN_ID]
    record = read_run(settings.state, run_id, config.rootpath, complete=not interrupted)
    record = replace(record, info=replace(record.info, environment=describe(config)))
    config.stash[RECORD] = record
    write_reports(record, settings.reports, config.stash[REGISTRY])
