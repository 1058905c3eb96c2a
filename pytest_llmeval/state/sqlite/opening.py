"""From a path to an open state file: made, brought up to date, mended where it is corrupt."""

from __future__ import annotations

import contextlib
import getpass
import os
import shutil
import sqlite3
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from ...core.clock import Clock
from ...core.errors import StateError
from ..filelock import locked
from .mending import finish, log_of, mend
from .owners import Owner
from .schema import APPLICATION_ID, VERSION, migrate, version
from .troubles import code_of, hint_of

#: the folder that is ours altogether, so that its content can be kept out of version control
FOLDER = ".llmeval"
_SUFFIXES = (".sqlite3", ".sqlite", ".db")
#: bytes up to which a file is checked whole whenever it is opened; that takes some milliseconds
CHECKED_WHOLE = 2_000_000
#: seconds that SQLite waits by itself, where our own waiting does not reach
_BUSY_TIMEOUT = 30.0


@dataclass(frozen=True, slots=True)
class Opened:
    """``notes`` are for people; ``new`` is True where there was no state; ``temporary``: for this run alone."""

    connection: sqlite3.Connection
    owner: Owner
    path: Path
    salt: str
    new: bool
    temporary: bool
    notes: list[str] = field(default_factory=list)


def owners_folder(path: Path) -> Path:
    return path.with_name(path.name + "-owners")


def damage_marker(path: Path) -> Path:
    """Left by a process that met damage, so that the next one to open the file looks at all of it."""
    return path.with_name(path.name + "-damaged")


def connect(path: Path) -> sqlite3.Connection:
    """A connection as all parts of the state use it: transactions by hand, to be used from any one thread."""
    connection = sqlite3.connect(
        path, timeout=_BUSY_TIMEOUT, isolation_level=None, check_same_thread=False, cached_statements=256
    )
    try:
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("PRAGMA cache_size = -8000")
    except sqlite3.DatabaseError:
        connection.close()
        raise
    return connection


def temporary_path(run: str) -> Path:
    """Where the state of a run lies that can be kept nowhere else; the same for all its processes."""
    return Path(tempfile.gettempdir()) / f"llmeval-{_user()}-{run}" / "state.sqlite3"


def actual_path(path: Path, run: str) -> Path:
    """Where the state of a run lies: its temporary one, if it has one."""
    temporary = temporary_path(run)
    return temporary if temporary.exists() else path


def discard_temporary(run: str) -> None:
    """Remove the temporary state of a run, if it has one: its reports are written, and its processes are gone."""
    shutil.rmtree(temporary_path(run).parent, ignore_errors=True)


def open_file(path: Path, run: str, clock: Clock, root: Path | None = None) -> Opened:
    """Open the state at ``path``, or a temporary one where its folder cannot be written.

    Raises StateError where the file is of a newer version, of another program, or no file at all.
    """
    try:
        return _open(path, clock, root)
    except OSError as error:
        reason = error.strerror or str(error)
    except sqlite3.DatabaseError as error:
        if code_of(error) not in {sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_PERM}:
            hint = hint_of(error)
            raise StateError(f"{_shown(path, root)}: {error}{f': {hint}' if hint else ''}") from error
        reason = str(error)
    note = f"{_shown(path, root)} cannot be written ({reason}): answers and results are kept for this run only"
    substitute = temporary_path(run)
    try:
        substitute.parent.mkdir(mode=0o700, exist_ok=True)
        _refuse_strangers(substitute.parent)
        opened = _open(substitute, clock, None)
    except (OSError, sqlite3.DatabaseError) as error:
        raise StateError(f"{note}; nor can {substitute}: {error}") from error
    return replace(opened, temporary=True, notes=[note, *opened.notes])


def _open(path: Path, clock: Clock, root: Path | None) -> Opened:
    if path.is_dir():
        raise StateError(f"{_shown(path, root)} is a folder; the state is a file in it: name that")
    _make_folder(path.parent)
    notes: list[str] = []
    # Two processes that switch a new file to WAL at once refuse each other, whatever the busy timeout.
    with locked(path.with_name(path.name + ".lock")):
        if path.exists() and not os.access(path, os.W_OK):
            raise PermissionError(13, "it may not be written")
        finish(path, clock)
        new = not path.exists() or path.stat().st_size == 0
        log = log_of(path) if path.exists() else b""
        # a log whose file was emptied holds what is left of it
        if log if new else not _sound(path, root):
            notes.append(f"{_shown(path, root)} {mend(path, log, clock)}")
            damage_marker(path).unlink(missing_ok=True)
            new = True
        owner = Owner.enter(owners_folder(path))
        try:
            connection = connect(path)
            try:
                _prepare(connection, path, root, notes)
                salt = _salt(connection)
            except BaseException:
                connection.close()
                raise
        except BaseException:
            owner.close()
            raise
    return Opened(connection, owner, path, salt, new, False, notes)


def _make_folder(folder: Path) -> None:
    made = not folder.exists()
    folder.mkdir(parents=True, exist_ok=True)
    if made or folder.name == FOLDER:
        with contextlib.suppress(FileExistsError), (folder / ".gitignore").open("x", encoding="utf-8") as file:
            file.write("*\n")


def _prepare(connection: sqlite3.Connection, path: Path, root: Path | None, notes: list[str]) -> None:
    mode = connection.execute("PRAGMA journal_mode").fetchone()[0]
    if mode != "wal":
        # refused by an answer or by an error, as the file system has it
        with contextlib.suppress(sqlite3.OperationalError):
            mode = connection.execute("PRAGMA journal_mode = WAL").fetchone()[0]
    if mode != "wal":
        notes.append(f"{_shown(path, root)}: no write-ahead log can be had there ({mode}): several workers are slow")
    if version(connection) < VERSION:
        migrate(connection)


def _sound(path: Path, root: Path | None) -> bool:
    """Whether a file is a state that can be used. Raises StateError for what is better left alone.

    SQLite alone opens it: closing a descriptor of our own would drop the locks that this process has on it.
    """
    connection = None
    try:
        connection = connect(path)
        tables = connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()[0]
        application = connection.execute("PRAGMA application_id").fetchone()[0]
        found = version(connection)
        if tables and application != APPLICATION_ID:
            raise StateError(f"{_shown(path, root)} belongs to another program; name another path with --llmeval-state")
        if found > VERSION:
            raise StateError(
                f"{_shown(path, root)} is of version {found}, written by a newer pytest-llmeval-recipes; this one "
                f"reads up to {VERSION}: upgrade it, or name another path with --llmeval-state"
            )
        if tables:
            _salt(connection)
        if _suspect(path) and connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
            return False
    except sqlite3.OperationalError:
        raise
    except sqlite3.DatabaseError:
        if path.suffix not in _SUFFIXES and not owners_folder(path).exists():
            raise StateError(
                f"{_shown(path, root)} is not a state file; name another path with --llmeval-state"
            ) from None
        return False
    finally:
        if connection is not None:
            connection.close()
    damage_marker(path).unlink(missing_ok=True)
    return True


def _salt(connection: sqlite3.Connection) -> str:
    return str(connection.execute("SELECT value FROM settings WHERE name = 'salt'").fetchone()[0])


def _suspect(path: Path) -> bool:
    """Whether all of a file should be looked at; that pages are missing, SQLite sees by itself."""
    return path.stat().st_size <= CHECKED_WHOLE or damage_marker(path).exists()


def _refuse_strangers(folder: Path) -> None:
    """A folder in a place that all may write to may have been put there by somebody else."""
    if hasattr(os, "getuid") and folder.lstat().st_uid != os.getuid():
        raise StateError(f"{folder} belongs to another user; set TMPDIR to a folder of your own")


def _shown(path: Path, root: Path | None) -> str:
    if root is not None and path.is_relative_to(root):
        return path.relative_to(root).as_posix()
    return str(path)


def _user() -> str:
    try:
        return "".join(character if character.isalnum() else "_" for character in getpass.getuser())
    except (OSError, KeyError, ImportError):
        return "user"
