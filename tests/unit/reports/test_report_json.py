"""The JSON report: complete, valid, exact, and written row by row."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path

import jsonschema
import pytest
from hypothesis import given
from records_of_runs import (
    ANY_TEXT,
    HOSTILE,
    book,
    every_outcome,
    first_run,
    gate,
    missed,
    recipe,
    rows,
    run,
    summary,
    unit,
)

from pytest_llmeval.core.record import Group, Row, RunInfo
from pytest_llmeval.core.result import Figure, Outcome, Score, Verdict
from pytest_llmeval.core.summary import Counts, GateSummary, GroupSummary, RunRecord
from pytest_llmeval.reports.json_ import SCHEMA, JsonReport

SHIPPED = json.loads((files("pytest_llmeval") / "schemas" / "report.json").read_text("utf-8"))


def closed(schema: object) -> object:
    """The schema with every object that lists its keys closed: what is written and not described is a fault here."""
    if isinstance(schema, dict):
        kept = {key: closed(value) for key, value in schema.items()}
        if "properties" in kept and "additionalProperties" not in kept:
            kept["additionalProperties"] = False
        return kept
    return [closed(value) for value in schema] if isinstance(schema, list) else schema


CLOSED = jsonschema.Draft202012Validator(closed(SHIPPED))


def no_constant(name: str) -> object:
    raise AssertionError(f"{name} is no JSON")


@pytest.fixture
def written(tmp_path):
    """Writes a record and reads it back, checked against the schema."""

    def write(record: RunRecord) -> dict:
        path = tmp_path / "report.json"
        JsonReport().write(record, path)
        report = json.loads(path.read_bytes().decode("ascii"), parse_constant=no_constant)
        CLOSED.validate(report)
        return report

    return write


def test_the_shipped_schema_is_a_schema_named_as_reports_name_it(written):
    jsonschema.Draft202012Validator.check_schema(SHIPPED)

    assert SHIPPED["$id"] == SCHEMA == written(run())["schema"] == "urn:pytest-llmeval:report:1"


def test_a_typical_report_has_these_keys_in_this_order(written):
    report = written(run(summary(), cookbooks=(book(recipe()),)))

    assert list(report) == ["schema", "complete", "run", "recipes", "cookbooks", "gates", "samples"]
    assert report["complete"] is True
    assert list(report["run"]) == ["id", "started", "ended", "seconds", "totals", "notes", "python", "git"]
    assert (report["run"]["started"], report["run"]["seconds"]) == ("2026-11-25T10:00:00Z", 17.4)
    (one,) = report["recipes"]
    assert list(one)[:8] == ["id", "path", "title", "endpoint", "grade", "counts", "measures", "groups"]
    assert one["counts"] == {
        "passed": 21, "missed": 3, "refused": 0, "errors": 0, "metric_errors": 0, "not_asked": 0, "skipped": 0,
        "requests": 24, "asked": 24, "cached": 0, "tokens": 1204, "cost": 0,
    }  # fmt: skip
    assert one["measures"]["exact_match"] == {"figure": 0.875, "low": 0.69, "high": 0.957, "n": 24}
    assert one["groups"] == [{"dataset": "capitals", "template": None, "n": 24, "exact_match": 0.875}]
    assert list(report["cookbooks"][0])[:4] == ["id", "endpoint", "grade", "recipes"]
    assert report["gates"] == [
        {
            "id": "recipes/capitals.yaml::gate:exact_match[local]",
            "recipe": "capitals",
            "endpoint": "local",
            "condition": "exact_match >= 0.6",
            "verdict": "passed",
            "figure": 0.875,
            "low": 0.69,
            "high": 0.957,
            "n": 24,
            "reason": "",
        }
    ]
    assert report["samples"] == [
        {
            "nodeid": "recipes/capitals.yaml::turkey[local]",
            "recipe": "capitals",
            "sample": "turkey",
            "dataset": "capitals",
            "template": None,
            "endpoint": "local",
            "repeat": 1,
            "outcome": "missed",
            "truncated": False,
            "error": None,
            "messages": [
                {"role": "system", "content": "Answer with one word."},
                {"role": "user", "content": "What is the capital of Turkey?"},
            ],
            "answer": "Istanbul",
            "targets": ["Ankara"],
            "scores": {"exact_match": {"value": 0, "reason": "'Istanbul' is not 'Ankara'"}},
            "finish": "stop",
            "tokens": {"input": 28, "output": 3},
            "latency": 0.21,
            "cost": 0,
            "cached": True,
        }
    ]


def test_every_kind_of_outcome_fits_the_schema_and_says_what_happened(written):
    of = recipe()

    report = written(run(summary(of), rows_of={of.id: rows(of, every_outcome())}))

    told = {s["sample"]: (s["outcome"], s["truncated"], s["error"], s["answer"]) for s in report["samples"]}
    assert told == {
        "france": ("passed", False, None, "Paris"),
        "turkey": ("missed", False, None, "Istanbul"),
        "chad": ("refused", False, None, ""),
        "kenya": ("error", False, "timeout after 5 attempts", None),
        "peru": ("metric_error", False, "mine: ValueError: no", "Paris"),
        "oman": ("not_asked", False, "endpoint local stopped: 401", None),
        "mali": ("skipped", False, "unclear", None),
        "cuba": ("passed", True, None, "Havana"),
    }
    by_name = {s["sample"]: s for s in report["samples"]}
    assert by_name["kenya"]["tokens"] is by_name["kenya"]["finish"] is by_name["kenya"]["latency"] is None
    assert by_name["cuba"]["tokens"] == {"input": None, "output": 31}
    assert by_name["cuba"]["cost"] is None


def test_an_interrupted_run_tells_what_was_not_settled_and_leaves_out_what_was_never_wanted(written):
    of = recipe()
    settled, waiting = unit("france", of), unit("turkey", of)
    unwanted, skipped = unit("chad", of, selected=False), unit("mali", of, skip="unclear")
    planned = [
        Row(settled, every_outcome()["france"]),
        Row(waiting, None),
        Row(unwanted, None, selected=False),
        Row(skipped, None),
    ]
    gates = (GateSummary(gate(), "local", of),)

    report = written(run(summary(of), rows_of={of.id: planned}, gates=gates, complete=False, ended=None))

    assert report["complete"] is False
    assert report["run"]["ended"] is report["run"]["seconds"] is None
    assert [(s["sample"], s["outcome"], s["error"]) for s in report["samples"]] == [
        ("france", "passed", None),
        ("turkey", "not_asked", None),
        ("mali", "skipped", "unclear"),
    ]
    assert [report["gates"][0][key] for key in ("verdict", "figure", "n")] == [None, None, None]


def test_a_deselected_sample_that_a_gate_asked_is_reported(written):
    of = recipe()
    row = Row(unit("chad", of, selected=False), every_outcome()["france"], selected=False)

    assert [s["sample"] for s in written(run(summary(of), rows_of={of.id: [row]}))["samples"]] == ["chad"]


def test_a_part_of_a_recipe_has_no_grade_and_says_how_much_was_selected(written):
    whole, part = summary(), summary(recipe("sums"), grade=None, selected=3)

    first, second = written(run(whole, part))["recipes"]

    assert "selected" not in first
    assert (second["grade"], second["selected"], second["units"]) == (None, 3, 24)


def test_an_unmeasurable_gate_and_an_ungraded_recipe_say_why(written):
    of = recipe()
    reason = "3 of 24 answers are missing, max_errors is 0"
    gates = (
        GateSummary(gate(), "local", of, verdict=Verdict("unmeasurable", Figure(0.67, 12, 0.42, 0.85), reason=reason)),
        GateSummary(gate("grade >= B"), "local", of, verdict=Verdict("unmeasurable", reason=reason)),
    )

    report = written(run(summary(of, grade=None, why_no_grade=reason), gates=gates))

    assert report["recipes"][0]["ungraded"] == reason
    assert [(g["verdict"], g["figure"], g["reason"]) for g in report["gates"]] == [
        ("unmeasurable", 0.67, reason),
        ("unmeasurable", None, reason),
    ]
    assert "grade" not in report["gates"][0]
    assert report["gates"][1]["grade"] is None


def test_a_cookbooks_own_gate_names_the_cookbook_in_place_of_a_recipe(written):
    of = recipe()
    starter = book(of)
    own = GateSummary(gate("grade >= B"), "local", cookbook=starter.cookbook, verdict=Verdict("failed", grade="C"))

    (told,) = written(run(summary(of), gates=(own,), cookbooks=(starter,)))["gates"]

    assert (told["cookbook"], told["grade"], told["verdict"]) == ("starter", "C", "failed")
    assert "recipe" not in told


def test_recipes_of_one_id_are_named_by_their_paths_wherever_they_are_named(written):
    one = recipe()
    other = replace(one, id="more/capitals.yaml[local]", path="more/capitals.yaml")
    gates = tuple(GateSummary(gate(), "local", of, verdict=Verdict("passed")) for of in (one, other))

    report = written(run(summary(one), summary(other), gates=gates, cookbooks=(book(one, other),)))

    names = ["recipes/capitals", "more/capitals"]
    assert [r["id"] for r in report["recipes"]] == names
    assert [g["recipe"] for g in report["gates"]] == names
    assert [s["recipe"] for s in report["samples"]] == names
    assert report["cookbooks"][0]["recipes"] == names


def test_numbers_that_are_not_finite_become_null(written):
    of = recipe()
    nan, inf = float("nan"), float("inf")
    outcome = missed(scores={"exact_match": Score(nan)})
    outcome = replace(outcome, response=replace(outcome.response, latency=inf, cost=nan))
    measures = {"exact_match": Figure(nan, 1, -inf, inf)}

    report = written(run(summary(of, measures=measures), rows_of={of.id: rows(of, {"turkey": outcome})}, gates=()))

    assert report["recipes"][0]["measures"]["exact_match"] == {"figure": None, "low": None, "high": None, "n": 1}
    (sample,) = report["samples"]
    assert sample["scores"]["exact_match"]["value"] is sample["latency"] is sample["cost"] is None


def test_what_a_recipe_extracts_stands_beside_the_answer_as_it_came(written):
    plain, of = recipe("plain"), recipe(extracts=True)
    found, nothing = missed("Answer: Istanbul", extracted="Istanbul"), missed("Istanbul")

    report = written(
        run(
            summary(plain),
            summary(of),
            rows_of={plain.id: rows(plain, {"a": missed()}), of.id: rows(of, {"b": found, "c": nothing})},
        )
    )

    a, b, c = report["samples"]
    assert "extracted" not in a
    assert [(s["answer"], s["extracted"]) for s in (b, c)] == [("Answer: Istanbul", "Istanbul"), ("Istanbul", None)]


def test_reasoning_is_kept_where_there_was_some(written):
    of = recipe()
    outcome = missed()
    outcome = replace(outcome, response=replace(outcome.response, reasoning="It is large."))

    (sample,) = written(run(summary(of), rows_of={of.id: rows(of, {"turkey": outcome})}))["samples"]

    assert sample["reasoning"] == "It is large."


def test_a_metric_named_like_a_key_of_a_group_does_not_take_its_place(written):
    group = GroupSummary(Group("capitals", "terse"), 24, {"dataset": Figure(0.5, 24), "exact_match": Figure(None, 24)})

    (told,) = written(run(summary(groups=(group,)), gates=()))["recipes"][0]["groups"]

    assert told == {
        "dataset": "capitals", "template": "terse", "n": 24, "metric.dataset": 0.5, "exact_match": None
    }  # fmt: skip


def test_the_environment_never_takes_the_place_of_the_runs_own_facts(written):
    info = RunInfo("run-1", 0.0, environment={"id": "other", "platform": "linux", "versions": {"pytest": "9.2.0"}})

    told = written(run(info=info, ended=1.5))["run"]

    assert (told["id"], told["platform"], told["versions"]) == ("run-1", "linux", {"pytest": "9.2.0"})


def test_a_run_without_any_recipe_is_a_report_too(written):
    report = written(run())

    assert (report["recipes"], report["cookbooks"], report["gates"], report["samples"]) == ([], [], [], [])


def test_unknown_tokens_and_costs_are_null_and_never_nothing(written):
    counts = written(run(summary(counts=Counts(passed=1, tokens=None, cost=None))))["recipes"][0]["counts"]

    assert (counts["tokens"], counts["cost"]) == (None, None)


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_texts_come_back_to_the_letter(written, text):
    assert_exact(written, text)


@given(ANY_TEXT)
def test_any_text_comes_back_to_the_letter(tmp_path_factory, text):
    path = tmp_path_factory.mktemp("any") / "report.json"

    def write(record: RunRecord) -> dict:
        JsonReport().write(record, path)
        return json.loads(path.read_bytes().decode("ascii"), parse_constant=no_constant)

    assert_exact(write, text)


def assert_exact(write, text: str) -> None:
    of = recipe(title=text)
    odd = unit("odd", of, messages=({"role": "user", "content": text},), targets=(text, ""))
    outcome = missed(text, scores={"exact_match": Score(0.0, text)}, error=text)

    report = write(run(summary(of), rows_of={of.id: [Row(odd, outcome)]}))

    (sample,) = report["samples"]
    told = [report["recipes"][0]["title"], sample["messages"][0]["content"], sample["answer"], sample["error"]]
    # JSON has no way to keep two halves of a pair apart
    whole = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    assert told == [whole] * 4
    assert sample["targets"] == [whole, ""]


def test_a_hundred_thousand_rows_take_no_more_memory_than_a_few(tmp_path):
    """Rows are written as they come: what is held at once does not grow with their number."""
    of = recipe(units=20_000)
    row = Row(unit("turkey", of), Outcome("passed", missed("Paris " * 50).response))

    def peak(count: int) -> int:
        def read(_: str) -> Iterator[Row]:
            return (row for _ in range(count))

        tracemalloc.start()
        JsonReport().write(replace(run(summary(of), rows_of={}), rows=read), tmp_path / "report.json")
        top = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        return top

    few = peak(50)

    assert peak(5_000) < few + 100_000
    assert len(json.loads((tmp_path / "report.json").read_text("ascii"))["samples"]) == 5_000


def test_a_report_that_cannot_be_written_is_an_error_of_the_system(tmp_path):
    with pytest.raises(OSError, match="missing"):
        JsonReport().write(first_run(), Path(tmp_path / "missing" / "report.json"))
