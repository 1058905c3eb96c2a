"""Quantiles of the normal, the beta and Student's t distribution, to about twelve digits.

The incomplete beta function is the continued fraction of NIST's Digital Library of Mathematical Functions, 8.17.22,
by Lentz's method; its leading term is written by Stirling's series, so that nothing cancels at large degrees of
freedom.
"""

from __future__ import annotations

from functools import lru_cache
from math import erfc, exp, inf, lgamma, log, log1p, pi, sqrt

_HALF_LOG_2PI = 0.5 * log(2 * pi)
_TINY = 1e-300


def normal_quantile(p: float) -> float:
    """The z below which a standard normal variable falls with probability ``p``, 0 < p < 1."""
    _check(p)
    if p > 0.5:
        return -normal_quantile(1 - p)
    low, high = -40.0, 0.0
    z = -sqrt(-2 * log(2 * p)) if p < 0.5 else 0.0
    for _ in range(200):
        over = 0.5 * erfc(-z / sqrt(2)) - p
        low, high = (low, z) if over > 0 else (z, high)
        density = exp(-0.5 * z * z - _HALF_LOG_2PI)
        step = over / density if density > 0 else inf
        following = z - step
        if not low <= following <= high:
            following = 0.5 * (low + high)
        if abs(following - z) <= 1e-15 * max(1.0, abs(z)):
            return following
        z = following
    return z


def beta_quantile(p: float, a: float, b: float) -> float:
    """The x below which a beta(a, b) variable falls with probability ``p``, 0 < p < 1, a > 0, b > 0."""
    _check(p)
    if not (a > 0 and b > 0):
        raise ValueError(f"a beta distribution's parameters are positive, not {a} and {b}")
    return _logistic(_beta_logit(p, a, b))[0]


@lru_cache(maxsize=256)
def t_quantile(p: float, df: float) -> float:
    """The t below which a Student variable with ``df`` degrees of freedom falls with probability ``p``, 0 < p < 1.

    2 P(T > t) = I_x(df/2, 1/2) with x = df/(df + t²); the logit of x is log(df/t²), so no digit of t is lost.
    """
    _check(p)
    if not df > 0:
        raise ValueError(f"degrees of freedom are positive, not {df}")
    if p == 0.5:
        return 0.0
    if df > 1e7:  # the first term of the expansion in 1/df; the second is below 1e-12 here
        z = normal_quantile(p)
        return z + (z**3 + z) / (4 * df)
    tail = 2 * min(p, 1 - p)
    t = sqrt(df) * exp(-0.5 * _beta_logit(tail, 0.5 * df, 0.5))
    return t if p > 0.5 else -t


def _check(p: float) -> None:
    if not 0 < p < 1:
        raise ValueError(f"a quantile's probability lies between 0 and 1, not at {p}")


def _beta_logit(p: float, a: float, b: float) -> float:
    """log(x / (1 − x)) of the beta quantile x, by Newton's method within a bracket."""
    if p > 0.5:
        return -_beta_logit(1 - p, b, a)
    low, high, z = -740.0, 740.0, log(a / b)
    for _ in range(400):
        x, y = _logistic(z)
        over = _incomplete_beta(x, y, a, b) - p
        low, high = (low, z) if over > 0 else (z, high)
        slope = exp(_log_term(x, y, a, b))
        following = z - over / slope if slope > 0 else inf
        if not low < following < high:
            following = 0.5 * (low + high)
        if abs(following - z) <= 1e-15 * max(1.0, abs(z)):
            return following
        z = following
    return z


def _logistic(z: float) -> tuple[float, float]:
    """1/(1 + exp(−z)) and its complement, each to full precision."""
    small = exp(-abs(z))
    near, far = 1 / (1 + small), small / (1 + small)
    return (near, far) if z >= 0 else (far, near)


def _incomplete_beta(x: float, y: float, a: float, b: float) -> float:
    """The regularised I_x(a, b), with y = 1 − x."""
    if x * (a + b + 2) > a + 1:
        return 1 - _incomplete_beta(y, x, b, a)
    c, d = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    fraction = d
    for m in range(1, 100_000):
        even = m * (b - m) * x / ((a + 2 * m - 1) * (a + 2 * m))
        odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 2 * m + 1))
        change = 1.0
        for term in (even, odd):
            d = 1 / _away_from_zero(1 + term * d)
            c = _away_from_zero(1 + term / c)
            change = c * d
            fraction *= change
        if abs(change - 1) < 1e-16:
            break
    return exp(_log_term(x, y, a, b)) * fraction / a


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY


def _log_term(x: float, y: float, a: float, b: float) -> float:
    """log(xᵃ yᵇ / B(a, b)): what Stirling's series leaves of three gamma functions, nothing large to cancel."""
    if x <= 0 or y <= 0:
        return -inf
    both = a + b
    off = b * x - a * y  # both·x − a
    powers = _log_power(x, off, a, both) + _log_power(y, -off, b, both)
    return powers + 0.5 * log(a * b / both) - _HALF_LOG_2PI + _stirling(both) - _stirling(a) - _stirling(b)


def _log_power(x: float, off: float, a: float, both: float) -> float:
    """a·log(x·both/a), where x·both − a is ``off``: by log1p where the ratio is near 1."""
    return a * log1p(off / a) if abs(off) < 0.5 * a else a * (log(x) + log(both / a))


def _stirling(s: float) -> float:
    """log Γ(s) − ((s − ½)·log s − s + ½·log 2π)."""
    if s < 16:
        return lgamma(s) - ((s - 0.5) * log(s) - s + _HALF_LOG_2PI)
    square = s * s
    return (1 / 12 - (1 / 360 - (1 / 1260 - (1 / 1680 - 1 / (1188 * square)) / square) / square) / square) / s
