"""One request as the loopback server got it, one reply as it sends it, and HTTP/1.1 as bytes between them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from http import HTTPStatus
from typing import Any, Literal

#: how a reply leaves: whole; its body cut in the middle and the connection closed; a body that never ends; the
#: connection closed without a byte; the head dribbled out over ``seconds``; nothing at all, the connection kept open
Manner = Literal["whole", "cut", "endless", "dropped", "dribbled", "withheld"]

_REASONS = {status.value: status.phrase for status in HTTPStatus}


@dataclass(frozen=True, repr=False)
class Received:
    """A request that reached the server.

    ``number`` counts from 1; ``at`` is the monotonic time in seconds at which its last byte came; ``connection``
    numbers the connection it came by; ``headers`` have lower-case names.
    """

    number: int
    at: float
    method: str
    path: str
    headers: Mapping[str, str]
    raw: bytes
    connection: int = 0
    #: headers that go with its reply, whichever behaviour gives that
    told: dict[str, str] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"<Received {self.number}: {self.method} {self.path}, {len(self.raw)} bytes>"

    @cached_property
    def body(self) -> Any:
        """The JSON that was sent; None where it is no JSON."""
        try:
            return json.loads(self.raw)
        except ValueError:
            return None

    @property
    def messages(self) -> list[dict[str, Any]]:
        """The conversation, as sent."""
        found = self.body.get("messages") if isinstance(self.body, dict) else None
        return found if isinstance(found, list) else []

    @property
    def prompt(self) -> str:
        """The text of the last user message."""
        for message in reversed(self.messages):
            if message.get("role") == "user":
                return str(message.get("content"))
        return ""


@dataclass(frozen=True, slots=True)
class Reply:
    """What the server sends back. ``delay`` (seconds) passes before its first byte."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    delay: float = 0.0
    manner: Manner = "whole"
    #: how long a dribbled head takes
    seconds: float = 0.0

    def head(self) -> bytes:
        """Status line and headers. A cut body is announced in full, an endless one in chunks."""
        lines = [f"HTTP/1.1 {self.status} {_REASONS.get(self.status, 'Unnamed')}"]
        headers = {"content-type": "application/json", **self.headers}
        if self.manner == "endless":
            headers["transfer-encoding"] = "chunked"
        else:
            headers["content-length"] = str(len(self.body))
        lines += [f"{name}: {value}" for name, value in headers.items()]
        return "\r\n".join([*lines, "", ""]).encode("latin-1")


def json_reply(value: object, status: int = 200, headers: Mapping[str, str] | None = None) -> Reply:
    """A JSON body."""
    return Reply(status, json.dumps(value).encode("ascii"), headers or {})


def completion(
    text: str | None, received: Received, *, finish: str | None = "stop", reasoning: str | None = None
) -> dict[str, Any]:
    """A chat completion. Tokens are counted in words: those of all messages sent, those of the answer."""
    sent = sum(len(str(message.get("content")).split()) for message in received.messages)
    got = len((text or "").split())
    message: dict[str, Any] = {"role": "assistant", "content": text}
    if reasoning is not None:
        message["reasoning_content"] = reasoning
    return {
        "id": f"chatcmpl-{received.number}",
        "object": "chat.completion",
        "model": received.body.get("model") if isinstance(received.body, dict) else None,
        "choices": [{"index": 0, "message": message, "finish_reason": finish}],
        "usage": {"prompt_tokens": sent, "completion_tokens": got, "total_tokens": sent + got},
    }


def error_body(message: str, code: str | int | None = None, kind: str | None = None) -> dict[str, Any]:
    """An error object as chat services send it."""
    return {"error": {"message": message, "type": kind, "param": None, "code": code}}


def parse(buffer: bytearray) -> tuple[str, str, dict[str, str], bytes, int] | None:
    """The first whole request in a buffer: method, path, headers, body, bytes used. None: more is to come.

    Raises ValueError where it is no HTTP/1.1 request with a ``content-length``.
    """
    if buffer[:1] and not buffer[:1].isalpha():
        raise ValueError("this is no HTTP")
    end = buffer.find(b"\r\n\r\n")
    if end < 0:
        return None
    start, *lines = buffer[:end].decode("latin-1").split("\r\n")
    method, path, _ = start.split(" ", 2)
    headers = {}
    for line in lines:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    if "transfer-encoding" in headers:
        raise ValueError("chunked requests are not read")
    begin = end + 4
    used = begin + int(headers.get("content-length", 0))
    if len(buffer) < used:
        return None
    return method, path, headers, bytes(buffer[begin:used]), used
