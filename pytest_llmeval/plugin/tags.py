"""Tags as markers: registered before they are used, refused where a marker has a meaning already."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from ..core.errors import Fault
    from ..core.plan import CookbookPlan, RecipePlan
    from ..core.sample import Origin

OURS = {
    "llmeval": "every item of a recipe or a cookbook",
    "llmeval_sample": "an item that is one response of one sample",
    "llmeval_gate": "an item that judges a whole recipe or cookbook",
}
#: words of ``-m``
_WORDS = frozenset({"and", "or", "not", "True", "False", "None"})

#: markers that the project itself registers, in its ini file or a conftest: tags may share them
OWN: pytest.StashKey[set[str]] = pytest.StashKey()
#: tags that became markers in this session
TAGS: pytest.StashKey[set[str]] = pytest.StashKey()


def note_own_markers(config: pytest.Config) -> None:
    """Remember which markers are the project's own.

    Before conftests and plugins are configured the ini's are alone; later a conftest's are told by their caller.
    """
    own = config.stash[OWN] = set(_names(config.getini("markers")))
    add = config.addinivalue_line

    def noting(name: str, line: str) -> None:
        caller = sys._getframe(1).f_globals.get("__file__")  # noqa: SLF001 - who adds a line is told by nothing else
        if name == "markers" and str(caller).replace("\\", "/").endswith("/conftest.py"):
            own.update(_names([line]))
        add(name, line)

    config.addinivalue_line = noting  # type: ignore[method-assign] # on this one object, for this one question


def register_markers(config: pytest.Config) -> None:
    for name, meaning in OURS.items():
        config.addinivalue_line("markers", f"{name}: {meaning}")


def register_tags(config: pytest.Config, plans: Iterable[RecipePlan | CookbookPlan]) -> None:
    """Make every tag of these plans, their recipes and samples a marker that ``--strict-markers`` knows.

    Raises Faults where one cannot be.
    """
    # not above: a suite without recipes reads this file too, and pays for none of it
    from ..core.errors import Fault, Faults

    tags = config.stash.setdefault(TAGS, set())
    known: set[str] | None = None
    faults: dict[Any, Fault] = {}
    for tag, origin in _tags(plans):
        if tag in tags:
            continue
        if known is None:
            known = set(_names(config.getini("markers")))
        own = config.stash.get(OWN, set())
        if tag in _WORDS or tag.startswith("_") or (tag in known and tag not in own):
            why = "is a word of -m" if tag in _WORDS else "begins with '_'" if tag.startswith("_") else "has a meaning"
            faults[tag, origin] = Fault(origin, f"tags: {tag!r} {why} in pytest and cannot be a tag; name it otherwise")
            continue
        tags.add(tag)
        if tag not in known:
            config.addinivalue_line("markers", f"{tag}: a tag of recipes or samples")
    if faults:
        raise Faults(faults.values())


def _tags(plans: Iterable[RecipePlan | CookbookPlan]) -> Iterator[tuple[str, Origin]]:
    from ..core.plan import CookbookPlan

    for plan in plans:
        if isinstance(plan, CookbookPlan):
            for tag in plan.tags:
                yield tag, plan.tags_origin
            yield from _tags(plan.recipes)
            continue
        for tag in plan.record.tags:
            yield tag, plan.tags_origin
        for unit in plan.units:
            for tag in unit.sample.tags:
                yield tag, unit.record.origin


def _names(lines: Iterable[str]) -> Iterator[str]:
    for line in lines:
        yield line.partition(":")[0].partition("(")[0].strip()
