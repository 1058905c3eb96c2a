"""A function of the user's own: how a program built on a model is evaluated."""

from __future__ import annotations

import asyncio
import inspect
import site
import sysconfig
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar

import anyio
import anyio.to_thread

from pytest_llmeval.core.clock import SystemClock
from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, RequestError
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.extension import Asker, Keep, Opening
from pytest_llmeval.core.sample import Message
from pytest_llmeval.core.text import one_line, trim

from . import _mapping

_GIVEN = ("messages", "prompt", "parameters", "repeat")
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)
_POSITIONAL = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)


@dataclass(frozen=True)
class Python:
    """Asks a function: ``target: package.module:function``, sync or async.

    It gets what it has parameters for: ``messages``, ``prompt``, ``parameters``, ``repeat``; without ``messages`` its
    first parameter gets the prompt. It returns a text, or a mapping with ``text`` and what is known of
    ``finish_reason``, ``tokens`` (``{input:, output:}``), ``cost``, ``latency``, ``reasoning``. With ``version`` its
    answers serve later runs too, until the version changes.
    """

    id: ClassVar[str] = "python"
    says_sent: ClassVar[bool] = True

    target: str
    version: str = ""

    def __post_init__(self) -> None:
        module, _, name = self.target.partition(":")
        if not all(part.isidentifier() for part in [*module.split("."), *name.split(".")]):
            raise ValueError(f"target: {self.target!r} is not of the form package.module:function")

    @property
    def model(self) -> str:
        """The target, for reports."""
        return self.target

    @property
    def keep(self) -> Keep:
        """Without a version for this run alone: the key cannot hold the function's code."""
        return "always" if self.version else "run"

    def identity(self) -> Mapping[str, object]:
        """The target and its version."""
        return {"version": 1, "target": self.target, "code": self.version}

    def missing(self) -> str | None:
        """Why the target cannot be imported here."""
        found = self._found
        return found.message if isinstance(found, EndpointStopped) else None

    def refuses(self, messages: Iterable[Message]) -> str | None:
        """Why the function cannot be given this conversation: it takes the prompt alone."""
        found = self._found
        roles = [message["role"] for message in messages]
        if isinstance(found, EndpointStopped) or found.takes_messages or roles == ["user"]:
            return None
        what = "a system text" if "system" in roles else "a conversation"
        return f"{self.target} gets the prompt alone and there is {what}: give it a parameter `messages`"

    @asynccontextmanager
    async def open(self, run: Opening) -> AsyncIterator[Asker]:
        """Import the target. Raises EndpointStopped where that fails."""
        found = await anyio.to_thread.run_sync(lambda: self._found)
        if isinstance(found, EndpointStopped):
            raise found
        own_loop = _OwnLoop()
        try:
            yield PythonAsker(found, anyio.CapacityLimiter(run.max_concurrency), own_loop, run.sent)
        finally:
            own_loop.close()

    @cached_property
    def _found(self) -> Call | EndpointStopped:
        """The target, or why there is none: looked for once, since each sample's conversation is held to it."""
        try:
            return self._import()
        except EndpointStopped as error:
            return error

    def _import(self) -> Call:
        module, _, name = self.target.partition(":")
        try:
            found: Any = import_module(module)
            for part in name.split("."):
                found = getattr(found, part)
        except (Exception, SystemExit) as error:
            said = trim(one_line(f"{type(error).__name__}: {error}"), 300)
            hint = "the ini `pythonpath` names folders to import from"
            raise EndpointStopped(f"target {self.target} cannot be imported ({said}); {hint}") from error
        if not callable(found):
            raise EndpointStopped(f"target {self.target} is {type(found).__name__}, not a function")
        return Call.of(self.target, found)


@dataclass(frozen=True, slots=True)
class Call:
    """A target, and which parameters it has for what can be given."""

    target: str
    function: Callable[..., Any]
    named: tuple[str, ...]
    #: the prompt goes to the first parameter, by position
    first_is_prompt: bool
    is_async: bool

    @classmethod
    def of(cls, target: str, function: Callable[..., Any]) -> Call:
        """Raises EndpointStopped where the function asks for something that nothing gives."""
        try:
            parameters = list(inspect.signature(function).parameters.values())
        except (ValueError, TypeError):
            # some functions written in C have no signature to be read
            return cls(target, function, (), first_is_prompt=True, is_async=False)
        named = {p.name for p in parameters if p.kind in _NAMED and p.name in _GIVEN}
        if any(p.kind is p.VAR_KEYWORD for p in parameters) and parameters[0].kind not in _POSITIONAL:
            named |= {"messages", "parameters", "repeat"}
        free = [
            p for p in parameters if p.kind in (*_POSITIONAL, inspect.Parameter.VAR_POSITIONAL) and p.name not in named
        ]
        first_is_prompt = not named & {"messages", "prompt"} and bool(free) and free[0] is parameters[0]
        needed = [
            p.name
            for p in parameters
            if p.default is p.empty and p.kind in (*_POSITIONAL, inspect.Parameter.KEYWORD_ONLY) and p.name not in named
        ]
        if first_is_prompt and needed and needed[0] == free[0].name:
            needed = needed[1:]
        if needed:
            gives = ", ".join(f"`{name}`" for name in _GIVEN)
            raise EndpointStopped(f"target {target} needs a parameter `{needed[0]}`; it can be given {gives}")
        asynchronous = inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(
            getattr(function, "__call__", None)  # noqa: B004 - it is known to be callable
        )
        return cls(target, function, tuple(sorted(named)), first_is_prompt, asynchronous)

    @property
    def takes_messages(self) -> bool:
        return "messages" in self.named

    def __call__(self, request: Request) -> Any:
        """What the function returns: its result, or something to be awaited."""
        values = {
            "messages": [dict(message) for message in request.messages],
            "prompt": request.prompt,
            "parameters": dict(request.parameters),
            "repeat": request.repeat,
        }
        positional = [request.prompt] if self.first_is_prompt else []
        return self.function(*positional, **{name: values[name] for name in self.named})


class PythonAsker:
    """Calls the function: in a thread of its own, or on a loop of its own."""

    def __init__(
        self, call: Call, threads: anyio.CapacityLimiter, own_loop: _OwnLoop, sent: Callable[[], None]
    ) -> None:
        self._call = call
        self._sent = sent
        self._threads = threads
        self._own_loop = own_loop

    async def ask(self, request: Request) -> Response:
        """One call. What it raises is this request's error, but for the classed errors, which pass."""
        if self._call.is_async:
            made = await self._own_loop.result(lambda: self._begin(request))
        else:
            made = await anyio.to_thread.run_sync(
                _outcome, self._begin, request, limiter=self._threads, abandon_on_cancel=True
            )
            if inspect.isawaitable(made):
                made = await self._own_loop.result(lambda: made)
        if isinstance(made, _Raised):
            raise made.classed(self._call.target) from made.error
        return _response(self._call.target, made)

    def _begin(self, request: Request) -> Any:
        """In the function's own thread: from here on it is the function that asks."""
        self._sent()
        return self._call(request)


class _Raised:
    """What a call raised: carried as a value, since SystemExit in a task or a future would end the loop."""

    def __init__(self, error: BaseException) -> None:
        self.error = error

    def classed(self, target: str) -> RequestError:
        if isinstance(self.error, RequestError):
            return self.error
        said = trim(one_line(f"{type(self.error).__name__}: {self.error}"), 500)
        place = _place(self.error.__traceback__)
        return InvalidRequest(f"{said} ({place or target})")


def _outcome(call: Callable[[Request], Any], request: Request) -> Any:
    try:
        return call(request)
    except BaseException as error:  # noqa: BLE001 - SystemExit too is this request's error
        return _Raised(error)


def _place(trace: TracebackType | None) -> str:
    """File and line of the innermost frame that is neither a library's nor ours; else of the innermost of all."""
    own = str(Path(__file__).parent)
    libraries = (sysconfig.get_path("stdlib"), *site.getsitepackages(), "<")
    places = {True: "", False: ""}
    while trace is not None:
        file = trace.tb_frame.f_code.co_filename
        if not file.startswith(own):
            places[file.startswith(libraries)] = f"{_relative(file)}:{trace.tb_lineno}"
        trace = trace.tb_next
    return places[False] or places[True]


def _relative(file: str) -> str:
    path = Path(file)
    return str(path.relative_to(Path.cwd())) if path.is_relative_to(Path.cwd()) else file


def _response(target: str, made: object) -> Response:
    if isinstance(made, Response):
        return made
    if isinstance(made, str):
        return Response(made)
    if not isinstance(made, Mapping):
        raise InvalidRequest(f"{target} returned {type(made).__name__}; a text or a mapping with `text` is expected")
    for key in made:
        if key != "text" and key not in _mapping.BESIDE:
            raise InvalidRequest(f"{target} returned a mapping with an {_mapping.unknown(str(key))}")
    text = made.get("text")
    if not isinstance(text, str):
        raise InvalidRequest(f"{target} returned a mapping whose `text` is {type(text).__name__}")
    try:
        return _mapping.response(text, made)
    except ValueError as error:
        raise InvalidRequest(f"{target} returned a mapping: {error}") from None


class _OwnLoop:
    """A loop in a daemon thread, made when it is first needed: a target that blocks it holds up nobody else."""

    def __init__(self) -> None:
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None

    async def result(self, make: Callable[[], Awaitable[Any]]) -> Any:
        """What the awaitable comes to, or what it raised."""

        async def outcome() -> Any:
            try:
                return await make()
            except BaseException as error:  # SystemExit too is this request's error
                task = asyncio.current_task()
                if isinstance(error, asyncio.CancelledError) and task is not None and task.cancelling():
                    raise
                return _Raised(error)

        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(outcome(), self._running()))

    def _running(self) -> asyncio.AbstractEventLoop:
        if self._loop is None:
            self._loop = asyncio.new_event_loop()
            clock = SystemClock()
            # libraries that freeze time would stall its sleeps
            self._loop.time = lambda: clock.monotonic_ns() / 1e9  # type: ignore[method-assign] # meant
            self._thread = threading.Thread(target=_serve, args=(self._loop,), name="llmeval-python", daemon=True)
            self._thread.start()
        return self._loop

    def close(self) -> None:
        """End the loop's tasks and its thread; one that is blocked is left behind."""
        if self._loop is None or self._thread is None:
            return
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(timeout=1.0)


def _serve(loop: asyncio.AbstractEventLoop) -> None:
    asyncio.set_event_loop(loop)
    try:
        loop.run_forever()
        tasks = asyncio.all_tasks(loop)
        for task in tasks:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*tasks, return_exceptions=True))
        loop.run_until_complete(loop.shutdown_asyncgens())
    finally:
        loop.close()
