"""How much there is to train on in a snapshot, in tokens of a given base, from a sample of its rows.

Only sizes: what exactly is trained on, row by row, is decided and refused by the engine. Cheap enough for a dialog
(a pass over the file's bytes and the tokens of a few hundred rows), on a worker thread.
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from core.errors import UserError
from core.files import read_json

SAMPLED_ROWS = 200
TURN_TOKENS = 5
"""What a chat template puts around a message, about."""


@dataclass(frozen=True, slots=True, eq=False)
class DataShape:
    """samples: rows to train on. tokens: of all of them. longest: tokens of the longest row. validation: rows held back.
    validation_longest: tokens of the longest of those.

    lengths: tokens of each row, estimated from its bytes, in file order; None when only the totals are known.
    """

    samples: int
    tokens: int
    longest: int
    validation: int = 0
    lengths: NDArray[np.int64] | None = None
    validation_longest: int = 0

    def cut(self, max_length: int) -> int:
        """How many rows are longer than `max_length`."""
        if self.lengths is None:
            return self.samples if self.longest > max_length and self.samples == 1 else 0
        return int((self.lengths > max_length).sum())

    def tokens_within(self, max_length: int) -> int:
        """Tokens left when each row is cut at `max_length`."""
        if self.lengths is None:
            return min(self.tokens, self.samples * max_length)
        return int(np.minimum(self.lengths, max_length).sum())

    def mean_context(self, max_length: int) -> float:
        """Tokens of the row that a token stands in, on average over tokens: what attention costs follow this."""
        if self.lengths is None:
            return min(self.tokens / max(1, self.samples), max_length)
        kept = np.minimum(self.lengths, max_length).astype(np.float64)
        return float((kept * kept).sum() / kept.sum())


def measure(snapshot: Path, base: Path) -> DataShape:
    """The shape of a snapshot's training rows; asked again for the same files, it answers at once.

    base: a folder with tokenizer.json. Raises UserError when the snapshot is missing, damaged, or has no rows.
    """
    train = snapshot / "train.jsonl"
    try:
        state = train.stat()
    except OSError as error:
        raise UserError(f"{train} cannot be read: {error.strerror}.", "Create the snapshot again.") from None
    return _measure(train, base / "tokenizer.json", state.st_mtime_ns, state.st_size)


@lru_cache(maxsize=8)
def _measure(train: Path, tokenizer: Path, changed: int, size: int) -> DataShape:
    """`measure`, kept while the file's time and size stay the same: a dialog asks after every key."""
    sizes, contents = _rows(train)
    if not len(sizes):
        raise UserError(f"The snapshot {train.parent.name} has no rows to train on.", "Create it from more samples.")
    rate = _tokens_per_byte(contents, tokenizer)
    lengths = np.maximum(1, np.rint(sizes * rate)).astype(np.int64)
    share = float(sizes.sum()) / train.stat().st_size
    held_back, most = _count(train.with_name("validation.jsonl"))
    return DataShape(
        len(lengths), int(lengths.sum()), int(lengths.max()), held_back, lengths, math.ceil(most * share * rate)
    )


def snapshot_folder(snapshots_dir: Path, name: str) -> Path:
    """The folder of a snapshot. Raises UserError naming the nearest ones when there is none of that name."""
    folder = snapshots_dir / name
    plain = name == Path(name).name
    if plain and read_json(folder / "manifest.json") is not None and (folder / "train.jsonl").is_file():
        return folder
    known = sorted(path.parent.name for path in snapshots_dir.glob("*/manifest.json"))
    if plain and folder.is_dir():
        raise UserError(f"The snapshot “{name}” is damaged: a file is missing in {folder}.", "Create it again.")
    hint = f"There are: {', '.join(known[-8:])}." if known else "Create one with `gosmith snapshot create NAME`."
    raise UserError(f"There is no snapshot “{name}”.", hint)


def _rows(path: Path) -> tuple[NDArray[np.float64], list[str]]:
    """Bytes of each row's contents, about, and the contents of evenly spread rows."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Create the snapshot again.") from None
    ends = np.flatnonzero(np.frombuffer(data, dtype=np.uint8) == 10)
    if len(data) and not data.endswith(b"\n"):
        ends = np.append(ends, len(data))
    starts = np.concatenate(([0], ends[:-1] + 1)).astype(np.int64)
    keep = ends > starts
    starts, ends = starts[keep], ends[keep]
    spread = np.linspace(0, len(starts) - 1, min(SAMPLED_ROWS, len(starts)))
    chosen = np.unique(spread.astype(np.int64))
    contents, share = [], []
    for row in chosen:
        line = data[starts[row] : ends[row]]
        text = _content(line, path, int(row) + 1)
        contents.append(text)
        share.append(len(text.encode()) / len(line))
    sizes: NDArray[np.float64] = (ends - starts) * np.float64(np.mean(share) if share else 1.0)
    return sizes, contents


def _content(line: bytes, path: Path, number: int) -> str:
    try:
        row: dict[str, Any] = json.loads(line)
        if "messages" in row:
            return "\n".join(str(message["content"] or "") for message in row["messages"])
        return str(row["text"])
    except (ValueError, KeyError, TypeError):
        raise UserError(f"Line {number} of {path} is damaged.", "Create the snapshot again.") from None


def _tokens_per_byte(contents: list[str], tokenizer_file: Path) -> float:
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(tokenizer_file))
    tokens = sum(len(encoding.ids) for encoding in tokenizer.encode_batch(contents, add_special_tokens=False))
    return (tokens + 2 * TURN_TOKENS * len(contents)) / max(1, sum(len(text.encode()) for text in contents))


def _count(path: Path) -> tuple[int, int]:
    """Rows of a file, and bytes of the longest."""
    try:
        sizes = [len(line) for line in path.read_bytes().splitlines() if line.strip()]
    except FileNotFoundError:
        return 0, 0
    return len(sizes), max(sizes, default=0)
