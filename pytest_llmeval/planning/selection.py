"""Which rows of a dataset are asked: all, or a subset by name."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Sampling:
    """One of: a percentage of each dataset, a count of rows, or the first rows. ``seed`` is for the former two."""

    percentage: float | None = None
    count: int | None = None
    first: int | None = None
    seed: int = 0

    def __str__(self) -> str:
        if self.percentage is not None:
            return f"{self.percentage:g}% of each dataset, seed {self.seed}"
        if self.count is not None:
            return f"{self.count} of each dataset, seed {self.seed}"
        return f"the first {self.first} of each dataset"


def select(rows: Sequence[T], sampling: Sampling | None) -> Sequence[T]:
    """The rows to ask, in file order.

    A percentage p of n rows takes max(1, int(p / 100 * n)) of them by ``random.Random(seed).sample(range(n), k)``, as
    AI Verify Moonshot's prompt generator does; the generator is seeded anew for each dataset.
    """
    if sampling is None:
        return rows
    if sampling.first is not None:
        return rows[: sampling.first]
    n = len(rows)
    if sampling.count is not None:
        k = min(sampling.count, n)
    else:
        assert sampling.percentage is not None
        k = min(n, max(1, int((sampling.percentage / 100) * n)))
    if k == n:
        return rows
    chosen = set(random.Random(sampling.seed).sample(range(n), k))
    return [row for index, row in enumerate(rows) if index in chosen]
