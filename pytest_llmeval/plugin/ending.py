"""The end of a session: the process's share is closed; the process that prints sums up and writes the reports."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ..core.errors import StateError
from ..core.summary import RunRecord
from ..reports.junit import suite_properties
from ..wiring.reports import forget_temporary, peek_run, read_run
from ..wiring.writers import write_reports
from .environment import describe
from .keys import REGISTRY, RUN, RUN_ID, SETTINGS, WATCH

RECORD: pytest.StashKey[RunRecord] = pytest.StashKey()


def close_share(config: pytest.Config) -> None:
    """End this process's share. The ledger's run is ended by the process that prints."""
    run = config.stash.get(RUN, None)
    if run is not None:
        run.close()


def add_junit_properties(config: pytest.Config) -> None:
    """Suite properties, before junit writes its file; under xdist pytest loses those that workers set."""
    from _pytest.junitxml import xml_key

    xml = config.stash.get(xml_key, None)
    settings = config.stash[SETTINGS]
    if xml is None or settings.junit == "none" or not config.stash[WATCH].seen:
        return
    run_id, _ = config.stash[RUN_ID]
    for name, value in suite_properties(peek_run(settings.state, run_id, config.rootpath)):
        xml.add_global_property(name, value)


def sum_up(config: pytest.Config, *, interrupted: bool) -> None:
    """Read the ledger back and write the reports. Nothing where no item of ours ran."""
    if not config.stash[WATCH].seen:
        return
    settings = config.stash[SETTINGS]
    run_id, _ = config.stash[RUN_ID]
    try:
        record = read_run(settings.state, run_id, config.rootpath, complete=not interrupted)
        record = replace(record, info=replace(record.info, environment=describe(config)))
        config.stash[RECORD] = record
        write_reports(record, settings.reports, config.stash[REGISTRY])
    except (StateError, OSError) as error:
        config.stash[WATCH].problem = str(error)
    finally:
        forget_temporary(run_id)
