"""PyYAML's Python loader, held to what its C loader reads; used where libyaml is absent."""

from __future__ import annotations

from typing import Any

import yaml


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

    def scan_to_next_token(self) -> None:
        super().scan_to_next_token()
        while self.peek() == "\t" and (self.flow_level or not self.allow_simple_key):
            self.forward()
            super().scan_to_next_token()
