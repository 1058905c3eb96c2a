"""python: a function of the user's own scores the answer."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from typing import ClassVar, Literal

from pytest_llmeval.core.exchange import Response
from pytest_llmeval.core.result import Score
from pytest_llmeval.core.sample import Sample
from pytest_llmeval.core.scores import quoted
from pytest_llmeval.core.text import one_line, trim

Scorer = Callable[[Response, Sample], Score | float | bool]


@dataclass(frozen=True)
class PythonMetric:
    """What ``target`` (``package.module:function``) returns, called with the response and the sample.

    It returns a number, a boolean or a ``Score``. Annotated ``-> bool``, or with ``binary: true``, its scores are 0/1;
    else it needs ``pass:`` to decide. ``range`` names the ends of its scores (null for an open one, which is the
    default), ``better`` their direction. ``load`` imports the function, and settles the three; the loader of files
    calls it, and what it raises is a collection error.
    """

    target: str
    range: tuple[float | None, float | None] | None = None
    better: Literal["high", "low", "none"] | None = "high"
    binary: bool | None = None

    id: ClassVar[str] = "python"
    needs_target: ClassVar[bool] = False
    reads_text: ClassVar[bool] = True
    blocking: ClassVar[bool] = True

    def __post_init__(self) -> None:
        module, colon, function = self.target.partition(":")
        if not (colon and all(part.isidentifier() for part in f"{module}.{function}".split("."))):
            raise ValueError(f"target: {quoted(self.target)} is not of the form package.module:function")
        self._settle(binary=self.binary)

    def load(self) -> None:
        """Import the function and read what its annotation says.

        Raises ValueError where it cannot be imported, is not there, or cannot be called with a response and a sample.
        """
        annotated = _returns_bool(self.function)
        self._settle(binary=annotated if self.binary is None else self.binary)

    @cached_property
    def function(self) -> Scorer:
        """The function itself, imported at first use."""
        name, _, path = self.target.partition(":")
        try:
            found: object = import_module(name)
        except (Exception, SystemExit) as error:  # a module of the user's may raise anything
            raise ValueError(
                f"target: {quoted(self.target)} cannot be imported ({type(error).__name__}: {_line(error)}); "
                "the ini key `pythonpath` names folders to import from"
            ) from error
        for attribute in path.split("."):
            if not hasattr(found, attribute):
                raise ValueError(f"target: {quoted(self.target)}: {name} has no {path!r}")
            found = getattr(found, attribute)
        return _callable(found, self.target)

    def score(self, response: Response, sample: Sample) -> Score | float | bool:
        return self.function(response, sample)

    def _settle(self, *, binary: bool | None) -> None:
        """Put what follows from the options in their place. Raises ValueError where they contradict each other."""
        better = None if self.better == "none" else self.better
        low, high = self.range or (None, None)
        if any(end is not None and not math.isfinite(end) for end in (low, high)):
            raise ValueError("range: its ends are finite numbers; write null for an open one")
        if low is not None and high is not None and low >= high:
            raise ValueError(f"range: [{low:g}, {high:g}] runs from the lower end to the higher")
        if binary:
            if (low, high) not in {(None, None), (0, 1)}:
                raise ValueError("range: scores of 0 and 1 (binary: true, or annotated -> bool) have the range [0, 1]")
            if better is None:
                raise ValueError("better: none: scores of 0 and 1 decide, so one of them is better: high or low")
            low, high = 0.0, 1.0
        # the fields are options first and the metric's own account of itself from here on
        object.__setattr__(self, "better", better)
        object.__setattr__(self, "range", (low, high))
        object.__setattr__(self, "binary", binary)


def _callable(found: object, target: str) -> Scorer:
    if not callable(found):
        # an option that cannot be meant is a ValueError throughout
        raise ValueError(f"target: {quoted(target)} is a {type(found).__name__}, not a function")  # noqa: TRY004 - as said
    if inspect.iscoroutinefunction(found) or inspect.isasyncgenfunction(found) or inspect.isgeneratorfunction(found):
        raise ValueError(f"target: {quoted(target)} is async or a generator; a metric is a plain function")
    try:
        inspect.signature(found).bind(None, None)
    except TypeError:
        raise ValueError(f"target: {quoted(target)} must take two arguments, the response and the sample") from None
    except ValueError:  # a builtin that does not tell its signature
        pass
    return found


def _returns_bool(function: Scorer) -> bool:
    try:
        annotation = inspect.signature(function).return_annotation
    except (TypeError, ValueError):
        return False
    # a text under `from __future__ import annotations`, where it may have quotes of its own
    return annotation is bool or (isinstance(annotation, str) and annotation.strip("'\"") == "bool")


def _line(error: BaseException) -> str:
    return one_line(trim(str(error), 120))
