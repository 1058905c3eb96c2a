"""From a request to what the state is asked for it."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Mapping
from dataclasses import replace

from ..core.admission import Wanted
from ..core.budget import ONE
from ..core.digest import digest
from ..core.endpoint import Endpoint
from ..core.exchange import Request
from ..core.options import secret_values
from ..core.plan import Unit
from ..limits.budget import MESSAGE_TOKENS, reserve, size_of

#: UTF-8 bytes that make a token, for an estimate that the reported usage corrects
BYTES_A_TOKEN = 4
COMPLETION_KEYS = ("max_tokens", "max_completion_tokens", "max_output_tokens")


def bucket_of(endpoint: Endpoint, salt: str) -> str:
    """The name of the limits that an endpoint falls under: what it asks, and with which key (as a salted digest)."""
    secrets = sorted(secret_values(endpoint.connector, os.environ))
    keys = hashlib.sha256("\0".join([salt, *secrets]).encode("utf-8", "surrogatepass")).hexdigest()
    return digest([endpoint.connector.id, dict(endpoint.known_as()), keys])


def wanted_for_unit(endpoint: Endpoint, bucket: str, recipe: str, unit: Unit, *, budgeted: bool = False) -> Wanted:
    """``budgeted``: with what it may take of a budget; else nobody would look at that."""
    keyed = (unit.record.key, unit.parts)
    return _wanted(endpoint, bucket, unit.request, keyed, budgeted=budgeted, of=(recipe, unit.record.id))


def wanted_for_question(
    endpoint: Endpoint, bucket: str, request: Request, *, anew: bool = False, budgeted: bool = False
) -> Wanted:
    """``anew``: whatever is stored, and nothing that is stored will answer it or be answered by it."""
    keyed = endpoint.key(request.messages, request.parameters, request.repeat)
    wanted = _wanted(endpoint, bucket, request, keyed, budgeted=budgeted)
    return replace(wanted, key=f"{keyed[0]}-{uuid.uuid4().hex}", reusable=False) if anew else wanted


def estimate(request: Request) -> int:
    """Tokens that a request may use, before it is known."""
    asked = next((request.parameters[key] for key in COMPLETION_KEYS if key in request.parameters), 0)
    completion = asked if isinstance(asked, int) else 0
    return -(-size_of(request) // BYTES_A_TOKEN) + MESSAGE_TOKENS * len(request.messages) + completion


def _wanted(
    endpoint: Endpoint,
    bucket: str,
    request: Request,
    keyed: tuple[str, Mapping[str, object]],
    *,
    budgeted: bool,
    of: tuple[str, str] | tuple[None, None] = (None, None),
) -> Wanted:
    return Wanted(
        key=keyed[0],
        endpoint=endpoint.id,
        bucket=bucket,
        limits=endpoint.limits,
        tokens=estimate(request),
        parts=keyed[1],
        recipe=of[0],
        unit=of[1],
        reusable=getattr(endpoint.connector, "keep", "always") == "always",
        breaker=endpoint.breaker,
        reserve=reserve(endpoint, request) if budgeted else ONE,
        deadline=endpoint.patience.deadline,
    )
