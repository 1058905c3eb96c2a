"""choice: the letter that the answer chooses."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.measures import Better
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import listed, quoted, targets_of

# What is dropped: commands that set their letter in another face, and the marks of Markdown and LaTeX.
_FACES = re.compile(r"\\(?:text|textbf|textit|textrm|mathrm|mathbf|mathit|mathsf|operatorname)\s*\{([^{}]*)\}")
_BOXED = re.compile(r"\\(?:boxed|fbox)\s*\{([^{}]*)\}")
_BULLET = re.compile(r"^[ \t]*(?:[#>]+|[-+*•])[ \t]+", re.MULTILINE)
_MARKS = re.compile(r"\\[()\[\]]|[*`$]|(?<![^\W_])_+|_+(?![^\W_])")
# A and I are words, too: after `answer` they are letters only where their clause ends, or gives a reason.
_WORDS = frozenset("ai")
_CLAUSE_END = re.compile(
    r"[ \t]*(?:\r?$|[.,;:!?)\]\"”\u2013\u2014]|['’](?!\w)|-[ \t])"
    r"|[ \t]+(?:because|since|as|for|due|with|which|given|based|and|but|so)\b",
    re.IGNORECASE | re.MULTILINE,
)


@dataclass(frozen=True)
class Choice:
    """0/1: the letter that the answer chooses is the target (a letter, or the text of an option).

    A letter of ``letters``, in either case, is chosen where it stands alone on a line, at a line's start before ``.``,
    ``)`` or ``:``, in parentheses, or after ``answer``, ``answer is``, ``answer:`` (also ``answer is option B``);
    Markdown and LaTeX around it are dropped, what is boxed counts as a line; the last such counts. Without one, an
    option's text alone (the whole answer, else the last such line) chooses that option; the texts come from the row's
    field ``choices``, a list in the order of the letters or a mapping of letters to texts. A letter within a sentence
    or a word is none.
    """

    letters: str = "ABCDEFGHIJ"
    choices: str = "choices"

    id: ClassVar[str] = "choice"
    better: ClassVar[Better] = "high"
    range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    binary: ClassVar[bool] = True
    needs_target: ClassVar[bool] = True
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if len(self.letters) < 2 or not self.letters.isalnum():
            raise ValueError(f"letters: {quoted(self.letters)}: write two or more letters or digits, such as ABCD")
        if len({letter.casefold() for letter in self.letters}) < len(self.letters):
            raise ValueError(f"letters: {quoted(self.letters)}: each letter once, in one case")

    def check(self, sample: Sample) -> str | None:
        try:
            options = self._options(sample)
        except ValueError as error:
            return str(error)
        for target in sample.targets:
            if self._target(target, options) is None:
                texts = f", nor the text of one option of {self.choices!r}" if options else ""
                return f"its target {quoted(target)} is none of the letters {self._allowed(options)}{texts}"
        return None

    def score(self, response: Response, sample: Sample) -> Score:
        options = self._options(sample)
        wanted = [self._target(target, options) for target in targets_of(sample)]
        found = self.chosen(response.text, options)
        if found is None:
            return Score(0.0, f"no choice in {quoted(response.text)}")
        accepted = [letter for letter in wanted if letter is not None]
        if found in accepted:
            return Score(1.0, f"chose {found}")
        return Score(0.0, f"chose {found}, not {' or '.join(accepted) or listed(sample.targets)}")

    def chosen(self, text: str, options: Mapping[str, str] | None = None) -> str | None:
        """The letter that a text chooses, or None. ``options``: letter -> text."""
        plain = unmarked(text)
        letters = [(at, letter) for at, letter in self._candidates(plain) if letter is not None]
        if letters:
            return max(letters)[1]
        by_text = _by_text(options or {})
        lines = (line for whole in (text, plain) for line in reversed(whole.splitlines()))
        for alone in (text, plain, *lines):
            letter = by_text.get(_bare(alone.strip(" \t*_`")))
            if letter is not None:
                return letter
        return None

    def _candidates(self, text: str) -> Iterator[tuple[int, str | None]]:
        for match in self._stands.finditer(text):
            yield match.end(), self._letter(match[match.lastindex or 0])
        for match in self._answer.finditer(text):
            letter = match["letter"]
            if letter.casefold() not in _WORDS or _CLAUSE_END.match(text, match.end()):
                yield match.end(), self._letter(letter)

    @cached_property
    def _stands(self) -> re.Pattern[str]:
        """A letter that stands for itself: alone on its line, at its start before a mark, in parentheses."""
        letter = f"([{self.letters}])"
        alone = rf"^[ \t]*{letter}[ \t]*\r?$"
        # `a.m.` and `D.C.` are words
        start = rf"^[ \t]*{letter}[ \t]*[.):](?![^\W\d_]\b)"
        parentheses = rf"(?<!\w)\([ \t]*{letter}[ \t]*\)"
        return re.compile(f"{alone}|{start}|{parentheses}", re.MULTILINE | re.IGNORECASE)

    @cached_property
    def _answer(self) -> re.Pattern[str]:
        """A letter after `answer`, neither part of a word (`A-team`, `C++`, `I'm`) nor one of two (`B or C`)."""
        letter = f"(?P<letter>[{self.letters}])"
        return re.compile(
            rf"\banswer(?:[ \t]+is\b|[ \t]*:)*[ \t]*(?:(?:the[ \t]+)?(?:option|choice|letter)\b[ \t]*:?[ \t]*)?[\"“'‘]?"
            rf"(?<![^\W_]){letter}(?![\w+#°%]|[-'’/&][\w]|\.[^\W\d_]\b|[ \t]+(?:or|and)[ \t]+[{self.letters}]\b)",
            re.IGNORECASE,
        )

    def _letter(self, found: str) -> str | None:
        return next((letter for letter in self.letters if letter.casefold() == found.casefold()), None)

    def _target(self, target: str, options: Mapping[str, str]) -> str | None:
        """The letter that a target names, by itself or by an option's text."""
        bare = target.strip().strip("().:[]").strip()
        letter = self._letter(bare) if len(bare) == 1 else None
        if letter is not None and (not options or letter in options):
            return letter
        return _by_text(options).get(_bare(target))

    def _options(self, sample: Sample) -> dict[str, str]:
        """Letter -> text of the options that the row has; empty where it has no such field."""
        field = sample.fields.get(self.choices)
        if field is None:
            return {}
        if isinstance(field, Mapping):
            found = {self._letter(str(key)): _text(value) for key, value in field.items()}
            letters = {letter: text for letter, text in found.items() if letter is not None}
            if len(letters) == len(field):
                return letters
        elif isinstance(field, Sequence) and not isinstance(field, str):
            if len(field) <= len(self.letters):
                return dict(zip(self.letters, map(_text, field), strict=False))
            raise ValueError(f"its field {self.choices!r} has {len(field)} options, letters has {len(self.letters)}")
        raise ValueError(f"its field {self.choices!r} is no list of options, nor a mapping of letters to them")

    def _allowed(self, options: Mapping[str, str]) -> str:
        return "".join(options) or self.letters


def unmarked(text: str) -> str:
    """The text without the marks of Markdown and LaTeX that stand around letters."""
    for _ in range(3):  # faces nest: \\boxed{\\textbf{B}}
        text = _FACES.sub(r"\1", text)
    text = _BOXED.sub(r"\n\1\n", text)
    return _MARKS.sub("", _BULLET.sub("", text))


def _by_text(options: Mapping[str, str]) -> dict[str, str]:
    """Bare text -> letter, for the texts that only one option has."""
    letters: dict[str, list[str]] = {}
    for letter, text in options.items():
        letters.setdefault(_bare(text), []).append(letter)
    return {text: of[0] for text, of in letters.items() if text and len(of) == 1}


def _bare(text: str) -> str:
    """A text as options are compared: case folded, white space squeezed, without a last sentence mark."""
    return " ".join(text.casefold().split()).rstrip(".!,;:").rstrip()


def _text(value: object) -> str:
    """An option as text: rows' own keys are typed."""
    return str(value).lower() if isinstance(value, bool) else str(value)
