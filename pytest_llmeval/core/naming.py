"""Names: of recipes and cookbooks in reports, where two of a run may share an id; of tags as markers."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable

from .record import CookbookRecord, RecipeRecord

_NOT_A_TAG = re.compile(r"[^\w.-]")


def recipe_names(recipes: Iterable[RecipeRecord]) -> dict[str, str]:
    """Ledger id -> name. A name is the file's id, or its path without suffix where two files of the run share that."""
    return _names((recipe.id, recipe.recipe, recipe.path) for recipe in recipes)


def cookbook_names(cookbooks: Iterable[CookbookRecord]) -> dict[str, str]:
    """As for recipes."""
    return _names((cookbook.id, cookbook.cookbook, cookbook.path) for cookbook in cookbooks)


def marker_name(tag: str) -> str:
    """A tag as the name of a marker."""
    return _NOT_A_TAG.sub("-", tag)


def short_id(nodeid: str, endpoint: str) -> str:
    """What stands after ``::`` in a node id, without brackets that hold the endpoint alone."""
    _, _, name = nodeid.rpartition("::")
    return name.removesuffix(f"[{endpoint}]") or name


def _names(known: Iterable[tuple[str, str, str]]) -> dict[str, str]:
    known = list(known)
    # one file on two endpoints is one file
    files = {(name, path) for _, name, path in known}
    ids = Counter(name for name, _ in files)
    stems = Counter(_without_suffix(path) for _, path in files)
    names = {}
    for ledger_id, name, path in known:
        stem = _without_suffix(path)
        names[ledger_id] = name if ids[name] == 1 else stem if stems[stem] == 1 else path
    return names


def _without_suffix(path: str) -> str:
    folder, slash, file = path.rpartition("/")
    stem, dot, _ = file.rpartition(".")
    return f"{folder}{slash}{stem if dot and stem else file}"
