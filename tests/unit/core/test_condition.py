"""Conditions as users write them: what is read, what is refused, and in which words; the names of their gates."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.condition import (
    BUILT_IN_NAMES,
    any_grade,
    built_in_measures,
    check_name,
    gate_name,
    gate_names,
    grade_measure,
    needs_prices,
    parse_condition,
    parse_measure,
)
from pytest_llmeval.core.measures import STATISTICS, Band, Condition, Grading, Measure, direction, range_of
from pytest_llmeval.core.sample import Origin

SCALE = (Band("A", 80, 100), Band("B", 60, 79), Band("C", 40, 59), Band("D", 20, 39), Band("E", 0, 19))
GRADING = Grading("exact_match", "mean", SCALE)
MEASURES = {
    "exact_match": Measure("exact_match", binary=True),
    "f1": Measure("f1"),
    "similar-to": Measure("similar-to", passing=0.9),
    "length": Measure("length", None, (0.0, None)),
    "edits": Measure("edits", "low", (0.0, None)),
    "points": Measure("points", "high", (0.0, 100.0)),
    "tone": Measure("tone", "high", (-1.0, 1.0)),
    "margin": Measure("margin", "high", (None, None)),
    **built_in_measures(GRADING),
}


def parse(source, measures=MEASURES):
    return parse_condition(source, measures)


def refused(source, measures=MEASURES):
    with pytest.raises(ValueError) as caught:
        parse(source, measures)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "measure", "statistic", "operator", "value"),
    [
        ("exact_match >= 0.6", "exact_match", "mean", ">=", 0.6),
        ("exact_match>=60%", "exact_match", "mean", ">=", 0.6),
        ("  exact_match  >=  60 points ", "exact_match", "mean", ">=", 0.6),
        ("exact_match >= .6", "exact_match", "mean", ">=", 0.6),
        ("exact_match > 6e-1", "exact_match", "mean", ">", 0.6),
        ("exact_match == 1", "exact_match", "mean", "==", 1.0),
        ("exact_match >= 0", "exact_match", "mean", ">=", 0.0),
        ("latency.p95 < 2 s", "latency", "p95", "<", 2.0),
        ("latency.p95 < 2s", "latency", "p95", "<", 2.0),
        ("latency.p95 < 250 ms", "latency", "p95", "<", 0.25),
        ("latency <= 2", "latency", "mean", "<=", 2.0),
        ("refused.rate <= 1%", "refused", "rate", "<=", 0.01),
        ("refused >= 99%", "refused", "mean", ">=", 0.99),
        ("errors.sum <= 5", "errors", "sum", "<=", 5.0),
        ("tokens <= 2000 tokens", "tokens", "sum", "<=", 2000.0),
        ("tokens.mean <= 100", "tokens", "mean", "<=", 100.0),
        ("cost < 0.5 usd", "cost", "sum", "<", 0.5),
        ("cost.max < 0.01", "cost", "max", "<", 0.01),
        ("missed <= 10%", "missed", "mean", "<=", 0.1),
        ("passed >= 90%", "passed", "mean", ">=", 0.9),
        ("exact_match.low >= 0.5", "exact_match", "low", ">=", 0.5),
        ("exact_match.n >= 20", "exact_match", "n", ">=", 20.0),
        ("exact_match.se <= 5 points", "exact_match", "se", "<=", 0.05),
        ("similar-to.rate >= 0.5", "similar-to", "rate", ">=", 0.5),
        ("length <= 400", "length", "mean", "<=", 400.0),
        ("length >= 4", "length", "mean", ">=", 4.0),
        ("points >= 60", "points", "mean", ">=", 60.0),
        ("tone >= -50%", "tone", "mean", ">=", -0.5),
        ("margin >= -3.5", "margin", "mean", ">=", -3.5),
    ],
)
def test_the_short_form(text, measure, statistic, operator, value):
    found = parse(text)
    assert (found.measure, found.statistic, found.operator, found.form) == (measure, statistic, operator, "short")
    assert found.value == pytest.approx(value, rel=1e-15)
    assert found.label is None


@pytest.mark.parametrize(
    ("mapping", "text", "value"),
    [
        ({"measure": "exact_match", "at_least": 0.6}, "exact_match >= 0.6", 0.6),
        ({"measure": "exact_match", "at_least": "60%"}, "exact_match >= 60%", 0.6),
        ({"measure": "latency.p95", "at_most": "2 s"}, "latency.p95 <= 2 s", 2.0),
        ({"measure": "tokens", "at_most": 2000}, "tokens <= 2000", 2000.0),
        ({"measure": "errors", "at_most": 0}, "errors <= 0", 0.0),
        ({"measure": "cost", "at_most": 1e-07}, "cost <= 1e-07", 1e-7),
        ({"measure": "exact_match", "at_most": 0.9, "deliberate": True}, "exact_match <= 0.9", 0.9),
    ],
)
def test_the_long_form(mapping, text, value):
    found = parse(mapping)
    assert (found.text, found.value) == (text, pytest.approx(value))
    assert found.form == next(key for key in ("at_least", "at_most") if key in mapping)


@pytest.mark.parametrize("source", ["grade >= B", 'grade >= "B"', "grade >= 'B'", "grade>=B"])
def test_a_label_may_be_quoted(source):
    found = parse(source)
    assert (found.measure, found.operator, found.label) == ("grade", ">=", "B")


def test_labels_are_any_text():
    measures = {"grade": grade_measure(("very good", "1", '"odd"', "poor"))}
    for source, label in {
        "grade >= very good": "very good",
        "grade >= 'very good'": "very good",
        "grade == 1": "1",
        'grade >= "odd"': '"odd"',
    }.items():
        assert parse(source, measures).label == label
    assert parse({"measure": "grade", "at_least": 1}, measures).label == "1"


def test_the_place_is_kept():
    origin = Origin("recipes/a.yaml", 7, 5)
    assert parse_condition("exact_match >= 0.6", MEASURES, origin).origin == origin


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("exact_mach >= 0.6", "no measure 'exact_mach'; did you mean 'exact_match'? There are: cost, edits, errors"),
        ("zzz >= 0.6", "no measure 'zzz'. There are: cost,"),
        ("latency.p59 < 2", "no statistic 'p59' of latency; did you mean 'p99'? There are: mean, rate, se"),
        ("latency.p75 < 2", "There are: mean, rate, se, low, high, sum, min, max, sd, p50, p90, p95, p99, n"),
        ("exact_match", "'exact_match' is no condition: write MEASURE[.STATISTIC] OPERATOR VALUE"),
        ("exact_match >=", "'exact_match >=' is no condition"),
        (">= 0.6", "'>= 0.6' is no condition"),
        ("", "'' is no condition"),
        ("exact_match = 0.6", "no operator '='; did you mean '=='?"),
        ("exact_match => 0.6", "no operator '=>'; did you mean '>='?"),
        ("exact_match != 0.6", "no operator '!='; there are >= > <= < =="),
        ("exact_match >= good", "'good' is no value; it is a number (0.6), a percentage (60%) or a number with a unit"),
        ("exact_match >= 1_000", "'1_000' is no value"),
        ("tokens <= 1,000", "'1,000' is no value"),
        ("exact_match >= nan", "'nan' is no value"),
        ("margin >= 1e999", "'1e999' is no finite number"),
        ("latency < 2 sec", "no unit 'sec'. There are: ms, s, tokens, usd, points, %"),
        ("tokens < 2 token", "no unit 'token'; did you mean 'tokens'?"),
        ("cost < 2 EUR", "no unit 'EUR'. There are: ms,"),
        (0.6, "a condition is a text such as `exact_match >= 0.6` or a mapping"),
        (["exact_match >= 0.6"], "a condition is a text"),
        (None, "a condition is a text"),
    ],
)
def test_what_is_no_condition_is_refused_with_the_way_out(source, text):
    assert text in refused(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("exact_match >= 60 ms", "'ms' does not fit exact_match, which runs from 0 to 1"),
        ("exact_match >= 0.6 usd", "'usd' does not fit exact_match"),
        ("latency < 2 usd", "latency is in seconds (s, ms), not in 'usd'"),
        ("latency < 2%", "latency is in seconds (s, ms), not in '%'"),
        ("latency < 2 points", "not in 'points'"),
        ("tokens <= 5 s", "tokens is in tokens, not in 's'"),
        ("cost <= 5 tokens", "cost is in US dollars (usd), not in 'tokens'"),
        ("latency.n >= 5 s", "latency.n counts samples, which 's' does not"),
        ("exact_match.n >= 5%", "exact_match.n counts samples, which '%' does not"),
        ("errors.sum <= 5%", "errors.sum is a sum over answers, no share: write a number, or leave out `.sum`"),
        ("points >= 60%", "'%' does not fit points, which runs from 0 to 100: write a plain number"),
        ("margin >= 60%", "'%' does not fit margin, which runs over all numbers"),
        ("length <= 60 tokens", "'tokens' does not fit length, which runs from 0 upwards"),
        ("exact_match.rate >= 5 s", "exact_match.rate is a share, which 's' is not; write a percentage"),
    ],
)
def test_a_unit_that_does_not_fit_is_refused(source, text):
    assert text in refused(source)


def test_a_metric_that_counts_tokens_takes_them_as_its_unit():
    measures = {"length": Measure("length", None, (0.0, None), unit="tokens")}
    assert parse("length <= 60 tokens", measures).value == 60


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "exact_match >= 60",
            (
                "`exact_match >= 60` could never hold: exact_match runs from 0 to 1; "
                "`exact_match >= 60%` or `exact_match.sum >= 60` may have been meant"
            ),
        ),
        ("f1 >= 60", "could never hold: f1 runs from 0 to 1; `f1 >= 60%` may have been meant"),
        ("f1 >= 600", "`f1 >= 600` could never hold: f1 runs from 0 to 1"),
        ("f1 >= 160%", "`f1 >= 160%` could never hold: f1 runs from 0 to 1"),
        (
            "errors <= 5",
            (
                "`errors <= 5` could never fail: errors runs from 0 to 1; "
                "`errors.sum <= 5` or `errors <= 5%` may have been meant"
            ),
        ),
        (
            "errors < 500",
            "`errors < 500` could never fail: errors runs from 0 to 1; `errors.sum < 500` may have been meant",
        ),
        ("refused.rate <= 5", "`refused.sum <= 5` or `refused.rate <= 5%` may have been meant"),
        ("exact_match == 2", "`exact_match == 2` could never hold"),
        ("exact_match >= -0.1", "`exact_match >= -0.1` could never fail"),
        ("latency < -1 s", "`latency < -1 s` could never hold: latency runs from 0 upwards"),
        ("exact_match.n >= -1", "`exact_match.n >= -1` could never fail"),
        ("points >= 101", "`points >= 101` could never hold: points runs from 0 to 100"),
        ("exact_match.se <= 5", "`exact_match.se <= 5` could never fail: exact_match.se runs from 0 to 1"),
        ({"measure": "exact_match", "at_least": 60}, "`exact_match >= 60%` or"),
        ({"measure": "exact_match", "at_most": 60, "deliberate": True}, "could never fail"),
    ],
)
def test_a_value_outside_the_range_is_refused_with_what_may_have_been_meant(source, text):
    assert text in refused(source)


def test_the_ends_of_a_range_are_within_it():
    for source in ("exact_match >= 0", "exact_match >= 1", "exact_match >= 100%", "errors <= 1", "points >= 100"):
        parse(source)


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (
            "exact_match <= 0.9",
            (
                "`exact_match <= 0.9` asks for a worse result: it holds while exact_match is at most 0.9, but higher is "
                "better. Write `exact_match >= 0.9`, or, if it is meant, {measure: exact_match, at_most: 0.9, "
                "deliberate: true}"
            ),
        ),
        ("exact_match < 90%", "while exact_match is less than 90%"),
        ("latency.p95 > 2 s", "while latency.p95 is more than 2 s, but lower is better. Write `latency.p95 < 2 s`"),
        ("passed < 0.5", "but higher is better"),
        ("errors >= 5%", "at_least: 5%, deliberate: true"),
        ("grade <= B", "it holds while the grade is B or worse, since a better grade is greater. Write `grade >= B`"),
        ("grade < B", "while the grade is worse than B"),
        ({"measure": "exact_match", "at_most": 0.9}, "asks for a worse result"),
        ({"measure": "exact_match", "at_most": 0.9, "deliberate": False}, "asks for a worse result"),
    ],
)
def test_a_condition_against_the_direction_is_refused_with_its_reading(source, text):
    assert text in refused(source)


@pytest.mark.parametrize(
    "source",
    [
        "refused >= 0.5",
        "refused <= 0.5",
        "length >= 3",
        "length <= 3",
        "exact_match.n <= 5",
        "f1.sd <= 0.5",
        "f1.se >= 0",
        "errors == 1",
    ],
)
def test_what_has_no_direction_takes_either(source):
    parse(source)


def test_meant_on_purpose_it_is_taken():
    for mapping in (
        {"measure": "exact_match", "at_most": 0.9, "deliberate": True},
        {"measure": "latency", "at_least": "1 s", "deliberate": True},
        {"measure": "grade", "at_most": "C", "deliberate": True},
    ):
        assert parse(mapping).operator == ("<=" if "at_most" in mapping else ">=")


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("f1.rate >= 0.5", "nothing says from which score on they are: give the metric `pass:`, or write `f1`"),
        ("latency.rate >= 0.5", "`latency.rate`: latency is no 0/1 score"),
        ("grade >= F", "the scale has no label 'F'. Best first it has: A, B, C, D, E"),
        ("grade >= 60%", "the scale has no label '60%'"),
        ("grade.mean >= B", "'grade' has no statistics: write `grade`"),
        ({"measure": "exact_match"}, "a condition on exact_match has one of `at_least:` and `at_most:`"),
        ({"measure": "f1", "at_least": 0.1, "at_most": 0.9}, "has not both of `at_least:` and `at_most:`"),
        ({"at_least": 0.6}, "a condition names what it is on"),
        ({"measure": 3, "at_least": 0.6}, "a condition names what it is on"),
        ({"measure": "f1", "at_leats": 0.6}, "unknown key 'at_leats' in a condition; did you mean 'at_least'?"),
        ({"measure": "f1", "at_least": True}, "is a number, a percentage, a number with a unit or a label, not True"),
        ({"measure": "f1", "at_least": [1]}, "not [1]"),
        ({"measure": "f1", "at_least": 0.5, "deliberate": "yes"}, "`deliberate:` is true or false, not 'yes'"),
        ({"measure": "f1", "at_least": 0.6, "confidence": 0.95}, "`confidence:` is not supported yet"),
        ({"measure": "f1", "no_regression": {"margin": "5 points"}}, "`no_regression:` is not supported yet"),
    ],
)
def test_what_does_not_go_together_is_refused(source, text):
    assert text in refused(source)


def test_a_label_of_nearly_that_name_is_proposed():
    assert "did you mean 'good'?" in refused("grade >= god", {"grade": grade_measure(("good", "bad"))})


def test_grade_needs_a_grading():
    assert refused("grade >= B", built_in_measures(None)) == "'grade' needs a `grading:` in the recipe"


def test_built_in_measures_are_those_that_have_names():
    assert set(built_in_measures(GRADING)) == BUILT_IN_NAMES
    assert set(built_in_measures(None)) == BUILT_IN_NAMES - {"grade"}
    found = built_in_measures(GRADING)
    assert {name: measure.better for name, measure in found.items()} == {
        **dict.fromkeys(("latency", "tokens", "cost", "errors", "truncated", "missed"), "low"),
        "refused": None,
        "passed": "high",
        "grade": "high",
    }
    assert {name for name, measure in found.items() if measure.statistic == "sum"} == {"tokens", "cost"}
    assert {name for name, m in found.items() if m.binary} == {"errors", "refused", "truncated", "missed", "passed"}
    assert all(measure.builtin for measure in found.values())


@pytest.mark.parametrize("name", ["exact_match", "max_latency", "a-b", "x2", "größe"])
def test_letters_digits_underscore_and_hyphen_name_a_metric(name):
    assert check_name(name) is None


@pytest.mark.parametrize("name", ["", "a.b", "a b", "a:b", "a[b]"])
def test_other_characters_name_no_metric(name):
    assert "letters, digits, '_' and '-'" in check_name(name)


@pytest.mark.parametrize("name", sorted(BUILT_IN_NAMES))
def test_a_built_in_measures_name_names_no_metric(name):
    assert "built-in measure" in check_name(name)


def test_parse_measure_gives_the_default_statistic_where_none_is_named():
    assert parse_measure("cost", MEASURES) == (MEASURES["cost"], "sum")
    assert parse_measure("cost.mean", MEASURES) == (MEASURES["cost"], "mean")


def test_only_cost_needs_prices():
    assert needs_prices(parse("cost.mean < 1 usd"))
    assert not needs_prices(parse("tokens < 1000"))


@pytest.mark.parametrize(
    ("source", "name"),
    [
        ("exact_match >= 0.6", "gate:exact_match"),
        ("exact_match.mean >= 0.6", "gate:exact_match.mean"),
        ("latency.p95<2 s", "gate:latency.p95"),
        ("cost < 1", "gate:cost"),
        ("grade >= B", "gate:grade"),
        ({"measure": "exact_match", "at_least": 0.6}, "gate:exact_match:at_least"),
        ({"measure": "latency.p95", "at_most": 2}, "gate:latency.p95:at_most"),
    ],
)
def test_a_gate_is_named_by_its_measure_as_written(source, name):
    assert gate_name(parse(source)) == name


def test_the_gate_of_a_grading_alone_is_gate_grade():
    condition = any_grade(GRADING)
    assert gate_name(condition) == "gate:grade"
    assert (condition.operator, condition.label) == (">=", "E")


def test_a_second_gate_of_a_name_is_numbered():
    sources = [
        "exact_match >= 0.6",
        "exact_match == 1",
        "f1 >= 0.1",
        {"measure": "f1", "at_least": 0.1},
        "exact_match > 0",
    ]
    assert gate_names(parse(source) for source in sources) == [
        "gate:exact_match",
        "gate:exact_match~2",
        "gate:f1",
        "gate:f1:at_least",
        "gate:exact_match~3",
    ]


@st.composite
def written(draw):
    """Any condition that may be written, and what it says."""
    name = draw(st.sampled_from(sorted(set(MEASURES) - {"grade"})))
    measure = MEASURES[name]
    fits = [s for s in STATISTICS if s != "rate" or measure.binary or measure.passing is not None]
    statistic = draw(st.sampled_from([None, *fits]))
    kind = statistic or measure.statistic
    low, high = range_of(measure, kind)
    value = draw(st.floats(-1e9 if low is None else low, 1e9 if high is None else high)) + 0.0
    better = direction(measure, kind)
    operators = (
        [">=", ">", "<=", "<", "=="] if better is None else [">=", ">", "=="] if better == "high" else ["<=", "<", "=="]
    )
    return name, statistic, draw(st.sampled_from(operators)), value


@given(written(), st.sampled_from(["{} {} {!r}", "{}{}{!r}", "  {}  {}\t{!r} "]))
def test_what_is_written_is_what_is_read_and_its_text_reads_the_same(condition, form):
    name, statistic, operator, value = condition
    head = name if statistic is None else f"{name}.{statistic}"
    found = parse(form.format(head, operator, value))
    assert (found.measure, found.statistic) == (name, statistic or MEASURES[name].statistic)
    assert (found.operator, found.value) == (operator, value)
    assert parse(found.text) == found
    assert gate_name(found) == f"gate:{head}"


@given(written())
def test_a_long_form_says_the_same_as_its_text(condition):
    name, statistic, operator, value = condition
    if operator not in {">=", "<="}:
        return
    bound = "at_least" if operator == ">=" else "at_most"
    found = parse({"measure": name if statistic is None else f"{name}.{statistic}", bound: value})
    short = parse(found.text)
    assert Condition(short.measure, short.statistic, short.operator, short.value, short.text, None, bound) == found


@given(st.text(max_size=30))
def test_no_text_does_worse_than_a_value_error(text):
    for source in (text, f"exact_match {text}", f"exact_match >= {text}", {"measure": text, "at_least": text}):
        try:
            parse(source)
        except ValueError as error:
            assert len(str(error)) > 10  # noqa: PT017 - most texts are errors, and a few are conditions
