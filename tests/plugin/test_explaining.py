"""Why something is asked again: `--llmeval-cache only`, and `python -m pytest_llmeval state explain`."""

from __future__ import annotations

import sys

import pytest

from pytest_llmeval.testing import answering, serve

FRANCE = "recipes/capitals.yaml::france[program]"
CANARY = "canary-0123456789"
SERVICE = """
endpoint: A service
connector: openai
model: small-1
base_url: http://127.0.0.1:9/v1
api_key: ${CANARY}
"""


@pytest.fixture
def explained(project):
    return lambda *typed: project.pytester.run(sys.executable, "-m", "pytest_llmeval", "state", "explain", *typed)


def version(project, number):
    path = project.path / "recipes/endpoints/program.yaml"
    path.write_text(path.read_text("utf-8").replace('version: "1"', f'version: "{number}"'), "utf-8")


def test_what_differs_is_told_of_every_missing_answer(anywhere, capitals):
    anywhere.write("recipes/capitals.yaml", capitals)
    anywhere.run()
    anywhere.asked()
    version(anywhere, 2)

    result = anywhere.run("--llmeval-cache", "only")

    assert anywhere.asked() == []
    text = result.stdout.str()
    for row in (4, 5, 6):
        assert (
            f"recipes/capitals.yaml:{row}: no answer from program: --llmeval-cache only: no stored answer. "
            "The nearest stored request differs in identity.code (here '2', stored '1')"
        ) in text


def test_an_item_is_explained_without_being_asked(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals)
    before = explained(FRANCE)
    assert before.ret == 0
    assert before.outlines[0].startswith(f"{FRANCE}: asked: there is no state at ")
    assert not (project.path / ".llmeval").exists()
    project.run()
    project.asked()
    version(project, 2)

    result = explained(FRANCE)

    assert result.ret == 0
    first, *table = result.outlines
    assert first.startswith(f"{FRANCE}: asked: no stored answer. The nearest stored request (answer of 20")
    assert table == ["  part            here   stored", "  identity.code   '2'    '1'"]
    assert project.asked() == []


def test_messages_that_differ_show_where(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals)
    project.run()
    project.write("recipes/capitals.yaml", capitals.replace("the capital of France", "the old capital of France"))

    assert explained(FRANCE).outlines[2].split("   ") == [
        "  messages[0].content",
        "'What is the old capital of France?'",
        "'What is the capital of France?'",
    ]


def test_an_answer_that_is_there_is_told_so_and_what_mode_and_age_make_of_it(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals)
    project.run()

    assert f"{FRANCE}: not asked again: its answer of 20" in explained(FRANCE).outlines[0]
    assert explained(FRANCE, "--llmeval-cache", "refresh").outlines == [
        f"{FRANCE}: asked again: --llmeval-cache refresh takes no earlier answers"
    ]
    (old,) = explained(FRANCE, "-o", "llmeval_cache_ttl=0.0000001").outlines
    assert old.endswith("is older than the 1e-07 days of llmeval_cache_ttl")


def test_everything_that_an_id_means_is_explained(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals.replace("Muscat}", "Muscat, skip: not sure}"))
    project.write("recipes/both.cookbook.yaml", "cookbook: Both\nrecipes: [capitals]\n")
    project.write(
        "test_own.py",
        "import pytest\n"
        "def test_asks(llmeval): pass\n"
        "def test_plain(): pass\n"
        "@pytest.mark.skip(reason='later')\n@pytest.mark.llmeval('capitals')\ndef test_marked(llmeval_sample): pass\n",
    )
    project.run("recipes")

    lines = explained(".").outlines

    assert [line.replace("recipes/", "") for line in lines if " not asked again" not in line] == [
        "both.cookbook.yaml::capitals[program]: a recipe asks nothing of its own; name one of its samples "
        "(with --llmeval-items samples they are items)",
        "capitals.yaml::oman[program]: its file skips it: nothing is asked",
        "capitals.yaml::gate:exact_match[program]: a gate asks nothing of its own; name one of its samples",
        "test_own.py::test_asks: what it asks is known only when it runs",
        "test_own.py::test_plain: it asks nothing",
        "test_own.py::test_marked[france-program]: it is marked to be skipped: nothing is asked",
        "test_own.py::test_marked[peru-program]: it is marked to be skipped: nothing is asked",
        "test_own.py::test_marked[oman-program]: its file skips it: nothing is asked",
    ]


def test_endpoints_whose_answers_are_never_kept_say_so(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/endpoints/program.yaml", "endpoint: P\nconnector: python\ntarget: program:answer\n")
    project.write("answers.jsonl", '{"prompt": "x", "response": "y"}\n')
    project.write("recipes/endpoints/old.yaml", "endpoint: Old\nconnector: recorded\npath: answers.jsonl\n")

    assert explained(FRANCE).outlines == [
        f"{FRANCE}: asked in every run: answers of program serve their own run only (it has no `version:`)"
    ]


def test_what_is_wrong_is_told_and_is_a_mistake(project, capitals, explained):
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/faulty.yaml", capitals.replace("[exact_match]", "[exact_mach]"))

    wrong = explained("recipes/capitals.yaml::frence")
    assert (wrong.ret, wrong.outlines) == (2, [])
    assert "ERROR: not found: " in wrong.errlines[0]
    assert "frence" in wrong.errlines[0]
    faulty = explained("recipes/faulty.yaml")
    assert (faulty.ret, faulty.outlines) == (2, [])
    assert "recipes/faulty.yaml:7:11: metrics[0]: no metric 'exact_mach'" in faulty.stderr.str()
    deselected = explained(FRANCE, "-k", "peru")
    assert (deselected.ret, deselected.errlines) == (2, [f"{FRANCE}: no item is left of it"])
    project.write("not.sqlite3", "no state at all, but a text")
    broken = explained(FRANCE, "--llmeval-state", "not.sqlite3")
    assert (broken.ret, broken.outlines) == (2, [])
    assert "file is not a database" in broken.stderr.str()
    assert all("Traceback" not in one.stderr.str() for one in (wrong, faulty, deselected, broken))


def test_it_holds_under_what_an_ini_file_may_say(project, capitals, explained, monkeypatch):
    """Quiet or loud, with workers, with warnings as errors; the endpoint needs not be there."""
    monkeypatch.delenv("CANARY", raising=False)
    project.write("recipes/capitals.yaml", capitals)
    project.write("recipes/endpoints/program.yaml", SERVICE)
    project.write(
        "pytest.ini", "[pytest]\nllmeval_endpoints = program\naddopts = -ra -v -n 2 --ff\nfilterwarnings = error\n"
    )
    project.write("recipes/conftest.py", "print('a conftest is loaded')\n")

    result = explained(FRANCE)

    assert (result.ret, len(result.outlines), result.errlines) == (0, 1, [])


def test_a_secret_is_not_shown(project, capitals, explained, monkeypatch):
    monkeypatch.setenv("CANARY", CANARY)
    recipe = capitals.replace("the capital of France", f"behind {CANARY}")
    with serve(answering("Paris")) as server:
        project.write("recipes/endpoints/program.yaml", SERVICE.replace("http://127.0.0.1:9", server.url))
        project.write("recipes/capitals.yaml", recipe)
        project.run()
        project.write("recipes/capitals.yaml", recipe.replace("What is behind", "Who stands behind"))

        only = project.run("--llmeval-cache", "only", FRANCE)
        result = explained(FRANCE)

    assert "'Who stands behind ***?'" in result.outlines[2]
    assert "here 'Who stands behind ***?', stored 'What is behind ***?'" in only.stdout.str()
    assert CANARY not in result.stdout.str() + result.stderr.str() + only.stdout.str()


def test_the_state_may_be_named_in_either_place(project, capitals):
    project.write("recipes/capitals.yaml", capitals)
    project.run("--llmeval-state", "other.sqlite3")
    command = (sys.executable, "-m", "pytest_llmeval", "state")

    first = project.pytester.run(*command, "--state", "other.sqlite3", "explain", FRANCE)
    second = project.pytester.run(*command, "explain", "--state", "other.sqlite3", FRANCE)
    third = project.pytester.run(*command, "explain", FRANCE, "--llmeval-state", "other.sqlite3")

    assert "not asked again" in first.outlines[0]
    assert first.outlines == second.outlines == third.outlines
