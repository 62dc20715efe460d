"""The database under what happens to databases: two writers, a full disk, damage, a newer program, two starts at once."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from core import database
from core.database import connect, migrate, still, transaction
from core.errors import UserError


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gosmith.db"


@pytest.fixture
def connection(path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(path)) as made:
        migrate(made)
        made.execute("CREATE TABLE number (n INTEGER)")
        yield made


def numbers(connection: sqlite3.Connection) -> list[int]:
    return [n for (n,) in connection.execute("SELECT n FROM number ORDER BY n")]


def test_a_transaction_is_all_or_nothing(connection: sqlite3.Connection) -> None:
    def fail() -> None:
        with transaction(connection):
            connection.execute("INSERT INTO number VALUES (1)")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert (numbers(connection), connection.in_transaction) == ([], False)
    with transaction(connection):
        connection.execute("INSERT INTO number VALUES (2)")
    assert numbers(connection) == [2]


def test_others_see_what_is_committed_and_a_still_view_stays_as_it_is(
    connection: sqlite3.Connection, path: Path
) -> None:
    with closing(connect(path, readonly=True)) as reader:
        with transaction(connection):
            connection.execute("INSERT INTO number VALUES (1)")
            assert numbers(reader) == []
        with still(reader):
            assert numbers(reader) == [1]
            connection.execute("INSERT INTO number VALUES (2)")
            assert numbers(reader) == [1]
        assert numbers(reader) == [1, 2]


def test_two_threads_write_by_turns_and_nothing_is_lost(connection: sqlite3.Connection, path: Path) -> None:
    def write(first: int) -> None:
        with closing(connect(path)) as own:
            for number in range(first, first + 100):
                with transaction(own):
                    seen = own.execute("SELECT count(*) FROM number").fetchone()[0]
                    own.execute("INSERT INTO number VALUES (?)", (number * 1000 + seen,))

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(write, (0, 100)))
    assert sorted(number % 1000 for number in numbers(connection)) == list(range(200))
    assert sorted(number // 1000 for number in numbers(connection)) == list(range(200))


def test_a_database_that_stays_locked_is_a_sentence(
    connection: sqlite3.Connection, path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "_BUSY_SECONDS", 0.05)
    with closing(connect(path)) as other, transaction(connection):
        with pytest.raises(UserError, match="busy"), transaction(other):
            pass
        connection.execute("INSERT INTO number VALUES (1)")
    assert numbers(connection) == [1]


def test_a_full_disk_is_a_sentence_and_the_database_stays_whole(connection: sqlite3.Connection) -> None:
    pages = connection.execute("PRAGMA page_count").fetchone()[0]
    connection.execute(f"PRAGMA max_page_count = {pages + 3}")
    with pytest.raises(UserError, match="disk is full"), transaction(connection):
        connection.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(100_000)])
    assert numbers(connection) == []
    assert connection.execute("PRAGMA integrity_check").fetchone()[0] == "ok"


def test_what_only_reads_is_refused_a_write_with_a_sentence(connection: sqlite3.Connection, path: Path) -> None:
    with (
        closing(connect(path, readonly=True)) as reader,
        pytest.raises(UserError, match="read-only"),
        transaction(reader),
    ):
        reader.execute("INSERT INTO number VALUES (1)")


def test_an_interrupted_statement_is_rolled_back_and_stays_an_interruption(connection: sqlite3.Connection) -> None:
    connection.set_progress_handler(lambda: 1, 100)
    with pytest.raises(sqlite3.OperationalError, match="interrupted"), transaction(connection):
        connection.execute(
            "INSERT INTO number WITH RECURSIVE c(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 100000) SELECT n FROM c"
        )
    connection.set_progress_handler(None, 0)
    assert numbers(connection) == []


def test_damage_is_a_sentence(connection: sqlite3.Connection, path: Path) -> None:
    connection.executemany("INSERT INTO number VALUES (?)", [(n,) for n in range(20_000)])
    connection.close()
    data = bytearray(path.read_bytes())
    data[4096 * 3 :] = bytes(len(data) - 4096 * 3)
    path.write_bytes(data)
    with pytest.raises(UserError, match="damaged"), closing(connect(path)) as again, transaction(again):
        again.execute("DELETE FROM number")


@pytest.mark.parametrize("text", [b"SQLite format 3\0" + b"x" * 5000, b"no database at all, " * 500])
def test_what_is_no_database_is_a_sentence_with_the_path(path: Path, text: bytes) -> None:
    path.write_bytes(text)
    with pytest.raises(UserError) as caught:
        connect(path)
    assert str(path) in caught.value.message
    assert path.read_bytes() == text


def test_a_folder_that_is_not_there_is_a_sentence_with_the_path(tmp_path: Path) -> None:
    for readonly in (False, True):
        with pytest.raises(UserError, match="none"):
            connect(tmp_path / "none" / "gosmith.db", readonly=readonly)


def test_only_steps_that_are_missing_are_applied_and_each_is_recorded(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with closing(connect(path)) as connection:
        migrate(connection)
        connection.execute("INSERT INTO fact VALUES ('kept', 'yes')")
        steps = (*database.MIGRATIONS, ("900-more", ("CREATE TABLE more (a)", "CREATE TABLE most (b)")))
        monkeypatch.setattr(database, "MIGRATIONS", steps)
        migrate(connection)
        migrate(connection)
        assert connection.execute("SELECT value FROM fact WHERE name = 'kept'").fetchone() == ("yes",)
        assert connection.execute("SELECT * FROM more").fetchall() == []
        assert [name for (name,) in connection.execute("SELECT name FROM _sqlite_migrations ORDER BY id")] == [
            *(name for name, _ in database.MIGRATIONS[:-1]),
            "900-more",
        ]
        assert connection.execute("PRAGMA user_version").fetchone() == (len(database.MIGRATIONS),)


def test_a_step_that_fails_leaves_the_database_as_it_was(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(connect(path)) as connection:
        migrate(connection)
        steps = (*database.MIGRATIONS, ("900-bad", ("CREATE TABLE more (a)", "CREATE TABLE more (a)")))
        monkeypatch.setattr(database, "MIGRATIONS", steps)
        with pytest.raises(sqlite3.OperationalError, match="already exists"):
            migrate(connection)
        assert connection.execute("PRAGMA user_version").fetchone() == (len(steps) - 1,)
        assert connection.execute("SELECT name FROM sqlite_schema WHERE name = 'more'").fetchone() is None


def test_a_version_can_never_be_changed(connection: sqlite3.Connection) -> None:
    row = "(1, 1, x'00', 't', 1, 1, 'me', 0, 'p', 'r', 'c', '')"
    with transaction(connection):
        connection.execute("INSERT INTO sample VALUES (1, 'u', 1, 't', '', '', 1, 1, 0)")
        connection.execute(
            f"INSERT INTO version (id, sample_id, hash, title, tokens, lines, author, created, prompt, response, code, test) VALUES {row}"
        )
    with pytest.raises(sqlite3.IntegrityError, match="never changed"):
        connection.execute("UPDATE version SET response = 'other'")


def test_several_programs_may_open_a_new_database_at_the_same_instant(tmp_path: Path) -> None:
    script = (
        "import sys, time; from pathlib import Path; from core.database import connect\n"
        "while time.time() < float(sys.argv[2]): pass\n"
        "connect(Path(sys.argv[1])).close()"
    )
    for number in range(3):
        words = [sys.executable, "-c", script, str(tmp_path / f"{number}.db"), str(time.time() + 1.0)]
        programs = [subprocess.Popen(words, stderr=subprocess.PIPE, text=True) for _ in range(6)]
        assert [(program.communicate()[1], program.returncode) for program in programs] == [("", 0)] * 6


def test_several_programs_may_make_the_same_workspace_at_once(tmp_path: Path) -> None:
    script = f"from pathlib import Path; from core.workspace import open_workspace; open_workspace(Path({str(tmp_path / 'w')!r}))"
    programs = [subprocess.Popen([sys.executable, "-c", script], stderr=subprocess.PIPE, text=True) for _ in range(3)]
    assert [(program.communicate()[1], program.returncode) for program in programs] == [("", 0)] * 3
    with closing(connect(tmp_path / "w" / "gosmith.db")) as connection:
        total, different = connection.execute("SELECT count(*), count(DISTINCT hash) FROM version").fetchone()
        assert total == different
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
