"""The step events of a long log as columns of numbers, without making an object of each line.

A log of a million steps is 250 MB of JSON: line by line that takes five seconds and holds the interpreter all the while.
Arrow's reader does the same in one, on threads of its own. It is only asked where it cannot differ from `json.loads`: each
line must be one object, and whatever Arrow refuses is read line by line. Which events matter is not decided here.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from core.jobs.events import parse_lines

STEP_FIELDS: Final = (
    "step", "t", "loss", "lr", "grad_norm", "tokens", "tokens_per_second",
    "trained", "trained_per_second", "memory", "gpu", "mfu",
)  # fmt: skip
_WORTH_ARROW: Final = 1 << 16
_BLOCK: Final = 1 << 20
_LINE_END, _OPEN, _CLOSE = b"\n{}"


@dataclass(frozen=True, slots=True)
class Batch:
    """The events of some lines, in order.

    steps: a row for each of STEP_FIELDS, a column for each step event; NaN where the event has no such number.
    others: every other event, with the number of step events that came before it.
    """

    steps: NDArray[np.float64]
    others: tuple[tuple[int, dict[str, Any]], ...]


class LineTail:
    """Reads a growing file in pieces of whole lines. `offset`: how much of it has been read."""

    def __init__(self, path: Path, offset: int = 0) -> None:
        self.path = path
        self.offset = offset

    def behind(self) -> int:
        """How many bytes are still to be read; below 0 when the file is another one than that which was read."""
        try:
            return self.path.stat().st_size - self.offset
        except FileNotFoundError:
            return -self.offset

    def shrank(self) -> bool:
        """Is the file shorter than what was read of it? Then what was read counts no more."""
        return self.behind() < 0

    def read(self, limit: int = 16 << 20) -> bytes:
        """The whole lines that came since the last call, about `limit` bytes at most; b"" when there are none."""
        try:
            with open(self.path, "rb") as file:
                file.seek(self.offset)
                data = file.read(limit)
                end = data.rfind(b"\n") + 1
                if not end and len(data) == limit:
                    data += file.readline()
                    end = data.rfind(b"\n") + 1
        except FileNotFoundError:
            return b""
        self.offset += end
        return data[:end]


def parse(data: bytes) -> Batch:
    """The events in whole lines; what is no JSON object with a kind, and a step event without a step, is left out."""
    if len(data) < _WORTH_ARROW:
        return _line_by_line(data)
    batch = _with_arrow(data)
    if batch is not None:
        return batch
    middle = data.find(b"\n", len(data) // 2) + 1
    if not 0 < middle < len(data):
        return _line_by_line(data)
    return _joined(parse(data[:middle]), parse(data[middle:]))


def number(value: object) -> float:
    """A value of an event as a float; JSON has no NaN, so null, and whatever else is no finite number, is NaN."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return math.nan
    try:
        result = float(value)
    except OverflowError:
        return math.nan
    return result if math.isfinite(result) else math.nan


def _line_by_line(data: bytes) -> Batch:
    steps: list[list[float]] = []
    others: list[tuple[int, dict[str, Any]]] = []
    for event in parse_lines(data):
        if event["kind"] != "step":
            others.append((len(steps), event))
            continue
        row = [number(event.get(name)) for name in STEP_FIELDS]
        if not math.isnan(row[0]):
            steps.append(row)
    return Batch(np.asarray(steps, dtype=np.float64).reshape(-1, len(STEP_FIELDS)).T, tuple(others))


def _with_arrow(data: bytes) -> Batch | None:
    """The same, quickly; None when Arrow might see these lines otherwise than `json.loads` does."""
    import pyarrow
    import pyarrow.compute
    import pyarrow.json

    letters = np.frombuffer(data, dtype=np.uint8)
    ends = np.flatnonzero(letters == _LINE_END)
    starts = np.concatenate(([0], ends[:-1] + 1))
    if np.any(letters[starts] != _OPEN) or np.any(letters[ends - 1] != _CLOSE) or not _is_text(data):
        return None
    schema = pyarrow.schema(
        [("kind", pyarrow.string()), *((name, pyarrow.float64()) for name in STEP_FIELDS)],
    )
    try:
        table = pyarrow.json.read_json(
            pyarrow.BufferReader(data),
            read_options=pyarrow.json.ReadOptions(use_threads=True, block_size=_BLOCK),
            parse_options=pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="ignore"),
        )
    except pyarrow.ArrowInvalid:
        return None
    if table.num_rows != len(ends):
        return None
    is_step = pyarrow.compute.fill_null(pyarrow.compute.equal(table.column("kind"), "step"), False).to_numpy()
    columns = np.empty((len(STEP_FIELDS), table.num_rows))
    for row, name in enumerate(STEP_FIELDS):
        columns[row] = table.column(name).to_numpy()
    columns[np.isinf(columns)] = np.nan
    taken = is_step & ~np.isnan(columns[0])
    before = np.cumsum(taken)
    others = []
    for place in np.flatnonzero(~is_step):
        event = json.loads(data[starts[place] : ends[place]])
        if "kind" in event:
            others.append((int(before[place]), event))
    return Batch(columns if taken.all() else columns[:, taken], tuple(others))


def _is_text(data: bytes) -> bool:
    if data.isascii():
        return True
    try:
        data.decode()
    except UnicodeDecodeError:
        return False
    return True


def _joined(one: Batch, other: Batch) -> Batch:
    before = one.steps.shape[1]
    moved = tuple((place + before, event) for place, event in other.others)
    return Batch(np.concatenate((one.steps, other.steps), axis=1), one.others + moved)
