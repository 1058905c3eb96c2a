"""What connectors that speak HTTP share: pooled clients, and what a failure or a status means.

``pool`` and ``failures`` import httpx, so they are imported where a connector is opened.
"""

from __future__ import annotations

from .chat import decode, encode, refuses
from .patched import is_patched, tampered

__all__ = ["decode", "encode", "is_patched", "refuses", "tampered"]
