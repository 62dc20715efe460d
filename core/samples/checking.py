"""Go verdicts for many samples: hand the texts to a check job, and take its results in, exactly once.

The job never opens the database: it reads input.jsonl and writes output/verdicts.jsonl in its own folder. What is taken
in is remembered beside the verdicts, in the same transaction, so that a crash between the two cannot happen.

What the toolchain in use has said already is not asked again: versions with a whole verdict stay out of the job, and versions
with the same code and test share one.
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.golang.checker import CHECKS, Diagnostic
from core.golang.toolchain import find
from core.jobs import JobFolder, create, start
from core.samples.language import Query
from core.samples.query import select
from core.samples.store import STATES, VerdictRecord, diagnostics, policy, put_verdicts

LEVELS = ("types", "vet", "test")
INPUT = "input.jsonl"
RESULTS = "verdicts.jsonl"
CACHED = "cached.jsonl"
"""Versions whose verdict was known before: their states, as a line each."""
SHARED = "shared.jsonl"
"""Versions that take over the verdict of another one: {"version", "by"} a line."""


@dataclass(frozen=True, slots=True)
class Summary:
    """What a check found. checked: samples with a verdict now; cached: those among them that were not run again, because
    this toolchain has said it before, of the same or of an equal text. passed: samples without a failed check. by_check:
    check -> state -> how many.
    """

    checked: int
    passed: int
    failed: int
    by_check: Mapping[str, Mapping[str, int]]
    cached: int = 0


def start_check(
    jobs_dir: Path,
    connection: sqlite3.Connection,
    query: Query,
    level: str = "types",
    *,
    again: bool = False,
    race: bool = False,
) -> JobFolder:
    """Start a job that checks the code of the samples that `query` finds.

    level: types (parse, format, types), vet (and vet), test (and the samples' own tests). again: also what this toolchain has
    judged before. race: tests run under the race detector, whatever was said without it. Raises UserError when nothing is found, or when there is no Go toolchain.
    """
    if level not in LEVELS:
        raise UserError(f"There is no level “{level}”.", f"Known are: {', '.join(LEVELS)}.")
    if race and level != "test":
        raise UserError("The race detector watches tests run.", "Ask for the level “test” with it.")
    toolchain = find().version
    folder = create(
        jobs_dir, "check", {"level": level, "race": race}, title=f"Check Go ({'race detector' if race else level})"
    )
    try:
        if again or race:
            count = _write(folder.path / INPUT, _texts(connection, query, "1"))
        else:
            count = _write_new(connection, folder, query, level, toolchain)
    except OSError as error:
        raise UserError(
            f"{folder.path} cannot be written: {error.strerror}.", "Free some space and try again."
        ) from error
    if not count:
        for name in (INPUT, CACHED, SHARED):
            (folder.path / name).unlink(missing_ok=True)
        (folder.output / RESULTS).unlink(missing_ok=True)
        folder.output.rmdir()
        folder.request.unlink()
        folder.path.rmdir()
        raise UserError("No sample with Go code matches, so there is nothing to check.", "Widen the search.")
    start(folder)
    return folder


def _write_new(
    connection: sqlite3.Connection, folder: JobFolder, query: Query, level: str, toolchain: str
) -> int:  # fmt: skip
    """Write what is not known yet as the job's input, and what is known beside it. Returns how many samples there are."""
    checks = CHECKS[: CHECKS.index(level) + 1]
    whole = _whole(checks)
    asked = {"toolchain": toolchain}
    cached = _write(folder.path / CACHED, _known(connection, query, checks, asked))
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS said (text BLOB PRIMARY KEY, version INTEGER, done INTEGER) WITHOUT ROWID")  # fmt: skip
    connection.execute("DELETE FROM temp.said")
    new = 0
    with (
        (folder.path / INPUT).open("w", encoding="utf-8") as texts,
        (folder.path / SHARED).open("w", encoding="utf-8") as shared,
        (folder.output / RESULTS).open("w", encoding="utf-8") as results,
    ):
        for row in _texts(connection, query, f"NOT ({whole})", asked):
            if not new:  # only now is it worth reading what all others say
                _remember(connection, whole, asked)
            new += 1
            text = _digest(row["code"], row["test"])
            found = connection.execute("SELECT version, done FROM temp.said WHERE text = ?", (text,)).fetchone()
            if found is None:
                connection.execute("INSERT INTO temp.said VALUES (?, ?, 0)", (text, row["version"]))
                texts.write(json.dumps(row, ensure_ascii=False) + "\n")
                continue
            by, done = found
            shared.write(json.dumps({"version": row["version"], "by": by}) + "\n")
            if done:
                results.write(_copy(connection, by, row["version"], checks, toolchain))
                texts.write(json.dumps(row, ensure_ascii=False) + "\n")  # the job counts it, and finds it done
    connection.execute("DROP TABLE temp.said")
    return cached + new


def _whole(checks: Sequence[str]) -> str:
    """SQL: has the toolchain in use judged version v in full? A sandbox that failed has not."""
    said = " AND ".join(f"d.{check} IS NOT NULL" for check in checks)
    gave_up = """
        EXISTS (SELECT 1 FROM diagnostic g WHERE g.version_id = v.id AND g."check" = 'test'
                AND (g.message LIKE 'not run: the sandbox failed%' OR g.message LIKE 'not built:%'))
    """
    return f"d.toolchain = :toolchain AND {said}" + (f" AND NOT {gave_up}" if "test" in checks else "")


def _remember(connection: sqlite3.Connection, whole: str, asked: Mapping[str, str]) -> None:
    """Fill the table `said` with all texts of the workspace that have a whole verdict."""
    statement = f"SELECT v.id, v.code, v.test FROM version v JOIN verdict d ON d.version_id = v.id WHERE v.code <> '' AND {whole}"
    rows = ((_digest(code, test), version) for version, code, test in connection.execute(statement, asked))
    connection.executemany("INSERT OR IGNORE INTO temp.said VALUES (?, ?, 1)", rows)


def _digest(code: str, test: str) -> bytes:
    return hashlib.sha256(f"{len(code)} {code}{test}".encode(errors="surrogatepass")).digest()


def _known(
    connection: sqlite3.Connection, query: Query, checks: Sequence[str], asked: Mapping[str, str]
) -> Iterator[dict[str, Any]]:
    for key, *states in _select(
        connection, query, _whole(checks), asked, f"v.id, {', '.join(f'd.{c}' for c in checks)}"
    ):
        yield {"version": key, "states": {c: STATES[state] for c, state in zip(checks, states, strict=True)}}


def _copy(connection: sqlite3.Connection, by: int, version: int, checks: Sequence[str], toolchain: str) -> str:
    """The line of results that says of `version` what is stored of `by`."""
    found = connection.execute(f"SELECT {', '.join(checks)} FROM verdict WHERE version_id = ?", (by,)).fetchone()
    record = {
        "version": version,
        "states": {check: STATES[state] for check, state in zip(checks, found, strict=True)},
        "diagnostics": [asdict(d) for d in diagnostics(connection, by) if d.check in checks],
        "policy": [asdict(d) for d in policy(connection, by)],
        "toolchain": toolchain,
    }
    return json.dumps(record, separators=(",", ":")) + "\n"


def _write(path: Path, rows: Iterable[dict[str, Any]]) -> int:
    count = 0
    with path.open("w", encoding="utf-8") as file:
        for row in rows:
            file.write(json.dumps(row, ensure_ascii=False) + "\n")
            count += 1
    return count


def take_in(connection: sqlite3.Connection, folder: JobFolder) -> Changes:
    """Store the verdicts a check job has written so far; those taken in before are not stored again.

    Safe at any time and as often as one likes: while the job runs, after it was killed, after this process was.
    """
    name = f"check {folder.id}"
    with transaction(connection):
        row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
        offset = int(row[0]) if row else 0
        records, end = _results(folder.output / RESULTS, offset)
        if end == offset:
            return Changes()
        changes = put_verdicts(connection, _with_shared(folder, records))
        connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(end)))
    return changes


def summary(folder: JobFolder) -> Summary:
    """Counts over everything a check job has written, and over what was known before it."""
    by_check: dict[str, Counter[str]] = {}
    checked = failed = cached = 0
    records, _ = _results(folder.output / RESULTS, 0)
    shared = {row["version"] for row in _rows(folder.path / SHARED)}
    known = (VerdictRecord(row["version"], row["states"]) for row in _rows(folder.path / CACHED))
    for record, is_known in (*((one, False) for one in _with_shared(folder, records)), *((one, True) for one in known)):
        checked += 1
        cached += is_known or record.version in shared
        failed += "fail" in record.states.values()
        for check, state in record.states.items():
            by_check.setdefault(check, Counter())[state] += 1
    counts = {check: dict(states) for check, states in by_check.items()}
    return Summary(checked, checked - failed, failed, counts, cached)


def _with_shared(folder: JobFolder, records: Sequence[VerdictRecord]) -> Iterator[VerdictRecord]:
    """The records, and each again for the versions that share its text and have no line of their own."""
    by: dict[int, list[int]] = {}
    for row in _rows(folder.path / SHARED):
        by.setdefault(row["by"], []).append(row["version"])
    for record in records:
        yield record
        for version in by.get(record.version, ()):
            yield replace(record, version=version)


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    with suppress(FileNotFoundError), path.open(encoding="utf-8") as file:
        for line in file:
            yield json.loads(line)


def _select(
    connection: sqlite3.Connection, query: Query, condition: str, asked: Mapping[str, str], columns: str
) -> Iterator[tuple[Any, ...]]:
    chosen, parameters = select(query, ordered=False)
    connection.execute("CREATE TEMP TABLE IF NOT EXISTS asked (id INTEGER PRIMARY KEY)")
    connection.execute("DELETE FROM temp.asked")
    connection.execute(f"INSERT INTO temp.asked {chosen}", parameters)
    yield from connection.execute(
        f"""
        SELECT {columns} FROM temp.asked a JOIN sample s ON s.id = a.id JOIN version v ON v.id = s.version_id
        JOIN verdict d ON d.version_id = v.id WHERE v.code <> '' AND {condition} ORDER BY s.id
        """,
        asked,
    )


def _texts(
    connection: sqlite3.Connection, query: Query, condition: str, asked: Mapping[str, str] | None = None
) -> Iterator[dict[str, Any]]:
    for version, code, test in _select(connection, query, condition, asked or {}, "v.id, v.code, v.test"):
        yield {"version": version, "code": code, "test": test}


def _results(path: Path, offset: int) -> tuple[list[VerdictRecord], int]:
    """Whole lines from `offset` on, and where the next ones begin."""
    data = b""
    with suppress(FileNotFoundError), path.open("rb") as file:
        file.seek(offset)
        data = file.read()
    whole = data.rfind(b"\n") + 1
    records = []
    for line in data[:whole].splitlines():
        row = json.loads(line)
        diagnostics = tuple(Diagnostic(**item) for item in row["diagnostics"])
        found = row.get("policy")  # a job of an older Gosmith did not look
        policy = None if found is None else tuple(Diagnostic(**item) for item in found)
        records.append(VerdictRecord(row["version"], row["states"], diagnostics, row["toolchain"], policy))
    return records, offset + whole
