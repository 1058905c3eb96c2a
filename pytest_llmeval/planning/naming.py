"""Ids of items: what stands after the ``::`` of a node id."""

from __future__ import annotations

import re

# what pytest splits or parametrizes by, what a shell or a report could not carry, what reorders text on a terminal
_UNFIT = re.compile("::|[\\[\\]%\x00-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u202a-\u202e\u2066-\u2069\ufffe\uffff]")


def encode(text: str) -> str:
    """Percent-encode (UTF-8) what cannot stand in a node id."""
    return _UNFIT.sub(lambda match: "".join(f"%{byte:02X}" for byte in _bytes(match.group())), text)


def unit_name(
    sample: str, endpoint: str, *, dataset: str | None = None, template: str | None = None, repeat: int | None = None
) -> str:
    """``SAMPLE[endpoint-template-r2]``, ``DATASET/SAMPLE[…]`` where a recipe has several datasets."""
    head = encode(sample) if dataset is None else f"{encode(dataset)}/{encode(sample)}"
    inside = [endpoint, *([template] if template is not None else []), *([f"r{repeat}"] if repeat is not None else [])]
    return f"{head}[{'-'.join(encode(part) for part in inside)}]"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
