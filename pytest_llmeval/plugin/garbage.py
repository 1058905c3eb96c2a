"""Python's garbage collector beside thousands of items."""

from __future__ import annotations

import gc
from functools import partial

import pytest

SPARED: pytest.StashKey[bool] = pytest.StashKey()


def spare_collected(config: pytest.Config) -> None:
    """What was collected lives as long as the session: the collector need not look it through again and again.

    With a thousand samples on a fast service this is a tenth of a run's time.
    """
    gc.freeze()
    config.stash[SPARED] = True


def end_sparing_last(config: pytest.Config) -> None:
    """To be called before pytest asks for its own last look, which is for what tests left, so that this comes after."""
    config.add_cleanup(partial(_end_sparing, config))


def _end_sparing(config: pytest.Config) -> None:
    if config.stash.get(SPARED, False):
        gc.unfreeze()
