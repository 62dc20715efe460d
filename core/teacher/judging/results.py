"""What became of one text that was to be judged, as a value and as a line of the job's output; nothing that was paid for is missing in it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from core.teacher.judging.judgement import Points
from core.teacher.results import Exchange, exchange_from, read_lines, whole_lines

FILE = "judgements.jsonl"


@dataclass(frozen=True, slots=True)
class Judged:
    """score: None for one that failed, and then reason says why. created: seconds since 1970."""

    sample: int
    version: int
    score: int | None
    points: tuple[Points, ...]
    summary: str
    reason: str
    created: int
    exchanges: tuple[Exchange, ...] = ()


def from_line(line: bytes) -> Judged:
    """What `core.teacher.results.to_line` was given."""
    row = json.loads(line)
    row["points"] = tuple(Points(**one) for one in row["points"])
    row["exchanges"] = tuple(exchange_from(one) for one in row["exchanges"])
    return Judged(**row)


def read(path: Path, offset: int = 0, most: int | None = None) -> tuple[list[Judged], int]:
    """Judgements from `offset` on, at most so many, and where the next ones begin."""
    return read_lines(path, from_line, offset, most)


def each(path: Path) -> Iterator[Judged]:
    """All of them, one at a time."""
    return map(from_line, whole_lines(path))
