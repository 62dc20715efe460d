"""200,000 samples: adding, filtering, sorting, searching, deciding in bulk. `python -m tests.benchmarks.bench_samples [--samples N]`

Budgets (issue A): filter by an indexed column <= 30 ms to ids, sort by any column <= 300 ms, a decision over 50,000 rows <= 50 ms with its undo record.
Each figure is the best of five, in milliseconds where nothing else is said; ratios are against plain SQL that fetches a row a sample.
"""

from __future__ import annotations

import argparse
import json
import random
import sqlite3
import tempfile
import time
from array import array
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from core.database import connect, migrate, transaction
from core.samples import duplicates, edits, exporting, importing, query, snapshots, store
from core.samples.adding import add
from core.samples.conversation import Message, NewSample
from core.workspace import Workspace
from tests.benchmarks.report import report

TOPICS = (
    "concurrency",
    "errors",
    "generics",
    "io",
    "http",
    "encoding",
    "time",
    "testing",
    "algorithms",
    "strings",
    "context",
    "slices",
)


def best(work: Callable[[], object], repeat: int = 5) -> float:
    """Milliseconds of the fastest run."""
    times = []
    for _ in range(repeat):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return min(times) * 1000


def fill(connection: sqlite3.Connection, samples: int) -> float:
    """Samples of about a kilobyte with verdicts; returns seconds."""
    chance = random.Random(7)
    words = [
        f"{a}{b}"
        for a in ("read", "write", "merge", "parse", "lock", "send")
        for b in ("Buffer", "Pool", "Header", "Token", "Row", "Page")
    ]
    start = time.perf_counter()
    for first in range(0, samples, 2000):
        batch = []
        for number in range(first, min(first + 2000, samples)):
            name = f"{chance.choice(words)}{number}"
            body = "\n".join(
                f"\t{chance.choice(words)} := {chance.choice(words)}(ctx, {chance.randrange(999)})"
                for _ in range(chance.randrange(4, 30))
            )
            prompt = f"{chance.choice(words)} with {chance.choice(words)}: write {name} so that it does not block"
            answer = f"Use a bounded {chance.choice(words)}.\n\n```go\npackage x\n\nfunc {name}() {{\n{body}\n}}\n```\n"
            batch.append(
                NewSample(
                    (Message("user", prompt), Message("assistant", answer)),
                    chance.choice(TOPICS),
                    chance.choice(("gpt-4", "gpt-4.1", "go1.27")),
                )
            )
        with transaction(connection):
            add(connection, batch, author="bench")
    seconds = time.perf_counter() - start
    states = ("pass", "pass", "pass", "fail", "skipped")
    store.save_verdicts(
        connection,
        (
            store.VerdictRecord(
                version, {check: chance.choice(states) for check in ("parse", "format", "types")}, (), "go1.27.3"
            )
            for version in range(1, samples + 1)
            if chance.random() < 0.9
        ),
    )
    edits.review(connection, range(1, samples, 3), status="accepted")
    edits.review(connection, range(2, samples, 7), status="rejected", rating=2, reasons=["wrong"])
    edits.tag(connection, range(5, samples, 9), add=["gold"])
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    return seconds


def one_by_one(connection: sqlite3.Connection, ids: Sequence[int], status: str) -> None:
    """What a program without operations would do, its undo record included."""
    number = store.STATUSES.index(status)
    with transaction(connection):
        before = [
            connection.execute("SELECT status FROM review WHERE sample_id = ?", (key,)).fetchone()[0] for key in ids
        ]
        connection.executemany("UPDATE review SET status = ? WHERE sample_id = ?", ((number, key) for key in ids))
    json.dumps(list(zip(ids, before, strict=True)))


def in_and_out(connection: sqlite3.Connection, folder: Path, figures: dict[str, object]) -> None:
    """Files out and in again, near copies, a snapshot: over 50,000 samples, in seconds or samples a second."""
    part = query.parse("id:<=50000")

    def rate(name: str, work: Callable[[], object]) -> None:
        start = time.perf_counter()
        work()
        figures[f"{name} a second"] = round(50_000 / (time.perf_counter() - start))

    for form in ("openai", "parquet"):
        path = folder / f"out.{form}"
        rate(f"exported as {form}", lambda path=path, form=form: exporting.export(connection, part, path, format=form))
        with closing(connect(folder / f"{form}.db")) as other:
            migrate(other)
            rate(f"imported from {form}", lambda path=path, other=other: importing.import_files(other, [path]))
            rate("imported again, all copies", lambda path=path, other=other: importing.import_files(other, [path]))
    rate("searched for near copies", lambda: duplicates.clusters(connection, part))
    rate(
        "frozen into a snapshot", lambda: snapshots.create(folder / "snapshots", connection, f"s{time.time_ns()}", part)
    )


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--samples", type=int, default=200_000)
    parser.add_argument("--keep", type=Path, help="keep the workspace here and use it again")
    arguments = parser.parse_args()
    figures: dict[str, object] = {"samples": arguments.samples}
    with tempfile.TemporaryDirectory() as folder:
        workspace = Workspace(arguments.keep or Path(folder))
        workspace.root.mkdir(exist_ok=True)
        with closing(workspace.connect()) as connection:
            migrate(connection)
            if not connection.execute("SELECT 1 FROM sample").fetchone():
                seconds = fill(connection, arguments.samples)
                figures["added a second"] = round(arguments.samples / seconds)
            figures["megabytes"] = round(workspace.database_path.stat().st_size / 1e6)
            measure(connection, figures)
            in_and_out(connection, Path(folder), figures)
    report("samples", figures)


def measure(connection: sqlite3.Connection, figures: dict[str, object]) -> None:
    """Every figure but the filling."""
    for text in ("", "status:accepted", "status:rejected", "verdict:fail", "verdict:unchecked", "check:types verdict:fail", "topic:errors", "source:gpt-4", "tokens:>500",
                 "tag:gold", "rating:>=2", "dup:no", "status:new topic:errors", "verdict:fail status:new source:gpt-4", "readBuffer", '"merge(ctx"', "-status:rejected verdict:pass"):  # fmt: skip
        search = query.parse(text)
        figures[f"filter {text or '(everything)'}: ids"] = len(query.ids(connection, search))
        figures[f"filter {text or '(everything)'}"] = best(lambda search=search: query.ids(connection, search))
    for key in query.SORTS:
        for direction in ("", "-"):
            search = query.parse(f"sort:{direction}{key}")
            figures[f"sort {direction}{key}"] = best(lambda search=search: query.ids(connection, search), 3)
    everything = query.ids(connection, query.Query())
    figures["rows of a block of 128"] = best(lambda: store.rows(connection, everything[5000:5128]), 50)
    figures["count everything"] = best(lambda: query.count(connection, query.Query()))
    figures["facets of everything"] = best(lambda: query.facets(connection, query.Query()), 3)
    fetched = best(lambda: array("q", [row[0] for row in connection.execute("SELECT s.id FROM sample s JOIN review r ON r.sample_id = s.id WHERE r.deleted = 0 ORDER BY s.tokens, s.id")]))  # fmt: skip
    figures["sort tokens, ratio to plain SQL"] = fetched / float(str(figures["sort tokens"]))
    half = everything[:50_000]
    turns = iter(["accepted", "rejected"] * 20)
    figures["decide over 50,000 ids"] = best(lambda: edits.review(connection, half, status=next(turns)))
    some = query.parse(f"id:<={half[-1]}")
    figures["decide over a query of 50,000"] = best(lambda: edits.review(connection, some, status=next(turns)))
    naive = best(lambda: one_by_one(connection, half, next(turns)), 3)
    figures["decide over 50,000, ratio to a statement a sample"] = naive / float(str(figures["decide over 50,000 ids"]))
    figures["undo of 50,000"] = best(lambda: edits.undo(connection))
    figures["redo of 50,000"] = best(lambda: edits.redo(connection))
    figures["tag 50,000"] = best(lambda: edits.tag(connection, some, add=[f"t{time.perf_counter_ns()}"]), 3)
    for _ in range(3):
        edits.undo(connection)
    figures["delete and restore 50,000, half of it"] = (
        best(lambda: (edits.delete(connection, some), edits.restore(connection, half)), 3) / 2
    )
    figures["one decision by key"] = best(lambda: edits.review(connection, [17], status=next(turns)), 8)


if __name__ == "__main__":
    main()
