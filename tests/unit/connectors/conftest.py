"""What the connectors' tests open them with."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import anyio
import pytest

from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.sample import Sample


@dataclass
class Opening:
    """One run; ``once`` keeps its values in a mapping that several openings may share."""

    folder: Path
    endpoint: str = "tested"
    timeout: float = 5.0
    max_concurrency: int = 8
    values: dict[str, str] = field(default_factory=dict)
    #: how many requests were said to be out
    out: int = 0

    async def once(self, name: str, make: Callable[[], Awaitable[str]]) -> str:
        if name not in self.values:
            self.values[name] = await make()
        return self.values[name]

    def sent(self) -> None:
        self.out += 1


def question(text: str = "What is the capital of France?", **parameters: object) -> Request:
    return Request(({"role": "user", "content": text},), parameters)


def about(sample: str, text: str, **more: object) -> Request:
    """A question made from a sample."""
    messages = ({"role": "user", "content": text},)
    return Request(messages, sample=Sample(sample, text, messages), **more)  # type: ignore[arg-type]  # tests' own keys


@pytest.fixture
def opening(tmp_path: Path) -> Opening:
    return Opening(tmp_path)


@pytest.fixture(name="question")
def _question():
    return question


@pytest.fixture(name="about")
def _about():
    return about


@pytest.fixture
def asks(opening: Opening):
    """``asks(connector, *requests)``: what each came to, one after the other, a response or the error."""

    def asks(connector, *requests: Request, timeout: float | None = None) -> list[Response | Exception]:
        async def run() -> list[Response | Exception]:
            opening.timeout = timeout or opening.timeout
            came: list[Response | Exception] = []
            async with connector.open(opening) as asker:
                for request in requests:
                    try:
                        with anyio.fail_after(opening.timeout):
                            came.append(await asker.ask(request))
                    except Exception as error:  # noqa: BLE001 - what came is looked at by the test
                        came.append(error)
            return came

        return anyio.run(run)

    return asks


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch):
    """Sets variables; those that connectors read are unset before."""
    for name in ("OPENAI_API_KEY", "OPENAI_BASE_URL", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.lower(), raising=False)

    def set_all(values: Mapping[str, str]) -> None:
        for name, value in values.items():
            monkeypatch.setenv(name, value)

    return set_all
