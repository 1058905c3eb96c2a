"""Commands that work when they are pasted."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pytest_llmeval.core.shell import Shell

POSIX = Shell(windows=False)
WINDOWS = Shell(windows=True)
#: what can stand in a node id: no controls, no surrogates
TEXT = st.text(st.characters(exclude_categories=("Cc", "Cs")), min_size=1)
PLAIN = st.text("ab \"'\\$`!*[]:;&|<>~#é漢", min_size=1)


def windows_argument(line: str) -> str:
    """The one argument of a command line, as Windows programs read it (rules of the C runtime)."""
    argument, i, quoted = [], 0, False
    while i < len(line):
        backslashes = 0
        while i < len(line) and line[i] == "\\":
            backslashes, i = backslashes + 1, i + 1
        if i < len(line) and line[i] == '"':
            argument.append("\\" * (backslashes // 2))
            if backslashes % 2:
                argument.append('"')
            else:
                quoted = not quoted
            i += 1
        else:
            argument.append("\\" * backslashes)
            if i < len(line):
                assert quoted or line[i] != " "
                argument.append(line[i])
                i += 1
    assert not quoted
    return "".join(argument)


@given(PLAIN)
def test_a_posix_shell_reads_back_what_was_quoted(text):
    assert shlex.split(POSIX.quoted(text)) == [text]


@given(PLAIN)
def test_a_windows_program_reads_back_what_was_quoted(text):
    assert windows_argument(WINDOWS.quoted(text)) == text


@given(TEXT, st.booleans())
def test_a_command_shows_nothing_that_moves_or_hides_text(text, windows):
    shown = Shell(windows).quoted(text)

    assert not set(shown) & set("\n\r\t\x1b\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


@pytest.mark.skipif(os.name == "nt" or shutil.which("bash") is None, reason="no POSIX system with bash")
def test_bash_reads_back_direction_marks_and_quotes():
    text = "sp ace 'it''s' \"q\" \\ \u202edrawkcab $HOME `id` !x"
    line = f"printf %s {POSIX.quoted(text)}"

    done = subprocess.run(["bash", "-c", line], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"})

    assert done.stdout.decode() == text


def test_a_command_names_the_target_from_where_pytest_was_typed():
    assert POSIX.pytest("recipes/a.yaml") == "pytest recipes/a.yaml"
    assert POSIX.pytest("recipes/a.yaml::x[e]", "-vv") == "pytest 'recipes/a.yaml::x[e]' -vv"
    assert WINDOWS.pytest("recipes/a.yaml::x[e]", "-vv") == 'pytest "recipes/a.yaml::x[e]" -vv'
    assert Shell(windows=False, below="../").pytest("recipes/a b.yaml") == "pytest '../recipes/a b.yaml'"
