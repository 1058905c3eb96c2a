"""Answers of the local model are found where the model is not."""

from __future__ import annotations

import pytest

#: no server can be imported, and none is installed as far as anybody can tell
HIDING = """
import importlib.abc
import sys


class Hidden(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name == "xllamacpp":
            raise ModuleNotFoundError(name)


sys.meta_path.insert(0, Hidden())
"""
LOCAL = """
recipe: Capitals
endpoints: {endpoint}
parameters: {{temperature: 0, max_tokens: 4}}
samples: [{{id: france, input: What is the capital of France?, target: Paris}}]
metrics: [length]
thresholds: [length > 0]
"""


@pytest.fixture
def weights():
    from pytest_llmeval.connectors._llama.weights import packaged

    found = packaged()
    if found is None:
        pytest.skip("the packaged weights are not installed")
    return found.path


def test_without_the_server_stored_answers_serve_and_nothing_else_is_asked(project, weights):
    recipe = project.write("recipes/capitals.yaml", LOCAL.format(endpoint="local"))
    first = project.report("-p", "no:cacheprovider")
    project.write("conftest.py", HIDING)

    warm = project.report("-p", "no:cacheprovider")
    recipe.write_text(recipe.read_text("utf-8").replace("France?", "Peru?"), "utf-8")
    other = project.run("-p", "no:cacheprovider")

    assert [sample["cached"] for sample in first["samples"]] == [False]
    assert [(sample["cached"], sample["outcome"]) for sample in warm["samples"]] == [(True, "passed")]
    assert warm["samples"][0]["answer"] == first["samples"][0]["answer"]
    assert "no model here; type: pip install 'pytest-llmeval-recipes[local]'" in other.stdout.str()


def test_without_the_weights_stored_answers_serve(project, weights):
    link = project.path / "small.gguf"
    link.symlink_to(weights)
    project.write("recipes/endpoints/small.yaml", "endpoint: Small\nconnector: local\npath: ../../small.gguf\n")
    project.write("recipes/capitals.yaml", LOCAL.format(endpoint="small"))
    first = project.report()
    link.unlink()

    warm = project.report("--llmeval-cache", "only")

    assert warm["samples"][0]["cached"]
    assert warm["samples"][0]["answer"] == first["samples"][0]["answer"]
    assert warm["gates"][0]["verdict"] == "passed"
