"""Who looks on while the thread that runs the tests waits for the engine."""

from __future__ import annotations

from typing import Protocol


class Onlooker(Protocol):
    """Called in the thread that waits, with no lock held."""

    def turn(self) -> None:
        """It still waits; called twenty times a second or oftener."""
        ...

    def leave(self) -> None:
        """The wait is over, however it ended; said also where there was no turn."""
        ...


class Nobody:
    """Looks on at nothing."""

    def turn(self) -> None: ...

    def leave(self) -> None: ...
