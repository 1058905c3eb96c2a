"""The JSON Schemas of our files, made from the models that check them.

``python -m pytest_llmeval.files.schema`` writes those that the package ships.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from pytest_llmeval.core.registry import Kind, Registry

from .fields import SCALAR, Spec
from .options import option_schema, options_of
from .specs import CookbookSpec, DatasetSpec, EndpointSpec, FileSpec, RecipeSpec, RowSpec, TemplateSpec

KINDS: dict[str, type[Spec]] = {
    "recipe": RecipeSpec,
    "cookbook": CookbookSpec,
    "dataset": DatasetSpec,
    "template": TemplateSpec,
    "endpoint": EndpointSpec,
}
DRAFT = "https://json-schema.org/draft/2020-12/schema"
FOLDER = Path(__file__).resolve().parent.parent / "schemas"
_OPEN = {"type": "object", "minProperties": 1, "maxProperties": 1}


def shipped(kind: str) -> str:
    """The text of the schema that the package ships for a kind of file."""
    return (FOLDER / f"{kind}.json").read_text(encoding="utf-8")


def schema(kind: str) -> dict[str, Any]:
    """The JSON Schema (draft 2020-12) of a kind of file, with the options of our own extensions."""
    made: dict[str, Any] = _clean(KINDS[kind].model_json_schema())
    definitions = made.pop("$defs", {})
    if kind in {"recipe", "dataset"}:
        row = _clean(RowSpec.model_json_schema())
        definitions |= row.pop("$defs", {})
        definitions["RowSpec"] = row
        rows = next(each for each in made["properties"]["samples"]["anyOf"] if each["type"] == "array")
        rows["items"] = {"$ref": "#/$defs/RowSpec"}
    if kind == "recipe":
        _fill_recipe(made["properties"], definitions)
    if kind == "endpoint":
        made["allOf"] = _connectors(list(made["properties"]))
    head = {"$schema": DRAFT, "$id": f"urn:pytest-llmeval:{kind}:1", "title": f"{kind.capitalize()} of pytest-llmeval"}
    return head | made | ({"$defs": dict(sorted(definitions.items()))} if definitions else {})


def text(kind: str) -> str:
    """A schema as it is shipped."""
    return json.dumps(schema(kind), indent=2, ensure_ascii=False) + "\n"


def _fill_recipe(properties: dict[str, Any], definitions: dict[str, Any]) -> None:
    metric = {"$ref": "#/$defs/Metric"}
    definitions["Metric"] = _named(
        "metric", _metrics(metric), "Its options; `name:` renames it, `pass:` is what to reach."
    )
    definitions["Step"] = _steps()
    definitions["FileSpec"] = _clean(FileSpec.model_json_schema())
    sources = {name: option_schema(cls) for name, cls in _all("source")}
    named = _OPEN | {"properties": sources, "not": {"required": ["file"]}}
    definitions["Source"] = {"anyOf": [{"type": "string"}, {"$ref": "#/$defs/FileSpec"}, named]}
    for key, item in (("metrics", "Metric"), ("extract", "Step"), ("datasets", "Source")):
        reference = {"$ref": f"#/$defs/{item}"}
        properties[key]["anyOf"] = [reference, {"type": "array", "items": reference}]


def _metrics(metric: dict[str, Any]) -> dict[str, Any]:
    found = {}
    for name, cls in _all("metric"):
        options = option_schema(cls)
        options["properties"] |= {"name": {"type": "string"}, "pass": {"type": "number"}}
        found[name] = options if "required" in options else {"anyOf": [options, {"type": "null"}]}
    found["not"] = metric
    return found


def _named(kind: Kind, properties: dict[str, Any], description: str) -> dict[str, Any]:
    """A name, ours or an extension's, or one with its options."""
    known = {"enum": Registry().names(kind)}
    mapping = _OPEN | {"properties": properties, "description": description}
    if kind == "metric":
        # `name:` and `pass:` stand beside the metric under `not`
        mapping |= {"maxProperties": 3}
    return {"anyOf": [known, {"type": "string"}, mapping]}


def _steps() -> dict[str, Any]:
    match = {"enum": ["last", "first"], "description": "Which match counts; default last."}
    options = {
        "type": "object",
        "properties": {"pattern": {"type": "string"}, "match": match},
        "required": ["pattern"],
        "additionalProperties": False,
    }
    regex = {"anyOf": [SCALAR, options], "description": "The first group that took part, else the whole match."}
    mapping = _OPEN | {"properties": {"regex": regex}, "additionalProperties": False}
    return {"anyOf": [{"enum": ["strip", "lower", "last_line"]}, mapping]}


def _connectors(common: list[str]) -> list[dict[str, Any]]:
    """What a connector of ours takes beside the keys that all have."""
    made = []
    for name, cls in _all("connector"):
        options = option_schema(cls)
        then = {"properties": options["properties"], "propertyNames": {"enum": [*common, *options_of(cls)]}}
        if "required" in options:
            then["required"] = options["required"]
        made.append({"if": {"properties": {"connector": {"const": name}}, "required": ["connector"]}, "then": then})
    return made


def _all(kind: Kind) -> list[tuple[str, type]]:
    registry = Registry()
    found = [(name, registry.get(kind, name)) for name in registry.names(kind)]
    return [(name, cls) for name, cls in found if cls is not None]


def _clean(node: Any) -> Any:
    """Without the titles that pydantic makes of names, and with white space of docstrings in order."""
    if isinstance(node, list):
        return [_clean(each) for each in node]
    if not isinstance(node, dict):
        return node
    made = {}
    for key, value in node.items():
        if key == "title" and isinstance(value, str):
            continue
        made[key] = " ".join(value.split()) if key == "description" and isinstance(value, str) else _clean(value)
    return made


def main() -> None:
    """Write the schemas that the package ships."""
    FOLDER.mkdir(exist_ok=True)
    for kind in KINDS:
        (FOLDER / f"{kind}.json").write_text(text(kind), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
