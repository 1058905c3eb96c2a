"""Chat completions of any compatible server."""

from __future__ import annotations

import os
import re
from base64 import b64encode
from collections.abc import AsyncIterator, Iterable, Iterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, ClassVar
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pytest_llmeval.core.errors import EndpointStopped
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.extension import Asker, Opening
from pytest_llmeval.core.options import EnvironmentText, MissingVariableError, SecretText, as_names, expand, names

from ._http import decode, encode, refuses, tampered

if TYPE_CHECKING:
    from ._http.pool import HttpPool

#: where requests go when neither the file nor OPENAI_BASE_URL names an address
DEFAULT = "https://api.openai.com/v1"
KEY, ADDRESS = "OPENAI_API_KEY", "OPENAI_BASE_URL"
_HEADER_NAME = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_HEADER_VALUE = re.compile(r"([\x21-\x7e]([\x20-\x7e\t]*[\x21-\x7e])?)?")


@dataclass(frozen=True)
class OpenAI:
    """An endpoint that speaks OpenAI's chat completions.

    ``base_url`` is the address up to ``/v1`` (default: OPENAI_BASE_URL, else OpenAI's own), ``api_key`` a reference to
    an environment variable. Without ``api_key`` no key is sent; OPENAI_API_KEY goes only with the default address or
    OPENAI_BASE_URL, never to an address that a file names. ``headers`` are sent with each request.
    """

    id: ClassVar[str] = "openai"
    says_sent: ClassVar[bool] = True
    carries_cost: ClassVar[bool] = False

    model: str
    base_url: EnvironmentText = ""
    api_key: SecretText = ""
    headers: Mapping[str, EnvironmentText] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.base_url and not any(names(self.base_url)) and not _is_http(self.base_url.strip()):
            raise ValueError(f"base_url: {self.base_url!r} is no http or https address")

    def refuses_parameters(self, parameters: Mapping[str, object]) -> str | None:
        """Those under which no answer could be read."""
        return refuses(parameters)

    def identity(self) -> Mapping[str, object]:
        """Address, model and headers; what a header takes from the environment counts as its name."""
        headers = {name.lower(): as_names(value) for name, value in self.headers.items()}
        return {"version": 1, "base_url": self._identified(), "model": self.model, "headers": headers}

    def missing(self) -> str | None:
        """The first thing that this machine lacks: an unset variable, a key or an address that cannot be used."""
        try:
            self._target()
        except EndpointStopped as error:
            return error.message
        return None

    def secrets(self) -> Iterable[str]:
        """The present values of the variables in the key, the headers and the address's query; the address's password.

        Of the password also what HTTP makes of it, since a server may say again what it was sent.
        """
        texts = [self._key(), *self.headers.values()]
        values = {os.environ.get(name, "").strip() for text in texts for name in names(text)}
        try:
            parts = _split(self._address())
        except MissingVariableError:
            parts = None
        if parts is not None:
            values.update(value for _, value in self._in_query(parts))
            if parts.password:
                pair = f"{unquote(parts.username or '')}:{unquote(parts.password)}".encode()
                values |= {parts.password, unquote(parts.password), b64encode(pair).decode()}
        return values - {""}

    def tampered(self) -> str:
        """What stands in for httpx just now."""
        return tampered()

    @asynccontextmanager
    async def open(self, run: Opening) -> AsyncIterator[Asker]:
        """Pooled connections to the address. Raises EndpointStopped where this machine cannot ask it."""
        from ._http.pool import pooled

        target = self._target()
        async with pooled(target.url, target.shown, target.headers, run.timeout, run.sent) as pool:
            yield ChatAsker(pool, self.model, target)

    def _target(self) -> Target:
        try:
            address = self._address()
            key = expand(self._key(), os.environ)
            headers = {name.lower(): expand(value, os.environ) for name, value in self.headers.items()}
        except MissingVariableError as error:
            raise EndpointStopped(f"set the environment variable {error.name} ({self._use(error.name)})") from None
        if not (key or headers) and address == DEFAULT:
            raise EndpointStopped(f"set the environment variable {KEY}: {DEFAULT} answers nobody without a key")
        used = sorted({name for value in (self._key() if key else "", *self.headers.values()) for name in names(value)})
        if _has_user(address):
            if key or "authorization" in headers:
                raise EndpointStopped(
                    "base_url holds a user, who would be the `authorization` header in place of the key's: name but one"
                )
            origin = "user and password came with the address"
        elif used:
            origin = f"the key came from {', '.join(used)}"
        else:
            origin = "no key was sent (`api_key: ${NAME}` names one)"
        if not _HEADER_VALUE.fullmatch(key):
            raise EndpointStopped(f"no header can carry this key (it holds a control or is not ASCII); {origin}")
        if key:
            headers = {"authorization": f"Bearer {key}", **headers}
        for name, value in headers.items():
            if not (_HEADER_NAME.fullmatch(name) and _HEADER_VALUE.fullmatch(value)):
                raise EndpointStopped(f"headers: no request can carry {name!r} (it holds a control or is not ASCII)")
        return Target.of(address, headers, origin)

    def _address(self) -> str:
        """The base address as it is used, without a slash at its end."""
        return expand(self.base_url or f"${{{ADDRESS}:-{DEFAULT}}}", os.environ).strip().rstrip("/")

    def _key(self) -> str:
        if self.api_key or self.base_url or _has_user(self._address()):
            return self.api_key
        return f"${{{KEY}:-}}"

    def _in_query(self, parts: SplitResult) -> Iterator[tuple[str, str]]:
        """Variables whose values stand in the query, where some services take their key."""
        for name in names(self.base_url):
            value = os.environ.get(name, "").strip()
            if value and value in parts.query:
                yield name, value

    def _identified(self) -> str:
        """The address in the cache key: without a password; names for variables that are not set or in its query."""
        try:
            address = self._address()
        except MissingVariableError:
            return as_names(self.base_url).rstrip("/")
        parts = _split(address)
        if parts is None:
            return address
        query = parts.query
        for name, value in self._in_query(parts):
            query = query.replace(value, f"${{{name}}}")
        return urlunsplit(parts._replace(netloc=_host(parts), query=query))

    def _use(self, name: str) -> str:
        fields = {"base_url": self.base_url, "api_key": self.api_key}
        fields |= {f"headers.{header}": value for header, value in self.headers.items()}
        return ", ".join(f"`{key}` is `{text}`" for key, text in fields.items() if name in names(text))


@dataclass(frozen=True, slots=True)
class Target:
    """Where and with what to ask.

    ``url`` takes the requests, ``shown`` is the base address in messages (no password, no query), ``key_origin`` says
    where the key came from.
    """

    url: str
    shown: str
    headers: Mapping[str, str]
    key_origin: str

    @classmethod
    def of(cls, address: str, headers: Mapping[str, str], key_origin: str) -> Target:
        """For a base address. Raises EndpointStopped where it is none."""
        parts = _split(address)
        if parts is None or not _is_http(address):
            raise EndpointStopped(f"base_url: {address!r} is no http or https address")
        url = urlunsplit(parts._replace(path=f"{parts.path.rstrip('/')}/chat/completions", fragment=""))
        bare = urlunsplit(parts._replace(netloc=_host(parts), query="", fragment=""))
        return cls(url, bare, {**headers, "content-type": "application/json"}, key_origin)


class ChatAsker:
    """Asks over a pool of connections."""

    def __init__(self, pool: HttpPool, model: str, target: Target) -> None:
        self._pool = pool
        self._model = model
        self._target = target

    async def ask(self, request: Request) -> Response:
        """Post the conversation once and read the answer. Raises the classed errors."""
        target = self._target
        reply = await self._pool.post(encode(self._model, request))
        return decode(reply, target.shown, target.key_origin)


def _split(address: str) -> SplitResult | None:
    """The parts of an address; None where it has none that can be told."""
    try:
        parts = urlsplit(address)
        parts.port  # noqa: B018 - read for the error that a port beyond 65535 raises
    except ValueError:
        return None
    return parts


def _is_http(address: str) -> bool:
    parts = _split(address)
    return parts is not None and parts.scheme in ("http", "https") and bool(parts.hostname)


def _has_user(address: str) -> bool:
    parts = _split(address)
    return parts is not None and "@" in parts.netloc


def _host(parts: SplitResult) -> str:
    return parts.netloc.rpartition("@")[2]
