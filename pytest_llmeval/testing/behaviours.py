"""What a loopback server may do with a request.

A behaviour is a function from the request to a reply, or to None where it leaves the request to the next one. Those
with a memory (``first``, ``limited``) belong to one server: make them anew for each.
"""

from __future__ import annotations

import gzip
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from email.utils import formatdate
from math import floor
from typing import Literal

from .wire import Received, Reply, completion, error_body, json_reply

Behaviour = Callable[[Received], Reply | None]
Answer = str | Mapping[str, str] | Callable[[Received], str | None]
Fault = Literal[
    "html", "cut", "endless", "dropped", "json", "list", "error", "no_choices", "null_content", "encoding", "bomb"
]

_now = time.time


def answering(
    answer: Answer = "ok", *, finish: str | None = "stop", reasoning: str | None = None, delay: float = 0.0
) -> Behaviour:
    """A chat completion with that text: the same for all, by prompt (others are left alone), or by a function."""

    def behave(received: Received) -> Reply | None:
        if isinstance(answer, str):
            text: str | None = answer
        elif callable(answer):
            text = answer(received)
        elif received.prompt in answer:
            text = answer[received.prompt]
        else:
            return None
        reply = json_reply(completion(text, received, finish=finish, reasoning=reasoning))
        return replace(reply, delay=delay) if delay else reply

    return behave


def limited(
    per_second: float, *, burst: int = 1, retry_after: float | str | None = None, headers: bool = False
) -> Behaviour:
    """A 429 to what comes faster: ``burst`` requests at once, then ``per_second``; a refused one takes no slot.

    ``retry_after`` is the header's value: seconds, ``"date"`` for an HTTP date a second ahead, or any text. With
    ``headers`` every reply says what is left, as ``x-ratelimit-{limit,remaining,reset}-requests``.
    """
    interval = 1.0 / per_second
    due = [0.0]

    def behave(received: Received) -> Reply | None:
        slot = max(due[0], received.at)
        refuses = slot - received.at > (burst - 1) * interval + 1e-9
        if not refuses:
            due[0] = slot + interval
        if headers:
            received.told.update(_told(burst, due[0] - received.at, interval))
        if not refuses:
            return None
        value = formatdate(_now() + 1, usegmt=True) if retry_after == "date" else retry_after
        asked = {} if value is None else {"retry-after": str(value)}
        return json_reply(error_body("rate limit reached", "rate_limit_exceeded"), 429, asked)

    return behave


def _told(burst: int, full_in: float, interval: float) -> dict[str, str]:
    """What is left of a burst that is whole again in ``full_in`` seconds."""
    remaining = max(0, floor(burst - full_in / interval + 1e-9))
    figures = {"limit": str(burst), "remaining": str(remaining), "reset": f"{full_in * 1000:.3f}ms"}
    return {f"x-ratelimit-{name}-requests": value for name, value in figures.items()}


def failing(
    status: int = 503,
    message: str = "the server is overloaded",
    *,
    code: str | int | None = None,
    headers: Mapping[str, str] | None = None,
) -> Behaviour:
    """An error of that status, in the usual shape. Under ``first(k, …)`` it fails k times."""
    return lambda _: json_reply(error_body(message, code), status, headers)


def malformed(fault: Fault) -> Behaviour:
    """A 200 that is no answer, or a strange one.

    ``html`` a page; ``cut`` half a body, then the connection is closed; ``endless`` a body without end; ``dropped`` no
    byte at all; ``json`` broken JSON; ``list`` JSON that is no object; ``error`` an ``error`` key; ``no_choices`` an
    empty list; ``null_content`` an answer whose content is null; ``encoding`` bytes that are no gzip, as gzip;
    ``bomb`` 64 MiB of blanks as 64 KiB of gzip.
    """
    match fault:
        case "cut" | "endless" | "dropped":
            return lambda received: replace(json_reply(completion("ok", received)), manner=fault)
        case "no_choices":
            return lambda received: json_reply(completion("ok", received) | {"choices": []})
        case "null_content":
            return answering(lambda _: None)
        case _:
            reply = _fixed(fault)
            return lambda _: reply


def _fixed(fault: Literal["html", "json", "list", "error", "encoding", "bomb"]) -> Reply:
    zipped = {"content-encoding": "gzip"}
    match fault:
        case "html":
            page = b"<html><head><title>Gateway</title></head><body>Hello</body></html>"
            return Reply(body=page, headers={"content-type": "text/html"})
        case "json":
            return Reply(body=b'{"choices": [{')
        case "list":
            return json_reply(["no", "object"])
        case "error":
            return json_reply(error_body("something went wrong"))
        case "encoding":
            return Reply(body=b"no gzip", headers=zipped)
        case "bomb":
            return Reply(body=gzip.compress(b" " * (64 << 20)), headers=zipped)


def refusing(how: Literal["finish", "status"] = "finish") -> Behaviour:
    """The service's own filter: a completion that ended by ``content_filter``, or a 400 with that code."""
    if how == "status":
        return failing(400, "the prompt was filtered by the content policy", code="content_filter")
    return answering("", finish="content_filter")


def redirecting(to: str) -> Behaviour:
    """A 307 that names another address."""
    return lambda _: Reply(307, headers={"location": to})


def big(size: int) -> Behaviour:
    """A whole, valid answer of ``size`` characters."""
    return answering("x" * size)


def slow_headers(seconds: float) -> Behaviour:
    """An ordinary answer whose head is dribbled out over that time."""
    ordinary = answering()

    def behave(received: Received) -> Reply | None:
        reply = ordinary(received)
        return reply and replace(reply, manner="dribbled", seconds=seconds)

    return behave


def hanging() -> Behaviour:
    """No reply, the connection kept open."""
    return lambda _: Reply(manner="withheld")


def first(times: int, behaviour: Behaviour) -> Behaviour:
    """That behaviour for the first ``times`` requests that reach it."""
    seen = [0]

    def behave(received: Received) -> Reply | None:
        seen[0] += 1
        return behaviour(received) if seen[0] <= times else None

    return behave


def when(condition: Callable[[Received], bool], behaviour: Behaviour) -> Behaviour:
    """That behaviour for requests of which the condition holds."""
    return lambda received: behaviour(received) if condition(received) else None
