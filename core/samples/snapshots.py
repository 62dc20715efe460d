"""Snapshots: the frozen, hashed lists of versions that runs train on.

A snapshot is a folder of two JSONL files, a manifest and a card. It appears whole or not at all and is never changed; later edits
of its samples do not reach it. The same texts, share and seed give the same split and order, whatever the ids of the
samples are. Near copies never stand on both sides of the split; deleted samples on none.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import secrets
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

from core.database import still
from core.errors import UserError
from core.files import read_json, write_json, write_whole
from core.samples import minhash
from core.samples.conversation import messages_of
from core.samples.duplicates import texts
from core.samples.exporting import contaminated_alone
from core.samples.formats import write
from core.samples.language import Query, leaving, living, render
from core.samples.query import count, select
from core.samples.snapshot_card import card
from core.versions import tools

NEAR = 0.7
"""Solutions at least this similar stay on one side of the split."""
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_FORMAT = 1
_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Snapshot:
    """samples = train + validation. sha256: of both files together. query: as it was searched. tokens, longest: estimates.

    contaminated: samples that were found but left out, because they give away problems of a suite.
    """

    name: str
    folder: Path
    samples: int
    train: int
    validation: int
    sha256: str
    query: str
    seed: int
    created: str
    tokens: int
    longest: int
    contaminated: int = 0


@dataclass(frozen=True, slots=True)
class _Row:
    sample: int
    hash: bytes
    tokens: int


class _Counted:
    """Progress over both files as one."""

    def __init__(self, progress: Callable[[int, int], None] | None, total: int) -> None:
        self._progress, self._done, self._total = progress, 0, total

    def add(self, count: int) -> None:
        self._done += count
        if self._progress is not None:
            self._progress(self._done, self._total)


def create(
    snapshots_dir: Path,
    connection: sqlite3.Connection,
    name: str,
    query: Query,
    *,
    validation: float = 0.05,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> Snapshot:
    """Freeze the samples that `query` finds.

    validation: share held back, 0 to 0.5. Raises UserError when the name is taken or no name, nothing is found, or the disk is full.
    """
    folder = snapshots_dir / name
    if not _NAME.fullmatch(name):
        raise UserError(
            f"“{name}” cannot be the name of a snapshot.", "Use letters, digits, dots, dashes and underscores."
        )
    if folder.exists():
        raise UserError(f"There is a snapshot “{name}” already.", "Snapshots never change; choose another name.")
    if not 0.0 <= validation <= 0.5:
        raise UserError(f"The validation share is {validation:g}.", "It must be from 0 to 0.5.")
    draft = snapshots_dir / f".{name}.{secrets.token_hex(4)}"
    try:
        with still(connection):
            rows = _rows(connection, leaving(query))
            contaminated = count(connection, living(query)) - len(rows)
            if not rows and contaminated:
                raise contaminated_alone(contaminated)
            if not rows:
                raise UserError(
                    f"No sample matches “{render(query)}”.", "Accept some samples first, or search for others."
                )
            held_back = _held_back(connection, rows, validation, seed)
            kinds = _kinds(connection, rows)
            train = [row for row in rows if row.sample not in held_back]
            held = [row for row in rows if row.sample in held_back]
            draft.mkdir(parents=True)
            done = _Counted(progress, len(rows))
            hashes = [
                _write(draft / f"{side}.jsonl", connection, part, done)
                for side, part in (("train", train), ("validation", held))
            ]
        manifest = {
            "format": _FORMAT,
            "name": name,
            "query": render(query),
            "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            "tools": tools(),
            "seed": seed,
            "validation_share": validation,
            "samples": len(rows),
            "train": len(train),
            "validation": len(held),
            "sha256": hashlib.sha256("".join(hashes).encode()).hexdigest(),
            "files": {"train.jsonl": hashes[0], "validation.jsonl": hashes[1]},
            "contaminated_left_out": contaminated,
            "tokens": sum(row.tokens for row in train),
            "longest": max((row.tokens for row in rows), default=0),
        }
        write_whole(draft / "README.md", card(manifest, *kinds))
        write_json(draft / "manifest.json", manifest)
        draft.rename(folder)
    except OSError as error:
        shutil.rmtree(draft, ignore_errors=True)
        if folder.exists():
            raise UserError(
                f"There is a snapshot “{name}” already.", "Snapshots never change; choose another name."
            ) from error
        raise UserError(
            f"The snapshot cannot be written to {snapshots_dir}: {error.strerror}.", "Free some space and try again."
        ) from error
    except BaseException:
        shutil.rmtree(draft, ignore_errors=True)
        raise
    return show(snapshots_dir, name)


def adopt(draft: Path, target: Path) -> None:
    """Move a snapshot that was made elsewhere to its place, whole or not at all.

    Raises UserError when there is one of that name already, or the disk is full.
    """
    if target.exists():
        raise UserError(f"There is a snapshot “{target.name}” already.", "Snapshots never change; choose another name.")
    beside = target.with_name(f".{target.name}.{secrets.token_hex(4)}")
    try:
        shutil.copytree(draft, beside)
        beside.rename(target)
    except OSError as error:
        shutil.rmtree(beside, ignore_errors=True)
        raise UserError(
            f"The snapshot cannot be written to {target.parent}: {error.strerror}.", "Free some space and try again."
        ) from error


def list_snapshots(snapshots_dir: Path) -> list[Snapshot]:
    """All snapshots, newest first; folders without a readable manifest are no snapshots."""
    try:
        names = [entry.name for entry in snapshots_dir.iterdir() if entry.is_dir() and not entry.name.startswith(".")]
    except OSError:
        return []
    found = [_read(snapshots_dir / name) for name in names]
    return sorted((item for item in found if item is not None), key=lambda item: item.created, reverse=True)


def show(snapshots_dir: Path, name: str) -> Snapshot:
    """One snapshot. Raises UserError when there is none of that name."""
    found = _read(snapshots_dir / name)
    if found is None:
        known = ", ".join(item.name for item in list_snapshots(snapshots_dir)[:5])
        raise UserError(f"There is no snapshot “{name}”.", f"There are: {known}." if known else "Create one first.")
    return found


def _read(folder: Path) -> Snapshot | None:
    manifest = read_json(folder / "manifest.json")
    if manifest is None or manifest.get("format") != _FORMAT:
        return None

    def number(key: str) -> int:
        return int(manifest[key])

    return Snapshot(
        name=folder.name,
        folder=folder,
        samples=number("samples"),
        train=number("train"),
        validation=number("validation"),
        sha256=str(manifest["sha256"]),
        query=str(manifest["query"]),
        seed=number("seed"),
        created=str(manifest["created"]),
        tokens=number("tokens"),
        longest=number("longest"),
        contaminated=int(manifest.get("contaminated_left_out", 0)),
    )


def _rows(connection: sqlite3.Connection, query: Query) -> list[_Row]:
    """What is found, in the order of the texts' hashes: the same whatever the ids are."""
    chosen, parameters = select(query, ordered=False)
    statement = f"""
        SELECT s.id, v.hash, v.tokens FROM ({chosen}) f JOIN sample s ON s.id = f.id JOIN version v ON v.id = s.version_id
        ORDER BY v.hash, s.uid
    """
    return [_Row(*row) for row in connection.execute(statement, parameters)]


def _kinds(connection: sqlite3.Connection, rows: Sequence[_Row]) -> tuple[Counter[str], Counter[str]]:
    """How many samples there are of each topic and of each source."""
    ids = json.dumps([row.sample for row in rows])
    found = connection.execute(
        "SELECT topic, source, count(*) FROM sample WHERE id IN (SELECT value FROM json_each(?)) GROUP BY 1, 2", (ids,)
    )
    topics: Counter[str] = Counter()
    sources: Counter[str] = Counter()
    for topic, source, number in found:
        topics[topic] += number
        sources[source] += number
    return topics, sources


def _held_back(connection: sqlite3.Connection, rows: Sequence[_Row], share: float, seed: int) -> set[int]:
    """Sample ids of the validation side: whole clusters of near copies, chosen by a hash of seed and content."""
    wanted = round(len(rows) * share)
    if share and len(rows) >= 10:
        wanted = max(wanted, 1)
    if not wanted:
        return set()
    ids = [row.sample for row in rows]
    groups = [members for members, _ in minhash.group(ids, partial(texts, connection, "solutions"), NEAR)]
    grouped = {sample for members in groups for sample in members}
    groups += [[sample] for sample in ids if sample not in grouped]
    digest_of = {row.sample: row.hash for row in rows}

    def lot(members: Sequence[int]) -> str:
        return hashlib.sha256(f"{seed}:{min(digest_of[sample] for sample in members).hex()}".encode()).hexdigest()

    chosen: set[int] = set()
    for members in sorted(groups, key=lot):
        if len(chosen) + len(members) <= wanted:
            chosen.update(members)
    return chosen


def _write(path: Path, connection: sqlite3.Connection, rows: Sequence[_Row], done: _Counted) -> str:
    """Write a line a sample, in the order of `rows`, and return the file's SHA-256."""
    statement = """
        SELECT s.uid, v.id, v.hash, v.context, v.prompt, v.response
        FROM json_each(?) e JOIN sample s ON s.id = e.value JOIN version v ON v.id = s.version_id ORDER BY e.key
    """
    digest = hashlib.sha256()
    with path.open("wb") as file:
        for start in range(0, len(rows), _CHUNK):
            part = json.dumps([row.sample for row in rows[start : start + _CHUNK]])
            for uid, version, text_hash, context, prompt, response in connection.execute(statement, (part,)):
                messages = write(messages_of(context, prompt, response), "openai")["messages"]
                record = {"sample": uid, "version": version, "hash": text_hash.hex(), "messages": messages}
                line = json.dumps(record, ensure_ascii=False).encode() + b"\n"
                digest.update(line)
                file.write(line)
            done.add(len(rows[start : start + _CHUNK]))
        file.flush()
        os.fsync(file.fileno())
    return digest.hexdigest()
