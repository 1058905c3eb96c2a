"""What the README shows works as it stands there."""

from __future__ import annotations

import re
from pathlib import Path

README = (Path(__file__).parents[2] / "README.md").read_text("utf-8")


def block(language: str, holding: str) -> str:
    return next(text for text in re.findall(rf"```{language}\n(.*?)```", README, re.DOTALL) if holding in text)


def test_the_recipe_runs(project):
    project.write("recipes/capitals.yaml", block("yaml", "Capitals in one word"))
    project.write("program.py", "def answer(messages):\n    return 'Paris'\n")

    result = project.run("-v")

    result.assert_outcomes(passed=3)
    assert "recipes/capitals.yaml::france[program] PASSED" in result.stdout.str()
    assert "recipes/capitals.yaml::gate:exact_match[program] PASSED" in result.stdout.str()


def test_the_extension_extends(project):
    project.write("conftest.py", block("python", "class Exclaims"))
    project.write(
        "recipes/loud.yaml", "recipe: Loud\nsamples: [{input: Hi, id: hi}]\nmetrics: [{exclaims: {at_least: 2}}]\n"
    )
    project.write("program.py", "def answer(prompt):\n    return prompt + '!!'\n")

    project.run().assert_outcomes(passed=1)


TESTS = (Path(__file__).parents[2] / "docs" / "tests.md").read_text("utf-8")


def test_the_tests_of_ones_own_run(project, capitals):
    """The README's and those of docs/tests.md, on an endpoint called local."""
    project.write("recipes/capitals.yaml", capitals)
    project.write("endpoints/local.yaml", "endpoint: L\nconnector: python\ntarget: program:answer\nversion: '1'\n")
    pages = [README.partition("## In tests")[2].partition("## Options")[0], TESTS]
    for number, page in enumerate(pages):
        for place, text in enumerate(re.findall(r"```python\n(.*?)```", page, re.DOTALL)):
            project.write(f"test_page_{number}_{place}.py", text)

    project.run("--ignore=recipes").assert_outcomes(passed=1 + 3 + 2 + 3)


def test_every_option_and_ini_key_it_names_is_known(project):
    table = README.partition("## Options")[2].partition("## Extending")[0]
    options = set(re.findall(r"--llmeval-[a-z-]+", table))
    keys = set(re.findall(r"`(llmeval_[a-z_]+)`", table))

    text = project.run("--help").stdout.str()

    assert len(options) > 8
    assert {option for option in options if option not in text} == set()
    assert {key for key in keys if key not in text} == set()


def test_every_page_it_names_is_there():
    for page in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (Path(__file__).parents[2] / page).is_file(), page
