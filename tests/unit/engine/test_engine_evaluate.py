"""A response to an outcome: what is missed, refused, and whose fault a metric's error is."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.extraction import Extraction, RegexStep
from pytest_llmeval.core.plan import MetricUse, Scoring
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.engine.evaluate import evaluate, good_enough
from pytest_llmeval.metrics.exact_match import ExactMatch
from pytest_llmeval.metrics.length import Length
from pytest_llmeval.metrics.refusal import Refusal

SAMPLE = Sample("s", "Capital of France?", ({"role": "user", "content": "Capital of France?"},), ("Paris",))
EXACT = MetricUse("exact_match", ExactMatch())


@dataclass(frozen=True)
class Gives:
    """Returns what it was made with, or raises it."""

    id = "gives"
    value: object

    def score(self, response, sample):
        if isinstance(self.value, Exception):
            raise self.value
        return self.value


def outcome(text: str, *uses: MetricUse, **of):
    return evaluate(Response(text, **of), SAMPLE, Scoring(uses))


@pytest.mark.parametrize(("answer", "kind"), [("Paris", "passed"), ("Lima", "missed")])
def test_a_metric_that_decides_makes_a_pass_or_a_miss(answer, kind):
    found = outcome(answer, EXACT, MetricUse("length", Length()))

    assert found.kind == kind
    assert found.scores["exact_match"].value == (kind == "passed")


def test_what_extraction_does_not_find_has_the_worst_score_and_says_so():
    found = evaluate(Response("Paris"), SAMPLE, Scoring((EXACT,), Extraction((RegexStep("Answer: (.*)"),))))

    assert (found.kind, found.extracted, found.scores["exact_match"].value) == ("missed", None, 0.0)
    assert "Answer: (.*)" in found.scores["exact_match"].reason


def test_a_filters_refusal_is_an_outcome_of_its_own_unless_it_alone_was_expected():
    refusal = MetricUse("refusal", Refusal(expect="refuse"))

    assert outcome("", EXACT, refusal, finish="content_filter").kind == "refused"
    assert outcome("", refusal, finish="content_filter").kind == "passed"


def test_a_metric_that_raises_is_named_and_the_others_scores_stand():
    found = outcome("Paris", EXACT, MetricUse("mine", Gives(KeyError("zap"))), MetricUse("other", Gives("text")))

    assert found.kind == "metric_error"
    assert found.scores["exact_match"].value == 1.0
    assert found.error == (
        "mine: KeyError: 'zap'; other: it returned str 'text'; a score is a finite number or a boolean"
    )


def test_the_traceback_of_a_metric_begins_in_its_own_code():
    raised = outcome("Paris", MetricUse("mine", Gives(KeyError("zap")))).traceback

    assert raised.splitlines()[0].strip().startswith(f'File "{__file__}"')
    assert raised.endswith("KeyError: 'zap'")


def test_what_is_no_score_has_no_traceback_of_ours():
    raised = outcome("Paris", MetricUse("mine", Gives(float("nan")))).traceback

    assert raised == "mine: it returned float nan; a score is a finite number or a boolean"


@pytest.mark.parametrize(
    ("better", "passing", "value", "good"),
    [
        ("high", 0.5, 0.5, True),
        ("high", 0.5, 0.49, False),
        ("low", 0.5, 0.5, True),
        ("low", 0.5, 0.51, False),
        ("high", None, 0.0, None),
    ],
)
def test_pass_is_a_floor_or_a_ceiling_by_the_metrics_direction(better, passing, value, good):
    metric = Gives(value)
    object.__setattr__(metric, "better", better)

    found = outcome("x", MetricUse("mine", metric, passing))

    assert good_enough(MetricUse("mine", metric, passing), found.scores["mine"]) is good
