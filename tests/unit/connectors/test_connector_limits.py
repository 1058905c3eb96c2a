"""What services say in their headers about their rates, in all the ways they have."""

from __future__ import annotations

import math
from email.utils import formatdate

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pytest_llmeval.connectors._http import limits
from pytest_llmeval.connectors._http.limits import rate_limits, retry_after
from pytest_llmeval.core.exchange import RateLimits

NOON = 1_795_608_000.0
ISO = "2026-11-25T12:00:00Z"
HTTP = "Wed, 25 Nov 2026 12:00:00 GMT"


class Noon:
    def now(self):
        return NOON

    def monotonic_ns(self):
        return 0


@pytest.fixture
def noon(monkeypatch):
    monkeypatch.setattr(limits, "_CLOCK", Noon())


def triple(limit, remaining, reset, names="x-ratelimit-{}-requests"):
    found = {"limit": limit, "remaining": remaining, "reset": reset}
    return {names.format(name): value for name, value in found.items()}


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        (triple("60", "59", "1s"), RateLimits(60, 59, 1.0)),
        (triple("60", "59", "6m0s"), RateLimits(60, 59, 360.0)),
        (triple("60", "59", "1.5s"), RateLimits(60, 59, 1.5)),
        (triple("60", "59", "20ms"), RateLimits(60, 59, 0.02)),
        (triple("60", "59", "1h2m3.5s"), RateLimits(60, 59, 3723.5)),
        (triple("60", "59", "7"), RateLimits(60, 59, 7.0)),
        (triple("60", "0", ""), RateLimits(60, 0, None)),
        (
            triple("60", "59", "1s") | triple("90000", "89000", "0.5s", "x-ratelimit-{}-tokens"),
            RateLimits(60, 59, 1.0, 90000, 89000, 0.5),
        ),
        (triple("50", "49", "2026-11-25T12:00:30Z", "anthropic-ratelimit-requests-{}"), RateLimits(50, 49, 30.0)),
        (triple("50", "49", "2026-11-25T13:00:30+01:00", "anthropic-ratelimit-requests-{}"), RateLimits(50, 49, 30.0)),
        (
            triple("9000", "8000", ISO, "anthropic-ratelimit-input-tokens-{}")
            | triple("900", "9", "2026-11-25T12:00:10Z", "anthropic-ratelimit-output-tokens-{}"),
            RateLimits(None, None, None, 900, 9, 10.0),
        ),
        (triple("100, 100;w=60", "12", "30", "ratelimit-{}"), RateLimits(100, 12, 30.0)),
        (triple("100", "12", f"{NOON + 45:.0f}", "x-ratelimit-{}"), RateLimits(100, 12, 45.0)),
        (triple("100", "12", f"{NOON * 1000 + 4500:.0f}", "x-ratelimit-{}"), RateLimits(100, 12, 4.5)),
        (triple("100", "12", f"{NOON - 45:.0f}", "x-ratelimit-{}"), RateLimits(100, 12, 0.0)),
        (triple("15", "14", "60", "x-rate-limit-{}"), RateLimits(15, 14, 60.0)),
        ({"ratelimit": "limit=100, remaining=50, reset=5"}, RateLimits(100, 50, 5.0)),
        ({"ratelimit": '"default";r=50;t=30', "ratelimit-policy": '"default";q=100;w=60'}, RateLimits(100, 50, 30.0)),
        # two accounts: the tighter one
        (triple("60", "59", "1s") | triple("1000", "10", "60", "x-ratelimit-{}"), RateLimits(1000, 10, 60.0)),
        (triple("many", "-1", "soon"), None),
        (triple("1.5", "1e3", "nan"), None),
        ({}, None),
    ],
)
def test_limits_are_read(noon, headers, expected):
    assert rate_limits(headers) == expected


@pytest.mark.parametrize(
    ("headers", "expected"),
    [
        ({"retry-after": "3"}, 3.0),
        ({"retry-after": " 0.5 "}, 0.5),
        ({"retry-after": HTTP.replace("12:00:00", "12:00:20")}, 20.0),
        ({"retry-after": HTTP.replace("12:00:00", "11:00:00")}, 0.0),
        ({"retry-after-ms": "250", "retry-after": "1"}, 0.25),
        ({"retry-after-ms": "x", "retry-after": "1"}, 1.0),
        ({"retry-after": "-1"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "soon"}, None),
        ({}, None),
    ],
)
def test_waits_are_read(noon, headers, expected):
    assert retry_after(headers) == expected


def test_a_date_is_meant_by_the_clock_of_the_service(noon):
    """Ours may be ahead by an hour: the wait would be undercut."""
    dates = {"date": formatdate(NOON - 3600, usegmt=True), "retry-after": formatdate(NOON - 3590, usegmt=True)}

    assert retry_after(dates) == 10.0
    assert rate_limits(dates | triple("9", "1", f"{NOON - 3580:.0f}")) == RateLimits(9, 1, 20.0)


@given(st.integers(1, 10**6))
def test_a_date_is_never_undercut(seconds):
    now = 1_700_000_000
    wait = retry_after({"date": formatdate(now, usegmt=True), "retry-after": formatdate(now + seconds, usegmt=True)})

    assert wait == seconds


NAMES = [name for names in (*limits._CALLS, *limits._TOKENS) for name in names]
NAMES += ["retry-after", "retry-after-ms", "ratelimit", "ratelimit-policy", "date"]
pieces = st.sampled_from(
    [
        "9" * 400,
        "-1",
        "1e999",
        "1_0",
        "٣",
        "0x1",
        "1h",
        "ms",
        ";w=1",
        "limit=",
        "r=9",
        "t=-5",
        "Mon, ",
        "2026-",
        "T",
        "Z",
        "+99:99",
        " ",
        ",",
        "0",
    ]
)
texts = st.text() | st.lists(pieces, max_size=6).map("".join)


@given(st.dictionaries(st.sampled_from(NAMES), texts))
@example({"retry-after": "Mon, 31 Feb 99999 25:61:61 +9999"})
@example({"x-ratelimit-reset-requests": "9" * 310 + "d"})
def test_no_header_raises_and_none_is_read_as_less_than_nothing(headers):
    wait = retry_after(headers)
    said = rate_limits(headers)

    assert wait is None or 0 <= wait < math.inf
    for figure in [] if said is None else [said.calls, said.calls_remaining, said.tokens, said.tokens_remaining]:
        assert figure is None or figure >= 0
    for reset in [] if said is None else [said.calls_reset, said.tokens_reset]:
        assert reset is None or 0 <= reset < math.inf
