"""Files of samples into the workspace: what is good goes in, what is not is named with file, line and reason.

One import is one operation in the log, however many files and batches it takes; each batch is acknowledged on its own, so
a full disk or a killed process loses nothing that was counted. Copies of samples that are there already stay out.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from core.changes import Changes
from core.database import transaction
from core.errors import UserError
from core.samples import operations, reading
from core.samples.adding import add
from core.samples.conversation import NewSample, text_of
from core.samples.formats import FORMATS as FORMATS
from core.samples.formats import SHAPES, NotASampleError, parse, shape_of
from core.samples.operations import Operation
from core.samples.reading import Bad, Found

BATCH = 1_000
DETECT_ROWS = 200
DETECT_SHARE = 0.95
PREVIEW_ROWS = 50
DEFAULT_SOURCE = "imported"
MOST_REJECTED = 10_000
"""Rejections kept in memory; a file with more of them is not what it was taken for."""


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no sample. line: from 1; the row in parquet; 0 for the whole file."""

    file: Path
    line: int
    reason: str


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
    """The shape that at least 95 % of a file's first 200 readable rows have. Raises UserError when there is none."""
    counts: dict[str | None, int] = {}
    bad: Bad | None = None
    for item in islice(reading.read(path), DETECT_ROWS):
        if isinstance(item, Bad):
            bad = bad or item
            continue
        shape = shape_of(item.value) if isinstance(item.value, dict) else None
        counts[shape] = counts.get(shape, 0) + 1
    total = sum(counts.values())
    if not total:
        why = f" (line {bad.line}: {bad.reason})" if bad else ""
        raise UserError(f"No row of {path} can be read{why}.", "Choose a file of JSON lines, a JSON array or parquet.")
    named = {shape: count for shape, count in counts.items() if shape is not None}
    best = max(named, key=lambda shape: named[shape], default=None)
    if best is None or named[best] < DETECT_SHARE * total:
        raise UserError(
            f"{path} is in no format that is known here, or in several.",
            f"Rows need the keys of one of: {', '.join(SHAPES)}. Name the format if you know it.",
        )
    return best


def preview(paths: Sequence[Path], format: str | None = None) -> Preview:
    """What the first rows of the files would become. Writes nothing. Raises UserError when a file cannot be read."""
    shapes = [_shape(path, format) for path in paths]
    samples: list[PreviewSample] = []
    rejected: list[Rejected] = []
    for path, shape in zip(paths, shapes, strict=True):
        for item in _samples(path, shape):
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                text = text_of(item[0].messages)
                samples.append(PreviewSample(text.prompt, text.response, text.code))
            if len(samples) >= PREVIEW_ROWS or len(rejected) >= MOST_REJECTED:
                break
        if len(samples) >= PREVIEW_ROWS:
            break
    counts = [reading.rows(path) for path in paths]
    known = [count for count in counts if count is not None]
    return Preview(
        format=shapes[0] if len(set(shapes)) == 1 else "mixed",
        total=sum(known) if len(known) == len(counts) else None,
        samples=tuple(samples),
        rejected=tuple(rejected),
    )


def import_files(
    connection: sqlite3.Connection,
    paths: Sequence[Path],
    *,
    format: str | None = None,
    source: str | None = None,
    tags: Sequence[str] = (),
    progress: Callable[[int, int], None] | None = None,
    cancel: Callable[[], bool] = lambda: False,
) -> ImportResult:
    """Import the good rows of these files.

    source: who wrote them, where the rows do not say. progress: called with bytes read and bytes in all. cancel: asked
    before each batch; what went in before stays, and can be undone. Raises UserError when a file cannot be read or the disk is full.
    """
    shapes = [_shape(path, format) for path in paths]
    total = sum(_size(path) for path in paths)
    rejected: list[Rejected] = []

    def new() -> Iterator[NewSample]:
        before = 0
        for path, shape in zip(paths, shapes, strict=True):
            for item in _samples(path, shape):
                if isinstance(item, Rejected):
                    if len(rejected) < MOST_REJECTED:
                        rejected.append(item)
                    continue
                sample, position = item
                if progress is not None:
                    progress(min(before + position, total), total)
                yield NewSample(
                    sample.messages,
                    sample.topic,
                    source or sample.source or DEFAULT_SOURCE,
                    tuple(dict.fromkeys((*sample.tags, *tags))),
                )
            before += _size(path)

    names = f"{paths[0].name}" if len(paths) == 1 else f"{len(paths)} files"
    taken = take_in(connection, new(), label=f"Import {names}", author="import", cancel=cancel)
    return ImportResult(taken.imported, taken.duplicates, tuple(rejected), taken.operation)


@dataclass(frozen=True, slots=True)
class Taken:
    """What `take_in` did."""

    imported: int
    duplicates: int
    operation: Operation | None


def take_in(
    connection: sqlite3.Connection,
    new: Iterator[NewSample],
    *,
    label: str,
    author: str,
    cancel: Callable[[], bool] = lambda: False,
) -> Taken:
    """Add samples in batches as one operation. If it is undone while it runs, it goes on as an operation of its own."""
    imported = duplicates = 0
    entry: int | None = None
    while not cancel() and (batch := list(islice(new, BATCH))):
        with transaction(connection):
            added = add(connection, batch, author=author)
            duplicates += added.duplicates
            if not added.ids:
                continue
            imported += len(added.ids)
            if entry is None or not operations.is_open(connection, entry):
                entry = operations.begin(connection, author)
            operations.put_part(connection, entry, "review", {"deleted": 1}, {"deleted": 0}, added.ids)
            operations.close(connection, entry, label, imported)
    if entry is None:
        return Taken(0, duplicates, None)
    changes = Changes(membership=True, ids=None)
    return Taken(imported, duplicates, Operation(entry, label, imported, changes))


def _shape(path: Path, format: str | None) -> str:
    if format is not None and format not in FORMATS:
        raise UserError(f"There is no format “{format}”.", f"Known are: {', '.join(FORMATS)}.")
    return detect(path) if format is None or format == "parquet" else format


def _samples(path: Path, shape: str) -> Iterator[tuple[NewSample, int] | Rejected]:
    """Samples with the bytes read so far, and rows that are none."""
    for item in reading.read(path):
        if isinstance(item, Bad):
            yield Rejected(path, item.line, item.reason)
        else:
            yield _sample(path, item, shape)


def _sample(path: Path, found: Found, shape: str) -> tuple[NewSample, int] | Rejected:
    if not isinstance(found.value, dict):
        return Rejected(path, found.line, "the row is no JSON object")
    try:
        parsed = parse(found.value, shape)
    except NotASampleError as error:
        return Rejected(path, found.line, str(error))
    return NewSample(parsed.messages, parsed.topic, parsed.source, parsed.tags), found.position


def _size(path: Path) -> int:
    try:
        if path.is_dir():
            return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
        return path.stat().st_size
    except OSError:
        return 0
