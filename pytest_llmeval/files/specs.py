"""What may stand in a file, kind by kind. The descriptions are what editors show."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import (
    BeforeValidator,
    ConfigDict,
    Discriminator,
    Field,
    PlainValidator,
    Tag,
    WithJsonSchema,
    model_validator,
)

from pytest_llmeval.core.plain import absent, text_of, value_of

from .fields import (
    NOT_YET,
    Count,
    CountOrShare,
    Integer,
    Later,
    NotNegative,
    OneOrMore,
    Parameters,
    Percentage,
    Positive,
    Prose,
    Spec,
    Text,
    Title,
    fault,
    items,
    mapping,
    one_of,
    shown,
    text,
)

TEXTS_OR_MAPPINGS = {"anyOf": [{"type": "string"}, {"type": "object"}]}


def _text_or_mapping(node: object) -> object:
    if isinstance(node, Mapping):
        return node
    return text(node)


def _named(node: object) -> object:
    """A name, or a mapping of one name to its options."""
    if isinstance(node, Mapping):
        if len(node) != 1:
            raise fault(f"a name, or one name with its options, is expected; this mapping has {len(node)} keys")
        return node
    return text(node)


def _dataset(node: object) -> object:
    """A reference, a source with its options, or a file with what there is to say of it."""
    return node if isinstance(node, Mapping) and "file" in node else _named(node)


def _rows(node: object) -> object:
    return tuple(items(node))


def _mean(node: object) -> str:
    written = text_of(node)
    if written == "mean":
        return "mean"
    if isinstance(node, Mapping) or written in {"max", "min", "majority", "pass@2", "pass^2"}:
        raise fault(f"{'this reduction' if written is None else repr(written)} is {NOT_YET}; there is `mean`")
    raise fault(f"`mean` is expected, found {shown(node)}")


def _band(node: object) -> tuple[int, int]:
    ends = value_of(node)
    if not isinstance(ends, list) or len(ends) != 2 or any(type(end) is not int for end in ends):
        raise fault("a band is two whole numbers, such as [80, 100]")
    return ends[0], ends[1]


_NO_REASONS = frozenset({"true", "false", "yes", "no", "on", "off", "y", "n", "t", "f", "0", "1", "null", "none", ""})


def _reason(node: object) -> str:
    """Why: a text that says something."""
    found = text(node)
    if not isinstance(value_of(node), str) or found.strip().lower() in _NO_REASONS:
        raise fault(f"a reason is expected, such as `it has no name yet`, found {shown(node)}")
    return found


def _present(node: object) -> object:
    """A mapping without the entries that have nothing behind them."""
    return {key: value for key, value in mapping(node).items() if not absent(value)}


Reason = Annotated[str, PlainValidator(_reason), WithJsonSchema({"type": "string", "minLength": 1})]
NameOrOptions = Annotated[Any, PlainValidator(_named), WithJsonSchema(TEXTS_OR_MAPPINGS)]
DatasetEntry = Annotated[Any, PlainValidator(_dataset), WithJsonSchema(TEXTS_OR_MAPPINGS)]
Condition = Annotated[Any, PlainValidator(_text_or_mapping), WithJsonSchema(TEXTS_OR_MAPPINGS)]
Band = Annotated[
    tuple[int, int],
    PlainValidator(_band),
    WithJsonSchema({"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2}),
]
Rows = Annotated[tuple[Any, ...], PlainValidator(_rows), WithJsonSchema({"type": "array", "items": {"type": "object"}})]


class SamplingSpec(Spec):
    """A part of the rows: one of `percentage`, `count` and `first`."""

    percentage: Percentage | None = Field(None, description="How much of each dataset is asked, in percent.")
    count: Count | None = Field(None, description="How many rows of each dataset are asked.")
    first: Count | None = Field(None, description="How many rows are asked, from the first on.")
    seed: Integer = Field(0, description="What the choice depends on.")
    stable: Later = None

    @model_validator(mode="after")
    def _one(self) -> SamplingSpec:
        given = [name for name in ("percentage", "count", "first") if getattr(self, name) is not None]
        if len(given) != 1:
            raise fault("one of `percentage`, `count` and `first` is expected")
        if given == ["first"] and "seed" in self.model_fields_set:
            raise fault("`first` chooses nothing by chance: `seed` has no use here")
        return self


class GradingSpec(Spec):
    """A scale over a measure's figure."""

    measure: Title = Field(description="What is graded: a metric of the recipe or a built-in measure.")
    scale: Annotated[Mapping[str, Band], Field(min_length=1)] = Field(
        description="Label to [low, high], best first, in whole steps from 0 to 100."
    )


class RecipeSpec(Spec):
    """Datasets x templates x endpoints, with metrics, thresholds and grading."""

    recipe: Title = Field(description="The title; it marks the file as a recipe.")
    description: Text = Field("", description="What it is for.")
    tags: OneOrMore[Title] = Field((), description="They become markers: pytest -m TAG.")
    categories: OneOrMore[Title] = Field((), description="For reports.")
    datasets: OneOrMore[DatasetEntry] = Field(
        (), description="An id, a path or a source with its options; one or a list. Or `samples` right here."
    )
    samples: Rows | None = Field(None, description="The rows themselves, in place of `datasets`.")
    templates: OneOrMore[Title] = Field((), description="Each sample is asked under each; an id or a path each.")
    endpoints: OneOrMore[Title] = Field((), description="Each is asked: an id, a path, or connector:model.")
    system: Text = Field("", description="A system text for every sample.")
    parameters: Parameters = Field(default_factory=dict, description="What goes on the wire, over the endpoint's own.")
    repeats: Count = Field(1, description="How often each sample is asked.")
    reduce: Annotated[str, PlainValidator(_mean), WithJsonSchema({"const": "mean"})] = Field(
        "mean", description="How the scores of repeats become one."
    )
    sampling: SamplingSpec | None = Field(None, description="A part of the rows; default: all.")
    extract: OneOrMore[NameOrOptions] = Field((), description="Steps that cut the answer out, before the metrics.")
    metrics: OneOrMore[NameOrOptions] = Field((), description="What scores each answer: a name or {name: options}.")
    thresholds: OneOrMore[Condition] = Field((), description="Conditions such as `exact_match >= 0.6`; a gate each.")
    grading: GradingSpec | None = Field(None, description="A scale that gives the recipe its grade.")
    misses: Annotated[Literal["note", "fail"] | None, one_of("note", "fail")] = Field(
        None, description="Whether a miss fails its item; default: note where there are thresholds, else fail."
    )
    items: Annotated[Literal["samples", "gates"] | None, one_of("samples", "gates")] = Field(
        None, description="samples: an item each and the gates; gates: the gates alone."
    )
    slices: Later = None
    cluster: Title | None = Field(
        None, description="A field, or metadata.NAME: rows that share its value are one observation in intervals."
    )
    max_errors: CountOrShare = Field(
        0, description="What a gate tolerates without an answer: a count, or a share as 1%."
    )


class CookbookSpec(Spec):
    """Recipes graded together."""

    cookbook: Title = Field(description="The title; it marks the file as a cookbook.")
    description: Text = Field("", description="What it is for.")
    tags: OneOrMore[Title] = Field((), description="They become markers of its items.")
    categories: OneOrMore[Title] = Field((), description="For reports.")
    recipes: OneOrMore[Title] = Field(description="An id or a path each.")
    thresholds: OneOrMore[Condition] = Field((), description="Conditions on `grade`, such as `grade >= C`.")
    items: Annotated[Literal["samples", "gates"] | None, one_of("gates", "samples")] = Field(
        None, description="gates (default): an item a recipe and one a condition; samples: the recipes' samples too."
    )


class MessageSpec(Spec):
    """One turn of a conversation."""

    prose: ClassVar[frozenset[str]] = frozenset({"content"})
    role: Annotated[Literal["system", "user", "assistant"], one_of("system", "user", "assistant")] = Field(
        description="Who speaks."
    )
    content: Prose = Field(description="What is said.")


class RowSpec(Spec):
    """A sample. Keys that are not listed here are fields for templates."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
    prose: ClassVar[frozenset[str]] = frozenset({"input", "target"})
    id: Title | None = Field(None, description="Names the sample; by default made of its input.")
    input: Prose | None = Field(None, description="The question.")
    messages: tuple[MessageSpec, ...] | None = Field(None, description="A conversation, in place of `input`.")
    target: OneOrMore[Prose] = Field((), description="The accepted text, or a list of accepted texts.")
    system: Text = Field("", description="The sample's system text.")
    tags: OneOrMore[Title] = Field((), description="They become markers of this sample's items.")
    metadata: Annotated[Mapping[str, Text], BeforeValidator(_present)] = Field(
        default_factory=dict, description="Texts by name, for templates and reports."
    )
    skip: Reason | None = Field(None, description="Why it is not asked.")
    xfail: Reason | None = Field(None, description="Why it is expected to miss.")


class FileSpec(Spec):
    """A data file that a recipe names with what there is to say of it."""

    file: Title = Field(description="A data file that holds the rows.")
    dataset: Title | None = Field(None, description="The title.")
    license: Text = Field("", description="Under which the rows may be used.")
    source: Text = Field("", description="Where the rows come from.")
    fields: Later = None
    filter: Later = None
    sha256: Later = None


class DatasetSpec(Spec):
    """An ordered set of samples with a licence and a source."""

    dataset: Title = Field(description="The title.")
    license: Text = Field("", description="Under which the rows may be used.")
    source: Text = Field("", description="Where the rows come from.")
    samples: Rows | None = Field(None, description="The rows themselves.")
    file: Title | None = Field(None, description="A data file that holds the rows, in place of `samples`.")
    fields: Later = None
    filter: Later = None
    sha256: Later = None


def _turn(node: object) -> str:
    return "<message>" if isinstance(node, Mapping) else "<conversation>"


def _conversation(node: object) -> str:
    if text_of(node) != "conversation":
        raise fault(f"{{role, content}} or `conversation` is expected, found {shown(node)}")
    return "conversation"


TemplateTurn = Annotated[
    Annotated[MessageSpec, Tag("<message>")]
    | Annotated[
        Literal["conversation"],
        PlainValidator(_conversation, json_schema_input_type=Literal["conversation"]),
        Tag("<conversation>"),
    ],
    Discriminator(_turn),
]


class TemplateSpec(Spec):
    """How a sample becomes the prompt: Jinja2, with the row's fields as variables."""

    prose: ClassVar[frozenset[str]] = frozenset({"text", "system"})
    template: Title = Field(description="The title.")
    text: Prose | None = Field(None, description="Takes the place of the last user message.")
    messages: tuple[TemplateTurn, ...] | None = Field(
        None, description="The whole conversation; the entry `conversation` stands for the sample's own."
    )
    system: Prose = Field("", description="A system text for every sample under this template.")


class PricesSpec(Spec):
    """USD per million tokens."""

    input: NotNegative = Field(description="USD per million tokens of the prompt.")
    output: NotNegative = Field(description="USD per million tokens of the answer.")


class BreakerSpec(Spec):
    """When an endpoint that keeps failing is not asked for a while."""

    failures: Count = Field(5, description="Failed requests in a row after which nothing is asked; default 5.")
    recover: Positive = Field(30.0, description="Seconds until one request may try again; default 30.")


def _breaker(node: object) -> str:
    return "<breaker>" if isinstance(node, Mapping | BreakerSpec) else "<none>"


def _none(node: object) -> bool:
    if value_of(node) is not False:
        raise fault(f"a mapping, or false for no breaker, is expected, found {shown(node)}")
    return False


Breaker = Annotated[
    Annotated[BreakerSpec, Tag("<breaker>")]
    | Annotated[Literal[False], PlainValidator(_none, json_schema_input_type=Literal[False]), Tag("<none>")],
    Discriminator(_breaker),
]


class EndpointSpec(Spec):
    """A configured connector. Keys that are not listed here are the connector's own."""

    model_config = ConfigDict(extra="allow", frozen=True, defer_build=True)
    endpoint: Title = Field(description="The title.")
    connector: Title = Field(description="The code that asks this kind of service.")
    max_concurrency: Count | None = Field(None, description="Requests on the wire at once; default 8.")
    max_calls_per_second: Positive | None = Field(None, description="Fractions are allowed; default: no limit.")
    max_calls_per_minute: Positive | None = Field(None, description="In place of max_calls_per_second.")
    max_tokens_per_minute: Positive | None = Field(None, description="Default: no limit.")
    timeout: Positive = Field(60.0, description="Seconds for one attempt.")
    max_attempts: Count = Field(5, description="Attempts for one request.")
    deadline: Positive = Field(600.0, description="Seconds for one request with all its attempts and waits.")
    parameters: Parameters = Field(default_factory=dict, description="What goes on the wire; default: nothing.")
    prices: PricesSpec | None = Field(None, description="USD per million tokens; default: unknown, which is never 0.")
    breaker: Breaker = Field(
        default_factory=BreakerSpec, description="When it is not asked for a while, as it keeps failing; false: never."
    )
    fixture: Title | None = Field(None, description="A session fixture of the suite that brings the address.")
    identity: Title | None = Field(
        None, description="With `fixture`: what cache keys hold in place of the address; default: the endpoint's id."
    )
