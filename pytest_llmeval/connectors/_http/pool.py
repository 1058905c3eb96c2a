"""Connections to one service: an httpx transport each, made as they are needed.

A transport looks at each of its connections when a request starts and again when it ends, which with hundreds of them
is most of its time, and noticeable with eight. With one there is nothing to look for. It is asked without a client
(whose redirects, cookies and log lines nobody needs, at a tenth of a request's time), but where a client is needed: for
proxies, for a user in the address, and where mocks may stand in its place.
"""

from __future__ import annotations

import ipaddress
import math
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from functools import partial
from urllib.parse import urlsplit
from urllib.request import getproxies

import anyio
import httpx

from pytest_llmeval.core.errors import InvalidRequest, Transient

from .failures import failure, unusable_proxies
from .patched import is_patched
from .reply import Reply

#: the largest reply that is read, in bytes
CAP = 8 << 20
#: seconds to wait for a connection, whatever one attempt may take
CONNECT = 10.0
#: seconds that an idle connection is kept
IDLE = 30.0
#: the compressions that are asked for
ENCODINGS = ("gzip", "deflate")
_SHOWN_CAP = f"{CAP >> 20} MiB"


@dataclass(frozen=True, slots=True)
class _Line:
    """One connection, and the way to it."""

    send: Callable[[httpx.Request], Awaitable[httpx.Response]]
    close: Callable[[], Awaitable[None]]
    #: made while httpx was patched: of no use where it is not
    by_mock: bool


class _Body(httpx.AsyncByteStream):
    """A request's body in one piece, which says when it is out."""

    def __init__(self, body: bytes, sent: Callable[[], None]) -> None:
        self._body = body
        self._sent = sent

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._body
        # who asks for the next piece has written this one
        self._sent()


class HttpPool:
    """Posts to one address.

    ``url`` is where requests go, ``shown`` how it stands in messages; ``headers`` go with each; ``sent`` is called, in
    the task that posts, when the last byte of its request is out. Raises EndpointStopped where no client can be made.
    """

    def __init__(
        self,
        url: str,
        shown: str,
        headers: Mapping[str, str],
        seconds: float,
        sent: Callable[[], None] = lambda: None,
    ) -> None:
        self._sent = sent
        try:
            self._url = httpx.URL(url)
        except httpx.InvalidURL as error:
            raise failure(error, shown) from error
        self._shown = shown
        self._headers = httpx.Headers({"accept": "*/*", "accept-encoding": ", ".join(ENCODINGS), **headers})
        self._direct = is_loopback(urlsplit(url).hostname or "")
        self._timeout = httpx.Timeout(seconds, connect=min(CONNECT, seconds), pool=CONNECT)
        self._limits = httpx.Limits(max_connections=1, max_keepalive_connections=1, keepalive_expiry=IDLE)
        # where httpx looks for proxies too
        self._needs_client = bool(self._url.userinfo) or (not self._direct and bool(getproxies()))
        # Loading the trusted certificates takes 18 ms: once for all, and not for plain HTTP without a proxy, whose
        # context trusts nobody.
        plain = self._direct and url.lower().startswith("http:")
        self._trust = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT) if plain else httpx.create_ssl_context()
        self._used: set[_Line] = set()
        #: made by mocks that are gone
        self._past: list[_Line] = []
        # One that cannot be made stops the endpoint before anything is asked.
        first = self._add(by_mock=is_patched())
        #: by whether they were made by mocks
        self._free: dict[bool, list[_Line]] = {first.by_mock: [first], not first.by_mock: []}

    async def post(self, body: bytes) -> Reply:
        """Ask once; the reply whatever its status.

        Nothing is awaited before the request is under way. To be cancelled by anyio's scopes alone: a native cancel
        leaves httpx's pool with a connection that is taken for ever, so the pool is thrown away. Raises Transient
        where no whole reply came, InvalidRequest where it is too large.
        """
        line = self._take()
        broken = False
        try:
            response = await line.send(self._request(body))
            try:
                return Reply(response.status_code, dict(response.headers), await self._read(response))
            finally:
                await response.aclose()
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise failure(error, self._shown) from error
        except anyio.get_cancelled_exc_class():
            broken = anyio.current_effective_deadline() != -math.inf
            raise
        finally:
            if broken:
                self._used.discard(line)
                await _close(line)
            else:
                self._give_back(line)

    def _request(self, body: bytes) -> httpx.Request:
        """Made here and not by the client, which would put headers, cookies and address together anew each time."""
        request = httpx.Request(
            "POST", self._url, headers=self._headers, content=body, extensions={"timeout": self._timeout.as_dict()}
        )
        request.stream = _Body(body, self._sent)
        return request

    async def _read(self, response: httpx.Response) -> bytes:
        encoding = response.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "", *ENCODINGS):
            # others, and several at once, can turn one read into gigabytes before anything could be counted
            raise Transient(
                f"malformed reply from {self._shown}: it is encoded as {encoding!r}, which was not asked for"
            )
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > CAP:
            raise self._too_large(f"{int(announced):,} bytes announced")
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > CAP:
                raise self._too_large("reading stopped there")
        return bytes(body)

    def _too_large(self, detail: str) -> InvalidRequest:
        return InvalidRequest(f"the reply from {self._shown} is larger than {_SHOWN_CAP} ({detail})")

    def _take(self) -> _Line:
        """The line that was given back last, so that few requests keep to few connections; else a new one."""
        by_mock = is_patched()
        if not by_mock:
            self._past += self._free[True]
            self._free[True].clear()
        free = self._free[by_mock]
        line = free.pop() if free else self._add(by_mock=by_mock)
        self._used.add(line)
        return line

    def _give_back(self, line: _Line) -> None:
        self._used.discard(line)
        self._free[line.by_mock].append(line)

    def _add(self, *, by_mock: bool) -> _Line:
        if by_mock or self._needs_client:
            client = self._client()
            return _Line(partial(client.send, stream=True), client.aclose, by_mock)
        transport = httpx.AsyncHTTPTransport(verify=self._trust, limits=self._limits)
        return _Line(transport.handle_async_request, transport.aclose, by_mock)

    def _client(self) -> httpx.AsyncClient:
        try:
            return httpx.AsyncClient(
                verify=self._trust,
                limits=self._limits,
                timeout=self._timeout,
                trust_env=not self._direct,
                follow_redirects=False,
            )
        except Exception as error:
            if self._direct:
                raise
            raise unusable_proxies(error) from error

    async def close(self) -> None:
        """Close all connections."""
        for line in [*self._past, *self._free[False], *self._free[True], *self._used]:
            await _close(line)
        for lines in (self._past, *self._free.values()):
            lines.clear()
        self._used.clear()


async def _close(line: _Line) -> None:
    # what a mock made may be of any kind
    ignored: tuple[type[Exception], ...] = (Exception,) if line.by_mock else ()
    # a closing scope is cancelled often; sockets are to be closed all the same, and nothing waits for a dead peer
    with suppress(*ignored), anyio.move_on_after(1, shield=True):
        await line.close()


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: asked directly, whatever the proxy variables hold."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


@asynccontextmanager
async def pooled(
    url: str, shown: str, headers: Mapping[str, str], seconds: float, sent: Callable[[], None]
) -> AsyncIterator[HttpPool]:
    """A pool for the time of the block; one read or write may take so many seconds."""
    pool = HttpPool(url, shown, headers, seconds, sent)
    try:
        yield pool
    finally:
        await pool.close()
