"""An engine at work on a recipe's questions, with a real state and a real service on loopback."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from pytest_llmeval.core.plan import RecipePlan
from pytest_llmeval.core.record import RunInfo
from pytest_llmeval.core.registry import Registry
from pytest_llmeval.wiring.evaluation import Evaluation, open_evaluation
from pytest_llmeval.wiring.plans import PlanOptions, Reader


@dataclass
class Site:
    """A folder with an endpoint and a recipe, evaluated run by run."""

    path: Path
    runs: int = 0

    def plan(self, endpoint: str, samples: int, *connectors: type, metric: str = "exact_match") -> RecipePlan:
        (self.path / "endpoints").mkdir(exist_ok=True)
        (self.path / "endpoints" / "it.yaml").write_text(f"endpoint: It\n{endpoint}\n", "utf-8")
        rows = "".join(f"  - {{id: s{n}, input: question {n}, target: Paris}}\n" for n in range(samples))
        recipe = self.path / "many.yaml"
        recipe.write_text(f"recipe: Many\nsamples:\n{rows}metrics: [{metric}]\n", "utf-8")
        registry = Registry()
        for connector in connectors:
            registry.add("connector", connector)
        return Reader(PlanOptions(self.path, registry, endpoints=("it",))).recipe(recipe)[0]

    @contextlib.contextmanager
    def evaluation(self, *plans: RecipePlan, **options: Any) -> Iterator[Evaluation]:
        """A run of its own, in which the plans are entered; ``options`` are those of ``open_evaluation``."""
        self.runs += 1
        run = RunInfo(f"run-{self.runs}", time.time(), str(self.path))
        evaluation = open_evaluation(
            self.path / "state.sqlite3", run, mode="use", ttl_days=None, root=self.path, **options
        )
        try:
            evaluation.enter([(plan, None) for plan in plans], [])
            yield evaluation
        finally:
            evaluation.close()

    @staticmethod
    def until(holds: Callable[[], object]) -> None:
        while not holds():
            time.sleep(0.002)


@pytest.fixture
def site(tmp_path) -> Site:
    return Site(tmp_path)
