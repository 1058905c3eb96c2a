"""A package of somebody else's, installed beside this one, adds a metric, a connector, a source and a report."""

from __future__ import annotations

import json
import os

MODULE = '''
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

import pytest
from pytest_llmeval import EndpointStopped, InvalidRequest, Response, Score


@dataclass(frozen=True)
class Polite:
    """1 where the answer says the word."""

    id: ClassVar[str] = "polite"
    binary: ClassVar[bool] = True
    word: str = "please"

    def score(self, response, sample):
        return Score(float(self.word in response.text), f"looked for {self.word!r}")

    def check(self, sample):
        return "a question this short is not worth asking" if len(sample.input) < 2 else None


@dataclass(frozen=True)
class Echo:
    """Answers with the question."""

    id: ClassVar[str] = "echo"
    prefix: str = ""
    max_concurrency: ClassVar[int] = 2

    def identity(self):
        return {"version": 1, "prefix": self.prefix}

    @asynccontextmanager
    async def open(self, run):
        with Path("opened.txt").open("a") as opened:
            opened.write(run.endpoint + "\\n")
        yield self

    async def ask(self, request):
        if "wrong" in request.prompt:
            raise InvalidRequest("not a question")
        return Response(self.prefix + request.prompt, input_tokens=1, output_tokens=2, cost=0.5)


@dataclass(frozen=True)
class Words:
    """A row for each of some words."""

    id: ClassVar[str] = "words"
    words: tuple[str, ...]

    def rows(self):
        for number, word in enumerate(self.words):
            yield {"id": word, "input": f"{word} is word {number}"}, 0


@dataclass(frozen=True)
class Lines:
    id: ClassVar[str] = "lines"
    suffix: ClassVar[str] = ".lines"

    def write(self, record, path):
        path.write_text("".join(f"{row.unit.nodeid} {row.outcome.kind}\\n" for _, row in record.samples))


@pytest.hookimpl(optionalhook=True)
def pytest_llmeval_register(registry):
    registry.add("metric", Polite)
    registry.add("connector", Echo)
    registry.add("source", Words)
    registry.add("report", Lines)
'''

RECIPE = """
recipe: Words
endpoints: loud
datasets: {words: {words: [please, thanks]}}
metrics: [polite, {polite: {word: loud, name: loud}}]
thresholds: [loud >= 1, cost <= 1 usd]
"""


def install(project, monkeypatch) -> None:
    """As pip leaves it: a module, and metadata with the entry point."""
    site = project.path / "site"
    project.write("site/llmeval_words.py", MODULE)
    project.write(
        "site/llmeval_words-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: llmeval-words\nVersion: 1.0\n"
    )
    project.write("site/llmeval_words-1.0.dist-info/entry_points.txt", "[pytest11]\nllmeval_words = llmeval_words\n")
    monkeypatch.syspath_prepend(site)
    before = [path for path in [os.environ.get("PYTHONPATH")] if path]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(site), *before]))
    project.write("recipes/words.yaml", RECIPE)
    project.write("recipes/endpoints/loud.yaml", "endpoint: Loud\nconnector: echo\nprefix: 'loud: '\n")


def test_a_package_adds_a_metric_a_connector_a_source_and_a_report(anywhere, monkeypatch):
    install(anywhere, monkeypatch)

    first = anywhere.run("recipes", "--llmeval-report", "all.lines", "--llmeval-report", "report.json")
    opened = (anywhere.path / "opened.txt").read_text("utf-8").split()
    again = anywhere.run("recipes")

    first.assert_outcomes(passed=3)
    assert set(opened) == {"loud"}
    assert (anywhere.path / "all.lines").read_text("utf-8").splitlines() == [
        "recipes/words.yaml::please[loud] passed",
        "recipes/words.yaml::thanks[loud] missed",
    ]
    report = json.loads((anywhere.path / "report.json").read_text("utf-8"))
    assert [sample["scores"]["polite"] for sample in report["samples"]] == [
        {"value": 1, "reason": "looked for 'please'"},
        {"value": 0, "reason": "looked for 'please'"},
    ]
    assert report["recipes"][0]["counts"]["cost"] == 1.0
    again.stdout.fnmatch_lines(["asked 0 requests, 2 answered before"])
    assert (anywhere.path / "opened.txt").read_text("utf-8").split() == opened


def test_its_options_are_checked_with_their_place(project, monkeypatch):
    install(project, monkeypatch)
    project.write("recipes/words.yaml", RECIPE.replace("{word: loud,", "{wrod: loud,"))
    project.write("recipes/endpoints/loud.yaml", "endpoint: Loud\nconnector: echo\nprefix: [1]\n")

    result = project.run("recipes")

    result.stdout.fnmatch_lines(
        [
            "recipes/endpoints/loud.yaml:3:9: *a text is expected, found *",
            "recipes/words.yaml:4:29: *no option 'wrod' of the metric 'polite'; did you mean 'word'?",
        ]
    )
    assert not (project.path / "opened.txt").exists()


def test_its_check_of_a_sample_is_a_collection_error(project, monkeypatch):
    install(project, monkeypatch)
    text = "recipe: Short\nendpoints: loud\nsamples: [{id: a, input: x}]\nmetrics: [polite]\n"
    project.write("recipes/short.yaml", text)

    result = project.run("recipes/short.yaml")

    result.stdout.fnmatch_lines(["recipes/short.yaml:3:11: *'a'*polite*a question this short is not worth asking"])


def test_a_broken_extension_is_named_in_its_error(project, monkeypatch):
    install(project, monkeypatch)
    project.write("site/llmeval_words.py", MODULE.replace("def score(self, response, sample):", "def score(self):"))

    result = project.run("recipes", "--llmeval-misses", "fail")

    result.stdout.fnmatch_lines(["*polite: TypeError: Polite.score() takes 1 positional argument but 3 were given*"])


def test_a_late_conftest_is_heard_before_a_recipe_is_read_from_elsewhere(anywhere, capitals, short_metric):
    """A cookbook, a fixture and a marker read ``recipes/`` when only their own file is named."""
    anywhere.write("recipes/conftest.py", short_metric)
    anywhere.write("recipes/capitals.yaml", capitals.replace("[exact_match]", "[exact_match, short]"))
    anywhere.write("cookbooks/all.yaml", "cookbook: All\nrecipes: [../recipes/capitals.yaml]\n")
    anywhere.write(
        "tests/test_it.py",
        """
        import pytest

        def test_run(llmeval):
            assert llmeval.run("capitals", endpoint="program")["short"] >= 0.3

        @pytest.mark.llmeval("capitals", endpoint="program")
        def test_marked(llmeval_response):
            assert llmeval_response.text
        """,
    )

    anywhere.run("cookbooks/all.yaml").assert_outcomes(passed=1)
    anywhere.run("tests/test_it.py").assert_outcomes(passed=4)
