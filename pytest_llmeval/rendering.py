"""Templates: Jinja2 in a sandbox, from a sample to the messages that are sent.

A template sees ``input``, ``messages``, ``metadata``, ``id`` and the row's fields, never the target. What a row says
is data: it is never rendered, whatever braces it has. The same row gives the same text everywhere, so there are no
dice (``random``, ``lipsum``) in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from typing import Any

import jinja2
from jinja2 import meta, nodes
from jinja2.exceptions import SecurityError
from jinja2.sandbox import ImmutableSandboxedEnvironment

from .core.errors import TemplateError
from .core.sample import Message, Sample
from .core.text import did_you_mean

#: what one template may do for one sample: turns of its loops and calls together, and characters that it makes
MOST_STEPS = 300_000
LONGEST_OUTPUT = 16 * 1024 * 1024
GIVEN = ("input", "messages", "metadata", "id")

_UNDEFINED = re.compile(r"'(?P<name>[^']+)' is undefined")
_NO_ATTRIBUTE = re.compile(r"'.*' has no attribute '(?P<name>[^']+)'")
_PRIVATE = re.compile(r"__\w*__")


class _Budget:
    def __init__(self) -> None:
        self.steps = 0

    def step(self) -> None:
        self.steps += 1
        if self.steps > MOST_STEPS:
            raise TemplateError(f"it takes over {MOST_STEPS:,} steps (turns of loops, calls)")


_budget: ContextVar[_Budget] = ContextVar("budget")


def _counted(values: Iterable[Any]) -> Iterator[Any]:
    for value in values:
        _budget.get().step()
        yield value


class _Environment(ImmutableSandboxedEnvironment):
    """A sandbox that counts: the turns of loops, calls, and the length of what ``*`` and ``**`` make."""

    intercepted_binops = frozenset({"*", "**"})

    def _parse(self, source: str, name: str | None, filename: str | None) -> nodes.Template:
        tree = super()._parse(source, name, filename)
        for loop in list(tree.find_all(nodes.For)):
            loop.iter = nodes.Filter(loop.iter, _COUNTED, [], [], None, None, lineno=loop.lineno)
        return tree

    def call(self, *args: Any, **kwargs: Any) -> Any:
        _budget.get().step()
        return super().call(*args, **kwargs)

    def call_binop(self, context: Any, operator: str, left: Any, right: Any) -> Any:
        if operator == "*":
            for some, times in ((left, right), (right, left)):
                if hasattr(some, "__len__") and isinstance(times, int) and len(some) * times > LONGEST_OUTPUT:
                    raise TemplateError(_TOO_LONG)
        elif isinstance(left, int) and isinstance(right, int) and left.bit_length() * abs(right) > 4096:
            raise TemplateError("a power is too large")
        return super().call_binop(context, operator, left, right)


_COUNTED = "llmeval_counted"
_TOO_LONG = f"it makes a text over {LONGEST_OUTPUT // 1024 // 1024} MiB"


@lru_cache(maxsize=1)
def _environment() -> _Environment:
    made = _Environment(undefined=jinja2.StrictUndefined, autoescape=False)
    del made.filters["random"]
    del made.globals["lipsum"]
    made.filters[_COUNTED] = _counted
    return made


@dataclass(frozen=True)
class Text:
    """A template text.

    Raises TemplateError where it is no Jinja, reaches for what is private, or asks for another template.
    """

    source: str

    def __post_init__(self) -> None:
        self._compiled  # noqa: B018 - compiled now, so that its faults are told now

    @cached_property
    def names(self) -> frozenset[str]:
        """The variables that it uses."""
        return frozenset(meta.find_undeclared_variables(_environment().parse(self.source))) - set(
            _environment().globals
        )

    @cached_property
    def _compiled(self) -> jinja2.Template:
        environment = _environment()
        try:
            tree = environment.parse(self.source)
            _check(tree)
            return environment.from_string(self.source)
        except jinja2.TemplateSyntaxError as error:
            raise TemplateError(_at(error.lineno, self.source, error.message or "no template")) from None
        except jinja2.TemplateError as error:
            raise TemplateError(str(error)) from None
        except RecursionError:
            raise TemplateError("it is nested too deep") from None

    def render(self, variables: Mapping[str, object]) -> str:
        """The text with its variables filled in. Raises TemplateError."""
        token = _budget.set(_Budget())
        try:
            return self._joined(variables)
        except TemplateError:
            raise
        except jinja2.UndefinedError as error:
            raise TemplateError(_undefined(str(error.message), variables)) from None
        except SecurityError as error:
            raise TemplateError(f"it reaches for what a template may not see: {error}") from None
        except RecursionError:
            raise TemplateError("it calls itself too often") from None
        except Exception as error:
            # a filter or an operator was given what it cannot take
            raise TemplateError(f"{type(error).__name__}: {error}") from error
        finally:
            _budget.reset(token)

    def _joined(self, variables: Mapping[str, object]) -> str:
        parts = []
        length = 0
        for part in self._compiled.generate(variables):
            length += len(part)
            if length > LONGEST_OUTPUT:
                raise TemplateError(_TOO_LONG)
            parts.append(part)
        return "".join(parts)


@dataclass(frozen=True)
class Turn:
    """A message of a template's own."""

    role: str
    content: Text


#: in a template's messages: here the sample's own stand
CONVERSATION = "conversation"


@dataclass(frozen=True)
class Rendered:
    """What a sample becomes: the messages without system texts, and the template's system text."""

    messages: tuple[Message, ...]
    system: str = ""


@dataclass(frozen=True)
class Template:
    """How a sample becomes a prompt: ``text`` in place of the last user message, or ``turns``, the whole conversation.

    ``names`` are the variables that it uses, in its system text too.
    """

    text: Text | None = None
    turns: tuple[Turn | str, ...] = ()
    system: Text | None = None
    names: frozenset[str] = field(init=False, compare=False, default=frozenset())

    def __post_init__(self) -> None:
        texts = [self.text, self.system, *(turn.content for turn in self.turns if isinstance(turn, Turn))]
        object.__setattr__(self, "names", frozenset().union(*(text.names for text in texts if text is not None)))

    def render(self, sample: Sample) -> Rendered:
        """The sample's messages under this template. Raises TemplateError, with the name of what is missing."""
        variables = variables_of(sample)
        system = self.system.render(variables) if self.system is not None else ""
        if self.text is not None:
            return Rendered(_replaced(sample.messages, self.text.render(variables)), system)
        if CONVERSATION not in self.turns and len(sample.messages) > 1:
            raise TemplateError(
                "the sample is a conversation, and the template's `messages:` have no entry `conversation` for it"
            )
        messages: list[Message] = []
        for turn in self.turns:
            if isinstance(turn, Turn):
                messages.append(Message(role=turn.role, content=turn.content.render(variables)))
            else:
                messages.extend(sample.messages)
        leading = [message["content"] for message in messages if message["role"] == "system"]
        rest = tuple(message for message in messages if message["role"] != "system")
        return Rendered(rest, "\n\n".join(part for part in (system, *leading) if part))


def variables_of(sample: Sample) -> dict[str, object]:
    """What a template sees of a sample: never its targets."""
    return {
        **sample.fields,
        "input": sample.input,
        "messages": [dict(message) for message in sample.messages],
        "metadata": dict(sample.metadata),
        "id": sample.id,
    }


def _replaced(messages: tuple[Message, ...], text: str) -> tuple[Message, ...]:
    """The messages with the last of the user's replaced."""
    last = max(index for index, message in enumerate(messages) if message["role"] == "user")
    return (*messages[:last], Message(role="user", content=text), *messages[last + 1 :])


def _check(tree: nodes.Template) -> None:
    for node in tree.find_all((nodes.Getattr, nodes.Getitem)):
        name = node.attr if isinstance(node, nodes.Getattr) else _constant(node)
        if isinstance(name, str) and _PRIVATE.fullmatch(name):
            raise TemplateError(f"line {node.lineno} of the template: it may not reach for {name!r}")
    for other in tree.find_all((nodes.Include, nodes.Import, nodes.FromImport, nodes.Extends)):
        raise TemplateError(f"line {other.lineno} of the template: a template stands alone, without include or import")


def _constant(node: nodes.Node) -> object:
    argument = getattr(node, "arg", None)
    return argument.value if isinstance(argument, nodes.Const) else None


def _at(line: int, source: str, message: str) -> str:
    return f"line {line} of the template: {message}" if "\n" in source.strip() else message


def _undefined(message: str, variables: Mapping[str, object]) -> str:
    missing = _UNDEFINED.match(message)
    if missing is not None:
        name = missing["name"]
        if name == "target":
            return "a template never sees the target"
        known = sorted(variables)
        hint = did_you_mean(name, known) or f"; it has {', '.join(known)}"
        return f"the row has no field {name!r}{hint}"
    attribute = _NO_ATTRIBUTE.match(message)
    if attribute is not None:
        metadata = variables.get("metadata")
        hint = did_you_mean(attribute["name"], sorted(metadata)) if isinstance(metadata, Mapping) else ""
        return f"{message}{hint}"
    return message
