"""``--llmeval-missed``: only what did not go well when it last ran. Registered where the option is given."""

from __future__ import annotations

import pytest

from ..core.numbers import count
from .keys import RUN_ID, SETTINGS
from .telling import tell


class Missed:
    """Deselects all but those of our items whose latest result in the ledger calls for another look."""

    def __init__(self, config: pytest.Config) -> None:
        self._config = config

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
        tell(self._config, f"--llmeval-missed: {what}")
