"""What httpx raises, as the project's classed errors."""

from __future__ import annotations

import os
import socket
import ssl
from collections.abc import Iterator

import httpx

from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, RequestError, Transient
from pytest_llmeval.core.text import one_line, trim

_PROXIES = ("http_proxy", "https_proxy", "all_proxy")


def failure(error: httpx.HTTPError | httpx.InvalidURL, url: str) -> RequestError:  # noqa: PLR0911 - a table
    """The classed error for what went wrong between here and ``url`` (shown as it is: it holds no secret)."""
    match error:
        case httpx.ConnectTimeout():
            return Transient(f"no connection to {url} within its time")
        case httpx.PoolTimeout():
            return Transient(f"no free connection to {url} within its time")
        case httpx.TimeoutException():
            return Transient(f"nothing came from {url} within its time")
        case httpx.ConnectError():
            return Transient(f"no connection to {url}: {_why(error)}", unreached=True)
        case httpx.ProxyError():
            return Transient(f"no connection to {url}: the proxy says {_text(error)}{_proxy_hint()}", unreached=True)
        case httpx.DecodingError():
            return Transient(f"malformed reply from {url}: its compression is broken ({_text(error)})")
        case httpx.NetworkError() | httpx.RemoteProtocolError():
            return Transient(f"malformed reply from {url}: the connection ended early ({_text(error)})")
        case httpx.LocalProtocolError():
            return InvalidRequest(f"a request that cannot be sent to {url}: {_text(error)}")
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return EndpointStopped(f"{url} is no address that can be asked ({_text(error)})")
        case _:
            return Transient(f"no answer from {url} ({type(error).__name__}: {_text(error)})")


def unusable_proxies(error: Exception) -> EndpointStopped:
    """For a client that cannot be built: which of the environment's variables is at fault."""
    culprits = []
    for name, value in _variables():
        parts = [f"all://{host.strip()}" for host in value.split(",")] if name.lower() == "no_proxy" else [value]
        for part in parts:
            try:
                httpx.URL(part)
            except (httpx.InvalidURL, ValueError):
                # a proxy's address may hold a password, the exceptions to proxies do not
                culprits.append(f"{name} ({part.removeprefix('all://')})" if name.lower() == "no_proxy" else name)
                break
    names = culprits or [name for name, _ in _variables()]
    at_fault = " and ".join(names) if names else "the environment"
    return EndpointStopped(f"no HTTP client can be made from {at_fault}: {_text(error)}")


def _variables() -> Iterator[tuple[str, str]]:
    for name in (*_PROXIES, "no_proxy"):
        for spelling in (name, name.upper()):
            if value := os.environ.get(spelling, ""):
                yield spelling, value


def _proxy_hint() -> str:
    names = [name for name, _ in _variables() if name.lower() != "no_proxy"]
    return f" (proxies come from {', '.join(names)})" if names else ""


def _why(error: BaseException) -> str:
    for cause in _causes(error):
        match cause:
            case ssl.SSLCertVerificationError():
                reason = cause.verify_message or str(cause)
                return f"its certificate is not trusted ({reason}); SSL_CERT_FILE may name a file of trusted ones"
            case ssl.SSLError():
                return f"no TLS ({cause.reason or _text(cause)})"
            case socket.gaierror():
                return f"unknown host ({cause.strerror}){_proxy_hint()}"
            case ConnectionRefusedError():
                return f"connection refused{_proxy_hint()}"
    return f"{_text(error)}{_proxy_hint()}"


def _causes(error: BaseException) -> Iterator[BaseException]:
    """The error and everything behind it, nearest first."""
    waiting, seen = [error], set()
    while waiting:
        current = waiting.pop(0)
        if id(current) in seen:
            continue
        seen.add(id(current))
        yield current
        if isinstance(current, BaseExceptionGroup):
            waiting.extend(current.exceptions)
        waiting.extend(cause for cause in (current.__cause__, current.__context__) if cause is not None)


def _text(error: BaseException) -> str:
    return trim(one_line(str(error) or type(error).__name__), 200)
