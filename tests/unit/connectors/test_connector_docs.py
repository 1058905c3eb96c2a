"""What docs/connectors.md shows works, and it leaves no key out."""

import os
import re
from dataclasses import fields
from pathlib import Path

import anyio
import pytest

from pytest_llmeval import Registry, Request, testing
from pytest_llmeval.core.registry import BUILT_IN
from pytest_llmeval.files.endpoints import read_endpoint

PAGE = (Path(__file__).parents[3] / "docs" / "connectors.md").read_text("utf-8")
ENDPOINTS = re.findall(r"^```yaml\n# (endpoints/\S+)\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
PYTHON = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


def block(words: str) -> str:
    (found,) = [text for text in PYTHON if words in text]
    return found


@pytest.mark.parametrize(("path", "text"), ENDPOINTS)
def test_an_endpoint_file_is_good(tmp_path, path, text):
    (tmp_path / "endpoints").mkdir()
    (tmp_path / path).write_text(text)
    assert read_endpoint(tmp_path / path, tmp_path, Registry()).connector.id in BUILT_IN["connector"]


def test_every_connector_has_an_example():
    assert {re.search(r"connector: (\w+)", text)[1] for _, text in ENDPOINTS} == set(BUILT_IN["connector"])


@pytest.mark.parametrize("name", BUILT_IN["connector"])
def test_every_key_is_in_the_table_of_its_connector(name):
    section = PAGE.partition(f"\n## {name}\n")[2].partition("\n## ")[0]
    for field in fields(Registry().get("connector", name)):
        assert f"| `{field.name}` |" in section


def test_the_written_connector_answers(tmp_path, opening):
    made: dict = {}
    exec(block("class Echo"), made)  # the page's own code
    registry = Registry()
    made["pytest_llmeval_register"](registry)
    (tmp_path / "echo.yaml").write_text("endpoint: E\nconnector: echo\nsuffix: '?'\n")
    connector = read_endpoint(tmp_path / "echo.yaml", tmp_path, registry).connector

    async def run() -> str:
        async with connector.open(opening) as asker:
            return (await asker.ask(Request(({"role": "user", "content": "hey"},)))).text

    assert anyio.run(run) == "hey?"


def test_the_function_of_the_python_connector_answers(tmp_path, monkeypatch, asks, question):
    (tmp_path / "documented_bot.py").write_text(block("def answer"))
    (tmp_path / "bot.yaml").write_text("endpoint: B\nconnector: python\ntarget: documented_bot:answer\nversion: 3\n")
    monkeypatch.syspath_prepend(tmp_path)
    connector = read_endpoint(tmp_path / "bot.yaml", tmp_path, Registry()).connector
    assert connector.identity()["code"] == "3"
    (came,) = asks(connector, question())
    assert (came.text, came.input_tokens, came.cost) == ("Paris", 12, 0.0001)


def test_the_server_s_example_runs(monkeypatch, capsys):
    monkeypatch.setenv("OPENAI_BASE_URL", "")
    exec(block("serve(first"), {})  # the page's own code
    assert os.environ["OPENAI_BASE_URL"].startswith("http://127.0.0.1:")
    assert capsys.readouterr().out == "0 0\n"


def test_every_behaviour_is_named():
    for name in set(testing.__all__) - {"Behaviour", "LoopbackServer"}:
        assert f"`{name}" in PAGE or f"{name}(" in PAGE


def test_the_fake_connector_can_be_named_in_a_file(tmp_path, asks, question):
    registry = Registry()
    registry.add("connector", testing.FakeConnector)
    (tmp_path / "fake.yaml").write_text("endpoint: F\nconnector: fake\nanswers: {'1': 2.0}\ndefault: other\n")
    connector = read_endpoint(tmp_path / "fake.yaml", tmp_path, registry).connector
    assert [each.text for each in asks(connector, question("1"), question("2"))] == ["2.0", "other"]
