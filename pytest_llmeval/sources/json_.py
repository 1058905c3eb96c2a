"""JSON: a list of rows."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.lines import BOM, MOST_FAULTS
from pytest_llmeval.core.options import PathText
from pytest_llmeval.core.plain import JSON
from pytest_llmeval.core.sample import Origin

_BLANK = " \t\r\n"


@dataclass(frozen=True)
class Json:
    """A JSON list of objects. The whole file is read."""

    id: ClassVar[str] = "json"
    suffixes: ClassVar[tuple[str, ...]] = (".json",)

    path: PathText

    def rows(self) -> Iterator[tuple[Mapping[str, object], int]]:
        """Each row with the line that it begins at. Raises Faults, at the end where the list can be read on."""
        text = self._text()
        faults: list[Fault] = []
        line = 1
        counted = 0
        for row, start in self._items(text):
            line += text.count("\n", counted, start)
            counted = start
            if isinstance(row, dict):
                yield row, line
            else:
                faults.append(Fault(Origin(self.path, line), "a row is a JSON object ({…})"))
            if len(faults) >= MOST_FAULTS:
                break
        if faults:
            raise Faults(faults)

    def _text(self) -> str:
        try:
            return Path(self.path).read_bytes().removeprefix(BOM).decode("utf-8")
        except UnicodeDecodeError as error:
            line = error.object.count(b"\n", 0, error.start) + 1
            message = f"the byte 0x{error.object[error.start]:02x} is not UTF-8; save the file as UTF-8"
            raise Faults.one(Origin(self.path, line), message) from None
        except OSError as error:
            raise Faults.one(Origin(self.path), f"it cannot be read: {error.strerror or error}") from None

    def _items(self, text: str) -> Iterator[tuple[object, int]]:
        """The items of the list, each with the index that it begins at."""
        at = _skip(text, 0)
        if text[at : at + 1] != "[":
            raise self._fault(text, at, "a list of rows ([…]) is expected")
        at = _skip(text, at + 1)
        if text[at : at + 1] == "]":
            self._end(text, at + 1)
            return
        while True:
            try:
                row, end = JSON.raw_decode(text, at)
            except json.JSONDecodeError as error:
                raise self._fault(text, error.pos, f"this is no JSON: {error.msg}") from None
            except RecursionError:
                raise self._fault(text, at, "it is nested too deep") from None
            except ValueError as error:
                raise self._fault(text, at, str(error)) from None
            yield row, at
            at = _skip(text, end)
            separator = text[at : at + 1]
            if separator == "]":
                self._end(text, at + 1)
                return
            if separator != ",":
                raise self._fault(text, at, "this is no JSON: a comma or `]` is expected")
            at = _skip(text, at + 1)

    def _end(self, text: str, at: int) -> None:
        at = _skip(text, at)
        if at < len(text):
            raise self._fault(text, at, "this is no JSON: more stands behind the list")

    def _fault(self, text: str, at: int, message: str) -> Faults:
        line = text.count("\n", 0, at) + 1
        return Faults.one(Origin(self.path, line, at - text.rfind("\n", 0, at)), message)


def _skip(text: str, at: int) -> int:
    while at < len(text) and text[at] in _BLANK:
        at += 1
    return at
