"""The end of an engine's work: what is in flight is settled, but for a stop."""

from __future__ import annotations

import pytest

from pytest_llmeval.engine.answers import RunStoppedError
from pytest_llmeval.testing import hanging, serve

ENDPOINT = "connector: openai\nmodel: m\nbase_url: {url}\nmax_concurrency: 3\ntimeout: 300"


def ahead(plan):
    return [(plan, unit) for unit in plan.units]


def test_what_is_in_flight_at_the_end_is_settled_and_nothing_more_is_asked(site):
    with serve(answer="Paris", delay=1) as server:
        plan = site.plan(ENDPOINT.format(url=server.url), samples=10)
        with site.evaluation(plan) as evaluation:
            evaluation.engine.look_ahead(ahead(plan))
            site.until(lambda: server.in_flight == 3)
        with site.evaluation(plan) as evaluation:
            outcomes = evaluation.engine.settle(plan, plan.units)

    assert server.count == 10
    assert sum(outcome.cached for outcome in outcomes) == 3


def test_a_stopped_engine_does_not_wait_for_what_hangs(site):
    with serve(hanging()) as server:
        plan = site.plan(ENDPOINT.format(url=server.url), samples=10)
        with site.evaluation(plan) as evaluation:
            evaluation.engine.look_ahead(ahead(plan))
            site.until(lambda: server.in_flight == 3)
            evaluation.stop("enough")
            with pytest.raises(RunStoppedError, match="enough"):
                evaluation.engine.settle(plan, plan.units)

    assert server.count == 3


def test_a_unit_of_a_stopped_run_has_no_outcome(site):
    with serve(hanging()) as server:
        plan = site.plan(ENDPOINT.format(url=server.url), samples=10)
        with site.evaluation(plan) as evaluation:
            evaluation.store.stop_run("enough").result()
            with pytest.raises(RunStoppedError, match="enough"):
                evaluation.engine.settle(plan, plan.units)
            rows = evaluation.store.rows(plan.record.id).result()

    assert [row.outcome for row in rows] == [None] * 10
    assert server.count == 0


def test_who_is_abandoned_asks_nothing_more(site):
    why = [""]
    with serve(hanging()) as server:
        plan = site.plan(ENDPOINT.format(url=server.url), samples=10)
        with site.evaluation(plan, abandoned=lambda: why[0]) as evaluation:
            evaluation.engine.look_ahead(ahead(plan))
            site.until(lambda: server.in_flight == 3)
            why[0] = "nobody listens"
            with pytest.raises(RunStoppedError, match="nobody listens"):
                evaluation.engine.settle(plan, plan.units)

    assert server.count == 3
