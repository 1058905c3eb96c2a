"""What comes back over HTTP."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Reply:
    """Header names in lower case, the body decoded from its compression."""

    status: int
    headers: Mapping[str, str]
    body: bytes
