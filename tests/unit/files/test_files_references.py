"""From an id or a path to a file: the nearest wins, nothing leaves the root."""

from __future__ import annotations

import sys

import pytest

from pytest_llmeval.files.references import ReferenceFault, Scope, find, is_path

DATA = (".yaml", ".yml", ".jsonl", ".jsonl.gz", ".csv")


@pytest.fixture
def look_up(world):
    def look(reference, naming="recipes/r.yaml", kind="dataset", suffixes=DATA):
        file = world.write(naming, "recipe: R\n")
        return find(kind, reference, Scope.of(file, world.root), suffixes).relative_to(world.root).as_posix()

    return look


def refused(call, *arguments, **named):
    with pytest.raises(ReferenceFault) as raised:
        call(*arguments, **named)
    return str(raised.value)


def test_the_nearest_folder_wins(world, look_up):
    world.write("datasets/d.yaml", "x")
    assert look_up("d", "a/b/r.yaml") == "datasets/d.yaml"
    world.write("a/datasets/d.csv", "x")
    assert look_up("d", "a/b/r.yaml") == "a/datasets/d.csv"
    world.write("a/b/datasets/d.jsonl.gz", "x")
    assert look_up("d", "a/b/r.yaml") == "a/b/datasets/d.jsonl.gz"


def test_a_description_wins_over_data_of_its_stem_in_one_folder(world, look_up):
    world.write("datasets/d.csv", "x")
    world.write("datasets/d.jsonl", "x")
    assert refused(look_up, "d") == (
        "the dataset 'd' is ambiguous: datasets/d.csv and datasets/d.jsonl; name one of them by its path"
    )
    world.write("datasets/d.yaml", "x")
    assert look_up("d") == "datasets/d.yaml"
    world.write("datasets/d.yml", "x")
    assert refused(look_up, "d") == (
        "the dataset 'd' is ambiguous: datasets/d.yaml and datasets/d.yml; name one of them by its path"
    )


def test_what_nothing_answers_names_the_root_and_what_is_near(world, look_up):
    world.write("datasets/capitals.yaml", "x")

    assert refused(look_up, "capitls") == (
        "no dataset 'capitls' in a folder datasets/ beside this file or above it, "
        f"up to {world.root}; did you mean 'capitals'?"
    )


def test_the_id_of_a_recipe_has_no_recipe_ending(world, look_up):
    world.write("recipes/capitals.recipe.yaml", "x")

    assert look_up("capitals", "cookbooks/c.yaml", "recipe", (".yaml", ".yml")) == "recipes/capitals.recipe.yaml"
    assert look_up("capitals", "recipes/c.cookbook.yaml", "recipe", (".yaml", ".yml")) == "recipes/capitals.recipe.yaml"


@pytest.mark.parametrize(
    ("reference", "path"),
    [
        ("a/b", True),
        ("a\\b", True),
        ("a.csv", True),
        ("a.jsonl.gz", True),
        ("a.YAML", True),
        ("a", False),
        ("a.v1", False),
        ("a.gz", False),
    ],
)
def test_a_path_has_a_slash_or_a_suffix_that_is_read(reference, path):
    assert is_path(reference, DATA) is path


@pytest.mark.parametrize("reference", ["d.csv", "./d.csv", "../recipes/d.csv", "..\\recipes\\d.csv", "sub/../d.csv"])
def test_a_path_is_relative_to_the_naming_file(world, look_up, reference):
    world.write("recipes/sub/x", "x")
    world.write("recipes/d.csv", "x")

    assert look_up(reference) == "recipes/d.csv"


def test_an_absolute_path_inside_the_root_is_a_path(world, look_up):
    file = world.write("data/d.csv", "x")

    assert look_up(str(file)) == "data/d.csv"


@pytest.mark.parametrize("reference", ["../../d.csv", "/etc/passwd.csv", "../../root2/d.csv"])
def test_a_path_that_leaves_the_root_is_refused(world, look_up, reference):
    (world.root.parent / "d.csv").write_text("x")

    assert refused(look_up, reference).endswith(f"leaves the root {world.root}; files are read from inside it")


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
@pytest.mark.parametrize("reference", ["d", "../datasets/d.csv"])
def test_a_symbolic_link_out_of_the_root_is_refused(world, look_up, reference):
    outside = world.root.parent / "outside.csv"
    outside.write_text("x")
    (world.root / "datasets").mkdir()
    (world.root / "datasets" / "d.csv").symlink_to(outside)

    assert "leaves the root" in refused(look_up, reference)


@pytest.mark.skipif(sys.platform == "win32", reason="symbolic links need a privilege there")
def test_a_loop_of_links_is_refused(world, look_up):
    (world.root / "recipes").mkdir()
    (world.root / "recipes" / "d.csv").symlink_to(world.root / "recipes" / "d.csv")

    assert refused(look_up, "d.csv")


def test_a_path_of_another_format_or_to_nothing_is_told(world, look_up):
    world.write("recipes/d.parquet", "x")

    assert refused(look_up, "./d.parquet") == (
        "recipes/d.parquet: a dataset is read from .yaml, .yml, .jsonl, .jsonl.gz, .csv"
    )
    assert refused(look_up, "none.csv") == "no file recipes/none.csv"
    assert refused(look_up, "a\0.csv") == "a path cannot hold a NUL"


def test_what_an_option_names_is_looked_for_from_the_root(world):
    file = world.write("endpoints/e.yaml", "x")

    assert find("endpoint", "e", Scope.of(world.root, world.root)) == file
