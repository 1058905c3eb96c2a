"""What reports call recipes and cookbooks."""

from __future__ import annotations

from pytest_llmeval.core.naming import cookbook_names, recipe_names, short_id
from pytest_llmeval.core.record import CookbookRecord, RecipeRecord


def recipe(name: str, path: str, endpoint: str = "local") -> RecipeRecord:
    return RecipeRecord(f"{path}[{endpoint}]", name, path, "", endpoint, (), {}, (), "passed")


def test_a_recipe_is_called_by_its_id():
    assert recipe_names([recipe("capitals", "recipes/capitals.yaml")]) == {
        "recipes/capitals.yaml[local]": "capitals",
    }


def test_one_file_on_two_endpoints_keeps_its_id():
    names = recipe_names([recipe("a", "recipes/a.yaml", "small"), recipe("a", "recipes/a.yaml", "big")])

    assert set(names.values()) == {"a"}


def test_recipes_that_share_an_id_are_called_by_their_paths_without_suffix():
    names = recipe_names([recipe("a", "x/a.yaml"), recipe("a", "y/a.recipe.yaml"), recipe("b", "y/b.yaml")])

    assert list(names.values()) == ["x/a", "y/a.recipe", "b"]


def test_paths_that_differ_in_their_suffix_alone_keep_it():
    names = recipe_names([recipe("a", "x/a.yaml"), recipe("a", "x/a.yml")])

    assert list(names.values()) == ["x/a.yaml", "x/a.yml"]


def test_cookbooks_are_named_alike():
    books = [CookbookRecord(f"{path}[e]", "s", path, "", "e", ()) for path in ("x/s.yaml", "y/s.yaml")]

    assert list(cookbook_names(books).values()) == ["x/s", "y/s"]


def test_the_short_id_drops_brackets_that_hold_the_endpoint_alone():
    assert short_id("recipes/a.yaml::turkey[local]", "local") == "turkey"
    assert short_id("recipes/a.yaml::turkey[local-terse]", "local") == "turkey[local-terse]"
