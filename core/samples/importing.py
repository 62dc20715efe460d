"""Files of samples into the workspace: what is good goes in, what is not is named with file, line and reason.

One import is one operation in the log, however many files and batches it takes; each batch is acknowledged on its own, so
a full disk or a killed process loses nothing that was counted. Copies of samples that are there already stay out.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core import steps
from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.evaluation.suites import is_suite
from core.samples import operations, reader, reading
from core.samples.adding import Prepared, insert
from core.samples.conversation import text_of
from core.samples.formats import FORMATS as FORMATS
from core.samples.formats import SHAPES, no_shape, shape_of
from core.samples.jsontext import Bad
from core.samples.operations import Operation
from core.samples.sources import Order, Rejected, Source
from core.steps import Steps

DETECT_ROWS = 200
PREVIEW_ROWS = 50
MOST_REJECTED = 10_000
"""Rejections kept in memory; a file with more of them is not what it was taken for."""


@dataclass(frozen=True, slots=True)
class PreviewSample:
    """What one row would become."""

    prompt: str
    response: str
    code: str


@dataclass(frozen=True, slots=True)
class Preview:
    """format: as detected or named. total: rows in all files, None where only reading would tell."""

    format: str
    total: int | None
    samples: tuple[PreviewSample, ...]
    rejected: tuple[Rejected, ...]


@dataclass(frozen=True, slots=True)
class ImportResult:
    """duplicates: rows whose text was there already. operation: the entry in the log, None when nothing was new."""

    imported: int
    duplicates: int
    rejected: tuple[Rejected, ...]
    operation: Operation | None


def detect(path: Path) -> str:
    """The shape that most of a file's first 200 readable rows have. Raises UserError when no row has a known one."""
    counts: Counter[str] = Counter()
    bad: Bad | None = None
    readable = 0
    unlike = ""
    for item in islice(reading.read(path), DETECT_ROWS):
        if isinstance(item, Bad):
            bad = bad or item
            continue
        readable += 1
        if isinstance(item.value, dict) and is_suite(item.value):
            raise UserError(
                f"{path} holds problems of an evaluation suite: they are for measuring, never to train on.",
                "Add them with `gosmith suites add`, and samples that give them away are found.",
            )
        shape = shape_of(item.value) if isinstance(item.value, dict) else None
        if shape is not None:
            counts[shape] += 1
        elif isinstance(item.value, dict):
            unlike = unlike or no_shape(item.value)
    if not readable:
        why = f" (line {bad.line}: {bad.reason})" if bad else ""
        raise UserError(f"No row of {path} can be read{why}.", "Choose a file of JSON lines, a JSON array or parquet.")
    if not counts:
        raise UserError(
            f"{path} is in no format that is known here.",
            unlike or f"Rows need the keys of one of: {', '.join(SHAPES)}. Name the format if you know it.",
        )
    return max(counts, key=lambda shape: counts[shape])


def preview(paths: Sequence[Path], format: str | None = None) -> Preview:
    """What the first rows of the files would become. Writes nothing. Raises UserError as `import_files` does."""
    files, unread = _sources(paths, format)
    samples: list[PreviewSample] = []
    rejected = list(unread)
    for file in files:
        for item in file.samples():
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                text = text_of(item[0].messages)
                samples.append(PreviewSample(text.prompt, text.response, text.code))
            if len(samples) >= PREVIEW_ROWS or len(rejected) >= MOST_REJECTED:
                break
        if len(samples) >= PREVIEW_ROWS:
            break
    counts = [reading.rows(file.path) for file in files]
    known = [count for count in counts if count is not None]
    shapes = {file.shape for file in files}
    return Preview(
        format=shapes.pop() if len(shapes) == 1 else "mixed",
        total=sum(known) if len(known) == len(counts) else None,
        samples=tuple(samples),
        rejected=tuple(rejected),
    )


def import_in_steps(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    *,
    format: str | None = None,
    source: str | None = None,
    tags: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> Steps[ImportResult]:
    """Import the good rows of these files, a step a batch: others may write between two.

    source: who wrote them, whatever the rows say. progress: called with bytes read and bytes in all. cancel: asked before each batch; what
    went in before stays, and can be undone. Raises UserError when no file can be read, or the disk is full.
    """
    files, unread = _sources(paths, format)
    order = Order(tuple(files), source or "", tuple(tags))
    rejected = list(unread)

    def new() -> Generator[list[Prepared], None, None]:
        with closing(reader.read(order)) as batches:
            for batch in batches:
                rejected.extend(batch.rejected[: MOST_REJECTED - len(rejected)])
                if progress is not None:
                    progress(batch.position, order.size)
                yield batch.new

    names = paths[0].name if len(paths) == 1 else f"{len(paths)} files"
    with closing(new()) as batches:
        taken = yield from take_in(connection, batches, label=f"Import {names}", author="import", cancel=cancel)
    return ImportResult(taken.imported, taken.duplicates, tuple(rejected), taken.operation)


import_files = steps.in_one_go(import_in_steps)
"""`import_in_steps` for those who have nothing else to do meanwhile."""


@dataclass(frozen=True, slots=True)
class Taken:
    """What `take_in` did."""

    imported: int
    duplicates: int
    operation: Operation | None


def take_in(
    connection: sqlite3.Connection,
    batches: Iterator[Sequence[Prepared]],
    *,
    label: str,
    author: str,
    cancel: Callable[[], bool] = lambda: False,
) -> Steps[Taken]:
    """Add samples as one operation, a transaction and a step a batch. Undoing that operation meanwhile ends it, as `cancel` does.

    Raises UserError when a batch cannot be written; the batches before it are in, and the sentence says how many samples that is.
    """
    imported = duplicates = 0
    entry: int | None = None
    while not cancel() and (batch := next(batches, None)) is not None:
        try:
            with transaction(connection):
                if entry is not None and not operations.is_open(connection, entry):
                    break
                added = insert(connection, batch, author=author)
                duplicates += added.duplicates
                if added.ids:
                    if entry is None:
                        entry = operations.begin(connection, author)
                        operations.close(connection, entry, label, len(added.ids))
                    else:
                        operations.grow(connection, entry, imported + len(added.ids))
                    operations.put_part(connection, entry, "review", {"deleted": 1}, {"deleted": 0}, added.ids)
        except UserError as error:
            if not imported:
                raise
            raise UserError(
                f"{error.message} {imported:,} samples are in.", f"{error.hint} Undo takes them out again."
            ) from error
        imported += len(added.ids)
        yield
    if entry is None:
        return Taken(0, duplicates, None)
    changes = Changes(membership=True, ids=None)
    return Taken(imported, duplicates, Operation(entry, label, imported, changes))


def _sources(paths: Sequence[Path], format: str | None) -> tuple[list[Source], list[Rejected]]:
    """The files that can be read, and among several those that cannot. Raises UserError when none can."""
    if format is not None and format not in FORMATS:
        raise UserError(f"There is no format “{format}”.", f"Known are: {', '.join(FORMATS)}.")
    forced = format if format in SHAPES else None
    files: list[Source] = []
    unread: list[tuple[Path, UserError]] = []
    for path in paths:
        try:
            if forced is not None:
                next(reading.read(path), None)
            files.append(Source(path, forced or detect(path), forced is not None, _size(path)))
        except UserError as error:
            unread.append((path, error))
    if unread and not files:
        raise unread[0][1]
    return files, [Rejected(path, 0, error.message.rstrip(".")) for path, error in unread]


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size
    except OSError:
        return 0
