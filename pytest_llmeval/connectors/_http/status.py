"""What a status and an error object of a chat service mean."""

from __future__ import annotations

import json
import re
from typing import Any

from pytest_llmeval.core.errors import EndpointStopped, InvalidRequest, Refused, RequestError, Transient
from pytest_llmeval.core.text import one_line, trim

from .limits import rate_limits, retry_after
from .reply import Reply

_FILTER = frozenset({"content_filter", "content_policy_violation", "responsibleaipolicyviolation"})
_QUOTA = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active", "insufficient_balance"})
_KEY = frozenset({"invalid_api_key", "authentication_error", "permission_error", "permission_denied"})
_MODEL = frozenset({"model_not_found", "deploymentnotfound", "not_found_error"})
_PARAMETER = frozenset({"unknown_parameter", "unsupported_parameter", "extra_forbidden"})
_RATE = frozenset({"rate_limit_exceeded", "rate_limit_error", "too_many_requests"})
_INVALID = frozenset({"invalid_request_error", "context_length_exceeded", "exceed_context_size_error"})

_QUOTA_WORDS = re.compile(
    r"insufficient[ _](quota|credits?|balance|funds)|exceeded your current quota|quota (is |has been )?exhausted"
    r"|out of credits|payment required|billing (hard )?limit"
)
# a quota for a minute is a rate
_RATE_WORDS = re.compile(r"per[ _](second|minute|hour|day)|(retry|again) in")
_PARAMETER_WORDS = re.compile(
    r"(unknown|unrecognized|unsupported|unexpected) (request )?(parameter|argument|field)"
    r"|extra (inputs|fields) (are )?not permitted"
)
_MODEL_WORDS = re.compile(r"model\b.{0,200}\b(not found|does not exist|not exist)|(unknown|no such) model", re.DOTALL)


def classify(reply: Reply, url: str, key_origin: str) -> RequestError | None:
    """The error that a reply's status, or an ``error`` in a good one, stands for; None for an answer.

    ``url`` stands in the messages; ``key_origin`` says where the key came from.
    """
    found = _json(reply.body)
    error = found.get("error") if isinstance(found, dict) else None
    if 200 <= reply.status < 300:
        return classify_error(error, reply, url, key_origin) if error else None
    return _classed(reply.status, error, f"{reply.status} from {url}", reply, key_origin)


def classify_error(error: object, reply: Reply, url: str, key_origin: str) -> RequestError:
    """An ``error`` in a 200 reply: by its code, else transient."""
    found = error.get("code") if isinstance(error, dict) else None
    text = str(found) if found is not None else ""
    status = int(text) if re.fullmatch(r"[345]\d\d", text) else _status_of(_codes(error), _message(error))
    return _classed(status, error, f"an error from {url}", reply, key_origin)


def _status_of(codes: frozenset[str], message: str) -> int:
    """The status that would have gone with such codes."""
    for known, status in ((_RATE, 429), (_KEY, 401), (_MODEL, 404), (_INVALID | _FILTER | _PARAMETER, 400)):
        if codes & known:
            return status
    return 429 if codes & _QUOTA or _is_quota(codes, message) else 500


def _classed(status: int, error: object, subject: str, reply: Reply, key_origin: str) -> RequestError:  # noqa: PLR0911 - a table
    said = words(reply)
    line = f"{subject}{said}"
    codes = _codes(error)
    message = _message(error) or said
    limits = rate_limits(reply.headers)
    if 300 <= status < 400:
        to = reply.headers.get("location", "nowhere").partition("?")[0]
        return EndpointStopped(f"{subject}: a redirect to {trim(one_line(to), 200)}, which is not followed")
    if status >= 500 or status in (408, 409):
        return Transient(line, retry_after(reply.headers), limits)
    if codes & _FILTER:
        return Refused(line)
    if status in (401, 403):
        return EndpointStopped(f"{line}; {key_origin}")
    if status == 402 or (status in (400, 429) and _is_quota(codes, message)):
        return EndpointStopped(f"{line}; the quota is exhausted")
    if status == 429:
        return Transient(line, retry_after(reply.headers), limits, limited=True)
    if status == 404 or codes & _MODEL or _MODEL_WORDS.search(message.lower()):
        return EndpointStopped(f"{line}; look at `model` and `base_url`")
    if codes & _PARAMETER or (status in (400, 422) and _PARAMETER_WORDS.search(message.lower())):
        return EndpointStopped(f"{line}; look at `parameters`")
    return InvalidRequest(line, status)


def _is_quota(codes: frozenset[str], message: str) -> bool:
    text = message.lower()
    return bool(codes & _QUOTA) or bool(_QUOTA_WORDS.search(text) and not _RATE_WORDS.search(text))


def _codes(error: object) -> frozenset[str]:
    """The codes and types that an error object carries, in lower case, those of an inner error too."""
    if not isinstance(error, dict):
        return frozenset()
    inner = error.get("innererror")
    values = [
        error.get("code"),
        error.get("type"),
        error.get("status"),
        inner.get("code") if isinstance(inner, dict) else None,
    ]
    return frozenset(value.lower() for value in values if isinstance(value, str))


def _message(error: object) -> str:
    if isinstance(error, str):
        return error
    found = error.get("message") if isinstance(error, dict) else None
    return found if isinstance(found, str) else ""


def words(reply: Reply) -> str:
    """What the server itself says, in brackets, on one line; nothing where it says nothing."""
    if found := page(reply):
        return f" ({found})"
    return _quoted(reply)


def page(reply: Reply) -> str:
    """``a page titled 'Gateway'`` where HTML came; else nothing."""
    text = reply.body[:2000].decode("utf-8", "replace")
    if not text.lstrip().startswith("<"):
        return ""
    title = re.search(r"<title[^>]*>(.*?)</title>", text, re.DOTALL | re.IGNORECASE)
    return f"a page titled '{trim(one_line(' '.join(title[1].split())), 200)}'" if title else "a page"


def _quoted(reply: Reply) -> str:
    found = _json(reply.body)
    text = ""
    if isinstance(found, dict):
        candidates: list[Any] = [_message(found.get("error")), found.get("message"), found.get("detail")]
        text = next((_as_text(value) for value in candidates if value), "")
    if not text:
        text = reply.body[:2000].decode("utf-8", "replace")
    text = " ".join(text.split())
    return f' ("{trim(one_line(text), 300)}")' if text else ""


def _as_text(value: object) -> str:
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)


def _json(body: bytes) -> Any:
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None
