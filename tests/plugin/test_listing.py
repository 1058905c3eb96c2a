"""`python -m pytest_llmeval list recipes`: what pytest would collect."""

from __future__ import annotations

import sys

import pytest


@pytest.fixture
def listed(project):
    return lambda *paths: project.pytester.run(sys.executable, "-m", "pytest_llmeval", "list", "recipes", *paths)


def test_recipes_are_listed_with_what_pytest_would_make_of_them(project, capitals, listed):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/both.cookbook.yaml", "cookbook: Both\nrecipes: [capitals]\n")
    project.write("recipes/gates.yaml", capitals.replace("Capitals", "All in one") + "items: gates\n")
    project.write("recipes/soup.yaml", "name: soup\n")
    project.write("test_own.py", "raise AssertionError('not to be imported')\n")

    result = listed()

    assert result.ret == 0
    assert result.outlines == [
        "recipe    title       items  endpoints  path",
        "capitals  Capitals    4      program    recipes/capitals.yaml",
        "gates     All in one  1      program    recipes/gates.yaml",
    ]
    assert project.asked() == []
    assert not (project.path / ".llmeval").exists()
    assert not (project.path / ".pytest_cache").exists()


def test_what_a_conftest_registers_is_known(project, listed, short_metric):
    project.write("conftest.py", short_metric)
    project.write("recipes/loud.yaml", "recipe: Loud\nsamples: [{input: Hi, id: hi}]\nmetrics: [short]\n")

    assert listed("recipes/loud.yaml").outlines[1].split() == ["loud", "Loud", "1", "program", "recipes/loud.yaml"]


def test_faults_are_told_as_such_beside_what_is_good(project, capitals, listed):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/faulty.yaml", capitals.replace("[exact_match]", "[exact_mach]"))

    result = listed()

    assert result.ret == 2
    assert len(result.outlines) == 2
    assert result.errlines == [
        "recipes/faulty.yaml:7:11: metrics[0]: no metric 'exact_mach'; did you mean 'exact_match'?"
    ]


def test_where_there_is_none_it_is_said(project, listed):
    result = listed()

    assert (result.ret, result.outlines, result.errlines) == (0, [], ["no recipes here"])


def test_a_path_that_is_not_there_is_a_mistake(listed):
    result = listed("nowhere")

    assert result.ret == 2
    assert "nowhere" in result.stderr.str()
    assert "Traceback" not in result.stderr.str()
