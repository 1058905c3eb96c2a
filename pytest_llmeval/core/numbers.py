"""Numbers as people read them: shares with two decimals, latency in seconds, cost in dollars, thousands grouped."""

from __future__ import annotations

from decimal import Decimal
from math import isfinite

from .result import Figure

ABSENT = "-"
_COUNTED = frozenset({"errors", "refused", "truncated", "missed", "passed"})


def number(value: float | None, measure: str = "", statistic: str = "", decimals: int = 2) -> str:
    """A value of a measure with its unit; ``-`` where there is none. ``decimals`` is for what is not counted."""
    if value is None or not isfinite(value):
        return ABSENT
    if measure == "cost" and statistic not in {"n", "rate"}:
        return dollars(value, decimals)
    return f"{_bare(value, measure, statistic, decimals)}{_unit(measure, statistic)}"


def figure_text(figure: Figure | None, measure: str = "", statistic: str = "") -> str:
    """``0.88 (0.69-0.96)``: value and 95% interval, the unit written once.

    An interval has a width: where its ends read alike at two decimals, all three numbers have as many as tell them
    apart, ``1.00 (0.996-1.00)``.
    """
    if figure is None or figure.value is None:
        return ABSENT
    if figure.low is None or figure.high is None:
        return number(figure.value, measure, statistic)
    ends = (figure.low, figure.high)
    pairs = [[_bare(end, measure, statistic, decimals) for end in ends] for decimals in range(2, 10)]
    enough = next((i for i, (low, high) in enumerate(pairs) if low != high), 0)
    value = number(figure.value, measure, statistic, 2 + enough)
    low, high = pairs[enough]
    if enough:
        value, low, high = _short(value), _short(low), _short(high)
    return f"{value} ({low} to {high})" if figure.low < 0 else f"{value} ({low}-{high})"


def told_apart(figure: Figure, limit: float, measure: str = "", statistic: str = "") -> tuple[str, str]:
    """What to add to ``figure_text`` so that a figure and a limit that read alike are told apart, and the limit."""
    if figure.value is None:
        return "", number(limit, measure, statistic)
    value, limited = apart(figure.value, limit, measure, statistic)
    shown = figure_text(figure, measure, statistic).partition(" (")[0]
    return ("" if len(value) <= len(shown) else f", exactly {value}"), limited


def apart(value: float, limit: float, measure: str = "", statistic: str = "") -> tuple[str, str]:
    """Both numbers with as many decimals (two to nine) as it takes to tell them apart; two where they are equal.

    Conditions are compared at nine decimals; ``0.80 does not reach 0.80`` would help nobody.
    """
    pairs = [
        (number(value, measure, statistic, decimals), number(limit, measure, statistic, decimals))
        for decimals in range(2, 10)
    ]
    return next((pair for pair in pairs if pair[0] != pair[1]), pairs[0])


def dollars(value: float, decimals: int = 2) -> str:
    """``$0.04``; amounts below a cent keep two digits that say something: ``$0.00031``."""
    sign, amount = ("-" if value < 0 else ""), abs(value)
    if amount == 0:
        return "$0"
    if amount < 0.01 and decimals == 2:
        return f"{sign}${Decimal(f'{amount:.1e}').normalize():f}"
    return f"{sign}${amount:,.{decimals}f}"


def seconds(value: float) -> str:
    """A duration: ``0.21 s``, ``17.4 s``, ``2 min 5 s``, ``1 h 2 min``."""
    if value < 10:
        return f"{value:.2f} s" if value < 1 else f"{value:.1f} s"
    if value < 59.95:
        return f"{value:.1f} s"
    whole = round(value)
    if whole < 3600:
        return f"{whole // 60} min {whole % 60} s"
    return f"{whole // 3600} h {whole % 3600 // 60} min"


def count(amount: int, one: str, many: str = "") -> str:
    """``1 request``, ``1,204 requests``."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def _unit(measure: str, statistic: str) -> str:
    return " s" if measure == "latency" and statistic not in {"n", "rate"} else ""


def _bare(value: float, measure: str, statistic: str, decimals: int) -> str:
    whole = float(value).is_integer()
    if statistic == "n" or (whole and (measure == "tokens" or (statistic == "sum" and measure in _COUNTED))):
        return f"{value:,.0f}"
    if measure == "latency" and 0 < abs(value) < 0.01 and decimals == 2:
        decimals = 4
    shown = f"{value:,.{decimals}f}"
    return shown.lstrip("-") if float(shown.replace(",", "")) == 0 else shown


def _short(text: str) -> str:
    """Without zeros at its end, down to two decimals."""
    digits, unit, rest = text.partition(" ")
    whole, point, decimals = digits.partition(".")
    return f"{whole}{point}{decimals[:2]}{decimals[2:].rstrip('0')}{unit}{rest}"
