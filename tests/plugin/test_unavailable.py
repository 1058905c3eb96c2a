"""What this machine lacks is told where pytest only collects, before anybody runs into it."""

from __future__ import annotations

import pytest

LACKING = {
    "variable": ("connector: openai\nmodel: small-1\napi_key: ${CANARY_KEY}\n", "CANARY_KEY"),
    "import": ("connector: python\ntarget: nowhere:answer\n", "No module named 'nowhere'"),
    "weights": ("connector: local\npath: nowhere.gguf\n", "nowhere.gguf"),
    "answers": ("connector: recorded\npath: nowhere.jsonl\n", "nowhere.jsonl"),
}


@pytest.fixture
def lacking(project, capitals, monkeypatch):
    """Two recipes on an endpoint that lacks something; how it is told."""
    monkeypatch.delenv("CANARY_KEY", raising=False)

    def make(what: str) -> str:
        text, told = LACKING[what]
        project.write("recipes/endpoints/program.yaml", f"endpoint: Lacking\n{text}")
        project.write("recipes/capitals.yaml", capitals)
        project.write("recipes/again.yaml", capitals)
        return told

    return make


@pytest.mark.parametrize("what", LACKING)
def test_collecting_warns_once_of_what_an_endpoint_lacks(project, lacking, what):
    told = lacking(what)

    result = project.run("--co")

    text = result.stdout.str()
    assert result.ret == 0
    assert text.count("UnavailableWarning: endpoint program is not available here: ") == 1
    assert "recipes/endpoints/program.yaml:1: UnavailableWarning" in text
    assert told in text.partition("UnavailableWarning")[2]


@pytest.mark.parametrize("options", [["--co", "--llmeval-cache", "only"], ["-p", "no:terminal"]])
def test_stored_answers_need_nothing_and_a_run_says_it_by_its_items(project, lacking, options):
    lacking("variable")

    result = project.run(*options)

    assert "UnavailableWarning" not in result.stdout.str() + result.stderr.str()


def test_where_warnings_are_errors_it_is_one_line_and_no_traceback(project, lacking):
    lacking("variable")

    result = project.run("--co", "-W", "error")

    text = result.stdout.str()
    assert "endpoint program is not available here: " in text
    assert "Traceback" not in text
    assert "warn_explicit" not in text


def test_nothing_is_told_of_an_endpoint_that_lacks_nothing(project, capitals):
    project.write("recipes/capitals.yaml", capitals)

    assert "warning" not in project.run("--co").stdout.str()
