"""A file that was read: its tree, and where each part of it stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from pytest_llmeval.core.errors import Fault
from pytest_llmeval.core.sample import Origin
from pytest_llmeval.core.text import one_line

#: line and column, each counted from 1
At = tuple[int, int]
Step = str | int


class Map(dict[str, object]):
    """A mapping of a file. ``flow``: it is written in braces; ``places``: where each key and its value stand."""

    __slots__ = ("at", "flow", "places")

    def __init__(self, at: At, *, flow: bool = False) -> None:
        super().__init__()
        self.at = at
        self.flow = flow
        # one flat tuple a key: a large file has many
        self.places: dict[str, tuple[int, int, int, int]] = {}


class Items(list[object]):
    """A list of a file."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: At) -> None:
        super().__init__()
        self.at = at
        self.items_at: list[At] = []


@dataclass(frozen=True, slots=True)
class Document:
    """A file's content.

    ``path`` is what errors call it. ``faults`` were found while it was read; what was read is whole beside them.
    A tree of plain mappings and lists does as well: its parts then stand where the last known part around them does.
    """

    path: str
    root: object
    faults: tuple[Fault, ...] = ()
    start: At = (0, 0)
    digest: str = ""

    def origin(self, *steps: Step) -> Origin:
        """Where the value at the end of a path stands; a step that does not exist stays where it is."""
        return Origin(self.path, *self._walk(steps, key=False))

    def key(self, *steps: Step) -> Origin:
        """Where the key at the end of a path stands; for an item of a list its value."""
        return Origin(self.path, *self._walk(steps, key=True))

    def fault(self, message: str, *steps: Step) -> Fault:
        """A fault of the value at a path."""
        return Fault(self.origin(*steps), one_line(labelled(steps, message, self.root)))

    def key_fault(self, message: str, *steps: Step) -> Fault:
        """A fault of a key: told of the mapping that holds it, at the key."""
        return Fault(self.key(*steps), one_line(labelled(steps[:-1], message, self.root)))

    def _walk(self, steps: Sequence[Step], *, key: bool) -> At:
        node = self.root
        at = node.at if isinstance(node, Map | Items) else self.start
        for index, step in enumerate(steps):
            if isinstance(node, Map) and isinstance(step, str) and step in node:
                last = index == len(steps) - 1
                places = node.places[step]
                at = places[:2] if key and last else places[2:]
                node = node[step]
            elif isinstance(node, Items) and isinstance(step, int) and step < len(node):
                at = node.items_at[step]
                node = node[step]
            elif isinstance(node, Mapping) and step in node:
                node = node[step]
        return at


def labelled(steps: Sequence[Step], message: str, root: object = None) -> str:
    """``metrics[0]: message``. An index into what is no list in the file (one stands for a list) is left out."""
    label = ""
    node = root
    for step in steps:
        if isinstance(step, int):
            if node is None or isinstance(node, list | tuple):
                label += f"[{step}]"
                node = node[step] if isinstance(node, list | tuple) and step < len(node) else None
        else:
            label += f".{step}" if label else step
            node = node.get(step) if isinstance(node, Mapping) else None
    return f"{label}: {message}" if label else message


@dataclass(frozen=True, slots=True)
class Place:
    """A part of a document."""

    document: Document
    steps: tuple[Step, ...] = field(default=())

    def at(self, *steps: Step) -> Place:
        return Place(self.document, (*self.steps, *steps))

    @property
    def origin(self) -> Origin:
        return self.document.origin(*self.steps)

    def fault(self, message: str) -> Fault:
        return self.document.fault(message, *self.steps)

    def key_fault(self, message: str, key: str) -> Fault:
        return self.document.key_fault(message, *self.steps, key)

    def name_fault(self, message: str, name: str) -> Fault:
        """A fault of a name: at its key, where this is the place of what stands behind that."""
        if self.steps and self.steps[-1] == name:
            return Place(self.document, self.steps[:-1]).key_fault(message, name)
        return self.fault(message)
