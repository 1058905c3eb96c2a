"""Keeps the values of secrets out of all that is stored or shown."""

from __future__ import annotations

from dataclasses import replace

from .exchange import Response

#: shorter values (``x``, ``EMPTY``: usual keys of local servers) are left alone in answers, where they are words
LONG = 8


class Redactor:
    """Replaces known secret values by ``***``. Values may be added while it is in use."""

    def __init__(self) -> None:
        self._values: tuple[str, ...] = ()

    def add(self, value: str) -> None:
        if value and value not in self._values:
            # longest first, so that a value inside another one leaves nothing of it
            self._values = tuple(sorted({*self._values, value}, key=lambda known: (-len(known), known)))

    def all(self, text: str) -> str:
        """For messages and everything that is ours."""
        for value in self._values:
            text = text.replace(value, "***")
        return text

    def answer(self, text: str) -> str:
        """For prompts and answers: long values only."""
        for value in self._values:
            if len(value) >= LONG:
                text = text.replace(value, "***")
        return text

    def response(self, response: Response) -> Response:
        if not self._values:
            return response
        reasoning = response.reasoning
        return replace(
            response,
            text=self.answer(response.text),
            reasoning=None if reasoning is None else self.answer(reasoning),
        )
