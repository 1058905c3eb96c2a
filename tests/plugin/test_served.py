"""Endpoints whose server is a session fixture of the suite's own (`fixture:`)."""

from __future__ import annotations

import json

import pytest

SERVER = """
from pathlib import Path

import pytest

from pytest_llmeval.testing import serve


@pytest.fixture(scope="session")
def my_server():
    with serve() as server:
        yield server.url
        asked = len(server.requests)
    with Path("servers.txt").open("a") as file:
        file.write(f"{asked} {len(server.requests)} {server.url}\\n")
"""
ENDPOINT = "endpoint: Mine\nconnector: openai\nmodel: m\nfixture: my_server\n"
EACH = [f"  - {{id: s{n}, input: Question {n}, target: ok}}\n" for n in range(20)]
ROWS = "".join(EACH)
RECIPE = (
    f"recipe: Own\nendpoints: mine\nsamples:\n{ROWS}metrics: [exact_match]\nmisses: note\nthresholds: [errors <= 0]\n"
)


@pytest.fixture
def served(anywhere):
    """A project that brings its own server."""
    anywhere.write("conftest.py", SERVER)
    anywhere.write("recipes/endpoints/mine.yaml", ENDPOINT)
    anywhere.write("recipes/own.yaml", RECIPE)
    return anywhere


def servers(project) -> list[list[str]]:
    """Of each server that was up: requests before its end, requests at all, address."""
    path = project.path / "servers.txt"
    lines = path.read_text("utf-8").splitlines() if path.exists() else []
    path.unlink(missing_ok=True)
    return [line.split() for line in lines]


def test_each_process_has_its_server_and_each_question_is_asked_once(served):
    report = served.report("recipes")

    assert report["complete"]
    assert [recipe["counts"]["asked"] for recipe in report["recipes"]] == [20]
    up = servers(served)
    assert sum(int(asked) for asked, _, _ in up) == 20
    # nothing came after the fixture's end had begun
    assert all(before == whole for before, whole, _ in up)


def test_another_port_renames_no_answer(served):
    served.run("recipes")
    first = servers(served)

    report = served.report("recipes")

    assert report["recipes"][0]["counts"]["cached"] == 20
    assert {url for _, _, url in first}.isdisjoint(url for _, _, url in servers(served))


def test_a_changed_identity_asks_anew(served):
    served.run("recipes")
    served.write("recipes/endpoints/mine.yaml", ENDPOINT + "identity: another\n")

    assert served.report("recipes")["recipes"][0]["counts"]["asked"] == 20


def test_a_gate_alone_and_a_test_of_the_suite_bring_it_up_too(served):
    served.write("recipes/few.yaml", RECIPE.replace("recipe: Own", "recipe: Few").replace(ROWS, "".join(EACH[:2])))
    served.write(
        "test_own.py",
        """
        import pytest

        ENDPOINT = "recipes/endpoints/mine.yaml"

        def test_ask(llmeval):
            assert llmeval.ask("Hello", endpoint=ENDPOINT).text

        def test_run(llmeval):
            assert llmeval.run("own")["errors"] == 0

        @pytest.mark.llmeval("few")
        def test_each(llmeval_sample, llmeval_response):
            assert llmeval_response.text
        """,
    )

    served.run("recipes/own.yaml::gate:errors[mine]").assert_outcomes(passed=1)
    served.run("test_own.py").assert_outcomes(passed=4)


def test_what_a_fixture_brings_overrides_the_file_and_its_key_is_kept_secret(served):
    key = "canary-key-that-must-not-leak"
    served.write(
        "conftest.py",
        SERVER.replace(
            "yield server.url\n", f'yield {{"base_url": server.url, "api_key": "{key}", "headers": {{"x-a": "b"}}}}\n'
        )
        + f'    assert {{r.headers["authorization"] for r in server.requests}} <= {{"Bearer {key}"}}\n'
        + '    assert {r.headers["x-a"] for r in server.requests} <= {"b"}\n',
    )

    result = served.run("recipes", "--llmeval-report", "report.json")

    assert result.ret == 0, result.stdout.str()
    files = [
        path
        for path in served.path.rglob("*")
        if path.is_file() and path.name != "conftest.py" and path.suffix != ".pyc"
    ]
    assert len(files) > 3
    assert not [path for path in files if key.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ((', scope="session"', ""), "has the scope function; one of a session is expected"),
        (('scope="session"', 'scope="session", params=[1, 2]'), "has parameters; one server is expected"),
        (("def my_server", "def your_server"), "no fixture 'my_server' can be seen from recipes/own.yaml"),
    ],
)
def test_a_fixture_that_cannot_serve_is_a_fault_of_the_file(served, change, told):
    served.write("conftest.py", SERVER.replace('(scope="session")', "()") if not change[1] else SERVER.replace(*change))

    result = served.run("recipes")

    assert result.ret != 0
    text = " ".join(result.stdout.str().split())
    assert "recipes/endpoints/mine.yaml:4:10: fixture: " in text
    assert told in text
    assert "INTERNALERROR" not in text
    assert servers(served) == []


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("7", "it gave int; a URL, or a mapping with base_url, headers, api_key is expected"),
        ("{'url': 'http://x'}", "it brings 'url'"),
        ("{'base_url': 7}", "its base_url is int, not a text"),
        ("{'base_url': 'http://x', 'headers': ['a']}", "its headers are no mapping of texts to texts"),
        ("'nowhere'", "base_url: 'nowhere' is no http or https address"),
    ],
)
def test_a_fixture_that_gives_no_address_is_told(project, value, told):
    project.write(
        "conftest.py", f"import pytest\n\n@pytest.fixture(scope='session')\ndef my_server():\n    return {value}\n"
    )
    project.write("recipes/endpoints/mine.yaml", ENDPOINT)
    project.write("recipes/own.yaml", RECIPE)

    result = project.run("recipes")

    result.assert_outcomes(errors=1, skipped=20)
    text = result.stdout.str()
    assert f"recipes/endpoints/mine.yaml:4:10: endpoint mine: fixture my_server: {told}" in text
    assert "pytest_llmeval/" not in text


def test_what_a_fixture_raises_is_shown_once(project):
    project.write(
        "conftest.py",
        "import pytest\n\n@pytest.fixture(scope='session')\ndef my_server():\n    raise OSError('no room for a server')\n",
    )
    project.write("recipes/endpoints/mine.yaml", ENDPOINT)
    project.write("recipes/own.yaml", RECIPE)

    result = project.run("recipes", "-rs")

    result.assert_outcomes(errors=1, skipped=20)
    text = result.stdout.str()
    assert "endpoint mine: its fixture my_server failed: OSError: no room for a server" in text
    assert "conftest.py" in text
    assert "pytest_llmeval" not in text
    assert "endpoint mine: its fixture my_server failed at recipes/own.yaml::s0[mine]" in text


def test_a_session_that_is_cut_short_leaves_the_server_in_peace(served):
    served.write("recipes/own.yaml", RECIPE.replace("misses: note", "misses: fail").replace("target: ok", "target: no"))

    served.run("recipes", "-x")

    assert all(before == whole for before, whole, _ in servers(served))


def test_an_item_that_is_run_again_brings_it_up_again(project):
    project.write("conftest.py", SERVER)
    project.write("recipes/endpoints/mine.yaml", ENDPOINT + "max_attempts: 1\n")
    project.write(
        "recipes/own.yaml",
        RECIPE.replace(ROWS, "  - {id: one, input: Question, target: no}\n").replace("misses: note", "misses: fail"),
    )

    result = project.run("recipes/own.yaml::one[mine]", "-p", "rerunfailures", "--reruns", "1")

    result.assert_outcomes(failed=1)
    assert "1 rerun" in result.stdout.str()


def test_the_address_is_not_looked_for_where_nothing_is_asked(served):
    result = served.run("--co", "-q", "recipes")

    assert result.ret == 0
    assert "not available" not in result.stdout.str()
    assert servers(served) == []


def test_a_report_says_what_was_asked_and_not_where(served):
    served.run("recipes", "--llmeval-report", "report.json")

    report = json.loads((served.path / "report.json").read_text("utf-8"))

    assert {sample["endpoint"] for sample in report["samples"]} == {"mine"}
    assert "127.0.0.1" not in json.dumps(report)
