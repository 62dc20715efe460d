"""What snapshots hold, beside their use for training: how two differ, and which of them hold a sample.

Reads the files of snapshots only, never the database: a snapshot that was copied from another workspace can be asked the same.
"""

from __future__ import annotations

import json
import mmap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.samples.snapshots import Snapshot

SIDES = ("train", "validation")


@dataclass(frozen=True, slots=True)
class Difference:
    """From one snapshot to another, by uid of the samples. same: with equal text on the same side.

    edited: in both, with another text. moved: in both with equal text, on the other side of the split.
    """

    same: int
    added: tuple[str, ...]
    removed: tuple[str, ...]
    edited: tuple[str, ...]
    moved: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Membership:
    """A snapshot that holds a sample. side: train or validation; version: which text of it."""

    snapshot: str
    side: str
    version: int


def compare(one: Snapshot, other: Snapshot) -> Difference:
    """What is different in `other`. Raises UserError when a file of theirs is damaged."""
    before, after = _members(one.folder), _members(other.folder)
    both = [uid for uid in before if uid in after]
    edited = tuple(uid for uid in both if before[uid][1] != after[uid][1])
    moved = tuple(uid for uid in both if before[uid][1] == after[uid][1] and before[uid][0] != after[uid][0])
    return Difference(
        same=len(both) - len(edited) - len(moved),
        added=tuple(uid for uid in after if uid not in before),
        removed=tuple(uid for uid in before if uid not in after),
        edited=edited,
        moved=moved,
    )


def containing(snapshots: Sequence[Snapshot], uid: str) -> list[Membership]:
    """Which of these snapshots hold the sample, in their order. Searches bytes: a gigabyte a second, nothing is parsed."""
    found = []
    for snapshot in snapshots:
        for side in SIDES:
            line = _line_with(snapshot.folder / f"{side}.jsonl", uid)
            if line is not None:
                found.append(Membership(snapshot.name, side, int(line["version"])))
    return found


def _members(folder: Path) -> dict[str, tuple[str, str]]:
    """uid -> (side, hash of the text)."""
    return {row["sample"]: (side, row["hash"]) for side in SIDES for row in _rows(folder / f"{side}.jsonl")}


def _rows(path: Path) -> Iterator[dict[str, Any]]:
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file, start=1):
                try:
                    row = json.loads(line)
                    yield {"sample": str(row["sample"]), "hash": str(row["hash"])}
                except (ValueError, KeyError, TypeError):
                    raise UserError(
                        f"{path} is damaged in line {number}.",
                        "Make the snapshot anew, or bring its folder from a backup.",
                    ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Bring the snapshot from a backup.") from error


def _line_with(path: Path, uid: str) -> dict[str, Any] | None:
    """The line that belongs to a sample; the key stands at its beginning, where no text of a sample can put it.

    A file that cannot be read, or is damaged there, holds nothing as far as anybody can say: `compare` names such files.
    """
    needle = b'{"sample": ' + json.dumps(uid).encode() + b","
    try:
        with path.open("rb") as file:
            if not path.stat().st_size:
                return None
            with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
                at = data.find(needle)
                while at > 0 and data[at - 1 : at] != b"\n":
                    at = data.find(needle, at + 1)
                if at < 0:
                    return None
                end = data.find(b"\n", at)
                line: dict[str, Any] = json.loads(data[at : end if end >= 0 else len(data)])
                return line
    except (OSError, ValueError):
        return None
