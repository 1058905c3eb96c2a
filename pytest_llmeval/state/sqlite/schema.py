"""Tables, by version. ``PRAGMA user_version`` holds how many of the migrations a file has had."""

from __future__ import annotations

import sqlite3

from . import digests

#: "llme": tells our files from other programs'
APPLICATION_ID = 0x6C6C6D65

_FIRST = """
-- Stored answers. The first column names the table, so that rows can be told in pages that no longer belong to any.
-- n grows for ever, so that a run can tell what is older than it without a clock.
-- scope: '' for all runs, or the id of the one run that may use it.
CREATE TABLE responses (
    tag TEXT NOT NULL DEFAULT 'llmeval-response-1', n INTEGER PRIMARY KEY AUTOINCREMENT,
    key TEXT NOT NULL, scope TEXT NOT NULL, run TEXT NOT NULL, created REAL NOT NULL,
    parts TEXT NOT NULL, response TEXT NOT NULL, UNIQUE (key, scope));
CREATE INDEX responses_of_one_run ON responses (scope) WHERE scope != '';

-- Runs, and the processes that take part in them.
CREATE TABLE runs (
    n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, started REAL NOT NULL, ended REAL, complete INTEGER,
    horizon INTEGER NOT NULL, info TEXT NOT NULL, totals TEXT);
CREATE TABLE owners (owner TEXT PRIMARY KEY, run TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE notes (run TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY (run, text));

-- The ledger. texts are shared by all runs, by digest: a run that repeats another one adds only small rows.
CREATE TABLE texts (digest BLOB PRIMARY KEY, text TEXT NOT NULL);
CREATE TABLE recipes (
    n INTEGER PRIMARY KEY, run TEXT NOT NULL, id TEXT NOT NULL, ordinal INTEGER NOT NULL, record TEXT NOT NULL,
    UNIQUE (run, id));
CREATE TABLE units (
    recipe INTEGER NOT NULL, ordinal INTEGER NOT NULL, id TEXT NOT NULL, key TEXT NOT NULL, selected INTEGER NOT NULL,
    body BLOB NOT NULL, PRIMARY KEY (recipe, ordinal, id)) WITHOUT ROWID;
CREATE TABLE outcomes (
    recipe INTEGER NOT NULL, unit TEXT NOT NULL, kind TEXT NOT NULL, data TEXT NOT NULL, response BLOB,
    PRIMARY KEY (recipe, unit)) WITHOUT ROWID;
CREATE TABLE cookbooks (run TEXT NOT NULL, id TEXT NOT NULL, ordinal INTEGER NOT NULL, record TEXT NOT NULL,
    PRIMARY KEY (run, id));
CREATE TABLE verdicts (run TEXT NOT NULL, gate TEXT NOT NULL, verdict TEXT NOT NULL, PRIMARY KEY (run, gate));

-- What a run's requests came to. state: asked, cached (answered by another run), failed, open (neither yet).
CREATE TABLE requests (
    run TEXT NOT NULL, key TEXT NOT NULL, state TEXT NOT NULL, attempts INTEGER NOT NULL, tokens INTEGER, cost REAL,
    message TEXT, PRIMARY KEY (run, key)) WITHOUT ROWID;

-- Requests on the wire; those between two attempts; rates (tat and stamp in monotonic nanoseconds of a boot).
CREATE TABLE claims (
    key TEXT NOT NULL, scope TEXT NOT NULL, run TEXT NOT NULL, owner TEXT NOT NULL, bucket TEXT NOT NULL,
    attempt INTEGER NOT NULL, first_sent INTEGER NOT NULL, sent INTEGER NOT NULL, tokens INTEGER NOT NULL,
    PRIMARY KEY (key, scope)) WITHOUT ROWID;
CREATE INDEX claims_by_bucket ON claims (bucket, owner);
CREATE TABLE pending (
    run TEXT NOT NULL, key TEXT NOT NULL, attempts INTEGER NOT NULL, first_sent INTEGER, due INTEGER NOT NULL,
    PRIMARY KEY (run, key)) WITHOUT ROWID;
CREATE TABLE rates (
    bucket TEXT NOT NULL, kind TEXT NOT NULL, tat INTEGER NOT NULL, stamp INTEGER NOT NULL, boot TEXT NOT NULL,
    PRIMARY KEY (bucket, kind)) WITHOUT ROWID;

-- Stopped endpoints ('' for the run itself) with the unit at which that is shown; values that one process makes.
CREATE TABLE stops (
    run TEXT NOT NULL, endpoint TEXT NOT NULL, message TEXT NOT NULL, recipe TEXT, unit TEXT,
    PRIMARY KEY (run, endpoint)) WITHOUT ROWID;
CREATE TABLE made (
    run TEXT NOT NULL, name TEXT NOT NULL, value TEXT, owner TEXT NOT NULL, PRIMARY KEY (run, name)) WITHOUT ROWID;
CREATE TABLE settings (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
INSERT INTO settings VALUES ('salt', lower(hex(randomblob(16))));
"""

_BUDGETS_AND_BREAKERS = """
-- What a request on the wire may take of its run's budget (cost in trillionths of a US dollar), and the endpoint that
-- it probes. What was spent stays with the run: its processes may only have seemed to be gone.
ALTER TABLE claims ADD COLUMN reserved_tokens INTEGER NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN reserved_cost INTEGER NOT NULL DEFAULT 0;
ALTER TABLE claims ADD COLUMN probe TEXT;
CREATE TABLE spent (
    run TEXT PRIMARY KEY, requests INTEGER NOT NULL, tokens INTEGER NOT NULL, cost INTEGER NOT NULL) WITHOUT ROWID;

-- Endpoints that fail (opened: monotonic nanoseconds, NULL while closed); requests that the run does not ask, and why.
CREATE TABLE breakers (
    run TEXT NOT NULL, endpoint TEXT NOT NULL, failures INTEGER NOT NULL, opened INTEGER, reason TEXT NOT NULL,
    PRIMARY KEY (run, endpoint)) WITHOUT ROWID;
CREATE TABLE skips (
    run TEXT NOT NULL, key TEXT NOT NULL, reason TEXT NOT NULL, attempts INTEGER NOT NULL,
    PRIMARY KEY (run, key)) WITHOUT ROWID;
"""

_DIGESTS = """
-- Beside an answer: digests of its messages and of all other parts, by which the nearest request is found, and one of
-- the row, by which it is known to be whole wherever it is found.
ALTER TABLE responses ADD COLUMN messages INTEGER;
ALTER TABLE responses ADD COLUMN setting INTEGER;
ALTER TABLE responses ADD COLUMN digest BLOB;
UPDATE responses SET messages = digest_of_messages(parts), setting = digest_of_setting(parts),
    digest = digest_of_row(n, key, scope, run, created, parts, response);
CREATE INDEX responses_by_messages ON responses (messages);
CREATE INDEX responses_by_setting ON responses (setting);
"""

_PACES = """
-- How fast each service can be asked, as it was learnt (stamp in monotonic nanoseconds of a boot, written in seconds of
-- the calendar); of the attempts at a request, those that were refused for the rate.
CREATE TABLE paces (
    bucket TEXT PRIMARY KEY, pace TEXT NOT NULL, stamp INTEGER NOT NULL, boot TEXT NOT NULL,
    written REAL NOT NULL) WITHOUT ROWID;
ALTER TABLE claims ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
ALTER TABLE pending ADD COLUMN refused INTEGER NOT NULL DEFAULT 0;
"""

MIGRATIONS: tuple[str, ...] = (_FIRST, _BUDGETS_AND_BREAKERS, _DIGESTS, _PACES)
VERSION = len(MIGRATIONS)


def version(connection: sqlite3.Connection) -> int:
    found = connection.execute("PRAGMA user_version").fetchone()[0]
    assert isinstance(found, int)
    return found


def migrate(connection: sqlite3.Connection) -> None:
    """Bring a file up to this version, each step whole or not at all. The caller holds the lock of opening."""
    digests.register(connection)
    for number, script in enumerate(MIGRATIONS[version(connection) :], start=version(connection) + 1):
        marks = f"PRAGMA application_id = {APPLICATION_ID};PRAGMA user_version = {number};"
        connection.executescript(f"BEGIN IMMEDIATE;{script}{marks}COMMIT;")
