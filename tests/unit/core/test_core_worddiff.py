"""Two texts compared by words."""

from __future__ import annotations

from time import process_time

from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.worddiff import Piece, compare

WORDS = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=30).map(" ".join)


@given(WORDS, WORDS)
def test_the_pieces_of_a_side_with_the_common_ones_are_that_text(left, right):
    pieces = compare(left, right)

    for side, text in (("left", left), ("right", right)):
        assert [word for piece in pieces if piece.side in {"both", side} for word in piece.words] == text.split()


def test_what_differs_stands_between_what_does_not():
    assert compare("the brown fox", "the  red\nfox") == [
        Piece("both", ("the",)),
        Piece("left", ("brown",)),
        Piece("right", ("red",)),
        Piece("both", ("fox",)),
    ]


def test_texts_that_differ_in_white_space_alone_have_no_differing_piece():
    assert [piece.side for piece in compare("a b", "a\n  b")] == ["both"]


def test_words_past_the_limit_are_counted_and_not_compared():
    left, right = " ".join(f"l{i}" for i in range(50_000)), " ".join(f"r{i}" for i in range(30_000))
    began = process_time()

    pieces = compare(left, right, limit=100)

    assert process_time() - began < 5
    assert [piece.more for piece in pieces] == [0, 0, 49_900, 29_900]
