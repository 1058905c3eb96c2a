"""Quantiles agree with scipy's over wide ranges."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from pytest_llmeval.grading.quantiles import beta_quantile, normal_quantile, t_quantile

PROBABILITIES = [1e-9, 1e-4, 0.001, 0.01, 0.025, 0.05, 0.2, 0.4, 0.49, 0.51, 0.6, 0.9, 0.95, 0.975, 0.99, 0.999]


@pytest.mark.parametrize(
    "df", [1, 2, 3, 4, 5, 7, 9, 10, 15, 23, 30, 31, 32, 33, 64, 100, 999, 10**4, 10**5, 10**6, 10**8]
)
def test_t_agrees_with_scipy(df):
    for p in PROBABILITIES:
        assert t_quantile(p, df) == pytest.approx(stats.t.ppf(p, df), rel=1e-9)


@pytest.mark.parametrize("a", [0.5, 1, 2, 3.5, 10, 40, 1e3, 1e5])
@pytest.mark.parametrize("b", [0.5, 1, 2, 3.5, 10, 40, 1e3, 1e5])
def test_beta_agrees_with_scipy(a, b):
    """Asked back by the distribution function too, since scipy's own root finding fails at some of the ends."""
    for p in PROBABILITIES:
        x = beta_quantile(p, a, b)
        if 1e-12 < x < 1 - 1e-9:
            assert x == pytest.approx(stats.beta.ppf(p, a, b), rel=1e-9)
        if x < 1 - 1e-9:
            assert stats.beta.cdf(x, a, b) == pytest.approx(p, rel=1e-7)


def test_normal_agrees_with_scipy():
    for p in [1e-300, 1e-100, 1e-20, *PROBABILITIES, 1 - 1e-12]:
        assert normal_quantile(p) == pytest.approx(stats.norm.ppf(p), rel=1e-12)


def test_the_middle_is_zero():
    assert normal_quantile(0.5) == 0
    assert t_quantile(0.5, 7) == 0
    assert beta_quantile(0.5, 3, 3) == pytest.approx(0.5, rel=1e-15)


@given(st.floats(1e-6, 0.5 - 1e-6), st.integers(1, 500))
def test_t_is_symmetric_and_narrows_towards_the_normal(p, df):
    assert t_quantile(p, df) == pytest.approx(-t_quantile(1 - p, df), rel=1e-7)
    assert t_quantile(p, df) < t_quantile(p, df + 1) < normal_quantile(p)


@pytest.mark.parametrize("p", [0.0, 1.0, -0.1, 1.5, float("nan")])
def test_what_is_no_probability_is_refused(p):
    for quantile in (normal_quantile, lambda p: t_quantile(p, 3), lambda p: beta_quantile(p, 1, 2)):
        with pytest.raises(ValueError, match="between 0 and 1"):
            quantile(p)


def test_parameters_that_no_distribution_has_are_refused():
    with pytest.raises(ValueError, match="degrees of freedom"):
        t_quantile(0.9, 0)
    with pytest.raises(ValueError, match="parameters are positive"):
        beta_quantile(0.9, 0, 1)
