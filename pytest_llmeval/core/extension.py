"""What an extension looks like to those who use it: connectors, metrics, sources of rows, reports."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import ClassVar, Literal, Protocol, runtime_checkable

from .exchange import Request, Response
from .measures import Better
from .result import Score
from .sample import Sample
from .summary import RunRecord

#: how long a stored answer may serve: in later runs too, in its own run, or not at all
Keep = Literal["always", "run", "never"]


class Asker(Protocol):
    """An opened connector."""

    async def ask(self, request: Request) -> Response:
        """Ask once.

        Raises the classed errors of ``core.errors``; anything else is that request's error, not retried.
        """
        ...


class Opening(Protocol):
    """What a connector is opened with: ``timeout`` in seconds, ``folder`` for files of this run (logs, locks)."""

    @property
    def endpoint(self) -> str: ...
    @property
    def timeout(self) -> float: ...
    @property
    def max_concurrency(self) -> int: ...
    @property
    def folder(self) -> Path: ...

    async def once(self, name: str, make: Callable[[], Awaitable[str]]) -> str:
        """A text that one process of the run makes and all read."""
        ...

    def sent(self) -> None:
        """To be called by ``ask``, in its task or a thread of it, when its request is out.

        A test of the user's own that waits to begin (it may patch what requests go through) waits for this.
        """
        ...


class Connector(Protocol):
    """Code that asks one kind of service: a frozen dataclass whose fields are its options.

    Optional attributes or properties, read with these defaults: ``keep: Keep = "always"``; ``max_concurrency: int = 8``
    (the default of the endpoint's key); ``free: bool = False`` (its answers cost nothing); ``offline: bool = False``
    (answers exist already: no limits, no claims, no retries, no cache); ``carries_cost: bool = True`` (its answers may
    bring their cost; else conditions on cost need the endpoint's ``prices:``); ``model: str`` (for reports);
    ``says_sent: bool = False`` (its ``ask`` calls the opening's ``sent``; else some turns of the loop are waited for).
    Optional methods: ``missing() -> str | None`` (what this machine lacks, told without opening anything);
    ``refuses(messages) -> str | None`` (why such a request can never be asked: a collection error);
    ``refuses_parameters(parameters) -> str | None`` (the same of what goes on the wire beside the messages);
    ``secrets() -> Iterable[str]`` (values never to be stored or shown, beside those of fields that are ``SecretText``);
    ``tampered() -> str`` (what stands in for the way to the service just now, a mock of a test's say; empty where
    nothing does). It is asked before each request leaves and when it is out: an answer that came by a mock is given to
    the test that asked and never stored, and where no test asked, the endpoint is stopped. It is cheap, opens nothing.
    """

    id: ClassVar[str]

    def identity(self) -> Mapping[str, object]:
        """What stands for it in the cache key: everything that may change an answer, secrets as their names.

        Where that cannot be told on this machine, ``unavailable`` says why in place of what is unknown. Then the
        identity that its endpoint had last stands in, if it agrees in the rest.
        """
        ...

    def open(self, run: Opening) -> AbstractAsyncContextManager[Asker]:
        """Entered in the engine's loop before the endpoint's first request, left by the same task."""
        ...


class Metric(Protocol):
    """Scores one response: a frozen dataclass whose fields are its options.

    The attributes may be properties that depend on the options. ``check`` is optional; its text is a collection error.
    """

    id: ClassVar[str]

    @property
    def better(self) -> Better | None: ...
    @property
    def range(self) -> tuple[float | None, float | None]: ...
    @property
    def binary(self) -> bool: ...
    @property
    def needs_target(self) -> bool: ...
    @property
    def reads_text(self) -> bool: ...

    def score(self, response: Response, sample: Sample) -> Score | float | bool:
        """The score; what it raises is a metric error of this sample."""
        ...


@runtime_checkable
class Checks(Protocol):
    """A metric that can tell at collection that a sample does not suit it."""

    def check(self, sample: Sample) -> str | None: ...


class Source(Protocol):
    """Rows of a dataset: a frozen dataclass whose fields are its options.

    A class attribute ``suffixes`` names the files it reads by itself; its field ``path`` then takes the file.
    """

    id: ClassVar[str]

    def rows(self) -> Iterator[tuple[Mapping[str, object], int]]:
        """Each row with the line it begins at (0 where lines mean nothing)."""
        ...


class Report(Protocol):
    """Writes a run's record to a file. ``suffix`` names the files it writes."""

    id: ClassVar[str]
    suffix: ClassVar[str]

    def write(self, record: RunRecord, path: Path) -> None: ...
