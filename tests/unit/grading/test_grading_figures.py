"""Figures, standard errors and intervals against the formulas written out slowly, in whole fractions."""

from __future__ import annotations

import random
from fractions import Fraction
from math import sqrt

import numpy as np
import pytest
from grading_rows import EXACT, F1, LENGTH, World, answer
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_llmeval.core.measures import Measure
from pytest_llmeval.core.record import Group
from pytest_llmeval.core.result import Outcome
from pytest_llmeval.grading.figures import figure, groups, quantile
from pytest_llmeval.grading.tally import tally


def figure_of(world, measure, statistic=None, **of):
    return figure(tally(world.recipe, world.rows), measure, statistic, **of)


@st.composite
def designs(draw, *, binary):
    """Answers to datasets x templates x samples x repeats, some missing, samples perhaps in clusters."""
    templates = draw(st.integers(1, 3))
    repeats = draw(st.integers(1, 3))
    clustered = draw(st.booleans())
    score = st.sampled_from([0.0, 1.0]) if binary else st.integers(0, 8).map(lambda eighths: eighths / 8)
    answers = []
    for d in range(draw(st.integers(1, 3))):
        for i in range(draw(st.integers(1, 5))):
            cluster = f"c{draw(st.integers(0, 2))}" if clustered else None
            for t in range(templates):
                for r in range(repeats):
                    given_ = draw(st.booleans()) if (i, r) != (0, 0) else True
                    if given_:
                        answers.append((f"d{d}", f"t{t}", f"s{i}", cluster, r + 1, draw(score)))
    return answers, repeats, clustered


def world_of(design, metric):
    answers, repeats, clustered = design
    of = sorted({Group(d, t) for d, t, *_ in answers}, key=lambda group: (group.dataset, group.template))
    world = World(tuple(of), (metric,), options={"repeats": repeats, "clustered": clustered})
    for d, t, sample, cluster, repeat, score in answers:
        world.answer(sample, score, group=of.index(Group(d, t)), repeat=repeat, cluster=cluster)
    return world


def slowly(answers):
    """The figure, its variance (None: none is given), Σ_g m_g(1 − m_g)/(G²·a_g), (n_d, w_d) by dataset; all exact."""
    cells = {}
    for d, t, sample, cluster, _, score in answers:
        cells.setdefault((d, t), {}).setdefault((sample, cluster), []).append(Fraction(score))
    count = len(cells)
    y = {g: {s: sum(v) / len(v) for s, v in cell.items()} for g, cell in cells.items()}
    m = {g: sum(cell.values()) / len(cell) for g, cell in y.items()}
    value = sum(m.values()) / count
    within = sum(m[g] * (1 - m[g]) / (count**2 * sum(map(len, cells[g].values()))) for g in cells)
    variance, strata = Fraction(0), []
    for dataset in sorted({d for d, _ in cells}):
        u = {}
        for (d, t), cell in y.items():
            if d == dataset:
                for (sample, cluster), score in cell.items():
                    who = sample if cluster is None else f"cluster {cluster}"
                    u[who] = u.get(who, 0) + (score - m[d, t]) / (count * len(cell))
        n = len(u)
        strata.append((n, Fraction(sum(d == dataset for d, _ in cells), count)))
        if n < 2:
            variance = None
        elif variance is not None:
            variance += Fraction(n, n - 1) * sum(part * part for part in u.values())
    return value, variance, within, strata


def check(world, answers, *, binary):
    value, variance, within, strata = slowly(answers)
    found = figure_of(world, world.metrics[0].name)
    assert found.value == pytest.approx(float(value), rel=1e-13, abs=1e-15)
    if variance is None:
        assert (found.se, found.low, found.high) == (None, None, None)
        return
    assert found.se == pytest.approx(sqrt(variance), rel=1e-12, abs=1e-9)
    t = stats.t.ppf(0.975, sum(n for n, _ in strata) - len(strata))
    se = sqrt(variance)
    if not binary:
        if variance == 0:
            assert found.low is None
            return
        expected = max(0.0, float(value) - t * se), min(1.0, float(value) + t * se)
    else:
        one = len({(d, t) for d, t, *_ in answers}) == 1
        plain = one and world.recipe.repeats == 1 and not world.recipe.clustered
        spread = max(variance, within)
        if plain:
            n, t = Fraction(strata[0][0]), stats.norm.ppf(0.975)
        elif spread:
            n = value * (1 - value) / spread
        else:
            n = 1 / sum(w * w / n_d for n_d, w in strata)
        expected = wilson_by_its_roots(float(value), float(n), t)
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-8, abs=1e-9)
    assert found.low <= found.value <= found.high
    assert found.low < found.high


def wilson_by_its_roots(p, n, z):
    """Wilson's ends are the q with n (p − q)² = z² q (1 − q)."""
    low, high = sorted(np.roots([n + z * z, -(2 * n * p + z * z), n * p * p]).real)
    return max(low, 0.0), min(high, 1.0)


@given(designs(binary=True))
def test_shares_are_the_formulas(design):
    check(world_of(design, EXACT), design[0], binary=True)


@given(designs(binary=False))
def test_other_scores_are_the_formulas(design):
    check(world_of(design, F1), design[0], binary=False)


@given(designs(binary=True), st.randoms(use_true_random=False))
def test_no_order_of_rows_changes_a_bit(design, dice):
    world = world_of(design, F1)
    before = tally(world.recipe, world.rows)
    dice.shuffle(world.rows)
    after = tally(world.recipe, world.rows)
    for statistic in ("mean", "se", "low", "high", "sum", "sd", "p90", "n"):
        assert figure(before, "f1", statistic) == figure(after, "f1", statistic)
    assert groups(before) == groups(after)


def test_awkward_floats_sum_alike_in_every_order():
    scores = [0.1 * (number % 7) + number / 3000 for number in range(300)]
    worlds = [World(metrics=(F1,)), World(metrics=(F1,))]
    for world, order in zip(worlds, (range(300), random.Random(4).sample(range(300), 300)), strict=True):
        for number in order:
            world.answer(f"s{number}", scores[number])
    for statistic in ("mean", "se", "low", "high", "sum", "sd", "p95"):
        assert figure_of(worlds[0], "f1", statistic) == figure_of(worlds[1], "f1", statistic)


def test_a_figure_is_the_mean_over_groups_whatever_their_size():
    """One right of one and none of nine is a half, not a tenth."""
    world = World((Group("small", None), Group("large", None)))
    world.answer("a", 1, group=0)
    for number in range(9):
        world.answer(f"b{number}", 0, group=1)
    assert figure_of(world, "exact_match").value == 0.5


def test_a_sample_counts_by_the_mean_of_its_repeats():
    """However many of them were answered."""
    world = World(options={"repeats": 3})
    for repeat, score in ((1, 1), (2, 0), (3, 0)):
        world.answer("a", score, repeat=repeat)
    world.answer("b", 1, repeat=1)
    assert figure_of(world, "exact_match").value == pytest.approx((1 / 3 + 1) / 2)
    assert figure_of(world, "exact_match").n == 2


def test_the_interval_of_one_group_asked_once_is_wilsons():
    """7 of 10: 0.3968 to 0.8922, as tables have it."""
    found = figure_of(World().answers([1] * 7 + [0] * 3), "exact_match")
    assert (round(found.low, 4), round(found.high, 4)) == (0.3968, 0.8922)


def test_repeats_of_a_sample_do_not_stand_for_more_samples():
    """Ten samples asked ten times, each always or never right, tell no more than asked once."""
    once, often = World(), World(options={"repeats": 10})
    for number in range(10):
        once.answer(f"s{number}", float(number < 7))
        for repeat in range(10):
            often.answer(f"s{number}", float(number < 7), repeat=repeat + 1)
    one, many = figure_of(once, "exact_match"), figure_of(often, "exact_match")
    assert many.se == pytest.approx(one.se)
    assert many.high - many.low >= one.high - one.low


def test_half_right_on_every_sample_counts_as_many_answers_as_there_are():
    """100 samples once right in two tries have no spread between them, yet are 200 answers, not 9,999."""
    world = World(options={"repeats": 2})
    for number in range(100):
        world.answer(f"s{number}", 1, repeat=1)
        world.answer(f"s{number}", 0, repeat=2)
    found = figure_of(world, "exact_match")
    assert (found.value, found.se) == (0.5, 0)
    expected = wilson_by_its_roots(0.5, 200, stats.t.ppf(0.975, 99))
    assert (found.low, found.high) == pytest.approx(expected, rel=1e-9)


def test_all_right_under_two_templates_is_as_sure_as_the_samples_are_many():
    """Where nothing varies, n is 1/Σ(w²/n_d): ten samples under two templates are ten."""
    world = World((Group("d", "a"), Group("d", "b")))
    for number in range(10):
        world.answer(f"s{number}", 1, group=0)
        world.answer(f"s{number}", 1, group=1)
    found = figure_of(world, "exact_match")
    assert (found.low, found.high) == pytest.approx(wilson_by_its_roots(1, 10, stats.t.ppf(0.975, 9)), rel=1e-9)


def test_a_dataset_all_right_beside_one_all_wrong_has_an_interval():
    world = World((Group("right", None), Group("wrong", None)))
    for number in range(4):
        world.answer(f"r{number}", 1, group=0)
    for number in range(12):
        world.answer(f"w{number}", 0, group=1)
    found = figure_of(world, "exact_match")
    n = 1 / (0.25 / 4 + 0.25 / 12)
    assert (found.low, found.high) == pytest.approx(wilson_by_its_roots(0.5, n, stats.t.ppf(0.975, 14)), rel=1e-9)


def test_one_sample_has_no_interval():
    found = figure_of(World().answers([1]), "exact_match")
    assert (found.value, found.n, found.se, found.low, found.high) == (1.0, 1, None, None, None)


def test_a_dataset_of_one_sample_leaves_the_whole_without_an_interval():
    world = World((Group("one", None), Group("many", None)))
    world.answer("a", 1, group=0)
    for number in range(9):
        world.answer(f"b{number}", number % 2, group=1)
    found = figure_of(world, "exact_match")
    assert found.value is not None
    assert (found.se, found.low) == (None, None)


def test_one_cluster_has_no_interval():
    world = World(options={"clustered": True}).answers([1, 0, 1, 1], cluster="passage")
    assert figure_of(world, "exact_match").low is None
    assert "two clusters" in figure_of(world, "exact_match", "low").reason


def test_a_cluster_is_one_observation():
    """Twelve samples in three clusters that are right or wrong together are three."""
    world = World(options={"clustered": True})
    for number in range(12):
        world.answer(f"s{number}", float(number // 4 > 0), cluster=f"c{number // 4}")
    found = figure_of(world, "exact_match")
    u = [-2 / 3 * 4 / 12, 1 / 3 * 4 / 12, 1 / 3 * 4 / 12]
    variance = 3 / 2 * sum(part * part for part in u)
    assert found.se == pytest.approx(sqrt(variance))
    assert found.n == 12
    ends = wilson_by_its_roots(2 / 3, 2 / 3 * (1 / 3) / variance, stats.t.ppf(0.975, 2))
    assert (found.low, found.high) == pytest.approx(ends, rel=1e-9)


def test_awkward_floats_within_a_cluster_sum_alike_in_every_order():
    worlds = [World(metrics=(F1,), options={"clustered": True}) for _ in range(2)]
    for world, order in zip(worlds, (range(60), random.Random(4).sample(range(60), 60)), strict=True):
        for number in order:
            world.answer(f"s{number}", 0.1 * (number % 7) + number / 3000, cluster=f"c{number % 3}")
    assert figure_of(worlds[0], "f1") == figure_of(worlds[1], "f1")


def test_clusters_of_one_name_in_two_datasets_are_two():
    world = World((Group("a", None), Group("b", None)), options={"clustered": True})
    for of in (0, 1):
        for number in range(4):
            world.answer(f"s{of}{number}", number % 2, group=of, cluster=f"c{number // 2}")
    assert figure_of(world, "exact_match").se is not None


@given(st.integers(2, 200), st.integers(0, 200))
def test_fewer_samples_never_narrow_a_wilson_interval(n, right):
    """The same share of twice as many samples has the narrower interval."""
    right %= n + 1
    few = figure_of(World().answers([1] * right + [0] * (n - right)), "exact_match")
    many = figure_of(World().answers([1] * (2 * right) + [0] * (2 * (n - right))), "exact_match")
    assert 0 <= few.low <= few.value <= few.high <= 1
    assert few.high - few.low > many.high - many.low > 0


@pytest.mark.parametrize(
    ("value", "n"),
    [(1e-3, 17), (1 / 3, 17), (0.7, 17), (208149204.68256277, 23), (230000511207.44672, 3), (1876159949.31188, 11)],
)
def test_equal_scores_have_no_interval_whatever_their_size(value, n):
    """What rounding leaves of equal scores is no spread; in the large ones it is over 1e-9."""
    found = figure_of(World(metrics=(LENGTH,)).answers([value] * n), "length")
    assert found.value == pytest.approx(value, rel=1e-15)
    assert (found.se, found.low, found.high) == (0, None, None)


def test_an_interval_stays_within_the_scores_range():
    found = figure_of(World(metrics=(F1,)).answers([1.0, 1.0, 1.0, 0.2]), "f1")
    assert found.high == 1.0
    latency = World()
    for number, seconds in enumerate([0.1, 0.1, 5.0]):
        latency.answer(f"s{number}", 1, response=answer(latency=seconds))
    assert figure_of(latency, "latency").low == 0.0
    assert figure_of(latency, "latency").high > 5.0


def test_pooled_statistics_are_numpys():
    dice = random.Random(7)
    values = [dice.lognormvariate(0, 1) for _ in range(57)]
    world = World((Group("a", None), Group("b", None)), (LENGTH,))
    for number, value in enumerate(values):
        world.answer(f"s{number}", value, group=number % 5 == 0)
    expected = {
        "sum": np.sum(values),
        "min": np.min(values),
        "max": np.max(values),
        "sd": np.std(values, ddof=1),
        **{f"p{p}": np.percentile(values, p) for p in (50, 90, 95, 99)},
    }
    for statistic, value in expected.items():
        found = figure_of(world, "length", statistic)
        assert found.value == pytest.approx(value, rel=1e-12)
        assert (found.low, found.high, found.n) == (None, None, 57)


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=30), st.floats(0, 1))
def test_a_quantile_is_numpys(values, p):
    assert quantile(sorted(values), p) == pytest.approx(np.quantile(values, p), rel=1e-9, abs=1e-6)


def test_sd_of_one_score_is_none():
    found = figure_of(World(metrics=(F1,)).answers([0.5]), "f1", "sd")
    assert found.value is None
    assert found.reason == "too few scores for f1.sd"


def test_statistics_of_the_mean_are_the_means():
    world = World().answers([1, 1, 0, 1])
    mean = figure_of(world, "exact_match")
    assert figure_of(world, "exact_match", "low").value == mean.low
    assert figure_of(world, "exact_match", "high").value == mean.high
    assert figure_of(world, "exact_match", "se").value == mean.se
    assert figure_of(world, "exact_match", "rate") == mean
    assert figure_of(world, "exact_match", "n").value == 4


def test_rate_is_the_share_that_reaches_pass():
    """A refused answer has no length and does not reach it; a lower score reaches where lower is better."""
    high = World(metrics=(Measure("length", None, (0.0, None), passing=10),)).answers([9, 10, 11, 12])
    high.answer("refused", {"length": None}, kind="refused")
    found = figure_of(high, "length", "rate")
    assert found.value == 3 / 5
    assert (found.low, found.high) == pytest.approx(wilson_by_its_roots(0.6, 5, stats.norm.ppf(0.975)))
    low = World(metrics=(Measure("edits", "low", (0.0, None), passing=10),)).answers([9, 10, 11, 12])
    assert figure_of(low, "edits", "rate").value == 0.5


def test_an_unbounded_score_that_could_not_be_given_is_left_out():
    world = World(metrics=(LENGTH,)).answers([4, 6])
    world.answer("refused", {"length": None}, kind="refused")
    found = figure_of(world, "length")
    assert (found.value, found.n) == (5.0, 2)
    assert figure_of(world, "length", "n").value == 3
    assert figure_of(world, "missed").n == 3


def test_zero_is_a_value():
    world = World(metrics=(F1,)).answers([0.0, 0.0])
    for statistic in ("mean", "sum", "min", "max", "sd", "se", "p50"):
        assert figure_of(world, "f1", statistic).value == 0
    free = World().answers([1, 1], response=answer(cost=0.0, latency=0.0, tokens=0))
    assert figure_of(free, "cost").value == 0
    assert figure_of(free, "latency").value == 0


def test_built_in_measures_read_the_outcome():
    world = World()
    world.answer("good", 1)
    world.answer("bad", 0)
    world.answer("cut", 1, response=answer(finish="length"))
    world.answer("refused", 0, kind="refused", response=answer(finish="content_filter"))
    world.answer("refused-as-expected", 1, response=answer(finish="content_filter"))
    world.error("kenya")
    world.add("oman", Outcome("not_asked", error="the endpoint was stopped"))
    world.add("peru", Outcome("skipped", error="no time"), skip="no time")
    share = {name: figure_of(world, name).value for name in ("passed", "missed", "refused", "truncated", "errors")}
    assert share == {"passed": 3 / 5, "missed": 2 / 5, "refused": 2 / 5, "truncated": 1 / 5, "errors": 2 / 7}
    assert figure_of(world, "errors").n == 7
    assert figure_of(world, "errors", "sum").value == 2
    assert figure_of(world, "exact_match").n == 5
    assert figure_of(world, "tokens") == figure_of(world, "tokens", "sum")
    assert figure_of(world, "tokens").value == 75
    assert figure_of(world, "cost").value == pytest.approx(0.005)
    assert figure_of(world, "latency").value == 0.5


@pytest.mark.parametrize(
    ("response", "unknown", "reason"),
    [
        (answer(tokens=None), ["tokens"], "1 of 3 answers came without a count of tokens"),
        (answer(cost=None), ["cost"], "1 of 3 answers came without a cost"),
        (answer(latency=None), ["latency"], "1 of 3 answers came without a latency"),
    ],
)
def test_what_an_answer_came_without_is_unknown_and_never_zero(response, unknown, reason):
    world = World().answers([1, 1])
    world.answer("kenya", 1, response=response)
    for name in ("tokens", "cost", "latency"):
        found = figure_of(world, name)
        assert (found.value is None) == (name in unknown)
        assert found.reason == (reason if name in unknown else "")
    assert figure_of(world, "exact_match").value == 1


def test_a_metric_that_raised_takes_its_figure_and_passed_and_missed():
    world = World(metrics=(EXACT, F1))
    for number in range(4):
        world.answer(f"s{number}", {"exact_match": 1, "f1": 0.5})
    world.answer("oman", {"exact_match": 1}, kind="metric_error", error="f1: ValueError: no tokens")
    assert figure_of(world, "exact_match").value == 1
    assert figure_of(world, "exact_match").n == 5
    assert figure_of(world, "f1").reason == "f1 raised on 1 of 5 answers: oman (f1: ValueError: no tokens)"
    assert figure_of(world, "passed").value is None
    assert figure_of(world, "missed").reason.startswith("a metric raised on 1 of 5 answers: oman")
    assert figure_of(world, "errors").value == 0


def test_a_score_that_could_not_be_given_is_not_taken_for_another_metrics_error():
    world = World(metrics=(LENGTH, F1))
    world.answer("chad", {"length": 4, "f1": 1})
    world.answer("oman", {"length": None}, kind="metric_error", error="f1: ValueError: no tokens")
    assert figure_of(world, "length").value == 4
    assert figure_of(world, "f1").value is None


def test_a_group_without_an_answer_leaves_no_mean():
    """The mean over the others would be higher or lower for no reason of the model's."""
    world = World((Group("a", None), Group("b", None))).answers([1, 1, 1])
    world.error("kenya", group=1)
    found = figure_of(world, "exact_match")
    assert (found.value, found.reason) == (None, "no answer came for b")
    assert figure_of(world, "latency").value == 0.5
    assert figure_of(world, "errors").value == 0.5


def test_a_group_of_skipped_rows_leaves_no_mean():
    world = World((Group("a", None), Group("b", "terse"))).answers([1, 1, 1])
    world.add("kenya", None, group=1, skip="no time")
    assert figure_of(world, "exact_match").reason == "every row of b under terse is skipped"


def test_a_group_without_a_score_leaves_no_mean():
    world = World((Group("a", None), Group("b", None)), (LENGTH,)).answers([3, 4])
    world.answer("refused", {"length": None}, kind="refused", group=1)
    assert figure_of(world, "length").reason == "no answer of b has a score by length"


def test_a_selection_is_averaged_over_what_it_asked():
    world = World((Group("a", None), Group("b", None)))
    world.answer("france", 1, group=0)
    world.answer("chad", 0, group=0)
    world.add("peru", None, group=1, selected=False)
    assert figure_of(world, "exact_match").value == 0.5


def test_each_group_has_its_own_figures():
    world = World((Group("d", "plain"), Group("d", "terse")), (EXACT, F1))
    for number in range(4):
        world.answer(f"s{number}", {"exact_match": 1, "f1": 0.5}, group=0)
        world.answer(f"s{number}", {"exact_match": number % 2, "f1": 0.25}, group=1)
    world.error("kenya", group=1)
    plain, terse = groups(tally(world.recipe, world.rows))
    assert (plain.n, plain.figures["exact_match"].value, plain.figures["f1"].value) == (4, 1.0, 0.5)
    assert (terse.n, terse.figures["exact_match"].value, terse.figures["f1"].value) == (4, 0.5, 0.25)
    assert (terse.figures["exact_match"].low, terse.figures["exact_match"].high) == pytest.approx(
        wilson_by_its_roots(0.5, 4, stats.norm.ppf(0.975))
    )
    assert groups(tally(world.recipe, world.rows), ["latency"])[1].figures["latency"].value == 0.5


def test_a_metric_error_takes_the_figure_of_its_group_alone():
    world = World((Group("a", None), Group("b", None))).answers([1, 0])
    world.answer("oman", {}, kind="metric_error", error="exact_match: TypeError: no", group=1)
    whole = tally(world.recipe, world.rows)
    assert figure(whole, "exact_match").value is None
    assert [group.figures["exact_match"].value for group in groups(whole)] == [0.5, None]
