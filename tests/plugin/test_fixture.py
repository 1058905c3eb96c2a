"""The fixture ``llmeval``: a test's own questions, whole recipes, scores."""

from __future__ import annotations

import re

import pytest


def test_a_question_is_asked_once_over_two_runs_and_anew_by_its_repeat(anywhere):
    anywhere.write(
        "test_it.py",
        """
        def test_capital(llmeval):
            answer = llmeval.ask("What is the capital of France?", endpoint="program")
            assert answer.text == "Paris"
            assert llmeval.ask("What is the capital of France?").text == "Paris"
            assert llmeval.ask("What is the capital of France?", repeat=2).text == "Paris"
        """,
    )
    anywhere.write("endpoints/program.yaml", "endpoint: P\nconnector: python\ntarget: program:answer\nversion: '1'\n")

    anywhere.run().assert_outcomes(passed=1)
    assert anywhere.asked() == ["What is the capital of France?"] * 2
    again = anywhere.run()

    again.assert_outcomes(passed=1)
    assert anywhere.asked() == []
    again.stdout.fnmatch_lines(["asked 0 requests, 2 answered before"])


@pytest.fixture
def own(project):
    """A project whose endpoint is found from its tests."""
    project.write("endpoints/program.yaml", "endpoint: P\nconnector: python\ntarget: program:answer\nversion: '1'\n")
    return project


def test_many_questions_are_answered_in_their_order_and_one_error_is_raised_when_all_are_settled(own):
    own.write(
        "test_it.py",
        """
        import pytest
        from pytest_llmeval import RequestError

        def test_in_order(llmeval):
            names = ["Chad", "France", "Peru", "France"]
            assert [r.text for r in llmeval.ask_many(names)] == ["N'Djamena", "Paris", "Lima", "Paris"]

        def test_error(llmeval):
            with pytest.raises(RequestError, match="ZeroDivisionError: a fault in the program"):
                llmeval.ask_many(["crash", "Oman"])
        """,
    )

    own.run().assert_outcomes(passed=2)
    assert own.asked() == ["Chad", "France", "Oman", "Peru", "crash"]


def test_a_recipe_is_asked_whole_and_its_figures_compare_as_thresholds_do(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.write(
        "test_it.py",
        """
        import pytest

        def test_recipe(llmeval):
            result = llmeval.run("capitals", endpoint="program")
            assert result["exact_match"] >= 2 / 3
            assert result["exact_match"] == 0.666666666667
            assert not result["exact_match"] > 0.6666666667
            assert result["latency.p95"] < 60
            assert result["errors"] == 0
            assert result.grade >= "B" and result.grade > "C" and result.grade < "A" and result.grade != "A"
            assert sorted(["A", "C", result.grade], key=lambda label: result.grade >= label) == ["A", "C", "B"]
            assert result.counts.passed == 2
            assert result.worst == ("recipes/capitals.yaml::oman[program]",)
            with pytest.raises(ValueError, match="the scale has no label 'F'; best first it has A, B, C"):
                result.grade >= "F"
            with pytest.raises(KeyError, match="did you mean 'exact_match'"):
                result["exact_mach"]
        """,
    )

    report = anywhere.report("test_it.py")

    assert anywhere.asked() == [f"What is the capital of {c}?" for c in ("France", "Oman", "Peru")]
    (recipe,) = report["recipes"]
    assert (recipe["grade"], recipe["counts"]["passed"], report["complete"]) == ("B", 2, True)


def test_a_recipe_that_a_selection_left_in_part_is_asked_whole_by_a_test(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write(
        "test_it.py", "def test_peru(llmeval):\n    assert llmeval.run('capitals', endpoint='program').grade == 'B'\n"
    )

    report = project.report("-k", "peru", "recipes", "test_it.py")

    (recipe,) = report["recipes"]
    assert recipe["grade"] == "B"
    assert "selected" not in recipe or recipe["selected"] is None
    assert len(project.asked()) == 3


def test_a_miss_shows_figure_interval_n_and_the_worst_samples(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.write(
        "test_it.py",
        """
        def test_recipe(llmeval):
            assert llmeval.run("capitals", endpoint="program")["exact_match"] >= 0.9

        def test_turned(llmeval):
            assert 0.9 <= llmeval.run("capitals", endpoint="program")["exact_match"]

        def test_grade(llmeval):
            assert llmeval.run("capitals", endpoint="program").grade >= "A"

        def test_plain(llmeval):
            figure = llmeval.run("capitals", endpoint="program")["exact_match"]
            raise AssertionError(repr(figure))
        """,
    )

    result = project.run("test_it.py")

    result.assert_outcomes(failed=4)
    text = result.stdout.str()
    assert len(re.findall(r"E +exact_match  0\.67 \(0\.21-0\.94\), n = 3 +threshold 0\.90, short by 0\.23", text)) == 2
    assert len(re.findall(r"E +worst: oman +1 missed", text)) == 2
    assert re.search(r"E +AssertionError: assert grade 'B' \(exact_match 0\.67 \(0\.21-0\.94\), n = 3\) >= 'A'", text)
    assert "AssertionError: 0.67 (0.21-0.94), n = 3, worst: oman" in text
    assert "pytest_llmeval/" not in text.replace("pytest_llmeval/plugin/__init__", "")


def test_what_cannot_be_meant_is_one_message_without_a_frame_of_ours(own, capitals):
    own.write("recipes/capitals.yaml", capitals)
    own.write("recipes/broken.yaml", capitals.replace("[exact_match]", "[exact_mach]"))
    own.write(
        "test_it.py",
        """
        def test_endpoint(llmeval):
            llmeval.ask("Hi", endpoint="progam")

        def test_recipe(llmeval):
            llmeval.run("capitols")

        def test_broken(llmeval):
            llmeval.run("broken")

        def test_metric(llmeval):
            llmeval.score("Hi", "exact_mach")

        def test_target(llmeval):
            llmeval.score("Hi", "exact_match")

        def test_measure(llmeval):
            assert llmeval.run("capitals")["exact_mach"]

        def test_label(llmeval):
            assert llmeval.run("capitals").grade >= "Z"
        """,
    )

    result = own.run("test_it.py")

    result.assert_outcomes(failed=7)
    result.stdout.fnmatch_lines(
        [
            "*test_it.py: no endpoint 'progam' in a folder endpoints/ *; did you mean 'program'?",
            "*test_it.py: no recipe 'capitols' in a folder recipes/ *; did you mean 'capitals'?",
            "recipes/broken.yaml:7:11: *no metric 'exact_mach'; did you mean 'exact_match'?",
            "*test_it.py: no metric 'exact_mach'; did you mean 'exact_match'?",
            "E *ScoreError: exact_match: it needs a target, and there is none",
            "E *KeyError: \"no measure 'exact_mach'; did you mean 'exact_match'? There are: *",
            "E *ValueError: the scale has no label 'Z'; best first it has A, B, C",
        ]
    )
    text = result.stdout.str()
    assert "Traceback" not in text
    assert "pytest_llmeval/" not in text.replace("\\", "/")


def test_a_run_without_an_endpoint_of_its_own_asks_for_one(own):
    own.write("pytest.ini", "[pytest]\npythonpath = .\n")
    own.write("test_it.py", "def test_it(llmeval):\n    llmeval.ask('Hi')\n")

    result = own.run()

    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["llmeval: endpoint= is missing, and the run has none"])


def test_the_connector_itself_asks_anew_each_time_and_is_awaited_in_a_loop_of_the_tests_own(own):
    own.write(
        "test_it.py",
        """
        import asyncio

        def test_connector(llmeval):
            program = llmeval.connector("program")
            assert [program.ask("Peru").text for _ in range(3)] == ["Lima"] * 3

            async def both():
                return await asyncio.gather(program.aask("Chad"), program.aask("Chad"))

            assert [answer.text for answer in asyncio.run(both())] == ["N'Djamena"] * 2
        """,
    )

    for _ in range(2):
        own.run().assert_outcomes(passed=1)
        assert own.asked() == ["Chad"] * 2 + ["Peru"] * 3


def test_an_answer_is_scored_by_what_a_recipe_takes(own):
    own.write(
        "test_it.py",
        """
        import pytest

        def test_score(llmeval):
            answer = llmeval.ask("Peru")
            assert llmeval.score(answer, "exact_match", target="Lima").value == 1
            score = llmeval.score(answer, {"exact_match": {"ignore_case": True}}, target=["Quito", "Bogota"])
            assert (score.value, score.reason) == (0, "'Lima' is none of 'Quito', 'Bogota'")
            assert llmeval.score("a b", {"length": {"unit": "words", "at_most": 2}}).value == 1
            with pytest.raises(ValueError, match="exact_match: it needs a target"):
                llmeval.score("a", "exact_match")
        """,
    )

    own.run().assert_outcomes(passed=1)


def test_a_stopped_endpoint_is_told_and_skips_where_the_ini_says_so(project):
    project.write("endpoints/keyed.yaml", "endpoint: K\nconnector: openai\nmodel: m\napi_key: ${NO_SUCH_KEY}\n")
    project.write("test_it.py", "def test_it(llmeval):\n    llmeval.ask('Hi', endpoint='keyed')\n")

    failed = project.run()
    skipped = project.run("-o", "llmeval_unavailable=skip", "-rs")

    failed.assert_outcomes(failed=1)
    failed.stdout.fnmatch_lines(["E   *EndpointStopped: endpoint keyed stopped: *NO_SUCH_KEY*"])
    skipped.assert_outcomes(skipped=1)
    skipped.stdout.fnmatch_lines(["SKIPPED*endpoint keyed is not available here: *NO_SUCH_KEY*"])


def test_while_a_test_runs_only_what_it_asks_is_sent(project, capitals):
    """Look-ahead of the recipe that stands after the test waits, though the test was the first to open the engine."""
    project.write("recipes/capitals.yaml", capitals)
    project.write(
        "test_it.py",
        """
        from pathlib import Path

        def test_it(llmeval):
            for n in range(20):
                llmeval.ask(f"question {n}", endpoint="recipes/endpoints/program.yaml")
            assert "capital" not in Path("asked.txt").read_text()
        """,
    )

    project.run("test_it.py", "recipes").assert_outcomes(passed=4)
    assert len(project.asked()) == 23
