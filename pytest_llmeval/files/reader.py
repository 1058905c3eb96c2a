"""YAML and JSON files as trees with places. What is refused of YAML is refused here, all of a file at once."""

from __future__ import annotations

import hashlib
import json
import re
from typing import Any, NamedTuple

import yaml

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.lines import MOST_FAULTS
from pytest_llmeval.core.plain import LONGEST_TEXT, Plain, any_too_long, read_json, resolve, too_long
from pytest_llmeval.core.sample import Origin

from .document import At, Document, Items, Map
from .fallback import PythonLoader
from .traps import explain

MOST_NODES = 1_000_000
DEEPEST = 100
#: levels that the library's recursion bears
OPENINGS = 1_000
TOO_LONG = f"a text over {LONGEST_TEXT // 1024 // 1024} MiB"

_FOLDED = frozenset("\x85\u2028\u2029")
_NOT_PRINTABLE = re.compile("[^\t\n\r\x20-\x7e\xa0-\u2027\u202a-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_COMMENT = re.compile(r"[ \t]+#|#")
#: libyaml refuses these escapes, PyYAML's Python loader does not
_SURROGATE = re.compile("[\ud800-\udfff]")
_INDENTED = re.compile(rf"^[ ?-]{{{OPENINGS}}}", re.MULTILINE)
_TAG = re.compile(r"(?:&[^\s,\[\]{}]+\s+)?!")


def _implicit(_self: object, _kind: object, _value: object, _implicit: object) -> str:
    """No tags: what a scalar is, we say."""
    return ""


def _loader(base: Any) -> Any:
    return type(f"Untagged{base.__name__}", (base,), {"resolve": _implicit})


LOADER = _loader(getattr(yaml, "CSafeLoader", PythonLoader))


def decode(data: bytes | str, path: str) -> str:
    """Text of UTF-8 bytes, without a byte order mark. Raises Faults for other bytes, with their place."""
    if isinstance(data, str):
        data = data.encode("utf-8", "surrogatepass")
    data = data.removeprefix(b"\xef\xbb\xbf")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        before = data[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8", "replace")) + 1
        message = f"the byte 0x{data[error.start]:02x} is not UTF-8; save the file as UTF-8"
        raise Faults.one(Origin(path, line, column), message) from None


def read_yaml(data: bytes | str, path: str, loader: Any = None) -> Document:
    """The one document of a YAML file; an empty file is None.

    Raises Faults where no tree can be had (not UTF-8, syntax, several documents, an alias bomb); other faults stand in
    the document.
    """
    text = decode(data, path)
    faults = _unprintable(text, path)
    clean = _NOT_PRINTABLE.sub("x", text) if faults else text
    node = _compose(clean, path, loader or LOADER, faults)
    tree = _Tree(clean, path, faults)
    root = tree.build(node) if node is not None else None
    faults.sort(key=lambda fault: (fault.origin.line, fault.origin.column))
    if tree.bomb:
        raise Faults(dict.fromkeys(faults))
    return Document(path, root, tuple(dict.fromkeys(faults)), (1, 1), _sha256(data))


def read_json_document(data: bytes | str, path: str) -> Document:
    """A JSON file. Raises Faults for what is no JSON."""
    text = decode(data, path)
    try:
        root = read_json(text)
    except json.JSONDecodeError as error:
        message = f"this is no JSON: {error.msg}"
        raise Faults.one(Origin(path, error.lineno, error.colno), message) from None
    except ValueError as error:
        raise Faults.one(Origin(path), str(error)) from None
    faults = (Fault(Origin(path), TOO_LONG),) if any_too_long(root) else ()
    return Document(path, root, faults, (1, 1), _sha256(data))


def _unprintable(text: str, path: str) -> list[Fault]:
    """Characters that YAML does not allow, or folds; a file that is full of them is not read on."""
    faults: list[Fault] = []
    for match in _NOT_PRINTABLE.finditer(text):
        line, column = _place(text, match.start())
        origin = Origin(path, line, column)
        if len(faults) == MOST_FAULTS:
            raise Faults([*faults, Fault(origin, f"it is not read on after {MOST_FAULTS} faults")])
        code = ord(match.group())
        why = "which YAML libraries fold" if match.group() in _FOLDED else "which YAML does not allow"
        escape = f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
        faults.append(Fault(origin, f'a raw U+{code:04X}, {why}: write "{escape}" in double quotes'))
    return faults


def _sha256(data: bytes | str) -> str:
    return hashlib.sha256(data if isinstance(data, bytes) else data.encode("utf-8", "surrogatepass")).hexdigest()


def _place(text: str, index: int) -> At:
    before = text[:index].replace("\r\n", " \n").replace("\r", "\n")
    return before.count("\n") + 1, index - before.rfind("\n")


def _too_deep(text: str, loader: Any) -> bool:
    """Whether it nests beyond reason.

    Told by events, which are read without recursion: the library's C code composes by recursion, and would take the
    interpreter with it. Only a text with many openings, or with long indentation, is looked at.
    """
    if text.count("[") + text.count("{") < OPENINGS and _INDENTED.search(text) is None:
        return False
    depth = 0
    try:
        for event in yaml.parse(text, Loader=loader):
            depth += isinstance(event, yaml.CollectionStartEvent) - isinstance(event, yaml.CollectionEndEvent)
            if depth > OPENINGS:
                return True
    except yaml.YAMLError:
        return False  # composing it tells more
    return False


def _compose(text: str, path: str, loader: Any, faults: list[Fault]) -> Any:
    if _too_deep(text, loader):
        raise Faults([*faults, Fault(Origin(path), "it is nested too deep")])
    parser = loader(text)
    try:
        return parser.get_single_node()
    except yaml.MarkedYAMLError as error:
        raise Faults([*faults, _syntax(error, text, path)]) from None
    except (yaml.YAMLError, ValueError) as error:
        raise Faults([*faults, Fault(Origin(path), f"this is no YAML: {error}")]) from None
    except RecursionError:
        raise Faults([*faults, Fault(Origin(path), "it is nested too deep")]) from None
    finally:
        parser.dispose()


def _syntax(error: yaml.MarkedYAMLError, text: str, path: str) -> Fault:
    mark = error.problem_mark or error.context_mark
    assert mark is not None
    problem = error.problem or error.context or ""
    if "another document" in problem:
        message = "several documents in one file; a file holds one"
    elif "nesting depth" in problem:
        message = "it is nested too deep"
    else:
        if problem.startswith("found unexpected end of stream") and error.context_mark:
            mark = error.context_mark
            problem = "a quote is not closed"
        lines = re.split(r"\r\n|\r|\n", text)
        line = lines[mark.line] if mark.line < len(lines) else ""
        message = explain(problem, line, mark.column)
        # libyaml names the line after the one that a text in braces or quotes stands on
        if message.startswith("this is no YAML") and 0 < mark.line <= len(lines):
            named = explain(problem, lines[mark.line - 1], mark.column)
            if not named.startswith("this is no YAML"):
                return Fault(Origin(path, mark.line), named)
    return Fault(Origin(path, mark.line + 1, mark.column + 1), message)


class _Built(NamedTuple):
    """A node's value; how many nodes it stands for with its aliases written out; how many of them by aliases; depth."""

    value: object
    size: int
    aliased: int
    depth: int


class _Tree:
    """Builds the tree of one document; faults are collected."""

    def __init__(self, text: str, path: str, faults: list[Fault]) -> None:
        self._text = text
        self._path = path
        self._faults = faults
        self._built: dict[int, _Built | None] = {}
        self.bomb = False

    def build(self, node: yaml.Node) -> object:
        return self._build(node, 1).value

    def _fault(self, at: At, message: str) -> None:
        self._faults.append(Fault(Origin(self._path, *at), message))

    def _build(self, node: yaml.Node, depth: int) -> _Built:
        at = (node.start_mark.line + 1, node.start_mark.column + 1)
        known = id(node)
        if known in self._built:
            before = self._built[known]
            if before is None:
                self._fault(at, "an alias within what it stands for")
                return _Built(None, 1, 0, 1)
            return before._replace(aliased=before.size)
        tagged = self._refuse_tag(node, at)
        if isinstance(node, yaml.ScalarNode):
            built = _Built(self._scalar(node, at), 1, 0, 1)
        elif self._text.startswith("{{", node.start_mark.index):
            self._fault(at, "a text that begins with `{{` is a mapping in YAML; quote the text")
            built = _Built(self._text[node.start_mark.index : node.end_mark.index], 1, 0, 1)
        elif depth > DEEPEST:
            self._fault(at, f"it is nested deeper than {DEEPEST} levels")
            return _Built(None, 1, 0, 1)
        else:
            self._built[known] = None
            built = self._map(node, at, depth) if isinstance(node, yaml.MappingNode) else self._items(node, at, depth)
            if not self.bomb and built.aliased and (built.aliased > MOST_NODES or built.depth > DEEPEST):
                self.bomb = True
                self._fault(at, f"its aliases stand for over {MOST_NODES:,} nodes, or nest too deep")
            if self.bomb or tagged:
                # what such a value would have been is no further fault
                built = _Built(None, 1, 0, 1)
        self._built[known] = built
        return built

    def _refuse_tag(self, node: yaml.Node, at: At) -> bool:
        start = node.start_mark.index
        if self._text[start : start + 1] not in {"!", "&"} or not _TAG.match(self._text, start):
            return False
        self._fault(at, "YAML tags are refused; quote a text that begins with `!`")
        return True

    def _scalar(self, node: yaml.ScalarNode, at: At) -> str:
        text: str = node.value
        if too_long(text):
            self._fault(at, TOO_LONG)
            text = ""
        if node.style:
            if _SURROGATE.search(text):
                self._fault(at, "an escape that is half a character")
            return text
        end = node.end_mark.index
        follows = self._text[end : end + 1]
        commented = follows in {" ", "\t", "#"} and _COMMENT.match(self._text, end) is not None
        return Plain(text, resolve(text), commented=commented)

    def _items(self, node: Any, at: At, depth: int) -> _Built:
        made = Items(at)
        size = aliased = 0
        deepest = 0
        for child in node.value:
            built = self._build(child, depth + 1)
            made.append(built.value)
            made.items_at.append((child.start_mark.line + 1, child.start_mark.column + 1))
            size += built.size
            aliased += built.aliased
            deepest = max(deepest, built.depth)
        return _Built(made, size + 1, aliased, deepest + 1)

    def _map(self, node: Any, at: At, depth: int) -> _Built:
        made = Map(at, flow=bool(node.flow_style))
        size = aliased = 0
        deepest = 0
        for key_node, child in node.value:
            key_at = (key_node.start_mark.line + 1, key_node.start_mark.column + 1)
            key = self._key(key_node, key_at)
            built = self._build(child, depth + 1)
            size += built.size + 1
            aliased += built.aliased
            deepest = max(deepest, built.depth)
            if key is None:
                continue
            if key in made:
                line = made.places[key][0]
                self._fault(key_at, f"duplicate key {key!r}; it stands in line {line} already")
                continue
            made[key] = built.value
            made.places[key] = (*key_at, child.start_mark.line + 1, child.start_mark.column + 1)
        return _Built(made, size + 1, aliased, deepest + 1)

    def _key(self, node: Any, at: At) -> str | None:
        if not isinstance(node, yaml.ScalarNode):
            self._fault(at, "a key must be a text; quote a text that begins with `{` or `[`")
            return None
        self._refuse_tag(node, at)
        if not node.style and node.value == "<<":
            self._fault(at, "a merge (`<<`); write the keys out, or use an alias for a whole value")
            return None
        if not node.style and not node.value:
            self._fault(at, "a key is missing before `:`")
            return None
        return str(node.value)
