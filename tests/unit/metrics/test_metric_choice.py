"""choice: which letter an answer chooses."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_answers import sample, scored, value

from pytest_llmeval.metrics.choice import Choice

OPTIONS = dict(zip("ABCD", ["Paris", "London", "$5", "5"], strict=True))
LETTERS = st.sampled_from("ABCDEFGHIJ")


def chosen(text, options=OPTIONS):
    return Choice().chosen(text, options)


@pytest.mark.parametrize(
    "answer",
    [
        "B",
        "b",
        " B \n",
        "I weighed both.\n\nB\r\n",
        "B. London",
        "b) London",
        "B: London",
        "B ) London",
        "(B)",
        "I would say (b), on the whole",
        "The answer is B",
        "the answer is B.",
        "Answer: B",
        "Final answer:B",
        "answer B",
        "The answer is: B, because A is wrong",
        "The answer is option B",
        "The answer is (B) London",
        "My answer is 'B'",
        "**B**",
        "The answer is **B**.",
        "**Answer:** B",
        "**Answer: B) London**",
        "__B__",
        "`B`",
        "# B",
        "> B",
        "- B",
        "$B$",
        r"\(B\)",
        r"\boxed{B}",
        r"So it must be $\boxed{\text{B}}$.",
        r"\[\boxed{\mathbf{B}. London}\]",
        "A. Paris\nB. London\nAnswer: B",
        "Answer: A? No. Answer: B",
        "London",
        "london.",
        "**London**",
        "It rains a lot there.\nLondon",
    ],
)
def test_these_choose_b(answer):
    assert chosen(answer) == "B"


@pytest.mark.parametrize(
    ("answer", "letter"),
    [
        ("The answer is A", "A"),
        ("The answer is A because it is", "A"),
        ("the answer is a.", "A"),
        ("Answer: A, Paris", "A"),
        ("Answer: 'A'", "A"),
        ("$5", "C"),
        ("**$5**", "C"),
        ("5", "D"),
    ],
)
def test_words_that_are_letters_and_texts_with_marks_are_told_apart(answer, letter):
    assert chosen(answer) == letter


@pytest.mark.parametrize(
    "answer",
    [
        "",
        "I think so",
        "a dog",
        "It is B",
        "B is right",
        "The answer is a matter of taste",
        "Answer: A dog",
        "The answer is I don't know",
        "I will answer a question",
        "answer is B or C",
        "a.m. is early",
        "D.C. is a city",
        "The answer is C++",
        "The answer is E-mail",
        "person(s) and f(a)",
        "answered Bob",
        "Paris or London",
        "K",
    ],
)
def test_these_choose_nothing(answer):
    assert chosen(answer) is None


@given(
    LETTERS,
    st.sampled_from(["{}", "The answer is {}", "Answer: {}", "({})"]),
    st.sampled_from(["**", "__", "*", "`", "$"]),
)
def test_a_letter_is_the_same_in_bold_in_code_and_in_mathematics(letter, form, mark):
    wrapped = form.format(letter)

    assert chosen(wrapped) == letter
    assert chosen(f"{mark}{wrapped}{mark}") == letter
    assert chosen(form.format(f"{mark}{letter}{mark}")) == letter


@given(LETTERS, LETTERS)
def test_the_last_that_counts_is_the_choice(first, last):
    assert chosen(f"Answer: {first}\nOr rather\n({last})") == last


def test_an_option_that_two_letters_share_chooses_none():
    assert chosen("Paris", {"A": "Paris", "B": "paris "}) is None


def test_the_target_is_a_letter_in_any_dress_or_an_options_text():
    for target in ("B", "b", "(B)", "B.", "London"):
        assert value(Choice(), "B", target, choices=["Paris", "London"]) == 1
    assert value(Choice(), "B", "A", choices=["Paris", "London"]) == 0


def test_options_come_from_the_field_that_is_named_as_a_list_or_by_letter():
    assert value(Choice(choices="o"), "London", "B", o=["Paris", "London"]) == 1
    assert value(Choice(choices="o"), "London", "B", o={"A": "Paris", "b": "London"}) == 1
    assert value(Choice(choices="o"), "12", "B", o=[7, 12]) == 1
    assert value(Choice(choices="o"), "true", "A", o=[True, False]) == 1


def test_letters_can_be_others():
    assert value(Choice(letters="1234"), "(3)", "3") == 1
    assert value(Choice(letters="abc"), "B", "b") == 1
    assert value(Choice(letters="AB"), "C", "B") == 0


@pytest.mark.parametrize(
    ("targets", "fields", "said"),
    [
        (("K",), {}, "none of the letters ABCDEFGHIJ"),
        (
            ("Rome",),
            {"choices": ["Paris", "London"]},
            "none of the letters AB, nor the text of one option of 'choices'",
        ),
        (("C",), {"choices": ["Paris", "London"]}, "none of the letters AB"),
        (("A",), {"choices": "Paris"}, "no list of options"),
        (("A",), {"choices": {"Z": "Paris"}}, "no list of options"),
        (("A",), {"choices": list("abcdefghijk")}, "has 11 options, letters has 10"),
        (("x",), {"choices": ["x", "x"]}, "none of the letters AB"),
    ],
)
def test_a_target_that_is_no_option_is_told_at_collection(targets, fields, said):
    assert said in Choice().check(sample(*targets, **fields))


def test_a_target_that_is_an_option_is_not():
    assert Choice().check(sample("A", "London", choices=["Paris", "London"])) is None


@pytest.mark.parametrize("letters", ["", "A", "AA", "Aa", "A-Z", "A ]"])
def test_letters_that_cannot_be_meant_are_refused(letters):
    with pytest.raises(ValueError, match="letters:"):
        Choice(letters=letters)


def test_the_reason_names_both_letters():
    assert scored(Choice(), "B", "A").reason == "chose B, not A"
    assert scored(Choice(), "It depends", "A").reason == "no choice in 'It depends'"
