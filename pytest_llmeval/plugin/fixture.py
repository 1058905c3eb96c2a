"""The fixture ``llmeval``: a test's own questions, whole recipes, scores."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

import pytest

from ..core.assertable import Result
from ..core.endpoint import Endpoint
from ..core.errors import EndpointStopped, Faults, InvalidRequest, ScoreError
from ..core.exchange import Request, Response
from ..core.plan import RecipePlan
from ..core.result import Score
from ..core.sample import Message, Sample
from ..engine.answers import RunStoppedError, SkippedError
from ..engine.engine import Engine
from ..engine.evaluate import score
from ..limits.budget import unbounded
from .absence import fail, failure, leave, skip, stopped
from .run import run_share
from .served import check_fixtures

T = TypeVar("T")

#: a question: a text (one user message), or a conversation
Prompt = str | Sequence[Message]


class Llmeval:
    """What the fixture ``llmeval`` is, for one test.

    Endpoints and recipes are ids or paths, looked up from the test's file; ``endpoint`` may be left out where the run
    has exactly one (``--llmeval-endpoint``, ini ``llmeval_endpoints``). What cannot be meant fails the test with one
    message; an endpoint that this machine lacks skips it where the ini ``llmeval_unavailable`` says so.
    """

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self._item = request.node
        self._path = request.path
        self._run = run_share(request.config)

    def ask(
        self,
        prompt: Prompt,
        *,
        endpoint: str | None = None,
        system: str = "",
        parameters: Mapping[str, object] | None = None,
        repeat: int = 1,
    ) -> Response:
        """Ask one question; cached, limited and retried like any other.

        ``system`` is put before it, ``parameters`` go over the endpoint's, ``repeat=2`` asks the same anew. Raises
        RequestError where no usable answer came (EndpointStopped where the endpoint was stopped); skips the test where
        the endpoint's breaker is open or the run's budget spent.
        """
        __tracebackhide__ = True
        return self.ask_many([prompt], endpoint=endpoint, system=system, parameters=parameters, repeat=repeat)[0]

    def ask_many(
        self,
        prompts: Iterable[Prompt],
        *,
        endpoint: str | None = None,
        system: str = "",
        parameters: Mapping[str, object] | None = None,
        repeat: int = 1,
    ) -> list[Response]:
        """Ask many at once; the answers in their order. All are settled, then the first error is raised."""
        __tracebackhide__ = True
        to = self._endpoint(endpoint)
        requests = [self._question(to, prompt, system, parameters, repeat) for prompt in prompts]
        return self._settled(to, lambda engine: [answer.response for answer in engine.ask(to, requests)])

    def run(self, recipe: str, *, endpoint: str | None = None) -> Result:
        """Ask a whole recipe, whatever else was selected, and judge it: stands alone, as a gate does."""
        __tracebackhide__ = True
        plan = self._plan(recipe, endpoint)
        return self._settled(plan.endpoint, lambda _: self._run.evaluation(self._item.session).result(plan))

    def connector(self, endpoint: str | None = None) -> Handle:
        """The endpoint's connector itself, limited and retried, past the cache."""
        __tracebackhide__ = True
        return Handle(self, self._endpoint(endpoint))

    def score(
        self,
        response: Response | str,
        metric: str | Mapping[str, object],
        *,
        target: str | Sequence[str] = (),
        sample: Sample | None = None,
    ) -> Score:
        """Score an answer by what ``metrics:`` of a recipe takes: a name, or ``{"name": {options}}``.

        ``target`` is one accepted text or several; a ``sample`` brings its own, and its fields. What the metric raises
        goes through; ScoreError where it needs a target and has none, or returned what is no score.
        """
        __tracebackhide__ = True
        use = _told(lambda: self._run.reader.metric(metric, self._path))
        targets = (target,) if isinstance(target, str) else tuple(target)
        of = sample or Sample("the test's", "", (), targets)
        try:
            return score(Response(response) if isinstance(response, str) else response, of, use)
        except ScoreError as error:
            raise ScoreError(f"{use.name}: {error}") from None

    # --- for this module alone ---

    def _endpoint(self, reference: str | None) -> Endpoint:
        __tracebackhide__ = True
        known = self._run.settings.override_endpoints or self._run.settings.endpoints
        if reference is None and len(known) != 1:
            there = f"the run has {', '.join(known)}" if known else "the run has none"
            fail(f"llmeval: endpoint= is missing, and {there}")
        return _told(lambda: self._run.reader.endpoint(reference or known[0], self._path))

    def _plan(self, recipe: str, endpoint: str | None) -> RecipePlan:
        __tracebackhide__ = True
        plans = _told(lambda: self._run.plans(recipe, endpoint, self._path))
        if len(plans) > 1:
            fail(f"llmeval.run: {recipe} has several endpoints ({_names(plans)}); say which: endpoint=")
        return plans[0]

    def _question(
        self,
        endpoint: Endpoint,
        prompt: Prompt,
        system: str = "",
        parameters: Mapping[str, object] | None = None,
        repeat: int = 1,
    ) -> Request:
        __tracebackhide__ = True
        request = question(endpoint, prompt, system, parameters, repeat)
        budget = self._run.settings.budget
        why = None if budget is None else unbounded(endpoint, request.parameters, budget)
        if why is not None:
            fail(f"llmeval: endpoint {endpoint.id!r}: {why}")
        return request

    def _settled(self, endpoint: Endpoint, ask: Callable[[Engine], T]) -> T:
        __tracebackhide__ = True
        try:
            return ask(self._serving(endpoint))
        except RunStoppedError as stop:
            leave(stop)
        except SkippedError as why:
            skip(why.message)
        except EndpointStopped as error:
            lack = self._run.lacks(endpoint)
            if lack:
                skip(lack)
            raise EndpointStopped(stopped(endpoint.id, error.message)) from None

    def _serving(self, endpoint: Endpoint) -> Engine:
        """The engine, with the endpoint's own server up where a fixture brings one."""
        __tracebackhide__ = True
        engine = self._run.for_test(self._item).engine
        try:
            check_fixtures(self._item, [endpoint])
        except Faults as faults:
            raise failure(str(faults)) from None
        self._run.serve(self._item, endpoint)
        return engine


@dataclass(frozen=True)
class Handle:
    """An endpoint's connector with its limits and retries, and nothing stored: every call is a request."""

    _llmeval: Llmeval
    _endpoint: Endpoint

    def ask(self, prompt: Prompt, *, system: str = "", parameters: Mapping[str, object] | None = None) -> Response:
        """Ask now. Raises RequestError where no usable answer came."""
        __tracebackhide__ = True
        request = self._llmeval._question(self._endpoint, prompt, system, parameters)  # noqa: SLF001 - of this module
        return self._llmeval._settled(  # noqa: SLF001 - of this module
            self._endpoint, lambda engine: engine.ask(self._endpoint, [request], anew=True)[0].response
        )

    async def aask(
        self, prompt: Prompt, *, system: str = "", parameters: Mapping[str, object] | None = None
    ) -> Response:
        """As ``ask``, awaited in an asyncio loop of the test's own."""
        __tracebackhide__ = True
        request = self._llmeval._question(self._endpoint, prompt, system, parameters)  # noqa: SLF001 - of this module
        engine = self._llmeval._serving(self._endpoint)  # noqa: SLF001 - of this module
        try:
            return (await engine.aask(self._endpoint, request, anew=True)).response
        except SkippedError as why:
            skip(why.message)


def question(
    endpoint: Endpoint,
    prompt: Prompt,
    system: str = "",
    parameters: Mapping[str, object] | None = None,
    repeat: int = 1,
) -> Request:
    """A test's own question as it is sent. Raises InvalidRequest for one that this endpoint can never be asked."""
    messages = [Message(role="user", content=prompt)] if isinstance(prompt, str) else list(prompt)
    if system:
        messages.insert(0, Message(role="system", content=system))
    refuses = getattr(endpoint.connector, "refuses", None)
    why = refuses(messages) if refuses is not None else None
    if why:
        raise InvalidRequest(f"endpoint {endpoint.id}: {why}")
    return Request(tuple(messages), {**endpoint.parameters, **(parameters or {})}, repeat)


def _told(read: Callable[[], T]) -> T:
    """A fault of a file or a reference is the test's failure, in one message."""
    __tracebackhide__ = True
    try:
        return read()
    except Faults as faults:
        raise failure(str(faults)) from None


def _names(plans: Sequence[RecipePlan]) -> str:
    return ", ".join(plan.endpoint.id for plan in plans)
