"""python: a function of the user's own."""

from __future__ import annotations

import pytest
from metric_answers import sample, scored, value

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.scores import traits, worst_value
from pytest_llmeval.metrics.python import PythonMetric

SOURCE = """
from __future__ import annotations
import math
from pytest_llmeval import Score

def length(response, sample):
    return len(response.text)

def polite(response, sample) -> bool:
    return "please" in response.text

def judged(response, sample) -> Score:
    return Score(0.5, "half right")

def unknown(response, sample):
    return Score(None, "cannot tell")

def nothing(response, sample):
    pass

def wrong(response, sample):
    return {"nan": math.nan, "inf": math.inf, "text": "1"}.get(response.text, 7)

def one(response):
    return 1

async def later(response, sample):
    return 1

class Kind:
    @staticmethod
    def whole(response, sample) -> "bool":
        return True

ROWS = [1]
"""


@pytest.fixture(autouse=True)
def _own_module(tmp_path, monkeypatch):
    package = tmp_path / "ownscores"
    package.mkdir()
    (package / "__init__.py").write_text("", encoding="utf-8")
    (package / "rules.py").write_text(SOURCE, encoding="utf-8")
    (package / "broken.py").write_text("raise SystemExit(3)", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    yield
    import sys

    for name in [name for name in sys.modules if name.partition(".")[0] == "ownscores"]:
        del sys.modules[name]


def loaded(function, **options):
    metric = PythonMetric(f"ownscores.rules:{function}", **options)
    metric.load()
    return metric


def test_a_number_is_a_score_without_ends():
    metric = loaded("length")

    assert value(metric, "four") == 4
    assert (metric.range, metric.better, metric.binary) == ((None, None), "high", False)
    assert worst_value(metric) is None


def test_an_annotation_makes_it_0_or_1_known_once_it_is_loaded():
    metric = PythonMetric("ownscores.rules:polite")
    assert not metric.binary

    metric.load()

    assert (metric.binary, metric.range, worst_value(metric)) == (True, (0, 1), 0)
    assert value(metric, "please") == 1
    assert loaded("Kind.whole").binary


def test_the_option_binary_speaks_before_the_annotation():
    assert loaded("length", binary=True).binary
    assert not loaded("polite", binary=False).binary


def test_a_score_of_its_own_keeps_its_reason():
    assert scored(loaded("judged"), "x").reason == "half right"


def test_no_value_is_a_score_only_where_there_are_no_ends():
    assert scored(loaded("unknown"), "x").value is None
    with pytest.raises(ValueError, match="it returned nothing"):
        scored(loaded("unknown", range=(0, 1)), "x")


@pytest.mark.parametrize("answer", ["nan", "inf", "text"])
def test_what_is_no_finite_number_is_an_error(answer):
    with pytest.raises(ValueError, match=r"it returned .*; a score is a finite number or a boolean"):
        scored(loaded("wrong"), answer)


def test_a_forgotten_return_is_one_too():
    with pytest.raises(ValueError, match="returned nothing"):
        scored(loaded("nothing"), "x")


def test_a_score_outside_its_range_is_an_error():
    with pytest.raises(ValueError, match="returned 7, outside its range 0 to 5"):
        scored(loaded("wrong", range=(0, 5)), "x")
    with pytest.raises(ValueError, match="returned 7, outside its range 0 to 1"):
        scored(loaded("wrong", binary=True), "x")


def test_better_and_range_are_as_said():
    metric = loaded("length", range=(0, None), better="low")
    assert (metric.better, worst_value(metric)) == ("low", None)

    metric = loaded("length", range=(0, 100), better="low")
    assert worst_value(metric) == 100

    metric = loaded("length", range=(0, 100), better="none")
    assert metric.better is None
    assert worst_value(metric) is None


def test_it_blocks_and_reads_text():
    assert traits(loaded("length")).blocking
    assert traits(loaded("length")).reads_text


@pytest.mark.parametrize(
    ("target", "said"),
    [
        ("ownscores.nowhere:f", "cannot be imported .*ini key `pythonpath`"),
        ("ownscores.broken:f", "cannot be imported .*SystemExit: 3.*ini key `pythonpath`"),
        ("ownscores.rules:nowhere", "ownscores.rules has no 'nowhere'"),
        ("ownscores.rules:ROWS", "is a list, not a function"),
        ("ownscores.rules:one", "must take two arguments"),
        ("ownscores.rules:later", "is async"),
    ],
)
def test_a_target_that_cannot_be_called_is_told_when_it_is_loaded(target, said):
    with pytest.raises(ValueError, match=said):
        PythonMetric(target).load()


@pytest.mark.parametrize("target", ["", "f", "a.b", "a:", ":f", "a b:f", "a/b.py:f"])
def test_a_target_of_another_form_is_refused_at_once(target):
    with pytest.raises(ValueError, match=r"package\.module:function"):
        PythonMetric(target)


@pytest.mark.parametrize(
    "options",
    [
        {"range": (1, 1)},
        {"range": (5, 0)},
        {"range": (0, float("inf"))},
        {"range": (0, 5), "binary": True},
        {"better": "none", "binary": True},
    ],
)
def test_options_that_contradict_each_other_are_refused(options):
    with pytest.raises(ValueError, match=r"range:|better:"):
        PythonMetric("a:b", **options)


def test_an_annotation_can_contradict_them_too():
    with pytest.raises(ValueError, match="have the range"):
        loaded("polite", range=(0, 5))


def test_what_the_function_raises_is_not_ours_to_catch(monkeypatch):
    metric = loaded("length")
    with pytest.raises(AttributeError):
        metric.score(None, sample())
    assert metric.score(Response("ab"), sample()) == 2
