"""Whether a test of the user's has put something in the place of httpx."""

from __future__ import annotations

import sys

TAMPERED = (
    "httpx is patched (by pytest-httpx, respx or a mock, say), so that a stand-in might answer; "
    "patch it within tests, not around recipes"
)
_DOORS = (
    ("httpx", "AsyncClient", "send", "httpx._client"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request", "httpx._transports.default"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request", "httpcore._async.connection_pool"),
)


def tampered() -> str:
    """Why a request sent now could be answered by a mock; empty where it could not."""
    return TAMPERED if is_patched() else ""


def is_patched() -> bool:
    """Whether a request sent now could meet a mock: any of the methods on the way out is not httpx's own.

    A function's globals tell where it was written; its ``__module__`` would not do, since mocks made with a
    specification and wrappers made with functools copy it. Nothing is imported: what is not loaded is not patched.
    """
    for package, owner, name, home in _DOORS:
        if package not in sys.modules or home not in sys.modules:
            continue
        method = getattr(getattr(sys.modules[package], owner, None), name, None)
        if getattr(method, "__globals__", None) is not vars(sys.modules[home]):
            return True
    return False
