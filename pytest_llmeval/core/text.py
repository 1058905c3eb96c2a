"""Text as it is shown: trimmed, escaped, compared. The state keeps texts exactly; what is shown goes through here."""

from __future__ import annotations

import difflib
import re

# C0 and C1 controls but line feed and tab, DEL, and what reorders or hides text on a terminal.
_UNSAFE = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufffe\uffff]")


def safe(text: str) -> str:
    """Controls, surrogates and direction marks as backslash escapes.

    Harmless on terminals, in XML and between xdist workers.
    """
    return _UNSAFE.sub(lambda match: _escape(match.group()), text)


def one_line(text: str) -> str:
    """Safe, with line feeds and tabs escaped too."""
    return safe(text).replace("\n", "\\n").replace("\t", "\\t")


def _escape(character: str) -> str:
    code = ord(character)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def trim(text: str, width: int) -> str:
    """Head and tail with the count of what was left out between, at most about ``width`` characters."""
    if len(text) <= width:
        return text
    room = max(2, width - len(f" … {len(text):,} characters … "))
    head = (room + 1) // 2
    tail = room - head
    left_out = len(text) - head - tail
    return f"{text[:head]} … {left_out:,} characters … {text[-tail:]}"


def did_you_mean(word: str, known: list[str]) -> str:
    """``; did you mean 'x'?`` or nothing."""
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    return f"; did you mean {near[0]!r}?" if near else ""
