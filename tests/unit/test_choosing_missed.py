"""Which items `--llmeval-missed` chooses, by what the ledger holds."""

from __future__ import annotations

from typing import get_args

import pytest

from pytest_llmeval.core.result import OutcomeKind, VerdictKind
from pytest_llmeval.wiring.missed import CALLS_FOR_ANOTHER_LOOK, choose, latest_results


def test_every_outcome_and_verdict_but_the_good_ones_and_skips_is_chosen():
    kinds = {*get_args(OutcomeKind), *get_args(VerdictKind)}

    assert kinds - CALLS_FOR_ANOTHER_LOOK == {"passed", "skipped"}
    assert kinds >= CALLS_FOR_ANOTHER_LOOK


@pytest.mark.parametrize(
    ("ids", "chosen"),
    [
        (["a", "b", "c"], [True, False, False]),
        (["b"], [False]),
        (["c", None], None),
        ([], None),
    ],
)
def test_what_the_ledger_does_not_know_is_left_out_beside_what_it_knows(ids, chosen):
    assert choose(ids, {"a": "missed", "b": "passed"}) == chosen


def test_a_state_that_cannot_be_read_is_a_reason_and_no_error(tmp_path):
    none = latest_results(tmp_path / "none.sqlite3", "run", 0.0)
    (tmp_path / "odd.sqlite3").write_text("no database\n")
    known, why = latest_results(tmp_path / "odd.sqlite3", "run", 0.0)

    assert none == ({}, "there is no state yet")
    assert known == {}
    assert "file is not a database" in why
