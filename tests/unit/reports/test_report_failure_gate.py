"""What a gate that failed shows, and one that cannot be judged."""

from __future__ import annotations

from hypothesis import given
from records_of_runs import ANY_TEXT, gate, recipe, summary

from pytest_llmeval.core.record import Group
from pytest_llmeval.core.result import Figure, Verdict
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.core.summary import Counts, GroupSummary
from pytest_llmeval.reports import failure

POSIX = Shell(windows=False)
GROUPS = (Group("capitals", "plain"), Group("capitals", "terse"))


def judged(**changes):
    of = recipe(groups=GROUPS)
    whole = {
        "counts": Counts(passed=10, missed=13, refused=1),
        "groups": tuple(
            GroupSummary(group, 12, {"exact_match": Figure(value, 12)})
            for group, value in zip(GROUPS, (0.5, 1 / 3), strict=True)
        ),
        "worst": (f"{of.path}::of-the-headline[local]",),
    }
    return summary(of, **{**whole, **changes})


def failed(text: str, figure: Figure, shell: Shell = POSIX, **changes) -> str:
    worst = [f"recipes/capitals.yaml::{name}[local]" for name in ("turkey", "kenya", "turkey", "oman")]
    return failure.failed_gate(judged(**changes), gate(text), Verdict("failed", figure), worst=worst, shell=shell)


def test_a_failed_gate_shows_figure_threshold_groups_and_the_worst():
    assert (
        failed("exact_match >= 0.6", Figure(0.4167, 12, 0.2, 0.67))
        == """\
recipes/capitals.yaml:17: exact_match >= 0.6 does not hold

exact_match  0.42 (0.20-0.67), n = 12 (24 answers)      threshold 0.60, short by 0.18
capitals plain  0.50  n 12
capitals terse  0.33  n 12
worst: turkey, kenya, oman     14 missed; all: pytest recipes/capitals.yaml --llmeval-missed -vv"""
    )


def test_a_figure_that_reads_like_its_threshold_is_told_exactly():
    told = failed("exact_match >= 0.8", Figure(0.7999999, 12, 0.5, 0.9))

    assert (
        "0.80 (0.50-0.90), n = 12 (24 answers), exactly 0.7999999      threshold 0.8000000, short by 0.0000001" in told
    )


def test_each_operator_has_its_words():
    assert "threshold 2.00 s, over by 0.45 s" in failed("latency.p95 <= 2 s", Figure(2.45, 24))
    assert "threshold 2.00 s, which it only equals" in failed("latency.p95 < 2 s", Figure(2.0, 24))
    assert "threshold 0.50, off by 0.10" in failed("exact_match == 0.5", Figure(0.6, 24))
    assert "latency.p95  2.45 s, n = 24 " in failed("latency.p95 < 2 s", Figure(2.45, 24))


def test_the_slowest_are_named_without_the_missed_who_may_be_others():
    assert failed("latency.p95 < 2 s", Figure(2.45, 24)).endswith("\nworst: turkey, kenya, oman")


def test_where_nothing_was_missed_no_command_finds_it():
    told = failed("exact_match > 0.9", Figure(0.9, 24), counts=Counts(passed=24))

    assert told.endswith("\nworst: turkey, kenya, oman")


def test_the_command_is_for_the_folder_that_pytest_is_typed_in():
    told = failed("exact_match >= 0.6", Figure(0.4167, 12, 0.2, 0.67), Shell(windows=False, below="../"))

    assert told.endswith("14 missed; all: pytest ../recipes/capitals.yaml --llmeval-missed -vv")


def test_a_figure_with_more_decimals_is_not_said_twice():
    told = failed("exact_match >= 0.999", Figure(0.998, 9000, 0.9962, 0.9996))
    near = failed("exact_match >= 0.99801", Figure(0.998, 9000, 0.9962, 0.9996))

    assert "exact_match  0.998 (0.996-1.00), n = 9,000 (24 answers)      threshold 0.999, short by 0.001" in told
    assert ", exactly 0.99800      threshold 0.99801" in near


def test_a_grade_is_shown_with_its_figure_and_the_band_that_was_asked_for():
    told = failure.failed_gate(
        judged(), gate("grade >= B"), Verdict("failed", Figure(0.4167, 12, 0.2, 0.67), grade="C"), shell=POSIX
    )

    assert told.split("\n")[2] == "grade C of exact_match 0.42 (0.20-0.67), n = 12      threshold B (60 to 79)"
    assert "capitals terse  0.33  n 12" in told


def test_a_subset_and_skipped_rows_are_told_with_the_figure():
    of = recipe(subset="50 of 1,000 rows, seed 0")
    told = failure.failed_gate(
        summary(of, counts=Counts(passed=3, missed=1, skipped=2)), gate(), Verdict("failed", Figure(0.5, 4))
    )

    assert told.split("\n")[3] == "50 of 1,000 rows, seed 0; 2 rows skipped"


def test_many_groups_show_the_first_and_the_last():
    groups = tuple(GroupSummary(Group(f"d{i}", None), 3, {"exact_match": Figure(0.1, 3)}) for i in range(200))

    told = failed("exact_match >= 0.6", Figure(0.1, 600), groups=groups)

    assert "… 185 groups …" in told
    assert told.count("\n") < 40


def test_an_unmeasurable_gate_says_why_what_is_there_and_what_helps():
    reason = "3 of 24 answers are missing, max_errors is 0: kenya (timeout after 5 attempts), oman (same), peru (503)"
    verdict = Verdict("unmeasurable", Figure(0.667, 12, 0.42, 0.85), reason=reason)

    assert (
        failure.unmeasurable(gate(), verdict, judged(counts=Counts(passed=14, missed=7, errors=3)))
        == f"""\
recipes/capitals.yaml:17: exact_match >= 0.6 cannot be judged
{reason}
What is there: 0.67 (0.42-0.85), n = 12 (21 answers). Run again: only those 3 are asked."""
    )


def test_without_any_answer_only_the_reason_is_told():
    assert failure.unmeasurable(gate(), Verdict("unmeasurable", reason="every row is skipped")) == (
        "recipes/capitals.yaml:17: exact_match >= 0.6 cannot be judged\nevery row is skipped"
    )


def test_a_cookbooks_grade_that_does_not_hold_says_what_it_is():
    told = failure.failed_grade(gate("grade >= B"), Verdict("failed", grade="C", reason="sums has C"))

    assert (
        told
        == """\
recipes/capitals.yaml:17: grade >= B does not hold

grade C      threshold B
sums has C"""
    )


@given(ANY_TEXT)
def test_any_text_is_harmless_and_short(text):
    of = recipe(subset=text, endpoint=text, groups=(Group(text, text), Group(text, None)))
    groups = tuple(GroupSummary(group, 3, {"exact_match": Figure(0.5, 3)}) for group in of.groups)
    verdict = Verdict("failed", Figure(0.5, 3), grade=text, reason=text)
    told = [
        failure.failed_gate(summary(of, groups=groups), gate(), verdict, worst=(f"a::{text}",)),
        failure.failed_gate(summary(of, groups=groups), gate("grade >= B"), verdict),
        failure.unmeasurable(gate(), verdict),
        failure.failed_grade(gate("grade >= B"), verdict),
    ]

    for one in told:
        assert one.count("\n") < 40
        assert not {ord(c) for c in one} & ({*range(32)} - {10} | {*range(127, 160), *range(0xD800, 0xE000), 0x202E})
