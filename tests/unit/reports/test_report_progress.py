"""The line that says how far a run is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.events import ProgressEvent
from pytest_llmeval.reports.progress import line

WHOLE = ProgressEvent(
    done=212,
    total=1000,
    in_flight=32,
    waiting=3,
    cached=188,
    refused=2,
    tokens=1_234_567,
    cost=0.41,
    seconds=27.0,
    left=100.4,
)


def test_all_of_it():
    assert line(WHOLE) == (
        "212/1,000 done  about 1:40 left  32 in flight  3 to be asked again  188 answered before  2 refused"
        "  1.2M tokens  $0.41"
    )


def test_what_is_nothing_is_left_out():
    assert line(ProgressEvent(done=0, total=12, tokens=None, cost=None)) == "0/12 done"


def test_a_run_of_questions_alone_has_no_total():
    assert line(ProgressEvent(done=0, total=0, in_flight=4, tokens=9_120)) == "4 in flight  9,120 tokens"


@pytest.mark.parametrize(("seconds", "text"), [(6.6, "0:07"), (100.0, "1:40"), (7300.0, "2:01:40"), (59.7, "1:00")])
def test_time_left(seconds, text):
    assert f"about {text} left" in line(ProgressEvent(done=1, total=2, left=seconds))


@given(
    st.builds(
        ProgressEvent,
        done=st.integers(0, 10**7),
        total=st.integers(0, 10**7),
        in_flight=st.integers(0, 10**4),
        waiting=st.integers(0, 10**4),
        cached=st.integers(0, 10**7),
        refused=st.integers(0, 10**7),
        tokens=st.none() | st.integers(0, 10**12),
        cost=st.none() | st.floats(0, 1e6),
        left=st.none() | st.floats(0, 1e7),
    ),
    st.integers(0, 200),
)
def test_it_is_never_wider_than_its_place_and_ends_with_a_whole_part(event, width):
    whole, cut = line(event), line(event, width)

    assert len(cut) <= width
    assert whole.isascii()
    assert whole == cut or (whole.startswith(cut) and (not cut or whole[len(cut) :].startswith("  ")))
