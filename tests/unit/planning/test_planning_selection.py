"""A subset of the rows: how many, which, and the same again."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.planning.selection import Sampling, select

ROWS = [f"row {n}" for n in range(40)]


def test_without_a_choice_all_rows_are_asked():
    assert select(ROWS, None) == ROWS


@pytest.mark.parametrize(("percentage", "count"), [(1, 1), (10, 4), (12.4, 4), (12.5, 5), (99.9, 39), (100, 40)])
def test_a_percentage_is_rounded_down_and_takes_at_least_one(percentage, count):
    assert len(select(ROWS, Sampling(percentage=percentage))) == count


def test_the_choice_is_moonshots():
    """``random.Random(seed).sample`` over the row numbers, in file order."""
    chosen = sorted(random.Random(7).sample(range(40), 4))

    assert select(ROWS, Sampling(percentage=10, seed=7)) == [ROWS[n] for n in chosen]


def test_the_first_rows_are_the_first():
    assert select(ROWS, Sampling(first=3)) == ROWS[:3]
    assert select(ROWS, Sampling(first=400)) == ROWS


@given(st.integers(1, 60), st.integers(), st.integers(0, 50))
def test_a_count_takes_so_many_in_file_order_and_the_same_again(count, seed, rows):
    data = list(range(rows))
    chosen = list(select(data, Sampling(count=count, seed=seed)))

    assert len(chosen) == min(count, rows)
    assert chosen == sorted(set(chosen))
    assert chosen == list(select(data, Sampling(count=count, seed=seed)))


@pytest.mark.parametrize(
    ("sampling", "said"),
    [
        (Sampling(percentage=12.5, seed=3), "12.5% of each dataset, seed 3"),
        (Sampling(count=5), "5 of each dataset, seed 0"),
        (Sampling(first=5), "the first 5 of each dataset"),
    ],
)
def test_reports_say_which_part_was_asked(sampling, said):
    assert str(sampling) == said
