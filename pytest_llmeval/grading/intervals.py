"""A figure with its standard error and its 95% interval, from the scores of samples in groups.

A group g is a dataset d under a template t, G of them. Datasets are strata: the samples of one say nothing of the
samples of another. Within a dataset the observation is the sample (or the cluster of samples), under all its templates
and repeats. With y the score of a sample in a group (its repeats reduced), m the mean of the group's n of them:

    figure  = (1/G) Σ_g m_g
    u_i     = Σ_t (y_dti − m_dt) / (G · n_dt)          one observation's share in the figure's deviation
    SE²     = Σ_d n_d/(n_d − 1) · Σ_{i in d} u_i²       n_d observations in d; none where an n_d < 2

That is the linearised variance of a stratified mean, with the usual small-sample factor (Cochran 1977, section 5;
Liang and Zeger 1986 for clusters). Sums are by ``math.fsum``, which is exact before it rounds, so that no order of
rows changes a digit.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from math import fsum, sqrt

from pytest_llmeval.core.measures import Range

from .quantiles import normal_quantile, t_quantile

LEVEL = 0.95
_UPPER = 0.5 + LEVEL / 2


@dataclass(frozen=True, slots=True)
class GroupScores:
    """One group: each sample's reduced score beside its observation's number (the same in every group of the dataset).

    ``answers`` counts the responses that the scores were reduced from.
    """

    dataset: str
    observations: Sequence[int]
    scores: Sequence[float]
    answers: int


@dataclass(frozen=True, slots=True)
class Stratum:
    """A dataset: how many observations it gave, and its share of the groups."""

    observations: int
    share: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """A figure; ``se`` is None where a dataset has fewer than two observations, and 0 where it is below the noise.

    ``within`` is the variance that the figure would have were all answers 0 or 1 and independent:
    Σ_g m_g(1 − m_g)/(G²·a_g), a_g the answers of group g.
    """

    value: float
    se: float | None
    within: float
    strata: tuple[Stratum, ...]

    @property
    def df(self) -> int:
        """Degrees of freedom: Σ_d (n_d − 1)."""
        return sum(stratum.observations - 1 for stratum in self.strata)


def estimate(groups: Sequence[GroupScores]) -> Estimate:
    """The figure of groups that each have at least one score, with its standard error."""
    count = len(groups)
    means = [mean(group.scores) for group in groups]
    value = fsum(means) / count
    within = fsum(m * (1 - m) / (count**2 * group.answers) for m, group in zip(means, groups, strict=True))
    by_dataset: defaultdict[str, list[tuple[GroupScores, float]]] = defaultdict(list)
    for group, m in zip(groups, means, strict=True):
        by_dataset[group.dataset].append((group, m))
    strata, variances = [], []
    for members in by_dataset.values():
        deviations = _deviations(members, count)
        n = len(deviations)
        strata.append(Stratum(n, len(members) / count))
        if n > 1:
            variances.append(n / (n - 1) * fsum(u * u for u in deviations))
    if len(variances) < len(strata):
        return Estimate(value, None, within, tuple(strata))
    se = sqrt(fsum(variances))
    # 1e-9 for shares; the other term is what rounding leaves of equal scores when these are large (bytes, say)
    noise = max(1e-9, 1e-12 * max(abs(score) for group in groups for score in group.scores))
    return Estimate(value, se if se >= noise else 0.0, within, tuple(strata))


def interval(found: Estimate, *, binary: bool, plain: bool, bounds: Range) -> tuple[float, float] | None:
    """The 95% interval of a figure, or None where none can be given; never of zero width.

    ``plain``: one group, asked once, unclustered, so that samples are independent. 0/1 scores then have Wilson's
    interval; else Wilson's with the number of independent answers that would have this standard error (at most as many
    as there are answers) and with Student's quantile. Other scores have Student's, cut to ``bounds``.
    """
    if found.se is None:
        return None
    if not binary:
        ends = _student(found.value, found.se, found.df, bounds)
    elif plain:
        ends = wilson(found.value, found.strata[0].observations, normal_quantile(_UPPER))
    else:
        ends = wilson(found.value, effective_n(found), t_quantile(_UPPER, found.df))
    return ends if ends[0] < ends[1] else None


def wilson(share: float, n: float, z: float) -> tuple[float, float]:
    """Wilson's score interval of a share of ``n`` (which need not be whole), within 0 to 1 (Wilson 1927)."""
    squared = z * z / n
    middle = (share + squared / 2) / (1 + squared)
    half = z / (1 + squared) * sqrt(max(0.0, share * (1 - share)) / n + squared / (4 * n))
    low = 0.0 if share <= 0 else max(0.0, min(share, middle - half))
    high = 1.0 if share >= 1 else min(1.0, max(share, middle + half))
    return low, high


def effective_n(found: Estimate) -> float:
    """How many independent 0/1 answers would have this figure's standard error.

    figure·(1 − figure)/max(SE², within); the second term keeps it from exceeding the answers there are, as it would for
    100 samples that are each right once in two tries. Where both are 0: 1/Σ_d(w_d²/n_d), w_d the share of the groups.
    """
    assert found.se is not None
    variance = max(found.se * found.se, found.within)
    if variance > 0:
        return found.value * (1 - found.value) / variance
    return 1 / fsum(stratum.share**2 / stratum.observations for stratum in found.strata)


def mean(scores: Sequence[float]) -> float:
    """The arithmetic mean, the same in any order."""
    return fsum(scores) / len(scores)


def _student(value: float, se: float, df: int, bounds: Range) -> tuple[float, float]:
    half = t_quantile(_UPPER, df) * se
    low, high = bounds
    return (
        value - half if low is None else max(low, value - half),
        value + half if high is None else min(high, value + half),
    )


def _deviations(members: Sequence[tuple[GroupScores, float]], count: int) -> list[float]:
    """u_i of each observation of one dataset."""
    group, m = members[0]
    if len(members) == 1 and len(set(group.observations)) == len(group.observations):
        weight = count * len(group.scores)
        return [(score - m) / weight for score in group.scores]
    terms: defaultdict[int, list[float]] = defaultdict(list)
    for group, m in members:
        weight = count * len(group.scores)
        for observation, score in zip(group.observations, group.scores, strict=True):
            terms[observation].append((score - m) / weight)
    return [fsum(parts) for parts in terms.values()]
