"""Assertions on a recipe's result, as pytest explains them: what a failed gate shows."""

from __future__ import annotations

from typing import cast

from ..core.assertable import Grade, Measured
from ..core.measures import Condition, Operator
from ..core.record import GateRecord
from ..core.result import Verdict
from ..core.shell import Shell
from ..core.text import safe
from ..reports import failure

_TURNED: dict[str, Operator] = {">=": "<=", "<=": ">=", ">": "<", "<": ">", "==": "=="}


def explained(op: str, left: object, right: object, shell: Shell) -> list[str] | None:
    """Lines for ``result["exact_match"] >= 0.6`` and ``result.grade >= "B"``; None for other assertions."""
    if isinstance(right, Measured | Grade) and not isinstance(left, Measured | Grade) and op in _TURNED:
        op, left, right = _TURNED[op], right, left
    if op not in _TURNED:
        return None
    if isinstance(left, Grade):
        return [safe(f"grade {left!r} {op} {right!r}"), f"best first the scale has {', '.join(left.labels)}"]
    if not isinstance(left, Measured) or not isinstance(right, float | int):
        return None
    text = f"{left.measure} {op} {right:g}"
    condition = Condition(left.measure, left.statistic, cast("Operator", op), float(right), text)
    verdict = Verdict("failed", left.figure)
    gate = GateRecord("", condition)
    _, _, *lines = failure.failed_gate(left.recipe, gate, verdict, worst=left.worst, shell=shell).split("\n")
    return [safe(line) for line in (text, *lines)]
