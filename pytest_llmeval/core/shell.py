"""Commands that work when they are pasted into a shell."""

from __future__ import annotations

import os
import shlex
from dataclasses import dataclass

from .text import one_line


@dataclass(frozen=True, slots=True)
class Shell:
    """The shell that a user types into.

    ``windows``: double quotes, as its programs read them. ``below``: the way from where pytest was typed to its root
    (``../``), in front of node ids; empty where the two are one.
    """

    windows: bool = os.name == "nt"
    below: str = ""

    def pytest(self, target: str, *flags: str) -> str:
        """``pytest 'recipes/sums.yaml::two-digits-3[local]' -vv``."""
        return " ".join(["pytest", self.quoted(f"{self.below}{target}"), *flags])

    def quoted(self, text: str) -> str:
        """One argument, quoted where it needs to be; never a character that moves or hides text on a terminal."""
        if self.windows:
            return _windows(text)
        shown = one_line(text)
        if shown == text:
            return shlex.quote(text)
        # what cannot be shown as it is can be typed in bash and zsh by its number
        return "$'" + one_line(text.replace("\\", "\\\\").replace("'", "\\'")) + "'"


_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./\\:")


def _windows(text: str) -> str:
    """A program reads backslashes as themselves unless a double quote follows: then each counts half."""
    if text and not set(text) - _BARE:
        return text
    parts = ['"']
    backslashes = 0
    for character in one_line(text):
        if character == '"':
            parts.append("\\" * (backslashes + 1))
        backslashes = backslashes + 1 if character == "\\" else 0
        parts.append(character)
    return "".join([*parts, "\\" * backslashes, '"'])
