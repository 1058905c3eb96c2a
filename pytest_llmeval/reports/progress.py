"""How far a run is, on one line."""

from __future__ import annotations

from ..core.events import ProgressEvent
from ..core.numbers import dollars

GAP = "  "


def line(event: ProgressEvent, width: int | None = None) -> str:
    """ASCII, the most telling first; where it is wider than ``width``, whole parts at its end are left out."""
    text = ""
    for part in _parts(event):
        longer = f"{text}{GAP}{part}" if text else part
        if width is not None and len(longer) > width:
            return text
        text = longer
    return text


def _parts(event: ProgressEvent) -> list[str]:
    parts = [
        (event.total, f"{event.done:,}/{event.total:,} done"),
        (event.left is not None, f"about {_clock(event.left or 0)} left"),
        (event.in_flight, f"{event.in_flight:,} in flight"),
        (event.waiting, f"{event.waiting:,} to be asked again"),
        (event.cached, f"{event.cached:,} answered before"),
        (event.refused, f"{event.refused:,} refused"),
        (event.tokens, f"{_short(event.tokens or 0)} tokens"),
        (event.cost, dollars(event.cost or 0)),
    ]
    return [text for shown, text in parts if shown]


def _clock(seconds: float) -> str:
    """``0:07``, ``1:40``, ``2:01:40``."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02}:{rest:02}" if hours else f"{minutes}:{rest:02}"


def _short(amount: int) -> str:
    """``9,120``, ``91k``, ``1.2M``."""
    if amount < 10_000:
        return f"{amount:,}"
    return f"{amount // 1000:,}k" if amount < 1_000_000 else f"{amount / 1_000_000:,.1f}M"
