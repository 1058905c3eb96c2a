"""``--llmeval-missed``: only what did not go well when it last ran. Registered where the option is given."""

from __future__ import annotations

from typing import Any

import pytest

from ..core.numbers import count
from ..core.text import one_line
from .keys import RUN_ID, SETTINGS, WATCH

#: under which a worker tells its controller what it left, for a controller collects nothing
TOLD = "llmeval_missed"


class Missed:
    """Deselects all but those of our items whose latest result in the ledger calls for another look."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config
        self._said = ""

    @pytest.hookimpl(trylast=True)
    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        """After ``-k``, ``-m`` and the like, so that the count is of what they left."""
        from ..wiring.missed import choose, latest_results
        from .items import LlmevalItem

        ids = [item.ledger_id if isinstance(item, LlmevalItem) else None for item in items]
        run, started = self._config.stash[RUN_ID]
        known, problem = latest_results(self._config.stash[SETTINGS].state, run, started)
        chosen = choose(ids, known)
        if chosen is None:
            self._say(f"{problem or 'nothing is known of these items'}; all run")
            return
        gone = [item for item, keep in zip(items, chosen, strict=True) if not keep]
        items[:] = [item for item, keep in zip(items, chosen, strict=True) if keep]
        if gone:
            self._config.hook.pytest_deselected(items=gone)
        of = count(len(chosen), "item")
        if items:
            self._say(f"{len(items):,} of {of} did not go well when {'it' if len(chosen) == 1 else 'they'} last ran")
        else:
            self._say(f"none of {of} is known to have been missed or to have failed")

    def _say(self, what: str) -> None:
        self._said = f"llmeval: --llmeval-missed: {one_line(what)}"
        output = getattr(self._config, "workeroutput", None)
        if output is not None:
            output[TOLD] = self._said

    def pytest_report_collectionfinish(self) -> str | None:
        return self._said if self._said and self._config.get_verbosity() >= 0 else None

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """All workers collect the same; the first to end tells."""
        told = getattr(node, "workeroutput", {}).get(TOLD)
        if told:
            self._config.stash[WATCH].tell(told)
