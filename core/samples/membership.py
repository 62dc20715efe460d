"""Which samples a snapshot holds, asked in SQL: the key `snapshot:` of a search reads the snapshot itself.

A snapshot is never changed, so its files are the only list of its samples and no copy in the database can differ from them. A
snapshot that is not there holds nothing; one that was copied from another workspace is read like any other. What a sample's
text was at that time is not asked here: `comparing` tells.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from functools import lru_cache, partial
from pathlib import Path

_UID = re.compile(rb'\{"sample": "((?:[^"\\]|\\.)*)",')
_FILES = ("train.jsonl", "validation.jsonl")
_KEPT = 4
"""Snapshots whose lists stay in memory: a search is counted a dozen times in a row."""


def attach(connection: sqlite3.Connection, snapshots: Path) -> None:
    """Let searches of this connection say `snapshot:NAME` about the snapshots in this folder."""
    connection.create_function("snapshot_samples", 1, partial(_samples, snapshots))
    connection.create_function("snapshot_names", 0, lambda: json.dumps(names(snapshots)))


def names(snapshots: Path) -> list[str]:
    """All snapshots by name."""
    try:
        with os.scandir(snapshots) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except FileNotFoundError:
        return []


def uids(folder: Path) -> list[str]:
    """The samples of the snapshot in this folder; [] where there is none."""
    found: list[str] = json.loads(_listed(folder, _stamp(folder)))
    return found


def known_names(connection: sqlite3.Connection) -> list[str]:
    """The snapshots that searches of this connection can name."""
    found: list[str] = json.loads(connection.execute("SELECT snapshot_names()").fetchone()[0])
    return found


def _samples(snapshots: Path, wanted: str) -> str:
    """The uids in the snapshots of this name as a JSON array; capitals do not matter, `*` at the end matches any ending."""
    folded = wanted.casefold()
    beginning = folded[:-1] if folded.endswith("*") and len(folded) > 1 else None
    chosen = [
        name
        for name in names(snapshots)
        if (name.casefold() == folded if beginning is None else name.casefold().startswith(beginning))
    ]
    lists = [_listed(snapshots / name, _stamp(snapshots / name)) for name in chosen]
    return lists[0] if len(lists) == 1 else json.dumps([uid for found in lists for uid in json.loads(found)])


def _stamp(folder: Path) -> tuple[int, ...]:
    """Tells a snapshot from another one that took its name."""
    try:
        return tuple(os.stat(folder / name).st_mtime_ns for name in _FILES)
    except OSError:
        return ()


@lru_cache(maxsize=_KEPT)
def _listed(folder: Path, _stamp: tuple[int, ...]) -> str:
    found: list[str] = []
    for name in _FILES:
        try:
            with (folder / name).open("rb") as file:
                # Line by line: the key stands at a line's beginning, where no text of a sample can put it.
                for line in file:
                    uid = _UID.match(line)
                    if uid is not None:
                        found.append(json.loads(b'"' + uid[1] + b'"'))
        except OSError:
            continue
    return json.dumps(found)
