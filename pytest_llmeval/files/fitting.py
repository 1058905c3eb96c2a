"""A value of a file as an extension's field asks for it, and what its mark says to do with it."""

from __future__ import annotations

import os
import types
from collections.abc import Collection, Iterable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pytest_llmeval.core.errors import Faults
from pytest_llmeval.core.options import Mark, MissingVariableError, expand, marks_of, names, only_references
from pytest_llmeval.core.plain import absent, text_of, value_of

from .document import Place
from .fields import kind_of
from .ours import suffix_of
from .reader import read_json_document, read_yaml
from .references import ReferenceFault, Scope, resolved
from .references import shown as shown_path

_LISTS = (list, tuple, set, frozenset, Sequence, Collection, Iterable, AbstractSet)
_EXPECTED: dict[Any, str] = {
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    str: "a text",
    type(None): "nothing",
}


@dataclass(frozen=True, slots=True)
class Where:
    """Where options stand in a file, and what paths among them are relative to.

    ``may_leave``: paths may be absolute and leave the root (an endpoint's may).
    """

    place: Place
    scope: Scope
    may_leave: bool = False
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)


class Unfit(Exception):
    """A value that its field cannot take; the text is for users."""


def expected(hint: Any) -> str:
    origin = get_origin(hint)
    if origin is Annotated:
        marks = [mark.does for mark in marks_of(hint)]
        return "a mapping, or the path of a file that holds one" if "document" in marks else expected(get_args(hint)[0])
    if origin in {Union, types.UnionType}:
        members = [member for member in get_args(hint) if member is not type(None)]
        return " or ".join(dict.fromkeys(expected(member) for member in members))
    if origin is Literal:
        return " or ".join(str(word) for word in get_args(hint))
    if hint in _EXPECTED:
        return _EXPECTED[hint]
    base = origin or hint
    if base in _LISTS:
        return "a list"
    return "a mapping" if _is_mapping(base) else f"a {getattr(hint, '__name__', hint)}"


def _is_mapping(base: Any) -> bool:
    return isinstance(base, type) and issubclass(base, Mapping)


def fitted(node: object, hint: Any, place: Place, where: Where) -> Any:
    """A node as the hint asks: text where text belongs, typed values elsewhere; marks are acted on."""
    origin = get_origin(hint)
    base = origin or hint
    if origin is Annotated:
        mark = next((extra.does for extra in hint.__metadata__ if isinstance(extra, Mark)), None)
        if mark is not None:
            return _MARKED[mark](node, place, where)
        return fitted(node, get_args(hint)[0], place, where)
    if origin in {Union, types.UnionType}:
        return fitted(node, _member(node, get_args(hint)), place, where)
    if isinstance(node, Mapping) and _is_mapping(base):
        inner = (get_args(hint) or (str, Any))[1]
        return {key: fitted(value, inner, place.at(key), where) for key, value in node.items()}
    if isinstance(node, list | tuple) and base in _LISTS:
        return _fitted_list(node, hint, base, place, where)
    texts = base is str or (base is Literal and all(isinstance(word, str) for word in get_args(hint)))
    text = text_of(node) if texts else None
    return value_of(node) if text is None else text


def _fitted_list(node: Sequence[object], hint: Any, base: Any, place: Place, where: Where) -> Any:
    inner = get_args(hint) or (Any,)
    fixed = base is tuple and not (len(inner) == 2 and inner[1] is Ellipsis)
    made = [
        fitted(each, inner[min(index, len(inner) - 1)] if fixed else inner[0], place.at(index), where)
        for index, each in enumerate(node)
    ]
    return base(made) if base in {list, set, frozenset} else tuple(made)


def _member(node: object, members: tuple[Any, ...]) -> Any:
    """The branch of a union that was meant."""
    if absent(node) and type(None) in members:
        return type(None)

    return max(members, key=lambda member: _fit(node, member))


def _fit(node: object, member: Any) -> int:
    """How well a branch suits a node; 0: not at all."""
    base = _base(member)
    if isinstance(node, Mapping):
        return int(_is_mapping(base) or hasattr(base, "__dataclass_fields__"))
    if isinstance(node, list | tuple):
        return int(base in _LISTS)
    value = value_of(node)
    if base is Literal:
        return 3 if value in get_args(member) or text_of(node) in get_args(member) else 1
    if base is float and type(value) is int:
        return 3
    if base in {bool, int, float}:
        return 4 if type(value) is base else 0
    return 2 if base is str or marks_of(member) else 0


def _base(hint: Any) -> Any:
    origin = get_origin(hint)
    if origin is Annotated:
        return _base(get_args(hint)[0])
    return origin or hint


def _environment(node: object, _place: Place, _where: Where) -> str:
    text = text_of(node)
    if text is None:
        raise Unfit(f"a text is expected, this is {kind_of(node)}")
    return text


def _secret(node: object, _place: Place, _where: Where) -> str:
    text = text_of(node)
    if text is None or not only_references(text):
        raise Unfit("only a reference to an environment variable, such as ${API_KEY}, may stand here; no literal key")
    return text


def _path(node: object, place: Place, where: Where) -> str:
    text = _environment(node, place, where)
    if any(True for _ in names(text)):
        try:
            text = expand(text, where.environ)
        except MissingVariableError:
            # what the machine lacks is told where the path is used
            return text
    try:
        return str(resolved(text, where.scope, may_leave=where.may_leave))
    except ReferenceFault as error:
        raise Unfit(str(error)) from None


def _document(node: object, _place: Place, where: Where) -> object:
    if isinstance(node, Mapping):
        return value_of(node)
    text = text_of(node)
    if text is None:
        raise Unfit(f"a mapping, or the path of a file that holds one, is expected; this is {kind_of(node)}")
    try:
        path = resolved(text, where.scope)
        data = path.read_bytes()
    except ReferenceFault as error:
        raise Unfit(str(error)) from None
    except OSError as error:
        raise Unfit(f"{text!r} cannot be read: {error.strerror or error}") from None
    name = shown_path(path, where.scope.root)
    document = (read_json_document if suffix_of(path) == ".json" else read_yaml)(data, name)
    if document.faults:
        raise Faults(document.faults)
    if not isinstance(document.root, Mapping):
        raise Faults([document.fault(f"a mapping is expected, this is {kind_of(document.root)}")])
    return value_of(document.root)


_MARKED = {"environment": _environment, "secret": _secret, "path": _path, "document": _document}
