"""Schemas and documentation say what the models do."""

from __future__ import annotations

import json
import re
from pathlib import Path

import jsonschema
import pytest

from pytest_llmeval.core.plain import value_of
from pytest_llmeval.files import schema
from pytest_llmeval.files.document import Place
from pytest_llmeval.files.messages import check, later_keys
from pytest_llmeval.files.reader import read_yaml
from pytest_llmeval.files.specs import RowSpec

TOP = Path(__file__).parents[3]
BLOCK = re.compile(r"^```yaml\n(# (?P<path>\S+)\n.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES = {
    match["path"]: match[1] for match in BLOCK.finditer((TOP / "docs" / "files.md").read_text(encoding="utf-8"))
}
SHIPPED = [*(TOP / "recipes").rglob("*.yaml")] if (TOP / "recipes").is_dir() else []


def kind_of(root):
    return next(kind for kind in schema.KINDS if kind in root)


@pytest.mark.parametrize("kind", schema.KINDS)
def test_a_shipped_schema_is_the_one_that_the_models_make(kind):
    assert schema.shipped(kind) == schema.text(kind), "run: python -m pytest_llmeval.files.schema"


@pytest.mark.parametrize("kind", schema.KINDS)
def test_a_schema_is_one_of_its_draft(kind):
    made = json.loads(schema.shipped(kind))

    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$id"] == f"urn:pytest-llmeval:{kind}:1"


@pytest.mark.parametrize("path", EXAMPLES)
def test_an_example_of_the_documentation_is_good(path):
    document = read_yaml(EXAMPLES[path], path)
    kind = kind_of(document.root)

    assert document.faults == ()
    check(schema.KINDS[kind], document.root, Place(document))
    jsonschema.validate(value_of(document.root), schema.schema(kind))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.name)
def test_a_shipped_file_fits_its_schema(path):
    root = read_yaml(path.read_bytes(), path.name).root

    jsonschema.validate(value_of(root), schema.schema(kind_of(root)))


def test_the_examples_work_together(world):
    for path, text in EXAMPLES.items():
        world.write(path, text)
    world.write("datasets/sums.csv", "input,target\n1 + 1?,2\n")

    recipe = world.recipe(path="recipes/capitals.yaml")
    cookbook = world.loader.cookbook(world.root / "cookbooks" / "starter.yaml")

    assert [len(dataset.samples) for dataset in recipe.datasets] == [3]
    assert [template.template.render(recipe.datasets[0].samples[0]).system for template in recipe.templates] == [
        "Answer in 5 letters.",
        "",
    ]
    assert cookbook.recipes == (recipe.path,)
    assert world.loader.dataset(world.root / "datasets" / "sums.yaml").samples[0].targets == ("2",)


def test_every_key_is_in_the_documentation():
    text = (TOP / "docs" / "files.md").read_text(encoding="utf-8")

    for spec in [*schema.KINDS.values(), RowSpec]:
        for name in spec.model_fields:
            assert f"`{name}`" in text or f"`{name}:" in text or f"\n{name}: " in text, f"{name} of {spec.__name__}"


@pytest.mark.parametrize("kind", schema.KINDS)
def test_every_key_is_described_and_those_of_later_versions_are_not_offered(kind):
    spec = schema.KINDS[kind]
    properties = schema.schema(kind)["properties"]

    assert set(properties) == set(spec.model_fields) - later_keys(spec)
    assert all(each.get("description") for each in properties.values())


@pytest.mark.parametrize(
    ("kind", "text", "good"),
    [
        ("recipe", "recipe: R\nsamples: [{input: 1, target: [true, 2.0], level: 3, metadata: {a: 1}}]", True),
        ("recipe", "recipe: R\nmetrics: [exact_match, {numeric: {tolerance: 0.1, name: a, pass: 1}}]", True),
        ("recipe", "recipe: R\nmetrics: [my_own, {my_own: {a: 1}}, {not: {includes: {text: 1}}}, {not: regex}]", True),
        ("recipe", "recipe: R\nextract: [strip, {regex: a}, {regex: {pattern: a, match: first}}]", True),
        ("recipe", "recipe: R\nmax_errors: 1%", True),
        ("recipe", "recipe: R\ndatasets: [a, {jsonl: {path: b}}, {mine: {c: d}}, {file: a.csv, license: b}]", True),
        ("recipe", "recipe: R\ndatasets: {file: a.csv, licence: b}", False),
        ("recipe", "recipe: R\nmetrcs: []", False),
        ("recipe", "recipe: R\nmetrics: [{numeric: {tolerence: 1}}]", False),
        ("recipe", "recipe: R\nmetrics: [{exact_match: {ignore_case: 'yes'}}]", False),
        ("recipe", "recipe: R\nextract: trim", False),
        ("recipe", "recipe: R\nslices: [a]", False),
        ("recipe", "recipe: R\nrepeats: 0", False),
        ("recipe", "samples: []", False),
        ("dataset", "dataset: D\nsamples: [{input: a, skip: true}]", False),
        ("endpoint", "endpoint: E\nconnector: openai\nmodel: m\nheaders: {a: 1}", True),
        ("endpoint", "endpoint: E\nconnector: mine\nanything: [1]", True),
        ("endpoint", "endpoint: E\nconnector: openai\nmodle: m", False),
        ("endpoint", "endpoint: E\nconnector: openai", False),
        ("template", "template: T\nmessages: [conversation, {role: user, content: 1}]", True),
        ("template", "template: T\nmessages: [conversations]", False),
        ("cookbook", "cookbook: C\nrecipes: a", True),
        ("cookbook", "cookbook: C", False),
    ],
)
def test_the_schema_marks_in_editors_what_the_models_refuse(kind, text, good):
    root = value_of(read_yaml(text, "f.yaml").root)

    assert jsonschema.Draft202012Validator(schema.schema(kind)).is_valid(root) is good
