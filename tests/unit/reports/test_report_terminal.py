"""The summary at the end of a run, as a reader sees it."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_of_runs import ANY_TEXT, book, first_run, gate, recipe, run, summary

from pytest_llmeval.core.record import Totals
from pytest_llmeval.core.result import Figure, Verdict
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.core.summary import Counts, GateSummary, RunRecord
from pytest_llmeval.reports.terminal import lines

POSIX = Shell(windows=False)


def screen(record: RunRecord, width: int = 120, verbosity: int = 0, **kwargs) -> str:
    return "\n".join(line.text for line in lines(record, width, verbosity, shell=POSIX, **kwargs))


def test_the_first_run_on_a_wide_terminal():
    assert (
        screen(first_run())
        == """\
recipe     endpoint  grade  figure                          n  pass  miss  err  asked  cached  tokens
capitals   local     A      exact_match  0.88 (0.69-0.96)  24    21     3    0     24       0   1,204
sums       local     A      numeric      0.80 (0.67-0.89)  46    37     9    0     46       0   2,310
sentiment  local     A      choice       0.95 (0.78-0.99)  22    21     1    0     22       0     914
person     local     A      json_schema  1.00 (0.72-1.00)  10    10     0    0     10       0   1,022
cookbook starter [local]: A

gates: 4 held. missed: 13, listed by -rm
one of them whole: pytest 'recipes/capitals.yaml::worst of capitals[local]' -vv
asked 102 requests in 17.4 s (5,450 tokens), 0 answered before"""
    )


def test_at_eighty_columns_what_the_last_lines_sum_up_gives_way():
    assert screen(first_run(), 80).split("\n")[:2] == [
        "recipe    endpoint grade figure                        n pass miss err tokens",
        "capitals  local    A     exact_match 0.88 (0.69-0.96) 24   21    3   0  1,204",
    ]


@pytest.mark.parametrize("width", range(64, 121, 8))
def test_no_row_is_wider_than_the_terminal_and_no_figure_is_cut(width):
    of = recipe("a-recipe-with-a-rather-long-name-of-its-own", "openai:org/a-model-with-a-long-name")
    record = run(summary(of), summary(recipe()))

    head, first, second, *_ = screen(record, width).split("\n")

    assert max(map(len, (head, first, second))) <= width
    assert "0.88 (0.69-0.96) " in first
    assert "0.88 (0.69-0.96) " in second


def test_the_command_stands_beside_the_counts_where_there_is_room():
    of = recipe("sums")
    shown = screen(run(summary(of)))

    assert (
        "gates: 1 held. missed: 3, listed by -rm; one of them whole: pytest 'recipes/sums.yaml::turkey[local]' -vv"
        in shown
    )


def test_misses_are_those_that_pytest_lists_where_it_counted_them():
    assert "missed: 2, listed" in screen(run(summary()), missed=2)
    assert "missed" not in screen(run(summary()), missed=0)


def test_commands_lead_from_where_pytest_was_typed_to_the_root():
    (command,) = (
        line.text for line in lines(run(summary()), shell=Shell(windows=True, below="../")) if "whole" in line.text
    )

    assert command.endswith('pytest "../recipes/capitals.yaml::turkey[local]" -vv')


def test_a_second_run_asks_nothing():
    record = run(summary(counts=Counts(passed=24, requests=24, cached=24)), totals=Totals(cached=102))

    assert screen(record).endswith("\nasked 0 requests, 102 answered before")


def test_attempts_and_costs_are_told_where_there_were_any():
    record = run(
        summary(counts=Counts(passed=24, asked=24, tokens=1204, cost=0.0412)),
        summary(recipe("sums"), counts=Counts(passed=1, asked=1, tokens=None, cost=None), worst=()),
        totals=Totals(25, 0, 31, None, 0.0412),
    )

    head, first, second, *_, last = screen(record).split("\n")
    assert head.endswith("tokens   cost")
    assert first.endswith(" 1,204  $0.04")
    assert second.endswith("      ?      ?")
    assert last == "asked 25 requests in 17.4 s (31 attempts, $0.04), 0 answered before"


def test_requests_without_an_answer_are_told():
    assert screen(run(totals=Totals(3, 1, 9, 40, unanswered=2))).endswith(
        "asked 3 requests in 17.4 s (9 attempts, 40 tokens), 2 without an answer, 1 answered before"
    )
    none = screen(run(totals=Totals(2, 0, 2, 0, unanswered=2)))
    assert none.endswith("asked 2 requests in 17.4 s, 2 without an answer, 0 answered before")


def test_nothing_at_all_shows_nothing():
    assert lines(run(totals=Totals())) == []
    assert lines(run(totals=Totals()), 80, -2) == []


def test_requests_of_a_fixture_alone_are_told():
    assert screen(run(totals=Totals(2, 1, 2, 40))) == "asked 2 requests in 17.4 s (40 tokens), 1 answered before"


def test_what_is_amiss_with_a_row_stands_under_it():
    counts = Counts(passed=10, missed=2, refused=1, errors=1, metric_errors=1, not_asked=61, skipped=2)
    reason = "61 of 76 answers are missing, max_errors is 0"
    record = run(summary(counts=counts, grade=None, why_no_grade=reason))

    _, row, note, why, *_ = screen(record).split("\n")

    assert row.split()[2] == "-"
    assert row.split()[6:10] == ["24", "10", "3", "2"]
    assert note == "  1 refused by the service's filter; 1 metric error; 61 not asked; 2 skipped"
    assert why == f"  no grade: {reason}"


def test_a_long_reason_is_wrapped_under_its_row():
    reason = "61 of 76 answers are missing: " + ", ".join(f"sample-{i} (timeout after 5 attempts)" for i in range(5))

    shown = screen(run(summary(grade=None, why_no_grade=reason)), 80).split("\n")[2:5]

    assert all(line.startswith("  ") and len(line) <= 80 for line in shown)
    assert " ".join(line.strip() for line in shown) == f"no grade: {reason}"


def test_a_part_and_a_subset_are_told_under_the_row():
    record = run(summary(recipe(subset="10% of the rows, seed 0"), grade=None, selected=3))

    _, row, note, *_ = screen(record).split("\n")

    assert row.split()[2] == "-"
    assert note == "  3 of 24 selected; 10% of the rows, seed 0"


def test_an_unmeasurable_figure_is_a_dash():
    record = run(summary(measures={}, counts=Counts(errors=24), grade=None, worst=()), gates=())

    assert screen(record).split("\n")[1].split()[:6] == ["capitals", "local", "-", "exact_match", "-", "0"]


def test_a_figure_of_latency_has_its_unit():
    assert "latency  0.21 s (0.19-0.23)  24" in screen(run(summary(recipe(headline="latency"))))


def test_gates_are_counted_by_what_became_of_them_and_colour_only_repeats_it():
    of, other = recipe(), recipe("sums")
    kinds = ["passed", "failed", "unmeasurable", None]
    gates = tuple(GateSummary(gate(), "local", of, verdict=Verdict(kind) if kind else None) for kind in kinds)

    shown = lines(run(summary(of), summary(other), gates=gates), 120, shell=POSIX)

    assert [line.style for line in shown[:3]] == ["bold", "red", None]
    (told,) = (line for line in shown if line.text.startswith("gates"))
    assert told.text.startswith("gates: 1 held, 1 failed, 1 cannot be judged, 1 not reached. missed: 6")
    assert told.style == "red"


def test_a_cookbook_without_a_grade_says_why():
    of = recipe()

    assert "cookbook starter [local]: no grade: sums has none" in screen(
        run(summary(of), cookbooks=(book(of, grade=None, reason="sums has none"),))
    )


def test_an_incomplete_run_says_so():
    assert "\nincomplete: " in screen(run(summary(), complete=False))


def test_notes_come_last():
    assert screen(run(summary(), notes=("state is a temporary one",))).endswith("\nstate is a temporary one")


def test_under_qq_one_line_stays():
    of = recipe()
    bad = GateSummary(gate(), "local", of, verdict=Verdict("failed"))

    assert screen(first_run(), 80, -2) == (
        "llmeval: starter [local]: A; gates: 4 held; missed: 13; asked 102 requests, 0 answered before"
    )
    assert screen(run(summary(of), gates=(bad,), complete=False), 80, -2) == (
        "llmeval: 1 recipe; gates: 1 failed; missed: 3; incomplete; asked 24 requests, 0 answered before"
    )


def test_wide_characters_keep_the_columns_in_place():
    first, second = recipe("首都問題"), recipe("abc")

    _, wide, narrow, *_ = screen(run(summary(first), summary(second))).split("\n")

    assert wide.startswith("首都問題  local")
    assert narrow.startswith("abc       local")


@given(ANY_TEXT, st.integers(80, 120))
def test_any_text_makes_harmless_lines(text, width):
    of = replace(recipe(text, text), headline=text, subset=text)
    record = run(
        summary(of, grade=text[:20], why_no_grade=text, measures={text: Figure(0.5, 3, 0.1, 0.9)}),
        cookbooks=(book(of, grade=None, reason=text),),
        notes=(text,),
    )

    for line in lines(record, width) + lines(record, width, -2):
        assert not {ord(c) for c in line.text} & {*range(32), *range(127, 160), *range(0xD800, 0xE000), 0x202E}
