"""How often the 95% intervals of 0/1 scores hold the truth, simulated.

    python benchmarks/coverage_of_intervals.py [TRIALS]

Each cluster (or sample, asked several times) has a chance of its own to be right, drawn from a beta distribution whose
mean is the truth and whose correlation within a cluster is rho. The same answers are read three ways: by the package's
rule; with 1.96 in place of Student's quantile; and as if all answers were independent. Seeded: the table is the same
each time.
"""

from __future__ import annotations

import random
import sys
from collections.abc import Callable

from pytest_llmeval.grading.intervals import Estimate, GroupScores, effective_n, estimate, interval, wilson

Ends = tuple[float, float] | None


def by_rule(found: Estimate, _answers: int) -> Ends:
    return interval(found, binary=True, plain=False, bounds=(0.0, 1.0))


def by_normal(found: Estimate, _answers: int) -> Ends:
    return wilson(found.value, effective_n(found), 1.959964) if found.se is not None else None


def as_independent(found: Estimate, answers: int) -> Ends:
    return wilson(found.value, answers, 1.959964)


READINGS: dict[str, Callable[[Estimate, int], Ends]] = {
    "the rule": by_rule,
    "with 1.96": by_normal,
    "independent": as_independent,
}


def clusters(dice: random.Random, truth: float, rho: float, many: int, size: int) -> GroupScores:
    """``many`` clusters of ``size`` samples, each asked once."""
    observations, scores = [], []
    for cluster in range(many):
        chance = drawn(dice, truth, rho)
        observations += [cluster] * size
        scores += [float(dice.random() < chance) for _ in range(size)]
    return GroupScores("d", observations, scores, many * size)


def repeats(dice: random.Random, truth: float, rho: float, many: int, size: int) -> GroupScores:
    """``many`` samples, each asked ``size`` times."""
    scores = []
    for _ in range(many):
        chance = drawn(dice, truth, rho)
        scores.append(sum(dice.random() < chance for _ in range(size)) / size)
    return GroupScores("d", range(many), scores, many * size)


def drawn(dice: random.Random, truth: float, rho: float) -> float:
    if rho == 0:
        return truth
    spread = 1 / rho - 1
    return dice.betavariate(truth * spread, (1 - truth) * spread)


def main(trials: int) -> None:
    print(f"{'design':<28}{'truth':>6}{'rho':>6}" + "".join(f"{name:>13}" for name in READINGS) + f"{'width':>8}")
    for name, design in (("clusters", clusters), ("repeats", repeats)):
        for many, size in ((2, 10), (3, 10), (5, 10), (10, 10), (40, 5)):
            for truth in (0.5, 0.8):
                for rho in (0.0, 0.2, 0.8):
                    # one sequence a row, so that a row can be had alone
                    dice = random.Random(f"{name} {many} {size} {truth} {rho}")
                    held, width = dict.fromkeys(READINGS, 0), 0.0
                    for _ in range(trials):
                        group = design(dice, truth, rho, many, size)
                        found = estimate([group])
                        for reading, ends_of in READINGS.items():
                            ends = ends_of(found, group.answers)
                            assert ends is not None
                            held[reading] += ends[0] <= truth <= ends[1]
                            if reading == "the rule":
                                width += ends[1] - ends[0]
                    shares = "".join(f"{100 * count / trials:>12.1f}%" for count in held.values())
                    print(f"{f'{many} {name} of {size}':<28}{truth:>6}{rho:>6}{shares}{width / trials:>8.2f}")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 2000)
