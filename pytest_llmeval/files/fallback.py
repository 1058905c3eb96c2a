"""PyYAML's Python loader, held to what its C loader reads; used where libyaml is absent."""

from __future__ import annotations

from typing import Any

import yaml
from yaml.scanner import ScannerError


class PythonLoader(yaml.SafeLoader):
    """Reads as libyaml does: question marks within flow text, tabs between tokens and within text."""

    def __init__(self, stream: Any) -> None:
        self._in_text = False
        super().__init__(stream)

    def peek(self, index: int = 0) -> str:
        found = str(super().peek(index))
        # within text a question mark ends nothing, and PyYAML asks for it only there
        return "x" if self._in_text and found == "?" else found

    def scan_plain(self) -> Any:
        self._in_text = True
        try:
            return super().scan_plain()
        finally:
            self._in_text = False

    def scan_plain_spaces(self, indent: int, start_mark: Any) -> list[str]:
        """What white space within text comes to: itself within a line, folded where lines end."""
        blanks = ""
        breaks: list[str] = []
        while (found := self.peek()) in {" ", "\t", "\r", "\n"}:
            if found in {"\r", "\n"}:
                # its stub has no types
                breaks.append(str(self.scan_line_break()))  # type: ignore[no-untyped-call]
                self.allow_simple_key = True
                if self.prefix(3) in {"---", "..."} and self.peek(3) in "\0 \t\r\n":
                    return []
            else:
                if not breaks:
                    blanks += found
                elif found == "\t" and self.column < indent:
                    self._refuse_tab("while scanning a plain scalar", start_mark)
                self.forward()
        if breaks:
            return breaks[1:] or [" "]
        return [blanks] if blanks else []

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()

    def scan_block_scalar_indentation(self) -> Any:
        found = super().scan_block_scalar_indentation()
        if self.peek() == "\t":
            self._refuse_tab("while scanning a block scalar", self.get_mark())
        return found

    def scan_block_scalar_breaks(self, indent: int) -> Any:
        found = super().scan_block_scalar_breaks(indent)
        if self.column < indent and self.peek() == "\t":
            self._refuse_tab("while scanning a block scalar", self.get_mark())
        return found

    def _refuse_tab(self, context: str, mark: Any) -> None:
        raise ScannerError(context, mark, "found a tab character that violates indentation", self.get_mark())
