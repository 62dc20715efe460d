"""The one way into a workspace's database: connections, transactions, and the schema with its ordered, named migrations.

Text is immutable (`version`); what changes often lives in narrow tables (`review`, `verdict`, `tag`), so that a bulk
decision touches neither text nor the full-text index. This module knows SQLite and the shape of the tables; what the
rows mean is `core.samples`' business. It keeps no connection and no pool: whoever connects closes.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError

_BUSY_SECONDS = 10.0
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA synchronous = FULL",  # what was acknowledged survives a power cut too; costs a millisecond a decision
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 1073741824",
    "PRAGMA cache_size = -65536",  # 64 MiB
    "PRAGMA wal_autocheckpoint = 8192",  # 32 MiB: a bulk decision does not pay for moving the last one into the file
)

_CHECKS = ("parse", "format", "types", "vet", "test")
_FIRST = (
    "CREATE TABLE fact (name TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
    """
    CREATE TABLE sample (
        id INTEGER PRIMARY KEY,
        uid TEXT NOT NULL,
        version_id INTEGER NOT NULL REFERENCES version(id) DEFERRABLE INITIALLY DEFERRED,
        title TEXT NOT NULL,
        topic TEXT NOT NULL,
        source TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        created INTEGER NOT NULL
    )
    """,
    "CREATE UNIQUE INDEX sample_uid ON sample(uid)",
    "CREATE UNIQUE INDEX sample_version ON sample(version_id)",
    "CREATE INDEX sample_title ON sample(title COLLATE NOCASE)",
    "CREATE INDEX sample_topic ON sample(topic COLLATE NOCASE)",
    "CREATE INDEX sample_source ON sample(source COLLATE NOCASE)",
    "CREATE INDEX sample_tokens ON sample(tokens)",
    "CREATE INDEX sample_lines ON sample(lines)",
    # context: JSON of the messages before the last answer; NULL when that is one user message, the prompt.
    """
    CREATE TABLE version (
        id INTEGER PRIMARY KEY,
        sample_id INTEGER NOT NULL REFERENCES sample(id) DEFERRABLE INITIALLY DEFERRED,
        parent INTEGER REFERENCES version(id),
        hash BLOB NOT NULL,
        title TEXT NOT NULL,
        tokens INTEGER NOT NULL,
        lines INTEGER NOT NULL,
        author TEXT NOT NULL,
        created INTEGER NOT NULL,
        context TEXT,
        prompt TEXT NOT NULL,
        response TEXT NOT NULL,
        code TEXT NOT NULL,
        test TEXT NOT NULL
    )
    """,
    "CREATE INDEX version_sample ON version(sample_id)",
    "CREATE INDEX version_hash ON version(hash)",
    """
    CREATE TRIGGER version_is_immutable BEFORE UPDATE ON version
    BEGIN SELECT RAISE(ABORT, 'a version is never changed'); END
    """,
    # One row a sample, made with it: the whole of it is a few megabytes, so a scan beats an index that every decision must mend.
    """
    CREATE TABLE review (
        sample_id INTEGER PRIMARY KEY REFERENCES sample(id),
        status INTEGER NOT NULL DEFAULT 0,
        rating INTEGER,
        deleted INTEGER NOT NULL DEFAULT 0,
        reasons TEXT NOT NULL DEFAULT '[]',
        note TEXT NOT NULL DEFAULT '',
        author TEXT NOT NULL DEFAULT '',
        updated INTEGER
    )
    """,
    "CREATE INDEX review_deleted ON review(sample_id) WHERE deleted = 1",
    # One row a version, made with it. Checks: NULL unchecked, 0 fail, 1 pass, 2 skipped. current: is it the sample's text today?
    """
    CREATE TABLE verdict (
        version_id INTEGER PRIMARY KEY REFERENCES version(id),
        sample_id INTEGER NOT NULL,
        current INTEGER NOT NULL,
        parse INTEGER,
        format INTEGER,
        types INTEGER,
        vet INTEGER,
        test INTEGER,
        toolchain TEXT NOT NULL DEFAULT '',
        state INTEGER GENERATED ALWAYS AS (
            CASE WHEN parse = 0 OR format = 0 OR types = 0 OR vet = 0 OR test = 0 THEN 0
                 WHEN parse = 1 OR format = 1 OR types = 1 OR vet = 1 OR test = 1 THEN 1
            END
        ) VIRTUAL
    )
    """,
    "CREATE INDEX verdict_sample ON verdict(sample_id) WHERE current = 1",
    "CREATE INDEX verdict_state ON verdict(state, sample_id) WHERE current = 1",
    *(f"CREATE INDEX verdict_{check} ON verdict({check}, sample_id) WHERE current = 1" for check in _CHECKS),
    """
    CREATE TABLE diagnostic (
        version_id INTEGER NOT NULL REFERENCES version(id),
        position INTEGER NOT NULL,
        "check" TEXT NOT NULL,
        line INTEGER NOT NULL,
        "column" INTEGER NOT NULL,
        message TEXT NOT NULL,
        PRIMARY KEY (version_id, position)
    ) WITHOUT ROWID
    """,
    """
    CREATE TABLE tag (
        name TEXT NOT NULL COLLATE NOCASE,
        sample_id INTEGER NOT NULL REFERENCES sample(id),
        PRIMARY KEY (name, sample_id)
    ) WITHOUT ROWID
    """,
    "CREATE INDEX tag_sample ON tag(sample_id)",
    # Near copies: every member of a cluster, the one worth keeping included.
    """
    CREATE TABLE duplicate (
        sample_id INTEGER PRIMARY KEY REFERENCES sample(id),
        keeper INTEGER NOT NULL,
        similarity REAL NOT NULL
    )
    """,
    """
    CREATE TABLE operation (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        label TEXT NOT NULL,
        author TEXT NOT NULL,
        created INTEGER NOT NULL,
        changed INTEGER NOT NULL,
        undone INTEGER NOT NULL DEFAULT 0
    )
    """,
    # subject: 'review', 'tag' or 'version'; before, after: JSON objects of what changed; ids: JSON list of the samples that were so before.
    """
    CREATE TABLE operation_part (
        id INTEGER PRIMARY KEY,
        operation_id INTEGER NOT NULL REFERENCES operation(id) ON DELETE CASCADE,
        subject TEXT NOT NULL,
        before TEXT NOT NULL,
        after TEXT NOT NULL,
        ids TEXT NOT NULL
    )
    """,
    "CREATE INDEX operation_part_operation ON operation_part(operation_id)",
    """
    CREATE VIRTUAL TABLE words USING fts5(
        prompt, response, content='version', content_rowid='id', tokenize="unicode61 tokenchars '_'"
    )
    """,
    """
    CREATE TRIGGER version_added AFTER INSERT ON version BEGIN
        INSERT INTO words(rowid, prompt, response) VALUES (new.id, new.prompt, new.response);
    END
    """,
    """
    CREATE TRIGGER sample_version_chosen AFTER UPDATE OF version_id ON sample WHEN new.version_id IS NOT old.version_id BEGIN
        UPDATE verdict SET current = 0 WHERE version_id = old.version_id;
        UPDATE verdict SET current = 1 WHERE version_id = new.version_id;
        DELETE FROM duplicate WHERE sample_id = new.id;
    END
    """,
)

MIGRATIONS: tuple[tuple[str, tuple[str, ...]], ...] = (("001-samples", _FIRST),)
"""Name and statements of every step, oldest first. A step that has been released is never changed: add the next."""


def connect(path: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection with the pragmas that the rest of Gosmith relies on; the caller closes it.

    Statements outside `transaction` commit at once. Raises UserError when the file cannot be opened or is no database.
    """
    try:
        if readonly:
            connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro", uri=True, timeout=_BUSY_SECONDS)
        else:
            connection = sqlite3.connect(path, timeout=_BUSY_SECONDS)
    except sqlite3.Error as error:
        raise _cannot_open(path, error) from error
    connection.isolation_level = None
    try:
        if not readonly:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchone()
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise _cannot_open(path, error) from error
    return connection


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """All or nothing: the block's changes are committed at its end, rolled back when it raises.

    Takes the write lock at once, waiting up to ten seconds for another writer. A full disk, a database that stays
    locked or a damaged file becomes a UserError; an interrupted query stays sqlite3's error, for whoever interrupted.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
        try:
            yield connection
            connection.execute("COMMIT")
        except BaseException:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
    except sqlite3.DatabaseError as error:
        known = explain(error)
        if known is None:
            raise
        raise known from error


@contextmanager
def still(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything that the block reads is of one moment, whatever others write meanwhile; nobody has to wait."""
    connection.execute("BEGIN")
    try:
        yield connection
    finally:
        connection.execute("COMMIT")


def explain(error: sqlite3.DatabaseError) -> UserError | None:
    """The sentence for what a user can mend; None when the error is our bug."""
    code = error.sqlite_errorcode & 0xFF if error.sqlite_errorcode else 0
    if code == sqlite3.SQLITE_FULL:
        return UserError(
            "The disk is full: the workspace could not be written.",
            "Nothing that was saved before is lost. Free some space and try again.",
        )
    if code in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        return UserError(
            "The workspace is busy: another program has been writing to it for ten seconds.",
            "Wait for the other import or window to finish, then try again.",
        )
    if code in (sqlite3.SQLITE_READONLY, sqlite3.SQLITE_PERM, sqlite3.SQLITE_CANTOPEN):
        return UserError(
            "The workspace cannot be written: its files are read-only for you.",
            "Give yourself write permission to the workspace folder and to gosmith.db in it.",
        )
    if code == sqlite3.SQLITE_IOERR:
        return UserError(
            "The disk refused to read or write the workspace.",
            "Nothing that was saved before is lost. Check the space, quota and health of the disk, then try again.",
        )
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return UserError(
            "The workspace's database gosmith.db is damaged.",
            "Restore it from a backup; snapshots, jobs and models in the folder are separate files and still good.",
        )
    return None


def migrate(connection: sqlite3.Connection) -> None:
    """Bring the schema up to date, each missing step in order, all in one transaction.

    Cheap when there is nothing to do. Raises UserError for a database written by a newer Gosmith.
    """
    if _version(connection) == len(MIGRATIONS):
        return
    with transaction(connection):
        found = _version(connection)  # again: another process may have migrated while we waited for the lock
        if found > len(MIGRATIONS):
            raise UserError(
                f"The workspace was made by a newer Gosmith (schema {found}, this one knows {len(MIGRATIONS)}).",
                "Update Gosmith, or open another workspace.",
            )
        if found < len(MIGRATIONS):
            _apply(connection)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")


def _version(connection: sqlite3.Connection) -> int:
    return int(connection.execute("PRAGMA user_version").fetchone()[0])


def _apply(connection: sqlite3.Connection) -> None:
    from sqlite_utils import (
        Database,
        Migrations,
    )  # late: half a second to import, and needed once in a workspace's life

    steps = Migrations("gosmith")
    for name, statements in MIGRATIONS:

        def step(database: Database, statements: tuple[str, ...] = statements) -> None:
            for statement in statements:
                database.conn.execute(statement)

        steps(name=name)(step)
    steps.apply(Database(connection, execute_plugins=False))


def _cannot_open(path: Path, error: sqlite3.Error) -> UserError:
    if isinstance(error, sqlite3.DatabaseError):
        known = explain(error)
        if known is not None and error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_CANTOPEN:
            return UserError(f"{path}: {known.message}", known.hint)
    return UserError(
        f"{path} cannot be opened: {error}.", "Check that the folder exists and that you may read and write in it."
    )
