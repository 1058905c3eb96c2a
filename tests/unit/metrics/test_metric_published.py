"""Figures that others published for recorded answers come out the same here, row by row."""

from __future__ import annotations

import ast
import csv
import gzip
import json
from collections import Counter

import pytest
from metric_answers import SHARED

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.extraction import Extraction, RegexStep
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.metrics.exact_match import ExactMatch
from pytest_llmeval.metrics.f1_tokens import F1Tokens
from pytest_llmeval.metrics.numeric import Numeric


def folder(name):
    path = SHARED / name
    if not path.exists():
        pytest.skip(f"the recorded answers are not beside this checkout (../shared/data/{name})")
    return path


def rows(path):
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def score(metric, extraction, text, target):
    """0 where nothing is extracted, as everywhere."""
    read = text if extraction is None else extraction.apply(text)
    return 0.0 if read is None else metric.score(Response(read), Sample("row", "Q?", (), targets=(target,))).value


@pytest.mark.parametrize(
    "pattern",
    [r"A: (\-?[0-9\.\,]+)", r"(?m)^A: (.*)$"],
    ids=["the authors' own pattern", "the marker at a line's start"],
)
def test_gsm8k_verdicts_are_the_authors_on_every_row(pattern):
    """Cobbe et al. 2021, four models' solutions of 1,319 questions, each with the authors' verdict."""
    extraction = Extraction((RegexStep(pattern, "first"),))
    verdicts = Counter()
    for row in rows(folder("gsm8k") / "gsm8k_test.jsonl.gz"):
        for model, text in row["answers"].items():
            found = score(Numeric(), extraction, text, row["target"])
            assert bool(found) == row["verdicts"][model], (row["id"], model)
            verdicts[model, bool(found)] += 1

    assert verdicts.total() == 5276
    assert verdicts["175b_verification", True] == 742


def test_gsm8k_targets_may_be_as_written_or_the_whole_solution():
    for row in rows(folder("gsm8k") / "gsm8k_test.jsonl.gz"):
        for target in (row["target_as_written"], row["gold_solution"]):
            assert score(Numeric(), None, f"So it is {row['target']}.", target) == 1, row["id"]


@pytest.mark.parametrize(
    ("setting", "extraction"),
    [("direct", None), ("cot", Extraction((RegexStep(r"(?s)the answer is\s+(.*?)\.?\s*\Z", "first"),)))],
)
def test_bbh_accuracies_are_the_published_ones_to_the_last_digit(setting, extraction):
    """Suzgun et al. 2022, code-davinci-002 on 27 tasks: 54 accuracies as the authors' files print them."""
    right: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    for row in rows(folder("bbh") / f"codex_{setting}.jsonl.gz"):
        asked[row["task"]] += 1
        right[row["task"]] += int(score(ExactMatch(), extraction, row["answer"], row["target"]))
    with (folder("bbh") / "published_accuracy.csv").open(encoding="utf-8", newline="") as file:
        published = {row["task"]: row[f"{setting}_accuracy"] for row in csv.DictReader(file)}

    assert asked.total() == 6511
    assert {task: repr(right[task] / n * 100) for task, n in asked.items()} == published


def test_f1_is_that_of_the_squad_module_of_moonshot():
    """Its answers are recorded with the figure that it printed; ``unanswerable`` stands there for the empty text."""
    result = json.loads((folder("moonshot") / "results" / "squad-v2.json").read_text(encoding="utf-8"))
    (detail,) = result["results"]["recipes"][0]["details"]
    found = []
    for row in detail["data"]:
        answer = row["predicted_result"]["response"].strip()
        texts = ast.literal_eval(row["target"])["text"]
        targets = tuple(text for text in texts if text) or ("",)
        response = Response("" if answer == "unanswerable" else answer)
        found.append(F1Tokens().score(response, Sample("row", "Q?", (), targets=targets)).value)

    printed = detail["metrics"][0]["grading_criteria"]
    assert len(found) == 30
    assert 100 * sum(found) / len(found) == pytest.approx(printed["f1"], abs=1e-9)
