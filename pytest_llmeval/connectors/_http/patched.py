"""Whether a test of the user's has put something in the place of httpx."""

from __future__ import annotations

import sys

_DOORS = (
    ("httpx", "AsyncClient", "send", "httpx._client"),
    ("httpx", "AsyncHTTPTransport", "handle_async_request", "httpx._transports.default"),
    ("httpcore", "AsyncConnectionPool", "handle_async_request", "httpcore._async.connection_pool"),
)


def is_patched() -> bool:
    """Whether a request sent now could meet a mock."""
    return bool(tampered())


def tampered() -> str:
    """Which of the methods on the way out is not httpx's own, and whose it is; empty where all are.

    A function's globals tell where it was written; its ``__module__`` would not do, since mocks made with a
    specification and wrappers made with functools copy it. Nothing is imported: what is not loaded is not patched.
    """
    for package, owner, name, home in _DOORS:
        if package not in sys.modules or home not in sys.modules:
            continue
        method = getattr(getattr(sys.modules[package], owner, None), name, None)
        written_in = getattr(method, "__globals__", None)
        if written_in is not vars(sys.modules[home]):
            by = written_in.get("__name__", "?") if isinstance(written_in, dict) else type(method).__module__
            return f"{package}.{owner}.{name} is not {package}'s own but of {by}"
    return ""
