"""What becomes of an answer, an item and a gate."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET

from pytest_llmeval.testing import failing, serve

OPENAI = """
endpoint: The server
connector: openai
model: small-1
base_url: {url}
api_key: ${{CANARY_KEY}}
max_attempts: 2
"""


def test_a_miss_fails_where_nothing_else_judges_and_shows_itself(project, capitals):
    project.write("recipes/capitals.yaml", capitals.partition("thresholds")[0])

    result = project.run()

    result.assert_outcomes(passed=2, failed=1)
    text = result.stdout.str()
    assert "recipes/capitals.yaml:6: missed" in text
    assert "I do not know." in text
    assert "Muscat" in text
    assert "again: pytest 'recipes/capitals.yaml::oman[program]'" in text


def test_a_failed_gate_shows_figure_interval_and_n(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace(">= 0.6", ">= 0.9"))

    result = project.run()

    result.assert_outcomes(passed=2, failed=1)
    assert "exact_match >= 0.9 does not hold" in result.stdout.str()
    assert "0.67 (0.21-0.94), n = 3" in result.stdout.str()


def test_an_expected_miss_is_xfailed_and_counts(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace("target: Muscat}", "target: Muscat, xfail: it is weak}"))

    report = project.report()

    assert report["recipes"][0]["counts"]["missed"] == 1
    project.run().assert_outcomes(passed=3, xfailed=1)


def test_a_skipped_row_is_not_asked_and_not_in_n(project, capitals):
    project.write("recipes/capitals.yaml", capitals.replace("target: Muscat}", "target: Muscat, skip: contested}"))

    report = project.report()

    assert len(project.asked()) == 2
    assert report["recipes"][0]["measures"]["exact_match"]["n"] == 2
    assert report["recipes"][0]["counts"]["skipped"] == 1


def test_a_cookbook_is_graded_and_judged(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)
    everywhere.write("recipes/both.cookbook.yaml", "cookbook: Both\nrecipes: [capitals]\nthresholds: [grade >= B]\n")

    report = everywhere.report()

    assert report["cookbooks"][0]["grade"] == "B"
    assert [gate["verdict"] for gate in report["gates"]] == ["passed", "passed"]
    assert len(everywhere.asked()) == 3


def test_a_refused_key_stops_the_endpoint_with_one_error(everywhere, capitals, monkeypatch):
    monkeypatch.setenv("CANARY_KEY", "canary-0123456789")
    with serve(failing(status=401)) as server:
        everywhere.write("recipes/endpoints/program.yaml", OPENAI.format(url=server.url))
        everywhere.write("recipes/capitals.yaml", capitals)
        result = everywhere.run("-rs")

    outcomes = result.parseoutcomes()
    assert outcomes["skipped"] == 2
    assert outcomes["errors"] == 2
    text = result.stdout.str()
    assert "401" in text
    assert "CANARY_KEY" in text
    # those that were not asked are one line
    assert "SKIPPED [2] recipes/capitals.yaml:1: endpoint program stopped: 401" in text
    for path in everywhere.path.rglob("*"):
        if path.is_file():
            assert b"canary-0123456789" not in path.read_bytes(), path


def test_nothing_is_asked_when_only_collecting(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    everywhere.run("--co", "-q")

    assert everywhere.asked() == []
    assert not (everywhere.path / ".llmeval").exists()


def test_junit_has_properties_of_items_and_of_the_suite(everywhere, capitals):
    everywhere.write("recipes/capitals.yaml", capitals)

    everywhere.run("--junitxml", "junit.xml")

    tree = ET.parse(everywhere.path / "junit.xml")
    suite = {p.get("name"): p.get("value") for p in tree.findall("testsuite/properties/property")}
    france = next(case for case in tree.iter("testcase") if case.get("name") == "france[program]")
    item = {p.get("name"): p.get("value") for p in france.iter("property")}
    assert suite["llmeval.capitals[program].grade"] == "B"
    assert item["llmeval.exact_match"] == "1"
    assert item["llmeval.endpoint"] == "program"


def test_what_cannot_be_shown_is_shown_harmlessly_and_kept(everywhere):
    everywhere.write("program.py", "def answer(prompt):\n    return '\\ud800 \\x00 \\x1b[31m</details>'\n")
    everywhere.write(
        "recipes/odd.yaml", "recipe: Odd\nsamples: [{id: a, input: Hi, target: Ho}]\nmetrics: [exact_match]\n"
    )

    everywhere.run("--llmeval-report", "r.json", "--llmeval-report", "r.md", "--junitxml", "j.xml")

    report = json.loads((everywhere.path / "r.json").read_text("utf-8"))
    assert report["samples"][0]["answer"] == "\ud800 \x00 \x1b[31m</details>"
    assert ET.parse(everywhere.path / "j.xml") is not None
    assert b"\x1b" not in (everywhere.path / "r.md").read_bytes()


def test_cache_only_asks_nothing_and_says_what_is_missing(project, capitals):
    project.write("recipes/capitals.yaml", capitals)

    result = project.run("--llmeval-cache", "only")

    assert project.asked() == []
    assert result.parseoutcomes()["errors"] == 4
    assert "no stored answer" in result.stdout.str()
    assert "Run again" not in result.stdout.str()


def test_what_this_machine_lacks_is_an_error_or_a_skip_as_the_ini_says(project, capitals, monkeypatch):
    monkeypatch.delenv("CANARY_KEY", raising=False)
    project.write("recipes/endpoints/program.yaml", OPENAI.format(url="http://127.0.0.1:9/v1"))
    project.write("recipes/capitals.yaml", capitals)

    as_error = project.run()
    ini = (project.path / "pytest.ini").read_text("utf-8")
    project.write("pytest.ini", ini + "llmeval_unavailable = skip\n")
    as_skip = project.run("-rs")

    as_error.assert_outcomes(errors=2, skipped=2)
    as_skip.assert_outcomes(skipped=4)
    assert "CANARY_KEY" in as_error.stdout.str()
    assert "CANARY_KEY" in as_skip.stdout.str()
