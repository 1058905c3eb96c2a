"""Worlds for runs that take their time."""

from __future__ import annotations

from dataclasses import replace

import pytest


@pytest.fixture(params=[("-p", "no:xdist"), ("-n", "2")], ids=["plain", "n2"])
def one_or_two(project, request):
    """A project run in one process, and by two workers."""
    return replace(project, world=request.param)
