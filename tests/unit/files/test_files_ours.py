"""Which files are ours: by the end of the path, then by a look at the bytes."""

from __future__ import annotations

import re
import subprocess
import sys
import time

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from pytest_llmeval.files.ours import KNOWN_KEYS, distance, file_id, look, matches, suffix_of
from pytest_llmeval.files.specs import CookbookSpec, RecipeSpec

DEFAULT = (
    "recipes/**/*.yaml",
    "recipes/**/*.yml",
    "cookbooks/**/*.yaml",
    "cookbooks/**/*.yml",
    "*.recipe.yaml",
    "*.cookbook.yaml",
)


@pytest.mark.parametrize(
    ("path", "ours"),
    [
        ("recipes/a.yaml", True),
        ("/x/recipes/a.yaml", True),
        ("/x/recipes/b/c/a.yml", True),
        ("/x/cookbooks/a.yaml", True),
        ("/x/a.recipe.yaml", True),
        ("a.cookbook.yaml", True),
        ("/x/myrecipes/a.yaml", False),
        ("/x/recipes.yaml", False),
        ("/x/recipes/a.json", False),
        ("/x/recipes/a.yaml.bak", False),
        ("/x/a.yaml", False),
        ("/x/recipes/a.yaml/b", False),
    ],
)
def test_a_glob_matches_the_end_of_a_path(path, ours):
    assert matches(path, DEFAULT) is ours


@pytest.mark.parametrize(
    ("glob", "path", "found"),
    [
        ("evals/*.yaml", "/x/evals/a.yaml", True),
        ("evals/*.yaml", "/x/evals/b/a.yaml", False),
        ("evals/**", "/x/evals/b/a.yaml", True),
        ("**/a.yaml", "a.yaml", True),
        ("e?als/[ab].yaml", "/evals/b.yaml", True),
        ("e?als/[!ab].yaml", "/evals/b.yaml", False),
        ("evals/[.yaml", "/evals/[.yaml", True),
        ("a.yaml", "/x/ba.yaml", False),
        ("a+b.yaml", "/x/a+b.yaml", True),
        ("evals\\*.yaml", "/x/evals/a.yaml", True),
    ],
)
def test_globs_are_those_that_people_know(glob, path, found):
    assert matches(path, [glob]) is found


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("recipe: Title\n", "recipe"),
        ("cookbook: Title\n", "cookbook"),
        ("a: 1\nrecipe: Title\n", "recipe"),
        ("recipe: 'Title: it'\r\nb: 1\r\n", "recipe"),
        ('"recipe": "Title"\n', "recipe"),
        ("recipe : Title\n", "recipe"),
        ("\ufeffrecipe: Title\n", "recipe"),
        ("# yaml-language-server: $schema=x\n---\nrecipe: Title\n", "recipe"),
        ("  recipe: Title\n  samples: []\n", "recipe"),
        ("recipe: >-\n  Title\n", "recipe"),
        ("recipe:\n  Title\n", "recipe"),
        ("recipe: # a comment\n\n  'Title: it'\n", "recipe"),
        ("recipe: &t Title\n", "recipe"),
        ("recipe: 3 small things\n", "recipe"),
        ("{recipe: Title, samples: []}\n", "recipe"),
        ('{"samples": [{"recipe": "no"}], "cookbook": "Title"}\n', "cookbook"),
        ("recipe:\n", None),
        ("recipe: ~\n", None),
        ("recipe: null # none\n", None),
        ("recipe: 5\n", None),
        ("recipe: true\n", None),
        ("recipe: {name: a}\n", None),
        ("recipe: [a]\n", None),
        ("recipe: *t\n", None),
        ("recipe: !t a\n", None),
        ("recipe:\n  name: a\n", None),
        ("recipe:\n- a\n", None),
        ("recipe:\n  - a\n", None),
        ("recipe:x\n", None),
        ("a:\n  recipe: Title\n", None),
        ("- recipe: Title\n", None),
        ('{"a": {"recipe": "Title"}}\n', None),
        ("# recipe: Title\n", None),
        ("my recipe: Title\n", None),
        ("recipes: [a]\n", None),
        ("", None),
        ("\n\n", None),
    ],
)
def test_a_file_is_ours_when_its_title_is_a_text(text, kind):
    found = look(text.encode())

    assert found.kind == kind
    assert bool(found.why) is (kind is None)


@given(st.text(max_size=30), st.sampled_from(["recipe", "cookbook"]), st.sampled_from(['"', "'", None]))
def test_the_look_agrees_with_the_parser(title, key, style):
    # numbers of YAML 1.2 alone, which this writer of YAML 1.1 leaves bare
    assume(style or not re.fullmatch(r"[-+]?[0-9]+[eE][-+]?[0-9]+|0o[0-7]+", title))
    try:
        text = yaml.safe_dump({key: title, "other": 1}, default_style=style, allow_unicode=True)
    except yaml.YAMLError:
        return

    assert look(text.encode("utf-8", "surrogatepass")).kind == key


@pytest.mark.parametrize(
    ("text", "near", "meant", "line"),
    [
        ("recip: T\nsamples: []\n", "recip", "recipe", 1),
        ("# c\nRecipe: T\ndatasets: a\n", "Recipe", "recipe", 2),
        ("recipes: [a]\ncokbook: T\n", "cokbook", "cookbook", 2),
        ("samples: []\nreceipe: T\n", "receipe", "recipe", 2),
        ("samples: []\nrecepie: T\n", "recepie", "recipe", 2),
    ],
)
def test_a_slip_of_the_title_is_told(text, near, meant, line):
    found = look(text.encode())

    assert (found.kind, found.near, found.meant, found.line) == (None, near, meant, line)
    assert found.message == f"unknown key {near!r}; did you mean {meant!r}?"


@pytest.mark.parametrize(
    "text",
    [
        "recip: T\n",
        "samples: []\nrecord: T\n",
        "recipes: [a]\n",
        "samples: []\nrecipe: {a: b}\nrecip: T\n",
        "samples:\n  recip: T\n",
        "samples: []\nmetrics: []\n",
        "cookbooks_of_ours: T\nsamples: []\n",
    ],
)
def test_other_peoples_files_are_left_alone(text):
    found = look(text.encode())

    assert (found.kind, found.near) == (None, "")


def test_the_known_keys_are_those_of_recipes_and_cookbooks():
    assert set(RecipeSpec.model_fields) | set(CookbookSpec.model_fields) == KNOWN_KEYS


def test_bytes_that_are_no_text_raise_nothing():
    for data in (b"\xff\xfe\x00r\x00e", b"\x00" * 100, bytes(range(256))):
        assert look(data).kind is None
    assert look(b"recipe: caf\xe9\n").kind == "recipe"


@pytest.mark.parametrize(
    ("path", "identity", "suffix"),
    [
        ("a/capitals.yaml", "capitals", ".yaml"),
        ("capitals.recipe.yaml", "capitals", ".yaml"),
        ("starter.cookbook.yml", "starter", ".yml"),
        ("rows.jsonl.gz", "rows", ".jsonl.gz"),
        ("v1.2.csv", "v1.2", ".csv"),
        (".recipe.yaml", ".recipe", ".yaml"),
        ("README", "README", ""),
    ],
)
def test_the_id_of_a_file_is_its_stem(path, identity, suffix):
    assert (file_id(path), suffix_of(path)) == (identity, suffix)


@given(st.text("abc", max_size=6), st.text("abc", max_size=6))
def test_the_distance_of_words_is_symmetric_and_zero_for_equals(one, other):
    assert distance(one, other) == distance(other, one)
    assert (distance(one, other) == 0) is (one == other)


def test_neighbours_that_change_places_are_one_slip():
    assert [distance("recipe", word) for word in ("receip", "reicpe", "recip", "recipes", "resipe")] == [2, 1, 1, 1, 1]


def test_a_look_imports_neither_yaml_nor_pydantic(monkeypatch):
    # measuring coverage imports some of it
    monkeypatch.delenv("COVERAGE_PROCESS_START", raising=False)
    program = (
        "import sys; from pytest_llmeval.files.ours import look; look(b'recipe: T');"
        "print([name for name in ('yaml', 'pydantic', 'jinja2', 'httpx', 'sqlite3', 'asyncio') if name in sys.modules])"
    )

    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)

    assert done.stdout.strip() == "[]"


def test_a_look_at_a_large_file_of_others_takes_no_time_to_speak_of():
    data = b"steps:\n" + b"  - name: the recipe of a thing\n    value: [1, 2, 3]\n" * 20_000

    begun = time.perf_counter()
    look(data)

    # a megabyte; some ten milliseconds on a slow machine, seconds if it were quadratic
    assert time.perf_counter() - begun < 1
