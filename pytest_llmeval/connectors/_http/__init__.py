"""What connectors that speak HTTP share: pooled clients, and what a failure or a status means.

httpx itself is imported when a pool is opened.
"""

from __future__ import annotations

from .chat import decode, encode
from .patched import is_patched, tampered
from .pool import HttpPool, Reply, pooled

__all__ = ["HttpPool", "Reply", "decode", "encode", "is_patched", "pooled", "tampered"]
