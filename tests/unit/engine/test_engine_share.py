"""What takes long to score is scored by one process of the run, where both come along."""

from __future__ import annotations

import sys
import threading
from types import ModuleType

import pytest

from pytest_llmeval.core.result import Outcome
from pytest_llmeval.testing import FakeConnector

METRIC = "{python: {target: 'judging_slowly:judge', pass: 0.5}}"


@pytest.fixture
def judge(monkeypatch):
    """A metric that waits until it may go on; the samples it was called for."""
    module = ModuleType("judging_slowly")
    module.called, module.go = [], threading.Event()

    def judge(response, sample) -> float:
        module.called.append(sample.id)
        assert module.go.wait(30)
        return 1.0

    module.judge = judge
    monkeypatch.setitem(sys.modules, "judging_slowly", module)
    return module


def test_what_another_process_has_scored_meanwhile_is_not_scored_again(site, judge):
    plan = site.plan("connector: fake\ndefault: Paris", 10, FakeConnector, metric=METRIC)
    theirs = [unit for unit in plan.units if unit.record.ordinal % 2]
    with site.evaluation(plan, share=(0, 2)) as evaluation:
        evaluation.engine.look_ahead((plan, unit) for unit in plan.units)
        site.until(lambda: len(judge.called) == 5)
        done = [(plan.record.id, unit.record.id, Outcome("missed")) for unit in theirs]
        evaluation.store.record(done).result()
        judge.go.set()
        outcomes = evaluation.engine.settle(plan, plan.units)

    assert sorted(judge.called) == ["s0", "s2", "s4", "s6", "s8"]
    assert [outcome.kind for outcome in outcomes] == ["passed", "missed"] * 5


def test_what_the_other_process_never_comes_to_is_scored_too(site, judge):
    judge.go.set()
    plan = site.plan("connector: fake\ndefault: Paris", 10, FakeConnector, metric=METRIC)
    with site.evaluation(plan, share=(1, 2)) as evaluation:
        evaluation.engine.look_ahead((plan, unit) for unit in plan.units)
        site.until(lambda: all(row.outcome for row in evaluation.store.rows(plan.record.id).result()))

    assert len(judge.called) == 10


def test_what_somebody_waits_for_is_scored_at_once(site, judge):
    plan = site.plan("connector: fake\ndefault: Paris", 10, FakeConnector, metric=METRIC)
    with site.evaluation(plan, share=(0, 2)) as evaluation:
        evaluation.engine.look_ahead((plan, unit) for unit in plan.units)
        site.until(lambda: len(judge.called) == 5)
        waits = threading.Thread(target=evaluation.engine.settle, args=(plan, plan.units[3:4]))
        waits.start()
        site.until(lambda: "s3" in judge.called)
        judge.go.set()
        waits.join()
