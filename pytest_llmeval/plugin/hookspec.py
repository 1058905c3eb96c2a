"""Hooks that this plugin calls."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ..core.registry import Registry


@pytest.hookspec(historic=True)
def pytest_llmeval_register(registry: Registry) -> None:
    """Register metrics, connectors, dataset sources and reports: ``registry.add("metric", MyMetric)``.

    Implement it in a plugin or in any ``conftest.py``, with ``@pytest.hookimpl(optionalhook=True)``, so that
    ``-p no:llmeval`` breaks nobody.
    """
