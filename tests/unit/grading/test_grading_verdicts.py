"""Verdicts: what holds, what cannot be judged, and in which words."""

from __future__ import annotations

import itertools

import pytest
from grading_rows import EXACT, F1, LENGTH, SCALE, World, answer
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.condition import any_grade
from pytest_llmeval.core.measures import Grading
from pytest_llmeval.core.record import Group
from pytest_llmeval.core.result import Outcome, Verdict
from pytest_llmeval.grading.tally import tally
from pytest_llmeval.grading.verdicts import holds, judge, judge_recipe

GRADING = Grading("exact_match", "mean", SCALE)


def verdict(world, source):
    return judge(tally(world.recipe, world.rows), world.condition(source))


def test_three_of_five_is_at_least_0_6_in_every_order():
    for order in set(itertools.permutations([1, 1, 1, 0, 0])):
        world = World().answers(order)
        assert verdict(world, "exact_match >= 0.6").kind == "passed"
        assert verdict(world, "exact_match >= 60%").kind == "passed"
        assert verdict(world, "exact_match == 0.6").kind == "passed"
        assert verdict(world, "exact_match > 0.6").kind == "failed"


def test_three_groups_whose_mean_is_0_6_meet_it():
    """33/35, 3/14 and 9/14 sum to 59.99… or 60 by the order of summation; their mean is 0.6."""
    for order in itertools.permutations([(33, 35), (3, 14), (9, 14)]):
        world = World(tuple(Group(f"d{number}", None) for number in range(3)), grading=GRADING)
        for number, (right, of) in enumerate(order):
            for row in range(of):
                world.answer(f"s{row}", float(row < right), group=number)
        assert verdict(world, "exact_match >= 0.6").kind == "passed"
        assert verdict(world, "grade >= B").grade == "B"


@pytest.mark.parametrize(
    ("value", "operator", "bound", "expected"),
    [
        (0.7999999, ">=", 0.8, False),
        (0.7999999999, ">=", 0.8, True),
        (0.1 + 0.2, "<=", 0.3, True),
        (0.1 + 0.2, ">", 0.3, False),
        (0.1 + 0.2, "==", 0.3, True),
        (0.0, ">=", 0.0, True),
        (-1e-12, "<", 0.0, False),
        (2.0, "<", 2.0, False),
    ],
)
def test_comparisons_are_at_nine_decimals(value, operator, bound, expected):
    assert holds(value, operator, bound) is expected


@given(st.floats(-10, 10), st.floats(-10, 10))
def test_of_less_equal_and_more_one_holds(value, bound):
    assert [holds(value, "<", bound), holds(value, "==", bound), holds(value, ">", bound)].count(True) == 1
    assert holds(value, ">=", bound) is not holds(value, "<", bound)
    assert holds(value, "<=", bound) is not holds(value, ">", bound)


def test_a_verdict_has_its_figure():
    found = verdict(World().answers([1, 1, 0, 1]), "exact_match >= 0.8")
    assert (found.kind, found.figure.value, found.figure.n, found.reason) == ("failed", 0.75, 4, "")
    assert found.figure.low < 0.75 < found.figure.high


def missing_three():
    world = World()
    for number in range(21):
        world.answer(f"s{number}", float(number < 14))
    world.error("kenya")
    world.error("oman")
    world.error("peru", "503 after 5 attempts")
    return world


def test_missing_answers_are_named():
    found = verdict(missing_three(), "exact_match >= 0.6")
    assert found.kind == "unmeasurable"
    assert found.reason == (
        "3 of 24 answers are missing, max_errors is 0: "
        "kenya (timeout after 5 attempts), oman (same), peru (503 after 5 attempts)"
    )
    assert (found.figure.value, found.figure.n) == (14 / 21, 21)


def test_five_missing_answers_are_named_the_rest_counted_in_any_order():
    world = World()
    for number in range(1200):
        world.error(f"s{number}", f"fault {number}")
    expected = (
        "1,200 of 1,200 answers are missing, max_errors is 0: s0 (fault 0), s1 (fault 1), s2 (fault 2), "
        "s3 (fault 3), s4 (fault 4) and 1,195 more"
    )
    assert verdict(world, "exact_match >= 0.6").reason == expected
    world.rows.reverse()
    assert verdict(world, "exact_match >= 0.6").reason == expected


def test_a_missing_answer_is_told_by_dataset_template_and_repeat_where_there_are_several():
    of = (Group("a", "plain"), Group("a", "terse"), Group("b", "plain"), Group("b", "terse"))
    world = World(of, options={"repeats": 2})
    world.error("kenya", group=3, repeat=2)
    assert verdict(world, "exact_match >= 0.6").reason.endswith(": b/kenya-terse-r2 (timeout after 5 attempts)")


@pytest.mark.parametrize(
    ("allowed", "kind"),
    [(0, "unmeasurable"), (2, "unmeasurable"), (3, "passed"), (0.12, "unmeasurable"), (0.125, "passed")],
)
def test_max_errors_is_a_count_or_a_share(allowed, kind):
    world = missing_three()
    world.options["max_errors"] = allowed
    assert verdict(world, "exact_match >= 0.6").kind == kind


def test_a_share_of_errors_is_said_as_one():
    world = missing_three()
    world.options["max_errors"] = 0.01
    assert "max_errors is 1%: kenya" in verdict(world, "exact_match >= 0.6").reason


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("errors <= 12.5%", "passed"),
        ("errors <= 12%", "failed"),
        ("errors.sum <= 3", "passed"),
        ("refused.rate <= 1%", "passed"),
        ("truncated == 0", "passed"),
        ("latency.p95 < 2 s", "passed"),
        ("latency <= 400 ms", "failed"),
        ("passed >= 0.6", "unmeasurable"),
        ("missed <= 0.6", "unmeasurable"),
        ("tokens <= 1000", "unmeasurable"),
        ("cost <= 1 usd", "unmeasurable"),
        ("exact_match.n >= 20", "unmeasurable"),
    ],
)
def test_what_tells_of_the_service_is_measurable_beside_missing_answers(source, kind):
    assert verdict(missing_three(), source).kind == kind


def test_nothing_is_measurable_before_an_answer_came():
    world = World()
    world.error("kenya")
    for source in ("errors <= 5%", "refused <= 5%", "latency < 1", "exact_match >= 0.5"):
        assert verdict(world, source) == Verdict(
            "unmeasurable",
            verdict(world, source).figure,
            reason="1 of 1 answer is missing, max_errors is 0: kenya (timeout after 5 attempts)",
        )


def test_a_group_without_an_answer_is_unmeasurable_however_many_errors_are_allowed():
    world = World((Group("a", None), Group("b", None)), options={"max_errors": 1.0}).answers([1, 1, 1])
    world.error("kenya", group=1)
    for source in ("exact_match >= 0.5", "exact_match.min >= 0.5", "tokens <= 1000"):
        found = verdict(world, source)
        assert found.kind == "unmeasurable"
        assert found.reason == "no answer came for b: b/kenya (timeout after 5 attempts)"
    assert verdict(world, "latency < 1").kind == "passed"


def test_skipped_rows_are_not_missing():
    world = World().answers([1, 1])
    world.add("peru", Outcome("skipped", error="no time"), skip="no time")
    world.add("oman", None, skip="no time", selected=False)
    assert verdict(world, "exact_match >= 1").kind == "passed"


def test_where_every_row_is_skipped_nothing_is_measurable():
    world = World()
    world.add("peru", Outcome("skipped", error="no time"), skip="no time")
    for source in ("exact_match >= 0.5", "errors <= 5%", "latency < 1"):
        assert verdict(world, source).reason == "every row is skipped"
    one = World((Group("a", None), Group("b", None))).answers([1, 1])
    one.add("peru", None, group=1, skip="no time")
    assert verdict(one, "exact_match >= 0.5").reason == "every row of b is skipped"


def test_a_subset_is_never_judged():
    world = World().answers([1, 1])
    world.add("peru", None, selected=False)
    for source in ("exact_match >= 0.5", "errors <= 5%", "latency < 1"):
        found = verdict(world, source)
        assert found.kind == "unmeasurable"
        assert found.reason == "1 of 3 answers are missing, max_errors is 0: peru (not asked)"


def test_what_a_stopped_run_left_is_missing():
    world = World().answers([1, 1])
    world.add("peru", None)
    assert verdict(world, "exact_match >= 0.5").reason.endswith(": peru (not reached)")


def test_what_a_gate_asked_of_deselected_samples_counts():
    world = World().answers([1, 1], selected=False)
    assert verdict(world, "exact_match >= 1").kind == "passed"


def test_a_metric_error_is_unmeasurable_for_what_needs_the_metric():
    broken = World(metrics=(F1, EXACT), options={"max_errors": 5})
    broken.answer("kenya", {"f1": 1, "exact_match": 1}, kind="passed")
    broken.answer("oman", {"exact_match": 1}, kind="metric_error", error="f1: TypeError: no")
    kinds = {
        s: verdict(broken, s).kind
        for s in ("f1 >= 0.5", "exact_match >= 0.5", "passed >= 0.5", "missed <= 1", "latency < 1")
    }
    assert kinds == {
        "f1 >= 0.5": "unmeasurable",
        "exact_match >= 0.5": "passed",
        "passed >= 0.5": "unmeasurable",
        "missed <= 1": "unmeasurable",
        "latency < 1": "passed",
    }


def test_conditions_on_what_is_unknown_are_unmeasurable():
    world = World().answers([1, 1])
    world.answer("kenya", 1, response=answer(latency=None, tokens=None, cost=None))
    reasons = [verdict(world, source).reason for source in ("latency.p95 < 2 s", "tokens < 10", "cost < 1")]
    assert reasons == [
        "1 of 3 answers came without a latency",
        "1 of 3 answers came without a count of tokens",
        "1 of 3 answers came without a cost",
    ]


def test_a_condition_on_an_interval_that_there_is_not_is_unmeasurable():
    found = verdict(World().answers([1]), "exact_match.low >= 0.1")
    assert found.kind == "unmeasurable"
    assert "needs an interval" in found.reason
    flat = verdict(World(metrics=(LENGTH,)).answers([3, 3, 3]), {"measure": "length.low", "at_least": 1})
    assert flat.kind == "unmeasurable"


def test_a_grade_is_judged_with_the_better_one_greater():
    world = World(grading=GRADING).answers([1, 1, 1, 0])
    kinds = [
        verdict(world, source).kind for source in ("grade >= C", "grade >= B", "grade >= A", "grade == B", "grade > B")
    ]
    assert kinds == ["passed", "passed", "failed", "passed", "failed"]
    assert verdict(world, "grade >= A").grade == "B"
    assert verdict(world, "grade >= A").figure.value == 0.75


def test_a_grading_alone_passes_when_it_is_measurable():
    world = World(grading=GRADING).answers([0, 0, 0])
    condition = any_grade(GRADING)
    assert judge(tally(world.recipe, world.rows), condition).kind == "passed"
    world.error("kenya")
    found = judge(tally(world.recipe, world.rows), condition)
    assert (found.kind, found.grade) == ("unmeasurable", None)
    assert found.reason.startswith("1 of 4 answers are missing")


def test_a_recipe_holds_when_all_its_gates_do():
    good, bad, unknown = Verdict("passed"), Verdict("failed"), Verdict("unmeasurable", reason="no answer came")
    world = World().answers([1, 1])
    found = tally(world.recipe, world.rows)
    assert judge_recipe(found, [good, good]).kind == "passed"
    assert judge_recipe(found, [good, unknown]) is unknown
    assert judge_recipe(found, [unknown, bad, good]) is bad


def test_a_recipe_without_gates_holds_when_it_is_measurable():
    world = World().answers([0, 0])
    assert judge_recipe(tally(world.recipe, world.rows), []).kind == "passed"
    world.error("kenya")
    assert judge_recipe(tally(world.recipe, world.rows), []).kind == "unmeasurable"
