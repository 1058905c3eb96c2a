"""Figures that others published come out of whole runs, from the report alone."""

from __future__ import annotations

import csv
import gzip
import json
import shutil
from collections import Counter
from pathlib import Path

import pytest
from asking import yaml

DATA = Path(__file__).parents[3] / "shared" / "data"

RECORDED = """
endpoint: {model}
connector: recorded
path: ../data/{file}
answer: {column}
"""


def published(name: str) -> Path:
    """A folder of published data beside this checkout."""
    folder = DATA / name
    if not folder.exists():
        pytest.skip(f"the published answers are not beside this checkout (../shared/data/{name})")
    return folder


def test_gsm8k_agrees_with_the_authors_verdict_on_every_row(project):
    """Cobbe et al. 2021: four models' solutions of 1,319 questions, 5,276 verdicts."""
    models = ["6b_finetuning", "6b_verification", "175b_finetuning", "175b_verification"]
    source = project.path / "recipes/data/gsm8k_test.jsonl.gz"
    source.parent.mkdir(parents=True)
    shutil.copy(published("gsm8k") / source.name, source)
    for model in models:
        text = RECORDED.format(model=model, file=source.name, column=f"answers.{model}")
        project.write(f"recipes/endpoints/{model}.yaml", text)
    recipe = yaml(
        recipe="GSM8K",
        datasets="data/gsm8k_test.jsonl.gz",
        endpoints=models,
        extract=[{"regex": {"pattern": r"A: (\-?[0-9\.\,]+)", "match": "first"}}],
        metrics=["numeric"],
        grading={"measure": "numeric", "scale": {"A": [50, 100], "B": [0, 49]}},
        items="gates",
    )
    project.write("recipes/gsm8k.yaml", recipe)

    report = project.report()

    with gzip.open(source, "rt", encoding="utf-8") as lines:
        verdicts = {(row["id"], model): row["verdicts"][model] for row in map(json.loads, lines) for model in models}
    found = {(row["sample"], row["endpoint"]): row["scores"]["numeric"]["value"] == 1 for row in report["samples"]}
    assert len(found) == 5276
    assert found == verdicts
    right = {recipe["endpoint"]: recipe["counts"]["passed"] for recipe in report["recipes"]}
    assert right == {model: sum(v for (_, of), v in verdicts.items() if of == model) for model in models}
    assert right["175b_verification"] == 742
    assert {recipe["endpoint"]: recipe["grade"] for recipe in report["recipes"]} == dict.fromkeys(models, "B") | {
        "175b_verification": "A"
    }


@pytest.mark.parametrize(
    ("setting", "extract"),
    [("direct", None), ("cot", [{"regex": r"(?s)the answer is\s+(.*?)\.?\s*\Z"}])],
)
def test_bbh_has_the_published_accuracies_to_the_last_digit(project, setting, extract):
    """Suzgun et al. 2022, code-davinci-002: 27 tasks by two ways of asking; a recipe a task, a sample a question."""
    rows = published("bbh") / f"codex_{setting}.jsonl.gz"
    data = project.path / "recipes/data"
    data.mkdir(parents=True)
    shutil.copy(rows, data / rows.name)
    project.write("recipes/endpoints/codex.yaml", RECORDED.format(model="Codex", file=rows.name, column="answer"))
    tasks: dict[str, list[str]] = {}
    with gzip.open(rows, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            asked = {key: row[key] for key in ("id", "input", "target")}
            tasks.setdefault(row["task"], []).append(json.dumps(asked) + "\n")
    for task, questions in tasks.items():
        project.write(f"recipes/data/{task}.jsonl", "".join(questions))
        recipe = yaml(
            recipe=task.replace("_", " "),
            datasets=f"data/{task}.jsonl",
            endpoints="codex",
            extract=extract,
            metrics=["exact_match"],
            thresholds=["exact_match >= 0%"],
            items="gates",
        )
        project.write(f"recipes/{task}.yaml", recipe)

    report = project.report()

    with (rows.parent / "published_accuracy.csv").open(encoding="utf-8", newline="") as file:
        accuracy = {row["task"]: row[f"{setting}_accuracy"] for row in csv.DictReader(file)}
    counts = {recipe["id"]: recipe["counts"] for recipe in report["recipes"]}
    answers = {task: count["passed"] + count["missed"] for task, count in counts.items()}
    assert len(answers) == 27
    assert sum(answers.values()) == 6511
    assert {task: repr(counts[task]["passed"] / n * 100) for task, n in answers.items()} == accuracy
    assert {recipe["id"]: recipe["measures"]["exact_match"]["n"] for recipe in report["recipes"]} == answers
    # a row of the report for each question, though no item ran for it
    assert Counter(row["recipe"] for row in report["samples"]) == {task: len(lines) for task, lines in tasks.items()}
