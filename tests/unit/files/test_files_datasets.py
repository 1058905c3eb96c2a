"""Datasets from descriptions, data files and sources of extensions."""

from __future__ import annotations

import gzip
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

import pytest

from pytest_llmeval.core.options import PathText
from pytest_llmeval.core.plain import Plain
from pytest_llmeval.files.specs import RowSpec

ROWS = [{"input": "a", "target": "x"}, {"input": "b", "target": "y"}]


@dataclass(frozen=True)
class Counting:
    """As many rows as asked for."""

    id: ClassVar[str] = "counting"
    rows_: int

    def rows(self) -> Iterator[tuple[Mapping[str, object], int]]:
        for number in range(self.rows_):
            yield {"input": f"number {number}", "weight": 0.5, "target": [number]}, 0


@dataclass(frozen=True)
class Lines:
    """A row a line."""

    id: ClassVar[str] = "lines"
    suffixes: ClassVar[tuple[str, ...]] = (".txt",)
    path: PathText

    def rows(self):
        with Path(self.path).open(encoding="utf-8") as stream:
            for number, line in enumerate(stream, 1):
                yield {"input": line.rstrip("\n")}, number


@dataclass(frozen=True)
class Broken:
    id: ClassVar[str] = "broken"

    def rows(self):
        yield {"input": "a"}, 0
        raise KeyError("column")


def jsonl(rows):
    return "".join(json.dumps(row) + "\n" for row in rows)


def the_dataset(world, reference="d"):
    return world.recipe(f"recipe: R\ndatasets: {reference}\n").datasets[0]


def test_a_description_has_title_licence_source_and_the_hash_of_its_bytes(world):
    file = world.write("datasets/d.yaml", "dataset: D\nlicense: CC0-1.0\nsource: us\nsamples: [{input: a}]\n")

    dataset = the_dataset(world)

    assert (dataset.id, dataset.title, dataset.license, dataset.source) == ("d", "D", "CC0-1.0", "us")
    assert dataset.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert str(dataset.samples[0].origin) == "datasets/d.yaml:4:11"


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("d.jsonl", jsonl(ROWS)),
        ("d.jsonl.gz", gzip.compress(jsonl(ROWS).encode(), mtime=0)),
        ("d.json", json.dumps(ROWS)),
        ("d.csv", "input,target\na,x\nb,y\n"),
        ("d.tsv", "input\ttarget\na\tx\nb\ty\n"),
        ("d.JSONL", jsonl(ROWS)),
    ],
)
@pytest.mark.parametrize("named", ["id", "path", "file"])
def test_a_data_file_is_read_by_its_suffix_however_it_is_named(world, name, data, named):
    file = world.write(f"datasets/{name}", data)
    if named == "file":
        world.write("datasets/about.yaml", f"dataset: About\nfile: {name}\n")

    dataset = the_dataset(world, {"id": "d", "path": f"../datasets/{name}", "file": "about"}[named])

    assert [(sample.input, sample.targets) for sample in dataset.samples] == [("a", ("x",)), ("b", ("y",))]
    assert dataset.id == ("about" if named == "file" else "d")
    assert dataset.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert dataset.samples[0].origin.path == f"datasets/{name}"


def test_the_rows_of_a_file_name_their_lines(world):
    world.write("datasets/d.jsonl", '{"input": "a"}\n\n{"input": "b"}\n')
    world.write("datasets/e.csv", 'input,target\n"a\nb",x\nc,y\n')
    world.write("datasets/f.json", '[\n{"input": "a"},\n\n{"input": "b"}]')

    recipe = world.recipe("recipe: R\ndatasets: [d, e, f]\n")

    assert [[sample.origin.line for sample in dataset.samples] for dataset in recipe.datasets] == [
        [1, 3],
        [2, 4],
        [2, 4],
    ]


def test_text_of_json_is_what_was_written_and_other_keys_are_typed(world):
    world.write(
        "datasets/d.jsonl", '{"input": 1.10, "target": [true, 7.0], "level": 2.50, "metadata": {"year": 2020}}\n'
    )

    sample = the_dataset(world).samples[0]

    assert (sample.input, sample.targets, sample.metadata) == ("1.10", ("true", "7.0"), {"year": "2020"})
    assert sample.fields == {"level": 2.5}


def test_a_sample_holds_plain_values_only(world):
    world.write(
        "datasets/d.jsonl", '{"id": 1, "input": 1, "target": 2, "tags": [3], "x": {"y": [4]}, "metadata": {"z": 5}}\n'
    )
    world.write(
        "datasets/e.yaml", "dataset: E\nsamples: [{input: 1, target: 2, tags: 3, x: {y: [4, no]}, metadata: {z: 5}}]\n"
    )

    def plain(value):
        if isinstance(value, dict):
            return all(plain(each) for each in (*value, *value.values()))
        if isinstance(value, list | tuple):
            return all(plain(each) for each in value)
        return not isinstance(value, Plain)

    for dataset in world.recipe("recipe: R\ndatasets: [d, e]\n").datasets:
        sample = dataset.samples[0]
        assert plain([sample.id, sample.input, sample.targets, sample.tags, sample.fields, sample.metadata])


def test_all_faults_of_a_file_are_told_with_their_lines(world):
    world.write("datasets/d.jsonl", b'{"input": "a"\n[1]\n{"target": "x"}\n{"input": {}}\n\xff\n{"a": 1, "a": 2}\n')

    assert world.faults("recipe: R\ndatasets: d\n") == [
        "datasets/d.jsonl:1:14: this is no JSON: Expecting ',' delimiter",
        "datasets/d.jsonl:2: a row is a JSON object ({…})",
        "datasets/d.jsonl:3: a row needs `input:` or `messages:`",
        "datasets/d.jsonl:4: input: a text is expected, this is a mapping",
        "datasets/d.jsonl:5:1: the byte 0xff is not UTF-8; save the file as UTF-8",
        "datasets/d.jsonl:6: duplicate key 'a'",
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("dataset: D\n", "1:1: a dataset has `samples:` or `file:`, and it has neither"),
        ("dataset: D\nfile: a.csv\nsamples: []\n", "1:1: a dataset has `samples:` or `file:`, not both"),
        ("dataset: D\nsamples: []\n", "2:10: it has no rows; a dataset needs one"),
        ("dataset: D\nsamples: {a: b}\n", "2:10: samples: a list is expected, this is a mapping"),
        ("dataset: D\nfile: none.csv\n", "2:7: file: no file datasets/none.csv"),
        (
            "dataset: D\nfile: d.yaml\n",
            "2:7: file: no source reads 'd.yaml'; data files are .csv, .json, .jsonl, .jsonl.gz, .tsv",
        ),
        ("dataset: D\nsamples: [{input: a}]\nfilter: x\n", "3:1: `filter:` is not available in this version"),
        ("dataset: D\nsamples: [{input: a}]\nsha256: x\n", "3:1: `sha256:` is not available in this version"),
        ("dataset: D\nsamples: [{input: a}]\nfields: {a: b}\n", "3:1: `fields:` is not available in this version"),
        ("dataset: D\nsamples: [{input: a}]\nlicence: x\n", "3:1: unknown key 'licence'; did you mean 'license'?"),
        ("- input: a\n", "1:1: a dataset is a mapping, this is a list"),
        ("", "1:1: the file is empty; a dataset is a mapping"),
    ],
)
def test_what_is_wrong_with_a_description_is_told(world, text, expected):
    world.write("datasets/d.yaml", text)

    assert world.faults("recipe: R\ndatasets: d\n") == [f"datasets/d.yaml:{expected}"]


def test_rows_and_keys_of_a_description_are_told_at_once(world):
    world.write("datasets/d.yaml", "dataset: D\ndatset: E\nsamples:\n  - target: a\n  - {input: b, input: c}\n")

    assert world.faults("recipe: R\ndatasets: d\n") == [
        "datasets/d.yaml:2:1: unknown key 'datset'; did you mean 'dataset'?",
        "datasets/d.yaml:4:5: samples[0]: a row needs `input:` or `messages:`",
        "datasets/d.yaml:5:16: duplicate key 'input'; it stands in line 5 already",
    ]


@pytest.mark.parametrize(
    ("name", "data"), [("d.jsonl", ""), ("d.csv", "input,target\n"), ("d.csv", ""), ("d.json", "[]")]
)
def test_a_data_file_without_rows_is_told(world, name, data):
    world.write(f"datasets/{name}", data)

    assert world.faults("recipe: R\ndatasets: d\n") == [f"datasets/{name}: it has no rows; a dataset needs one"]


def test_20_mb_in_one_field_is_told(world):
    world.write("datasets/d.jsonl", '{"input": "a"}\n{"input": "' + "x" * 20_000_000 + '"}\n')

    assert world.faults("recipe: R\ndatasets: d\n") == ["datasets/d.jsonl:2: a text over 16 MiB"]


def test_nesting_past_all_reason_in_a_row_is_told(world):
    world.write("datasets/d.jsonl", '{"input": "a", "x": ' + "[" * 100_000 + "]" * 100_000 + "}\n")

    assert world.faults("recipe: R\ndatasets: d\n") == ["datasets/d.jsonl:1: it is nested too deep"]


def test_a_near_miss_is_a_fault_unless_a_template_uses_it(world):
    world.write("datasets/d.jsonl", '{"input": "a", "tag": "b"}\n{"input": "b", "tag": "b"}\n')
    world.write("templates/plain.yaml", 'template: P\ntext: "{{ input }}"\n')
    world.write("templates/tagged.yaml", 'template: T\ntext: "{{ input }} {{ tag }}"\n')

    told = ["datasets/d.jsonl:1: unknown key 'tag'; did you mean 'tags'?"]
    assert world.faults("recipe: R\ndatasets: d\n") == told
    assert world.faults("recipe: R\ndatasets: d\ntemplates: plain\n") == told
    assert world.faults("recipe: R\ndatasets: d\ntemplates: [plain, tagged]\n") == []


def test_a_source_of_an_extension_is_named_with_its_options(world):
    world.registry.add("source", Counting)

    dataset = the_dataset(world, "{counting: {rows_: 2}}")

    assert dataset.id == "counting"
    assert [sample.input for sample in dataset.samples] == ["number 0", "number 1"]
    assert dataset.samples[1].targets == ("1",)
    assert str(dataset.samples[0].origin) == "recipes/r.yaml:2:22"
    assert dataset.sha256 == the_dataset(world, "{counting: {rows_: 2}}").sha256
    assert dataset.sha256 != the_dataset(world, "{counting: {rows_: 3}}").sha256


def test_a_recipe_may_name_a_file_with_what_there_is_to_say_of_it(world):
    file = world.write("data/d.jsonl", '{"input": "a"}\n')

    dataset = the_dataset(world, "{file: ../data/d.jsonl, dataset: D, license: CC0-1.0}")

    assert (dataset.id, dataset.title, dataset.license, dataset.path) == ("d", "D", "CC0-1.0", "data/d.jsonl")
    assert dataset.sha256 == hashlib.sha256(file.read_bytes()).hexdigest()
    assert str(dataset.samples[0].origin) == "data/d.jsonl:1"


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("{file: none.csv}", "2:18: datasets.file: no file recipes/none.csv"),
        ("{file: d.csv, filter: x}", "2:25: datasets: `filter:` is not available in this version"),
        ("{file: d.csv, licence: x}", "2:25: datasets: unknown key 'licence'; did you mean 'license'?"),
        (
            "{a: {}, b: {}}",
            "2:11: datasets: a name, or one name with its options, is expected; this mapping has 2 keys",
        ),
    ],
)
def test_what_is_wrong_with_such_a_file_is_told(world, entry, expected):
    assert world.faults(f"recipe: R\ndatasets: {entry}\n") == [f"recipes/r.yaml:{expected}"]


def test_a_suffix_that_an_extension_declares_is_read_by_it(world):
    world.registry.add("source", Lines)
    world.write("datasets/d.txt", "one\ntwo\n")

    for reference in ("d", "../datasets/d.txt", "{lines: {path: ../datasets/d.txt}}"):
        dataset = the_dataset(world, reference)
        assert dataset.id == "d"
        assert [str(sample.origin) for sample in dataset.samples] == ["datasets/d.txt:1", "datasets/d.txt:2"]


def test_what_is_wrong_with_a_named_source_is_told(world):
    world.registry.add("source", Counting)
    world.registry.add("source", Broken)

    assert world.faults(
        "recipe: R\ndatasets:\n  - conting: {}\n  - counting: {rows_: many}\n  - counting: 3\n  - broken: {}\n"
    ) == [
        "recipes/r.yaml:3:5: datasets[0]: no source 'conting'; did you mean 'counting'?",
        "recipes/r.yaml:4:23: datasets[1].counting.rows_: a whole number is expected, found 'many'",
        "recipes/r.yaml:5:15: datasets[2].counting: the options of counting are a mapping, this is a number",
        f"recipes/r.yaml:6:13: datasets[3].broken: the source 'broken' ({__name__}) failed: KeyError: 'column'",
    ]


def test_a_row_that_a_file_spells_in_two_formats_has_one_id(world):
    world.write("datasets/d.jsonl", '{"input": "What is 2 + 2?"}\n')
    world.write("datasets/e.csv", "input\nWhat is 2 + 2?\n")

    one, other = world.recipe("recipe: R\ndatasets: [d, e]\n").datasets

    assert one.samples[0].id == other.samples[0].id


def test_the_keys_of_a_row_are_those_of_the_documentation():
    assert set(RowSpec.model_fields) == {
        "id",
        "input",
        "messages",
        "target",
        "system",
        "tags",
        "metadata",
        "skip",
        "xfail",
    }
