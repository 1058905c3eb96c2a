"""Templates: how a sample becomes the prompt."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from pytest_llmeval.core.errors import Fault, TemplateError
from pytest_llmeval.core.sample import Origin

from .datasets import checked, in_order, read_bytes
from .document import Place
from .ours import file_id
from .reader import read_yaml
from .references import shown
from .specs import MessageSpec, TemplateSpec

if TYPE_CHECKING:
    from pytest_llmeval.rendering import Template, Text, Turn


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template with its id; ``origin`` is where its text stands."""

    id: str
    title: str
    template: Template
    origin: Origin


def read_template(path: Path, root: Path) -> TemplateFile:
    """A template from its file. Raises Faults."""
    # most recipes have none, and Jinja2 takes its time
    from pytest_llmeval.rendering import Template, Text, Turn

    name = shown(path, root)
    document = read_yaml(read_bytes(path, name), name)
    place = Place(document)
    spec, faults = checked(TemplateSpec, document, "template")
    # a key that is at fault may be the one that is missed
    if (spec.text is None) == (spec.messages is None) and not faults:
        both = "it has neither" if spec.text is None else "not both"
        faults.append(place.fault(f"a template has `text:` or `messages:`, {both}"))
    if spec.messages is not None and not spec.messages:
        faults.append(place.at("messages").fault("it has no messages"))

    def text(source: str, at: Place) -> Text | None:
        try:
            return Text(source)
        except TemplateError as error:
            faults.append(at.fault(str(error)))
            return None

    made = None if spec.text is None else text(spec.text, place.at("text"))
    system = text(spec.system, place.at("system")) if spec.system else None
    turns: list[Turn | str] = []
    for index, entry in enumerate(spec.messages or ()):
        if isinstance(entry, MessageSpec):
            content = text(entry.content, place.at("messages", index, "content"))
            turns.extend([Turn(entry.role, content)] if content is not None else [])
        else:
            turns.append(entry)
    faults.extend(_late_system(spec, place))
    if faults:
        raise in_order(faults)
    origin = place.at("messages" if spec.text is None else "text").origin
    return TemplateFile(file_id(path), spec.template, Template(made, tuple(turns), system), origin)


def _late_system(spec: TemplateSpec, place: Place) -> list[Fault]:
    entries = spec.messages or ()
    roles = [entry.role if isinstance(entry, MessageSpec) else "" for entry in entries]
    spoken = next((index for index, role in enumerate(roles) if role != "system"), len(roles))
    message = "system messages stand at the beginning"
    return [
        place.at("messages", index).fault(message)
        for index, role in enumerate(roles)
        if role == "system" and index > spoken
    ]
