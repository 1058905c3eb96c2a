"""The shell that pytest was typed into: commands that we show work there, whichever folder it is in."""

from __future__ import annotations

import os

import pytest

from ..core.shell import Shell


def shell_of(config: pytest.Config) -> Shell:
    """Node ids count from the root; the shell may stand elsewhere."""
    root, typed = config.rootpath, config.invocation_params.dir
    try:
        way = os.path.relpath(root, typed).replace(os.sep, "/")
    except ValueError:  # another drive
        way = root.as_posix()
    return Shell(below="" if way == "." else f"{way}/")
