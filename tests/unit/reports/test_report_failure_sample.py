"""What a sample that missed shows, and one on which a metric raised."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from records_of_runs import ANY_TEXT, HOSTILE, MEASURES, every_outcome, missed, recipe, unit

from pytest_llmeval.core.measures import Measure
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.shell import Shell
from pytest_llmeval.reports import failure

POSIX = Shell(windows=False)


def shown(outcome=None, of=None, verbose=False, **changes) -> str:
    of = of or recipe()
    asked = unit(**changes)
    return failure.sample(of, asked, outcome or missed(), asked.nodeid, verbose=verbose, shell=POSIX)


def harmless(text: str) -> bool:
    return not {ord(c) for c in text} & ({*range(32)} - {10} | {*range(127, 160), *range(0xD800, 0xE000), 0x202E})


def test_a_missed_sample_shows_prompt_answer_target_metrics_and_the_command():
    assert (
        shown()
        == """\
recipes/datasets/capitals.yaml:41: missed

system   Answer with one word.
user     What is the capital of Turkey?
answer   Istanbul                  (stop; 3 tokens; 0.21 s; answered before)
target   Ankara

metric        score   good from   why
exact_match   0       1           'Istanbul' is not 'Ankara'
again: pytest 'recipes/capitals.yaml::turkey[local]'"""
    )


def test_a_refused_sample_says_who_refused():
    assert shown(every_outcome()["chad"]).startswith(
        "recipes/datasets/capitals.yaml:41: refused by the service's filter\n"
    )


def test_an_answer_that_was_cut_says_so():
    assert "Havana                    (length: cut at the limit of tokens; 31 tokens)" in shown(every_outcome()["cuba"])


def test_where_extract_found_nothing_the_raw_answer_stands_under_it():
    reason = "extract regex 'Answer: (.*)' does not match"
    outcome = missed(scores={"exact_match": Score(0.0, reason)}, cached=False)

    assert shown(outcome, recipe(extracts=True)).split("\n")[4:7] == [
        f"answer   (nothing: {reason})",
        "raw      Istanbul                  (stop; 3 tokens; 0.21 s)",
        "target   Ankara",
    ]


def test_what_was_extracted_stands_above_the_raw_answer():
    outcome = missed("Answer: Istanbul", extracted="Istanbul", cached=False)

    assert shown(outcome, recipe(extracts=True)).split("\n")[4:6] == [
        "answer   Istanbul                  (stop; 3 tokens; 0.21 s)",
        "raw      Answer: Istanbul",
    ]


def test_answer_and_target_longer_than_a_line_are_shown_as_a_diff_by_words():
    answer = "The capital of Turkey is Istanbul, as everybody who has ever been to that city on the Bosphorus knows."
    target = "The capital of Turkey is Ankara, as everybody who has ever been to that city in Anatolia knows."
    other = "Something else altogether, which is also longer than a single line of a terminal would be, I think."

    assert shown(missed(answer), targets=(other, target)).split("\n")[4:8] == [
        "answer   (stop; 3 tokens; 0.21 s; answered before)   [-in the answer alone-] {+in the target alone+}",
        "         The capital of Turkey is [-Istanbul,-] {+Ankara,+} as everybody who has",
        "         ever been to that city [-on the Bosphorus-] {+in Anatolia+} knows.",
        "",
    ]


def test_a_diff_leaves_out_what_both_have_for_long():
    same = " ".join(f"word{i}" for i in range(300))

    told = shown(missed(f"{same} Istanbul {same}"), targets=(f"{same} Ankara {same}",))

    assert "… 296 words … word296 word297 word298 word299 [-Istanbul-] {+Ankara+} word0 word1 word2" in " ".join(
        told.split()
    )


def test_texts_that_differ_in_white_space_alone_are_shown_themselves():
    text = "a rather long text that has words enough to fill more than one line of eighty characters"

    assert "[-" not in shown(missed(f"{text}\n{text}"), targets=(f"{text} {text}",))


def test_a_long_prompt_shows_head_and_tail_with_the_count_between():
    told = shown(messages=({"role": "user", "content": f"Begin {'x' * 5000} end"},))

    assert "Begin xxx" in told
    assert "xxx end\n" in told
    assert " characters … " in told


def test_of_a_long_conversation_the_beginning_and_the_last_turns_are_shown():
    turns = [{"role": "user" if i % 2 else "assistant", "content": f"turn {i}"} for i in range(20)]
    messages = ({"role": "system", "content": "Be brief."}, *turns)

    assert shown(messages=messages).split("\n")[2:6] == [
        "system      Be brief.",
        "            … 18 messages …",
        "assistant   turn 18",
        "user        turn 19",
    ]


def test_several_targets_stand_in_one_line_and_an_empty_one_is_named():
    assert "target   Ankara | (the empty text)\n" in shown(targets=("Ankara", ""))
    assert "| 15 more\n" in shown(targets=tuple(f"t{i}" for i in range(20)))
    assert "target" not in shown(targets=())


def test_a_metric_says_from_where_on_it_is_good_in_its_own_direction():
    measures = {
        **MEASURES,
        "f1": Measure("f1", passing=0.8),
        "wer": Measure("wer", "low", passing=0.2),
        "rude": Measure("rude", "low", binary=True),
        "words": Measure("words", None, (0.0, None)),
    }
    of = recipe(measures=measures, metrics=("exact_match", "f1", "wer", "rude", "words"))
    scores = {
        "exact_match": Score(1.0),
        "f1": Score(0.79999, "close"),
        "wer": Score(0.25),
        "rude": Score(1.0),
        "words": Score(17.0),
    }

    assert shown(missed(scores=scores), of).split("\n")[7:-1] == [
        "metric        score     good from     why",
        "exact_match   1         1",
        "f1            0.79999   0.8           close",
        "wer           0.25      0.2 or less",
        "rude          1         0",
        "words         17        -",
    ]
    assert failure.summary(of, missed(scores=scores)) == "f1 0.8: close; wer 0.25; rude 1"


def test_of_many_metrics_those_that_decided_against_the_answer_are_shown():
    names = [f"m{i}" for i in range(20)]
    of = recipe(measures={name: Measure(name, binary=True) for name in names}, metrics=tuple(names))
    scores = {name: Score(0.0 if name == "m19" else 1.0) for name in names}

    told = shown(missed(scores=scores), of)

    assert "\nm19 " in told
    assert "\n… 14 more metrics: -vv\n" in told
    assert "\nm18 " in shown(missed(scores=scores), of, verbose=True)


def test_a_metric_error_shows_the_traceback_of_the_metric():
    outcome = every_outcome()["peru"]

    told = failure.metric_error(recipe(), unit(), outcome, unit().nodeid, shell=POSIX)

    assert (
        told
        == """\
recipes/datasets/capitals.yaml:41: metric error

system   Answer with one word.
user     What is the capital of Turkey?
answer   Paris                     (stop; 3 tokens; 0.20 s; $0.00031)
target   Ankara

File "mine.py"
ValueError: no

metric        score   good from   why
exact_match   -       1           mine: ValueError: no
again: pytest 'recipes/capitals.yaml::turkey[local]'"""
    )


def test_each_metric_that_raised_shows_its_own_reason():
    outcome = replace(every_outcome()["peru"], scores={}, error="one: ValueError: no; two: KeyError: 'yes'")

    told = failure.metric_error(replace(recipe(), metrics=("one", "two")), unit(), outcome, unit().nodeid, shell=POSIX)

    assert re.search(r"^one +- .* ValueError: no$", told, re.MULTILINE)
    assert re.search(r"^two +- .* KeyError: 'yes'$", told, re.MULTILINE)


def test_a_long_traceback_keeps_its_end():
    outcome = replace(every_outcome()["peru"], traceback="\n".join(f"frame {i}" for i in range(900)))

    told = failure.metric_error(recipe(), unit(), outcome, unit().nodeid)

    assert "frame 899" in told
    assert "… 889 lines …" in told
    assert told.count("\n") < 40


def test_the_reason_in_one_line_is_of_what_decided():
    assert failure.summary(recipe(), missed()) == "exact_match 0: 'Istanbul' is not 'Ankara'"
    assert failure.summary(recipe(), every_outcome()["chad"]) == "refused by the service's filter"
    assert failure.summary(recipe(), missed(scores={})) == "not good enough"


def test_verbose_shows_everything():
    long = "\n".join(f"line {i} of a long answer" for i in range(500))
    outcome = missed(long)
    outcome = replace(outcome, response=replace(outcome.response, reasoning="It is large."))

    told = shown(outcome, verbose=True, targets=("x" * 3000,))

    assert "line 250 of a long answer" in told
    assert "x" * 3000 in told
    assert "reasoning   It is large." in told


def test_the_command_can_be_pasted_whatever_the_id_holds():
    told = failure.sample(recipe(), unit(), missed(), 'recipes/a b.yaml::it\'s "so"[e]', shell=POSIX)

    assert told.endswith("""again: pytest 'recipes/a b.yaml::it'"'"'s "so"[e]'""")


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("verbose", [False, True])
def test_hostile_texts_are_harmless_on_a_terminal(text, verbose):
    assert_bounded(text, verbose)


@given(ANY_TEXT, st.booleans())
def test_any_text_is_harmless_and_at_most_forty_lines(text, verbose):
    assert_bounded(text, verbose)


@given(st.lists(ANY_TEXT, min_size=1, max_size=12), st.booleans())
def test_many_messages_targets_and_metrics_stay_within_forty_lines(texts, extracts):
    of = recipe(metrics=tuple(f"m{i}" for i in range(30)), extracts=extracts)
    outcome = missed("\n".join(texts), extracted=texts[0], traceback="\n".join(texts) * 3)
    asked = unit(messages=tuple({"role": "user", "content": t} for t in texts), targets=tuple(texts))

    for show in (failure.sample, failure.metric_error):
        assert show(of, asked, outcome, asked.nodeid).count("\n") < 40


def assert_bounded(text: str, verbose: bool) -> None:
    asked = unit(messages=({"role": text, "content": text},) * 5, targets=(text, text))
    outcome = missed(text, scores={"exact_match": Score(0.0, text)}, error=text, traceback=text)
    told = [
        failure.sample(recipe(), asked, outcome, asked.nodeid, verbose=verbose),
        failure.metric_error(recipe(), asked, outcome, asked.nodeid, verbose=verbose),
        failure.summary(recipe(), outcome),
    ]
    for one in told:
        assert harmless(one)
        assert verbose or one.count("\n") < 40
        assert verbose or len(one) < 40_000
    assert "\n" not in told[2]
