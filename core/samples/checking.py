"""Go verdicts for many samples: hand the texts to a check job, and take its results in, exactly once.

The job never opens the database: it reads input.jsonl and writes output/verdicts.jsonl in its own folder. What is taken
in is remembered beside the verdicts, in the same transaction, so that a crash between the two cannot happen.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.golang.checker import Diagnostic
from core.jobs import JobFolder, create, start
from core.samples.language import Query
from core.samples.query import select
from core.samples.store import VerdictRecord, put_verdicts

LEVELS = ("types", "vet", "test")
INPUT = "input.jsonl"
RESULTS = "verdicts.jsonl"


@dataclass(frozen=True, slots=True)
class Summary:
    """What a check found. passed: samples without a failed check. by_check: check -> state -> how many."""

    checked: int
    passed: int
    failed: int
    by_check: Mapping[str, Mapping[str, int]]


def start_check(jobs_dir: Path, connection: sqlite3.Connection, query: Query, level: str = "types") -> JobFolder:
    """Start a job that checks the code of the samples that `query` finds.

    level: types (parse, format, types), vet (and vet), test (and the samples' own tests). Raises UserError when nothing is found.
    """
    if level not in LEVELS:
        raise UserError(f"There is no level “{level}”.", f"Known are: {', '.join(LEVELS)}.")
    folder = create(jobs_dir, "check", {"level": level}, title=f"Check Go ({level})")
    try:
        with (folder.path / INPUT).open("w", encoding="utf-8") as file:
            count = 0
            for row in _texts(connection, query):
                file.write(json.dumps(row, ensure_ascii=False) + "\n")
                count += 1
    except OSError as error:
        raise UserError(
            f"{folder.path} cannot be written: {error.strerror}.", "Free some space and try again."
        ) from error
    if not count:
        (folder.path / INPUT).unlink()
        folder.output.rmdir()
        folder.request.unlink()
        folder.path.rmdir()
        raise UserError("No sample with Go code matches, so there is nothing to check.", "Widen the search.")
    start(folder)
    return folder


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
        changes = put_verdicts(connection, records)
        connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(end)))
    return changes


def summary(folder: JobFolder) -> Summary:
    """Counts over everything a check job has written."""
    by_check: dict[str, Counter[str]] = {}
    checked = failed = 0
    records, _ = _results(folder.output / RESULTS, 0)
    for record in records:
        checked += 1
        failed += "fail" in record.states.values()
        for check, state in record.states.items():
            by_check.setdefault(check, Counter())[state] += 1
    return Summary(checked, checked - failed, failed, {check: dict(counts) for check, counts in by_check.items()})


def _texts(connection: sqlite3.Connection, query: Query) -> Iterator[dict[str, Any]]:
    chosen, parameters = select(query, ordered=False)
    statement = f"""
        SELECT v.id, v.code, v.test FROM sample s JOIN version v ON v.id = s.version_id
        WHERE s.id IN ({chosen}) AND v.code <> '' ORDER BY s.id
    """
    for version, code, test in connection.execute(statement, parameters):
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
