"""What a service says in its headers about its rates: how long to wait, what it has left, when that is full again."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime

from pytest_llmeval.core.clock import SystemClock
from pytest_llmeval.core.exchange import RateLimits

Headers = Mapping[str, str]
#: limit, remaining, seconds until full
Figures = tuple[int | None, int | None, float | None]

_UNKNOWN: Figures = (None, None, None)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|ns|[dhms])", re.ASCII)
_UNITS = {"ns": 1e-9, "us": 1e-6, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_FIELD = re.compile(r"\b(limit|remaining|reset|q|r|t)\s*=\s*\"?(\d+(?:\.\d+)?)", re.ASCII | re.IGNORECASE)
_COUNT = re.compile(r"\s*(\d{1,18})(?![\w.])", re.ASCII)
#: a number that is larger counts seconds since the epoch, one still larger milliseconds
_EPOCH, _EPOCH_MS = 1e9, 1e11
_CLOCK = SystemClock()

# where each kind stands: names of limit, remaining and reset
_CALLS = (
    ("x-ratelimit-limit-requests", "x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"),
    (
        "anthropic-ratelimit-requests-limit",
        "anthropic-ratelimit-requests-remaining",
        "anthropic-ratelimit-requests-reset",
    ),
    ("ratelimit-limit", "ratelimit-remaining", "ratelimit-reset"),
    ("x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"),
    ("x-rate-limit-limit", "x-rate-limit-remaining", "x-rate-limit-reset"),
)
_TOKENS = (
    ("x-ratelimit-limit-tokens", "x-ratelimit-remaining-tokens", "x-ratelimit-reset-tokens"),
    *(
        (
            f"anthropic-ratelimit-{kind}-limit",
            f"anthropic-ratelimit-{kind}-remaining",
            f"anthropic-ratelimit-{kind}-reset",
        )
        for kind in ("tokens", "input-tokens", "output-tokens")
    ),
)


def retry_after(headers: Headers) -> float | None:
    """Seconds that the service asks to wait (as seconds, milliseconds or an HTTP date); None where it does not say."""
    precise = _number(headers.get("retry-after-ms", ""))
    if precise is not None:
        return precise / 1000
    text = headers.get("retry-after", "").strip()
    seconds = _number(text)
    return _until(_date(text), headers) if seconds is None else seconds


def rate_limits(headers: Headers) -> RateLimits | None:
    """What is said of calls and of tokens; None where nothing is. Of several accounts the tightest."""
    calls = _tightest([*(_figures(headers, names) for names in _CALLS), _combined(headers)])
    tokens = _tightest([_figures(headers, names) for names in _TOKENS])
    return None if calls == tokens == _UNKNOWN else RateLimits(*calls, *tokens)


def _figures(headers: Headers, names: tuple[str, str, str]) -> Figures:
    limit, remaining, reset = (headers.get(name, "") for name in names)
    return _count(limit), _count(remaining), _reset(reset.strip(), headers)


def _combined(headers: Headers) -> Figures:
    """One header for all: ``limit=9, remaining=8, reset=5``, or ``"default";r=8;t=5`` beside its policy's ``q=9``."""
    fields = dict(_fields(headers.get("ratelimit-policy", ""))) | dict(_fields(headers.get("ratelimit", "")))
    limit = _count(fields.get("limit", fields.get("q", "")))
    remaining = _count(fields.get("remaining", fields.get("r", "")))
    return limit, remaining, _reset(fields.get("reset", fields.get("t", "")), headers)


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """The first of each name; a policy's ``w`` (the window) is no time of a reset."""
    seen = set()
    for name, value in _FIELD.findall(text):
        if name.lower() not in seen:
            seen.add(name.lower())
            yield name.lower(), value


def _tightest(accounts: list[Figures]) -> Figures:
    """The one with the smallest share left, of those that are whole; else the first that says anything."""

    def share(figures: Figures) -> float:
        limit, remaining, reset = figures
        return remaining / limit if limit and remaining is not None and reset is not None else math.inf

    said = [figures for figures in accounts if figures != _UNKNOWN]
    return min(said, key=share, default=_UNKNOWN)


def _count(text: str) -> int | None:
    """A whole number at the beginning (a policy may stand behind it)."""
    found = _COUNT.match(text)
    return None if found is None else int(found[1])


def _reset(text: str, headers: Headers) -> float | None:
    """Seconds from a number of them, a duration such as ``6m0s``, a time since the epoch, or a date."""
    number = _number(text)
    if number is not None:
        if number < _EPOCH:
            return number
        return _until(number / 1000 if number >= _EPOCH_MS else number, headers)
    if text and not _DURATION.sub("", text):
        return _finite(sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text)))
    return _until(_iso(text) if text[:4].isdigit() else _date(text), headers)


def _until(when: float | None, headers: Headers) -> float | None:
    """Seconds until then: by the clock of the service where it tells its time, since ours may be another."""
    if when is None:
        return None
    now = _date(headers.get("date", ""))
    return max(0.0, when - (_CLOCK.now() if now is None else now))


def _date(text: str) -> float | None:
    """Of an HTTP date, in seconds since the epoch."""
    from email.utils import parsedate_to_datetime

    try:
        when = parsedate_to_datetime(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, TypeError, IndexError, OverflowError, OSError):
        return None


def _iso(text: str) -> float | None:
    """Of a date as RFC 3339 has it."""
    try:
        when = datetime.fromisoformat(text)
        return (when if when.tzinfo else when.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError, OSError):
        return None


def _number(text: str) -> float | None:
    try:
        value = float(text)
    except ValueError:
        return None
    return _finite(value)


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) and value >= 0 else None
