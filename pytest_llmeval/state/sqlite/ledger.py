"""The ledger: runs, what they planned, what came of it. Writing; ``reading`` has the other half."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from dataclasses import replace

from ...core.record import CookbookRecord, RecipeRecord, RunInfo, UnitRecord
from ...core.redaction import Redactor
from ...core.result import Outcome, Score, Verdict
from . import budgets
from .codec import bind, digest_of, dump, dump_outcome, dump_response, dump_unit, load, load_outcome, unbind
from .requests import totals

#: whether an owner lives
Alive = Callable[[str], bool]


def begin(connection: sqlite3.Connection, run: RunInfo, owner: str, alive: Alive) -> None:
    """Enter a run or join it; runs whose processes are all dead are ended."""
    connection.execute(
        "INSERT OR IGNORE INTO runs (id, started, horizon, info)"
        " VALUES (?, ?, coalesce((SELECT seq FROM sqlite_sequence WHERE name = 'responses'), 0), ?)",
        (run.id, run.started, dump(run)),
    )
    # another run may have found no process of this one alive, and ended it
    connection.execute("UPDATE runs SET ended = NULL, complete = NULL WHERE id = ?", (run.id,))
    connection.execute("INSERT OR IGNORE INTO owners (owner, run) VALUES (?, ?)", (owner, run.id))
    others = connection.execute("SELECT id FROM runs WHERE ended IS NULL AND id != ?", (run.id,)).fetchall()
    for (other,) in others:
        if not living(connection, other, alive):
            connection.execute("UPDATE runs SET ended = ?, complete = 0 WHERE id = ?", (run.started, other))
            sweep(connection, other)


def living(connection: sqlite3.Connection, run: str, alive: Alive, but: str = "") -> bool:
    """Whether any process takes part in a run (``but`` one)."""
    owners = connection.execute("SELECT owner FROM owners WHERE run = ? AND owner != ?", (run, but)).fetchall()
    return any(alive(owner) for (owner,) in owners)


def end(connection: sqlite3.Connection, run: str, now: float, *, complete: bool) -> None:
    connection.execute("UPDATE runs SET ended = ?, complete = ? WHERE id = ?", (now, complete, run))


def ended(connection: sqlite3.Connection, run: str) -> bool:
    row = connection.execute("SELECT ended FROM runs WHERE id = ?", (run,)).fetchone()
    return row is not None and row[0] is not None


def horizon(connection: sqlite3.Connection, run: str) -> int:
    """The number of the last stored answer that is older than the run; 0 for a run that nobody has begun."""
    row = connection.execute("SELECT horizon FROM runs WHERE id = ?", (run,)).fetchone()
    return 0 if row is None else int(row[0])


def sweep(connection: sqlite3.Connection, run: str) -> None:
    """Remove what no other run can use: the run is over, and so are its processes."""
    connection.execute("UPDATE runs SET totals = ? WHERE id = ?", (dump(totals(connection, run)), run))
    connection.execute("DELETE FROM responses WHERE scope = ? AND scope != ''", (run,))
    budgets.book_run(connection, run)
    for table in ("requests", "pending", "claims", "stops", "made", "owners", "breakers", "skips"):
        connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))  # noqa: S608 - names of our own


def note(connection: sqlite3.Connection, run: str, notes: Sequence[str]) -> None:
    connection.executemany("INSERT OR IGNORE INTO notes VALUES (?, ?)", [(run, bind(text)) for text in notes])


def plan(
    connection: sqlite3.Connection, run: str, recipe: RecipeRecord, units: Sequence[UnitRecord], redactor: Redactor
) -> None:
    made = connection.execute(
        "INSERT OR IGNORE INTO recipes (run, id, ordinal, record) VALUES (?, ?, ?, ?)",
        (run, bind(recipe.id), recipe.ordinal, dump(recipe)),
    )
    if not made.rowcount:
        return
    texts = []
    rows = []
    for unit in units:
        body = dump_unit(_shown(unit, redactor))
        digest = digest_of(body)
        texts.append((digest, body))
        rows.append((made.lastrowid, unit.ordinal, bind(unit.id), unit.key, unit.selected, digest))
    _keep_texts(connection, texts)
    connection.executemany("INSERT INTO units VALUES (?, ?, ?, ?, ?, ?)", rows)


def select(connection: sqlite3.Connection, run: str, recipe: str) -> None:
    number = recipe_number(connection, run, recipe)
    connection.execute("UPDATE units SET selected = 1 WHERE recipe = ? AND NOT selected", (number,))


def _shown(unit: UnitRecord, redactor: Redactor) -> UnitRecord:
    clean = redactor.answer
    return replace(
        unit,
        messages=tuple({**message, "content": clean(message["content"])} for message in unit.messages),
        targets=tuple(clean(target) for target in unit.targets),
    )


def _keep_texts(connection: sqlite3.Connection, texts: Sequence[tuple[bytes, str]]) -> None:
    connection.executemany("INSERT OR IGNORE INTO texts VALUES (?, ?)", texts)


def recipe_number(connection: sqlite3.Connection, run: str, recipe: str) -> int | None:
    row = connection.execute("SELECT n FROM recipes WHERE run = ? AND id = ?", (run, bind(recipe))).fetchone()
    return None if row is None else int(row[0])


def cookbook(connection: sqlite3.Connection, run: str, cookbook: CookbookRecord) -> None:
    connection.execute(
        "INSERT OR IGNORE INTO cookbooks (run, id, ordinal, record) VALUES (?, ?, ?, ?)",
        (run, bind(cookbook.id), cookbook.ordinal, dump(cookbook)),
    )


def record(
    connection: sqlite3.Connection, run: str, outcomes: Sequence[tuple[str, str, Outcome]], redactor: Redactor
) -> list[bool]:
    """The first outcome of a unit stays; which of these were the first. An unplanned recipe is an error of the
    caller (KeyError)."""
    numbers: dict[str, int] = {}
    texts = []
    rows = []
    for recipe, unit, outcome in outcomes:
        if recipe not in numbers:
            number = recipe_number(connection, run, recipe)
            if number is None:
                raise KeyError(f"{recipe} was not planned in this run")
            numbers[recipe] = number
        clean = _clean(outcome, redactor)
        digest = None
        if clean.response is not None:
            text = dump_response(clean.response)
            digest = digest_of(text)
            texts.append((digest, text))
        rows.append((numbers[recipe], bind(unit), clean.kind, dump_outcome(clean), digest))
    _keep_texts(connection, texts)
    statement = "INSERT OR IGNORE INTO outcomes VALUES (?, ?, ?, ?, ?)"
    return [connection.execute(statement, row).rowcount == 1 for row in rows]


def _clean(outcome: Outcome, redactor: Redactor) -> Outcome:
    """Without secrets. Reasons quote answers, so they are treated like them."""
    scores = {name: Score(score.value, redactor.answer(score.reason)) for name, score in outcome.scores.items()}
    return replace(
        outcome,
        response=None if outcome.response is None else redactor.response(outcome.response),
        scores=scores,
        extracted=None if outcome.extracted is None else redactor.answer(outcome.extracted),
        error=None if outcome.error is None else redactor.all(outcome.error),
        traceback=None if outcome.traceback is None else redactor.all(outcome.traceback),
    )


def outcome(connection: sqlite3.Connection, recipe: int, unit: str) -> Outcome | None:
    row = connection.execute(
        "SELECT kind, data, text FROM outcomes LEFT JOIN texts ON digest = response WHERE recipe = ? AND unit = ?",
        (recipe, bind(unit)),
    ).fetchone()
    return None if row is None else load_outcome(*row)


def forget(connection: sqlite3.Connection, run: str, recipe: str, unit: str) -> None:
    number = recipe_number(connection, run, recipe)
    connection.execute("DELETE FROM outcomes WHERE recipe = ? AND unit = ?", (number, bind(unit)))


def verdict(connection: sqlite3.Connection, run: str, gate: str, verdict: Verdict, redactor: Redactor) -> Verdict:
    clean = replace(verdict, reason=redactor.all(verdict.reason))
    connection.execute("INSERT OR IGNORE INTO verdicts VALUES (?, ?, ?)", (run, bind(gate), dump(clean)))
    row = connection.execute("SELECT verdict FROM verdicts WHERE run = ? AND gate = ?", (run, bind(gate))).fetchone()
    return load(Verdict, row[0])


# --- stops ---


def stops(connection: sqlite3.Connection, run: str) -> dict[str, str]:
    """Messages by endpoint; '' is the run itself."""
    rows = connection.execute("SELECT endpoint, message FROM stops WHERE run = ?", (run,))
    return {unbind(endpoint): unbind(message) for endpoint, message in rows}


def stop(connection: sqlite3.Connection, run: str, endpoint: str, message: str) -> None:
    """The first message stays."""
    connection.execute(
        "INSERT OR IGNORE INTO stops (run, endpoint, message) VALUES (?, ?, ?)", (run, bind(endpoint), bind(message))
    )


def show_stop(connection: sqlite3.Connection, run: str, endpoint: str, recipe: str, unit: str) -> bool:
    place = (bind(recipe), bind(unit))
    connection.execute(
        "UPDATE stops SET recipe = ?, unit = ? WHERE run = ? AND endpoint = ? AND unit IS NULL",
        (*place, run, bind(endpoint)),
    )
    shown = connection.execute(
        "SELECT recipe, unit FROM stops WHERE run = ? AND endpoint = ?", (run, bind(endpoint))
    ).fetchone()
    if shown != place:
        return False
    connection.execute(
        "UPDATE outcomes SET kind = 'error' WHERE recipe = ? AND unit = ? AND kind = 'not_asked'",
        (recipe_number(connection, run, recipe), bind(unit)),
    )
    return True


# --- values that one process makes ---


def once(
    connection: sqlite3.Connection, run: str, name: str, value: str | None, *, owner: str, alive: Alive
) -> str | None:
    row = connection.execute("SELECT value, owner FROM made WHERE run = ? AND name = ?", (run, bind(name))).fetchone()
    if value is None and row is not None and (row[0] is not None or alive(row[1])):
        return None if row[0] is None else unbind(row[0])
    connection.execute(
        "INSERT OR REPLACE INTO made (run, name, value, owner) VALUES (?, ?, ?, ?)",
        (run, bind(name), None if value is None else bind(value), owner),
    )
    return "" if value is None else value
