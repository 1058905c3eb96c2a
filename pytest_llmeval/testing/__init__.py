"""Test a suite without a key: a connector that answers from a mapping, and a loopback server with every bad habit.

::

    from pytest_llmeval.testing import first, failing, serve

    with serve(first(2, failing(503)), answer="Paris") as server:
        ...  # an endpoint with base_url: server.url
    assert len(server.requests) == 3

``python -m pytest_llmeval.testing --delay 0.05`` runs the server as a process of its own and prints its address.
"""

from __future__ import annotations

from .behaviours import (
    Behaviour,
    answering,
    big,
    failing,
    first,
    hanging,
    limited,
    malformed,
    redirecting,
    refusing,
    slow_headers,
    when,
)
from .fake import FakeConnector
from .server import LoopbackServer, serve
from .wire import Received, Reply

__all__ = [
    "Behaviour",
    "FakeConnector",
    "LoopbackServer",
    "Received",
    "Reply",
    "answering",
    "big",
    "failing",
    "first",
    "hanging",
    "limited",
    "malformed",
    "redirecting",
    "refusing",
    "serve",
    "slow_headers",
    "when",
]
