"""The usual traps of YAML, named: what a syntax error most likely comes from, and the way out."""

from __future__ import annotations

import re

_BRACES = re.compile(r"(?:^|[:\-,\[]\s+|^\s*)\{\{")
_QUOTED_HEAD = re.compile(r"""(?:^\s*-\s+|:\s+)(?P<quote>["']).*(?P=quote)\s*[^\s#,\]}:]""")


def explain(problem: str, line: str, column: int) -> str:
    """The trap behind a syntax error.

    ``problem`` is the YAML library's own word, ``line`` the source line that it names, ``column`` (from 0) the place in
    it.
    """
    trap = _by_problem(problem, line[column : column + 1])
    if _BRACES.search(line):
        trap = "a text that begins with `{{` is a mapping in YAML; quote the text"
    elif trap is None and _QUOTED_HEAD.search(line):
        trap = "a text that begins with a quote ends at the next one; quote the whole text"
    return trap or f"this is no YAML: {problem}"


def _by_problem(problem: str, found: str) -> str | None:
    if "mapping values are not allowed" in problem:
        trap = "an unquoted `: ` within a text, which must then be quoted; or a key that is indented too far"
    elif found == "\t" and ("cannot start any token" in problem or "tab character" in problem):
        trap = "a tab cannot indent; use spaces"
    elif "cannot start any token" in problem:
        trap = f"a text cannot begin with {found!r} without quotes; quote it"
    elif "undefined alias" in problem:
        trap = "`*` begins an alias, and there is no anchor of that name; quote a text that begins with `*`"
    elif "escape" in problem:
        trap = f"{problem}; in double quotes `\\\\` is a backslash, in single quotes nothing is escaped"
    else:
        return None
    return trap
