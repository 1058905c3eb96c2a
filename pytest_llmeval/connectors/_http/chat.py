"""Chat completions on the wire: a request as its body, a reply as the answer it holds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pytest_llmeval.core.errors import InvalidRequest, Transient
from pytest_llmeval.core.exchange import Request, Response
from pytest_llmeval.core.text import one_line, trim

from .limits import rate_limits
from .reply import Reply
from .status import classify, classify_error, page, words


def encode(model: str, request: Request) -> bytes:
    """The body: parameters, model and messages, as ASCII JSON, so that any text can be sent.

    Raises InvalidRequest for parameters that JSON cannot hold, or whose replies could not be read.
    """
    if why := refuses(request.parameters):
        raise InvalidRequest(why)
    body = {**request.parameters, "model": model, "messages": list(request.messages)}
    try:
        return json.dumps(body, allow_nan=False, default=_plain).encode("ascii")
    except (ValueError, TypeError) as error:
        raise InvalidRequest(f"parameters: {error}") from None


def refuses(parameters: Mapping[str, object]) -> str | None:
    """Why no answer could be read under these."""
    if parameters.get("stream") or parameters.get("n", 1) != 1:
        return "parameters: one whole answer is read, so neither `stream: true` nor `n` above 1 can be meant"
    return None


def decode(reply: Reply, url: str, key_origin: str) -> Response:
    """The answer in a reply. Raises the classed error that it stands for, Transient where it is none."""
    if error := classify(reply, url, key_origin):
        raise error
    try:
        found = json.loads(reply.body)
    except (ValueError, RecursionError) as error:
        if found := page(reply):
            raise Transient(f"malformed reply from {url}: no JSON but {found}") from None
        detail = trim(one_line(str(error)), 100)
        raise _malformed(reply, url, f"no JSON: {detail}") from None
    if not isinstance(found, dict):
        raise _malformed(reply, url, "no object")
    choices = found.get("choices")
    if not isinstance(choices, list) or not choices:
        raise _malformed(reply, url, "no choices")
    choice: Mapping[str, Any] = choices[0] if isinstance(choices[0], dict) else {}
    if choice.get("error"):
        raise classify_error(choice["error"], reply, url, key_origin)
    held = choice.get("message")
    message: Mapping[str, Any] = held if isinstance(held, dict) else {}
    content = message.get("content", choice.get("text"))
    text = _text(content if content is not None else message.get("refusal"))
    if text is None:
        raise _malformed(reply, url, f"content of type {type(content).__name__}")
    sent, got = _tokens(found.get("usage"))
    return Response(
        text,
        finish=_string(choice.get("finish_reason")) or "stop",
        input_tokens=sent,
        output_tokens=got,
        reasoning=_string(message.get("reasoning_content")) or _string(message.get("reasoning")),
        limits=rate_limits(reply.headers),
    )


def _malformed(reply: Reply, url: str, what: str) -> Transient:
    return Transient(f"malformed reply from {url}: {what}{words(reply)}")


def _text(content: object) -> str | None:
    """A text, or the texts of its parts; nothing is the empty text. None for what can be neither."""
    if content is None:
        return ""
    if isinstance(content, list):
        parts = [part.get("text") for part in content if isinstance(part, dict)]
        return "".join(part for part in parts if isinstance(part, str))
    return _string(content) if content != "" else ""


def _string(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def _tokens(usage: object) -> tuple[int | None, int | None]:
    """Input and output; a bare total stands as output."""
    found: Mapping[str, Any] = usage if isinstance(usage, dict) else {}
    sent, got, total = (_count(found.get(f"{name}_tokens")) for name in ("prompt", "completion", "total"))
    if got is None and total is not None:
        got = max(0, total - (sent or 0))
    return sent, got


def _count(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{type(value).__name__} cannot be sent as JSON")
