"""Units by outcome and what their requests came to, in one pass over the rows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from math import fsum

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.record import Row
from pytest_llmeval.core.result import Outcome
from pytest_llmeval.core.summary import Counts


class Counting:
    """Counts rows as they pass by.

    ``counted`` are the keys of requests that were sent in this run and stand in the counts of a recipe before this one;
    this recipe's are added to it when ``counts`` is read, so that a request shared within a run counts as asked once,
    at the first recipe in plan order.
    """

    def __init__(self, counted: set[str]) -> None:
        self._counted = counted
        self._kinds: Counter[str] = Counter()
        self._needed: set[str] = set()
        self._sent: set[str] = set()
        self._cached: set[str] = set()
        self._answered: set[str] = set()
        self._tokens: int | None = 0
        self._costs: list[float] | None = []

    def through(self, rows: Iterable[Row]) -> Iterator[Row]:
        """The same rows, counted on the way."""
        for row in rows:
            self._add(row)
            yield row

    def counts(self) -> Counts:
        asked = self._sent - self._counted - self._cached
        self._counted |= asked
        kinds = self._kinds
        return Counts(
            passed=kinds["passed"],
            missed=kinds["missed"],
            refused=kinds["refused"],
            errors=kinds["error"],
            metric_errors=kinds["metric_error"],
            not_asked=kinds["not_asked"],
            skipped=kinds["skipped"],
            requests=len(self._needed),
            asked=len(asked),
            cached=len(self._cached),
            tokens=self._tokens,
            cost=None if self._costs is None else fsum(self._costs),
        )

    def _add(self, row: Row) -> None:
        outcome = row.outcome
        skipped = row.unit.skip is not None or (outcome is not None and outcome.kind == "skipped")
        if outcome is not None:
            self._kinds[outcome.kind] += 1
        elif row.selected and not skipped:
            # the run ended before
            self._kinds["not_asked"] += 1
        if skipped or (outcome is None and not row.selected):
            return
        key = row.unit.key
        self._needed.add(key)
        if outcome is None:
            return
        if outcome.answered and outcome.cached:
            self._cached.add(key)
        elif _was_sent(outcome):
            self._sent.add(key)
        if outcome.answered and key not in self._answered:
            self._answered.add(key)
            self._spend(outcome.response)

    def _spend(self, response: Response | None) -> None:
        tokens = None if response is None else response.tokens
        cost = None if response is None else response.cost
        self._tokens = None if self._tokens is None or tokens is None else self._tokens + tokens
        if self._costs is not None:
            if cost is None:
                self._costs = None
            else:
                self._costs.append(cost)


def _was_sent(outcome: Outcome) -> bool:
    return outcome.answered or (outcome.kind in {"error", "not_asked"} and outcome.attempts > 0)
