"""What docs/metrics.md shows can be written, and it leaves nothing out."""

from __future__ import annotations

import dataclasses
import re
import sys
from pathlib import Path
from types import ModuleType

import pytest
import yaml
from metric_answers import sample

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.registry import BUILT_IN, Registry
from pytest_llmeval.core.scores import checked, traits
from pytest_llmeval.metrics.not_ import Not

TEXT = (Path(__file__).parents[3] / "docs" / "metrics.md").read_text(encoding="utf-8")
SECTIONS = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", TEXT, re.DOTALL | re.MULTILINE))
EXAMPLES = [yaml.safe_load(block) for block in re.findall(r"```yaml\n(.*?)```", TEXT, re.DOTALL)]
SHOWN = [entry for example in EXAMPLES for entry in example.get("metrics", [])]


def made(entry):
    name, options = next(iter(entry.items())) if isinstance(entry, dict) else (entry, {})
    options = {key: tuple(v) if isinstance(v, list) else v for key, v in options.items() if key not in {"name", "pass"}}
    if name == "not":
        return Not(made(options))
    cls = Registry().get("metric", name)
    assert cls is not None, name
    return cls(**options)


@pytest.fixture(autouse=True)
def _function_of_the_example(monkeypatch):
    module = ModuleType("checks.poems")
    exec(re.search(r"```python\n(.*?)```", TEXT, re.DOTALL).group(1), module.__dict__)
    monkeypatch.setitem(sys.modules, "checks", ModuleType("checks"))
    monkeypatch.setitem(sys.modules, "checks.poems", module)


@pytest.mark.parametrize("entry", SHOWN, ids=str)
def test_an_example_is_a_metric_that_scores(entry):
    metric = made(entry)
    row = sample("5", choices=["4", "5"]) if metric.id == "choice" else sample("5")
    response = Response("5", input_tokens=1, output_tokens=1, latency=1)

    assert checked(metric.score(response, row), metric).value is not None


@pytest.mark.parametrize("name", sorted(BUILT_IN["metric"]))
def test_every_metric_has_a_section_with_its_options_and_an_example(name):
    section = SECTIONS[name]
    if name == "includes_all":
        assert "Options as for `includes_any`" in section
    else:
        named = re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE)
        assert named == [field.name for field in dataclasses.fields(Registry().get("metric", name))]
    assert f"  - {name}:" in section


def test_the_table_says_what_the_metrics_say():
    rows = re.findall(r"^\| (\[`.*?) \| .*? \| (.*?) \| (.*?) \| (.*?) \|$", TEXT, re.MULTILINE)
    told = {name: row[1:] for row in rows for name in re.findall(r"`(\w+)`", row[0])}

    assert set(told) == set(BUILT_IN["metric"])
    for name, (score, better, target) in told.items():
        if name not in {"length", "python"}:
            required = {"pattern": "a", "schema": {}, "seconds": 1, "expect": "answer"}
            cls = Registry().get("metric", name)
            own = traits(cls(**{f.name: required[f.name] for f in dataclasses.fields(cls) if f.name in required}))
            assert score == ("0/1" if own.binary else "0 to 1"), name
            assert better == own.better
            assert own.needs_target == (target != "no"), name


def test_extract_and_not_are_told_of():
    assert "last_line" in SECTIONS["extract"]
    assert "not_includes" in SECTIONS["not"]
