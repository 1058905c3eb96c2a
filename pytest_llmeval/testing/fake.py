"""A connector that answers from a mapping or a function, for tests of suites and of the engine."""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, ClassVar

import anyio

from pytest_llmeval.core.errors import InvalidRequest
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.extension import Keep, Opening

Function = Callable[[Request], str | Response | Awaitable[str | Response]]


@dataclass(frozen=True)
class FakeConnector:
    """Answers without any service.

    ``answers`` maps prompts to texts, ``default`` is the answer to all others (none: such a request is an error),
    ``delay`` the seconds each answer takes. ``FakeConnector.calling(function)`` answers by a function of the request
    (sync or async, a text or a ``Response``), which may raise the classed errors. ``asked`` lists the requests that
    came, ``opened`` and ``closed`` count.

    To name it in endpoint files, register it: ``registry.add("connector", FakeConnector)``, then ``connector: fake``.
    """

    id: ClassVar[str] = "fake"

    model: str = "fake"
    answers: Mapping[str, str] = field(default_factory=dict)
    default: str | None = None
    delay: float = 0.0

    @classmethod
    def calling(cls, function: Function, **options: Any) -> FakeConnector:
        """A connector that answers by a function of the request."""
        made = cls(**options)
        made.__dict__["_function"] = function
        return made

    # A record of what happened is no option, hence no field: it lives beside them, one for each instance.
    @property
    def _memory(self) -> dict[str, Any]:
        memory: dict[str, Any] = self.__dict__.setdefault("_memory_", {"asked": [], "opened": 0, "closed": 0})
        return memory

    @property
    def asked(self) -> list[Request]:
        found: list[Request] = self._memory["asked"]
        return found

    @property
    def opened(self) -> int:
        return int(self._memory["opened"])

    @property
    def closed(self) -> int:
        return int(self._memory["closed"])

    @property
    def keep(self) -> Keep:
        """The key cannot hold a function's code, so its answers are for the run alone."""
        return "run" if "_function" in self.__dict__ else "always"

    def identity(self) -> Mapping[str, object]:
        """Its options, and the function's name."""
        function = self.__dict__.get("_function")
        return {
            "model": self.model,
            "answers": dict(self.answers),
            "default": self.default,
            "function": None if function is None else getattr(function, "__qualname__", type(function).__name__),
        }

    @asynccontextmanager
    async def open(self, run: Opening) -> AsyncIterator[FakeConnector]:  # noqa: ARG002 - the protocol's signature
        """Yield itself."""
        self._memory["opened"] += 1
        try:
            yield self
        finally:
            self._memory["closed"] += 1

    async def ask(self, request: Request) -> Response:
        """Answer at once, or after ``delay``. Raises InvalidRequest for a prompt that nothing answers."""
        self.asked.append(request)
        if self.delay:
            await anyio.sleep(self.delay)
        function: Function | None = self.__dict__.get("_function")
        if function is not None:
            made = function(request)
            answer = await made if inspect.isawaitable(made) else made
            return answer if isinstance(answer, Response) else _counted(request, answer)
        text = self.answers.get(request.prompt, self.default)
        if text is None:
            raise InvalidRequest(f"the fake connector has no answer to {request.prompt!r}")
        return _counted(request, text)


def _counted(request: Request, text: str) -> Response:
    sent = sum(len(message["content"].split()) for message in request.messages)
    return Response(text, input_tokens=sent, output_tokens=len(text.split()))
