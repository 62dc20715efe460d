"""The numbers of runs as a table that other programs read: one row a step, every digit as the log has it."""

from __future__ import annotations

import csv
import math
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, TextIO

from core.errors import UserError
from core.training.metrics import STEP_SERIES, RunMetrics

SPARSE: Final = (
    ("validation", "loss"), ("answers", "parsed"), ("answers", "compiled"),
    ("evaluation", "pass_at_1"), ("evaluation", "compile_rate"),
)  # fmt: skip
COLUMNS: Final = ("run", "step", "tokens", "seconds", *STEP_SERIES, *(f"{track}_{name}" for track, name in SPARSE))
_ROWS: Final = 10_000


def write_csv(path: Path, runs: Sequence[tuple[str, Path]]) -> int:
    """Write the runs, each a title and its event log, below one another; returns the number of rows.

    What was not measured at a step is left empty. Raises UserError when the file cannot be written; an older one then
    still stands.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        try:
            with open(temporary, "w", encoding="utf-8", newline="") as file:
                count = _write(file, runs)
            os.replace(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
    except OSError as error:
        raise UserError(
            f"The numbers cannot be written to {path}: {error.strerror}.", "Choose another folder, or free some space."
        ) from error
    return count


def _write(file: TextIO, runs: Sequence[tuple[str, Path]]) -> int:
    table = csv.writer(file)
    table.writerow(COLUMNS)
    count = 0
    for title, log in runs:
        metrics = RunMetrics(log)
        metrics.load()
        for rows in _rows(title, metrics):
            table.writerows(rows)
            count += len(rows)
    return count


def _rows(title: str, metrics: RunMetrics) -> Iterator[list[tuple[object, ...]]]:
    steps = metrics.steps
    sparse = [_by_step(metrics, track, name) for track, name in SPARSE]
    for start in range(0, len(steps), _ROWS):
        part = slice(start, start + _ROWS)
        numbers = [int(step) for step in steps.x("step")[part]]
        columns: list[list[object]] = [[title] * len(numbers), list(numbers)]
        columns.append([int(tokens) for tokens in steps.x("tokens")[part]])
        columns.append([round(seconds, 3) for seconds in steps.x("time")[part].tolist()])
        for name in STEP_SERIES:
            series = steps.series.get(name)
            columns.append([_cell(y) for y in series.y[part].tolist()] if series else [""] * len(numbers))
        columns += [[_cell(values.get(step, math.nan)) for step in numbers] for values in sparse]
        yield list(zip(*columns, strict=True))


def _by_step(metrics: RunMetrics, track: str, name: str) -> dict[int, float]:
    found = metrics.tracks[track]
    if name not in found.series:
        return {}
    return dict(zip((int(step) for step in found.x("step")), found.series[name].y.tolist(), strict=True))


def _cell(value: float) -> object:
    if math.isnan(value):
        return ""
    return int(value) if value.is_integer() and abs(value) < 1e15 else value
