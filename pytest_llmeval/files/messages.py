"""Pydantic's errors as faults with their places and the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from pytest_llmeval.core.errors import Fault, Faults
from pytest_llmeval.core.text import did_you_mean

from .document import Place, Step
from .fields import NOT_YET, Spec

S = TypeVar("S", bound=Spec)


def check(spec: type[S], node: object, place: Place) -> S:
    """A node as a spec. Raises Faults: all of them, in order of place."""
    try:
        return spec.model_validate(node)
    except ValidationError as error:
        raise Faults(faults_of(error, spec, place)) from None


def sound(spec: type[S], node: Mapping[str, object], place: Place) -> tuple[S | None, list[Fault]]:
    """As ``check``, of what is not at fault: faulty keys count as absent. None where the spec needs one of them."""
    try:
        return spec.model_validate(node), []
    except ValidationError as error:
        faults = faults_of(error, spec, place)
        wrong = {detail["loc"][0] for detail in error.errors() if detail["loc"]}
    try:
        return spec.model_validate({key: value for key, value in node.items() if key not in wrong}), faults
    except ValidationError:
        return None, faults


def faults_of(error: ValidationError, spec: type[BaseModel], place: Place) -> list[Fault]:
    found = [_fault(detail, spec, place) for detail in error.errors(include_url=False, include_input=False)]
    return sorted(found, key=lambda fault: (fault.origin.line, fault.origin.column))


def _fault(detail: ErrorDetails, spec: type[BaseModel], place: Place) -> Fault:
    steps: list[Step] = [step for step in detail["loc"] if not str(step).startswith("<")]
    if detail["type"] == "extra_forbidden":
        key = str(steps[-1])
        known = known_keys(spec, steps[:-1])
        return place.at(*steps[:-1]).key_fault(unknown_key(key, known), key)
    if detail["type"] == "missing":
        return place.at(*steps[:-1]).fault(f"`{steps[-1]}:` is missing")
    if detail["msg"] == NOT_YET:
        return place.at(*steps[:-1]).key_fault(f"`{steps[-1]}:` is {NOT_YET}", str(steps[-1]))
    return place.at(*steps).fault(described(detail))


def unknown_key(key: str, known: list[str]) -> str:
    hint = did_you_mean(key, known) or f"; there are {', '.join(known)}"
    return f"unknown key {key!r}{hint}"


def described(detail: ErrorDetails) -> str:
    """Pydantic's message in a sentence of ours where it has one."""
    kinds = {
        "tuple_type": "a list is expected",
        "list_type": "a list is expected",
        "mapping_type": "a mapping is expected",
        "dict_type": "a mapping is expected",
        "model_type": "a mapping is expected",
        "string_type": "a text is expected",
        "bool_type": "true or false is expected",
        "int_type": "a whole number is expected",
        "float_type": "a number is expected",
    }
    message = kinds.get(detail["type"])
    if message is None:
        message = detail["msg"].removeprefix("Value error, ").replace("Input should ", "it must ")
    return message


def known_keys(spec: type[BaseModel], steps: list[Step]) -> list[str]:
    """The keys that the mapping at a path may have, those of later versions left out."""
    model: type[BaseModel] | None = spec
    for step in steps:
        if isinstance(step, str) and model is not None and step in model.model_fields:
            model = _model_in(model.model_fields[step].annotation)
    if model is None:
        return []
    return [name for name in model.model_fields if name not in later_keys(model)]


def later_keys(spec: type[BaseModel]) -> set[str]:
    return {name for name, of in spec.model_fields.items() if "SkipJsonSchema" in repr(of.metadata)}


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    for inner in get_args(annotation):
        found = _model_in(inner)
        if found is not None:
            return found
    return None
