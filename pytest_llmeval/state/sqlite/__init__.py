"""The state in one SQLite file."""

from .opening import discard_temporary
from .prune import Pruned, prune
from .reading import Facts, facts, latest, read_run
from .store import SqliteStore

__all__ = ["Facts", "Pruned", "SqliteStore", "discard_temporary", "facts", "latest", "prune", "read_run"]
