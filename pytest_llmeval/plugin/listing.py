"""``python -m pytest_llmeval list recipes``: what pytest would collect, told without running anything."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pytest

from ..core.text import safe
from ..reports.failure.texts import columns
from .keys import RUN

HEAD = ("recipe", "title", "items", "endpoints", "path")
NOTHING = {pytest.ExitCode.OK, pytest.ExitCode.NO_TESTS_COLLECTED}


def list_recipes(paths: Sequence[str]) -> int:
    """Print a line a recipe; the exit code. Faults go to standard error, one line each, and make it 2."""
    listing = Listing()
    quiet = ["--collect-only", "-p", "no:terminal", "-p", "no:cacheprovider", "-p", "no:warnings"]
    code = pytest.main([*quiet, *paths], plugins=[listing])
    if len(listing.rows) > 1:
        sys.stdout.write("".join(f"{safe(line)}\n" for line in columns(listing.rows, "  ")))
    elif not listing.faults and code in NOTHING:
        sys.stderr.write("no recipes here\n")
    sys.stderr.write("".join(f"{safe(fault)}\n" for fault in listing.faults))
    return 0 if code in NOTHING and not listing.faults else 2


class Listing:
    """Keeps pytest to our kinds of files and notes what came of them."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, ...]] = [HEAD]
        self.faults: list[str] = []

    @pytest.hookimpl(tryfirst=True)
    def pytest_ignore_collect(self, collection_path: Path) -> bool | None:
        # tests of the user's own are not to be imported for a list
        return None if collection_path.is_dir() or collection_path.suffix.lower() in {".yaml", ".yml"} else True

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.faults.append(report.longreprtext)

    def pytest_collection_finish(self, session: pytest.Session) -> None:
        run = session.config.stash.get(RUN, None)
        if run is None:
            return
        items = Counter(item.path for item in session.items)
        for path, plans in run.reader.recipes.items():
            recipe = plans[0].record
            endpoints = ", ".join(plan.endpoint.id for plan in plans)
            self.rows.append((recipe.recipe, recipe.title, f"{items[path]:,}", endpoints, recipe.path))
