"""Tests marked ``llmeval``: one for each sample of a recipe."""

from __future__ import annotations

from unittest.mock import ANY

import pytest

POLITE = """
import pytest

@pytest.mark.llmeval("capitals", endpoint="program")
def test_known(llmeval_sample, llmeval_response):
    assert llmeval_sample.targets == (llmeval_response.text,), llmeval_sample.id
"""


def test_a_marked_test_is_one_a_sample_and_fills_the_recipes_row(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write("test_it.py", POLITE)

    result = anywhere.run("test_it.py", "-v", "--llmeval-report", "report.json")

    result.assert_outcomes(passed=2, failed=1)
    for name in ("france", "peru", "oman"):
        assert f"test_it.py::test_known[{name}-program]" in result.stdout.str()
    result.stdout.fnmatch_lines(["capitals*exact_match*0.67 (0.21-0.94)*3*2*1*0*3*"])
    assert len(anywhere.asked()) == 3


def test_ids_are_typed_and_a_part_of_the_samples_is_no_grade(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write("test_it.py", POLITE)

    report = project.report("test_it.py::test_known[peru-program]")

    assert project.asked() == ["What is the capital of Peru?"]
    (recipe,) = report["recipes"]
    assert (recipe["grade"], recipe["selected"]) == (None, 1)


def test_rows_skip_xfail_and_tags_hold_for_marked_tests(anywhere):
    anywhere.write(
        "recipes/capitals.yaml",
        """
        recipe: Capitals
        tags: [facts]
        samples:
          - {id: france, input: The capital of France?, target: Paris, tags: [europe]}
          - {id: oman, input: The capital of Oman?, target: Muscat, xfail: it has not learnt that yet}
          - {id: chad, input: The capital of Chad?, target: "N'Djamena", skip: spelt in two ways}
        metrics: [exact_match]
        """,
    )
    anywhere.write("test_it.py", POLITE)

    anywhere.run("test_it.py").assert_outcomes(passed=1, xfailed=1, skipped=1)
    assert len(anywhere.asked()) == 2
    anywhere.run("test_it.py", "-m", "europe and facts", "--strict-markers").assert_outcomes(passed=1, deselected=ANY)


def test_an_outage_is_an_error_of_the_setup_even_where_a_miss_is_expected(project):
    project.write(
        "recipes/capitals.yaml",
        """
        recipe: Capitals
        samples:
          - {id: bad, input: crash, target: Paris, xfail: it has not learnt that yet}
        metrics: [exact_match]
        """,
    )
    project.write("test_it.py", POLITE)

    result = project.run("test_it.py")

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        ["recipes/capitals.yaml:3: no answer from program: ZeroDivisionError: a fault in the program*"]
    )


def test_all_samples_of_marked_tests_are_asked_before_the_first_of_them(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write(
        "test_it.py",
        """
        from pathlib import Path
        import pytest

        @pytest.fixture(autouse=True)
        def before():
            assert len(Path("asked.txt").read_text().splitlines()) == 3

        @pytest.mark.llmeval("capitals")
        def test_it(llmeval_response):
            assert llmeval_response.text
        """,
    )

    project.run("test_it.py").assert_outcomes(passed=3)


def test_a_marker_that_cannot_be_meant_is_a_collection_error_with_the_way_out(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    tests = {
        "test_none.py": (
            "@pytest.mark.llmeval\ndef test_it(llmeval_sample): pass\n",
            "*write @pytest.mark.llmeval(RECIPE)*",
        ),
        "test_name.py": (
            "@pytest.mark.llmeval('capitols')\ndef test_it(llmeval_sample): pass\n",
            "*did you mean 'capitals'?",
        ),
        "test_argument.py": (
            "@pytest.mark.llmeval('capitals')\ndef test_it(): pass\n",
            "*the test takes llmeval_sample, llmeval_response or both; it has neither",
        ),
        "test_typo.py": (
            "@pytest.mark.llmeval('capitals', endpiont='x')\ndef test_it(llmeval_sample): pass\n",
            "*write @pytest.mark.llmeval(RECIPE)*",
        ),
    }
    for name, (text, _) in tests.items():
        project.write(name, f"import pytest\n\n{text}")

    for name, (_, message) in tests.items():
        result = project.run(name)
        result.assert_outcomes(errors=1)
        result.stdout.fnmatch_lines([message])
        assert "Traceback" not in result.stdout.str()
    assert project.asked() == []


def test_the_fixtures_without_the_marker_say_how_to_mark(project):
    project.write("test_it.py", "def test_it(llmeval_sample): pass\n")

    result = project.run()

    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(["*are for tests with the marker @pytest.mark.llmeval(RECIPE)*"])


@pytest.mark.parametrize("option", ["--setup-only", "--setup-plan", "--collect-only"])
def test_nothing_is_asked_where_nothing_is_run(project, capitals, option):
    project.write("recipes/capitals.yaml", capitals)
    project.write("test_it.py", POLITE)

    project.run("test_it.py", option)

    assert project.asked() == []
