"""Who an endpoint is: what its cache keys hold, kept for machines that cannot tell it by themselves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from .extension import Connector

#: in an identity, why the rest of it is unknown here
UNAVAILABLE = "unavailable"


@dataclass(frozen=True, slots=True)
class Identity:
    """A connector's identity with what tells whether it still is the same one."""

    connector: str
    model: str
    parts: Mapping[str, object]

    @classmethod
    def of(cls, connector: Connector) -> Identity:
        return cls(connector.id, str(getattr(connector, "model", "") or ""), connector.identity())

    @property
    def whole(self) -> bool:
        return UNAVAILABLE not in self.parts

    def may_stand_for(self, other: Identity) -> bool:
        """Whether nothing that is known of the other speaks against it."""
        known = {name: part for name, part in other.parts.items() if name != UNAVAILABLE}
        same = (self.connector, self.model) == (other.connector, other.model)
        return self.whole and same and all(self.parts.get(name) == part for name, part in known.items())
