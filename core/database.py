"""The one way into a workspace's database: connections, transactions, and the migrations of `core.schema` applied in order.

This module knows SQLite and nothing of what the rows mean. It keeps no connection and no pool: whoever connects closes.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from core.errors import UserError
from core.schema import MIGRATIONS

_BUSY_SECONDS = 10.0
_PAGE_BYTES = 16384
"""Of a new database: rows hold texts of a kilobyte or two, of which a usual page takes two; imports gain a tenth, and the file is a tenth smaller."""
_LOG_BYTES = 64 << 20
"""So much of it is written before it is moved into the file: a bulk decision does not pay for moving the last one."""
_PRAGMAS = (
    "PRAGMA foreign_keys = ON",
    "PRAGMA recursive_triggers = ON",
    "PRAGMA synchronous = FULL",  # what was acknowledged survives a power cut too; costs a decision 0.13 ms more on a quick disk, and an fsync on a slow one
    "PRAGMA temp_store = MEMORY",
    "PRAGMA mmap_size = 1073741824",
    "PRAGMA cache_size = -65536",  # 64 MiB
)


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
            connection.execute(f"PRAGMA page_size = {_PAGE_BYTES}").fetchone()  # no word to a database that exists
            _write_ahead(connection)
        for pragma in _PRAGMAS:
            connection.execute(pragma).fetchone()
        page = connection.execute("PRAGMA page_size").fetchone()[0]
        connection.execute(f"PRAGMA wal_autocheckpoint = {_LOG_BYTES // page}").fetchone()
        if readonly:
            connection.execute("PRAGMA cache_size = -16384")  # 16 MiB: who only reads reads mapped pages
        connection.execute("SELECT count(*) FROM sqlite_schema").fetchone()
    except sqlite3.Error as error:
        connection.close()
        raise _cannot_open(path, error) from error
    return connection


def _write_ahead(connection: sqlite3.Connection) -> None:
    """Have the database keep its log beside it. Where it does so already, this asks for no lock.

    A new file is changed under a lock for which SQLite does not wait however long it may (two who hold a read lock would wait for one
    another): while several programs make the same workspace, all but one are told at once that it is locked.
    """
    end = time.monotonic() + _BUSY_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL").fetchone()
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
            time.sleep(0.005)


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
