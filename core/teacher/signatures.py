"""MinHash signatures of all samples' tasks and codes, kept between jobs: making them takes a third of a second a thousand samples.

A text never changes, so what is kept is found by its hash, whatever workspace it is in. It may be deleted at any time; small workspaces
keep none.
"""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
import tempfile
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from core.paths import cache_dir
from core.samples import minhash

if TYPE_CHECKING:
    import numpy as np

    Signatures = np.ndarray[tuple[int, int], np.dtype[np.uint32]]
    Keys = np.ndarray[tuple[int], np.dtype[np.int64]]

KEEP_FROM = 2_000
"""Samples from which on signatures are worth keeping."""
_CHUNK = 2_000


@dataclass(frozen=True, slots=True)
class SampleSignatures:
    """ids: the samples; tasks, codes: a row each, the code's all zero where a sample has none."""

    ids: Keys
    tasks: Signatures
    codes: Signatures


def of_samples(connection: sqlite3.Connection, most: int) -> SampleSignatures:
    """Signatures of the living samples, at most so many, the newest first."""
    import numpy as np

    rows = connection.execute(
        """
        SELECT s.id, s.version_id, v.hash FROM sample s JOIN version v ON v.id = s.version_id JOIN review r ON r.sample_id = s.id
        WHERE r.deleted = 0 ORDER BY s.id DESC LIMIT ?
        """,
        (most,),
    ).fetchall()
    keys = np.array([int.from_bytes(text[:8], "big", signed=True) for _, _, text in rows], dtype=np.int64)
    kept_keys, kept = _load() if len(rows) >= KEEP_FROM else (None, None)
    both = np.zeros((len(rows), 2 * minhash.PERMUTATIONS), dtype=np.uint32)
    missing = np.arange(len(rows))
    if kept_keys is not None and kept is not None and len(kept_keys):
        places = np.searchsorted(kept_keys, keys).clip(max=len(kept_keys) - 1)
        there = kept_keys[places] == keys
        both[there] = kept[places[there]]
        missing = np.flatnonzero(~there)
    for start in range(0, len(missing), _CHUNK):
        some = missing[start : start + _CHUNK].tolist()
        both[some] = _computed(connection, [rows[at][1] for at in some])
    if len(rows) >= KEEP_FROM and len(missing):
        _save(keys, both)
    ids = np.array([row[0] for row in rows], dtype=np.int64)
    return SampleSignatures(ids, both[:, : minhash.PERMUTATIONS], both[:, minhash.PERMUTATIONS :])


def _computed(connection: sqlite3.Connection, versions: Sequence[int]) -> Signatures:
    """Task and code side by side, in the order of the versions."""
    import numpy as np

    texts = {key: (prompt, code) for key, prompt, code in _texts(connection, versions)}
    made = np.zeros((len(versions), 2 * minhash.PERMUTATIONS), dtype=np.uint32)
    made[:, : minhash.PERMUTATIONS] = _signatures([texts[key][0] for key in versions])
    coded = [at for at, key in enumerate(versions) if texts[key][1].strip()]
    if coded:
        made[coded, minhash.PERMUTATIONS :] = _signatures([texts[versions[at]][1] for at in coded])
    return made


def _signatures(texts: Sequence[str]) -> Signatures:
    return minhash.signatures([minhash.shingles(text) for text in texts], minhash.PERMUTATIONS)


def _texts(connection: sqlite3.Connection, versions: Sequence[int]) -> Iterator[tuple[int, str, str]]:
    statement = "SELECT id, prompt, code FROM version WHERE id IN (SELECT value FROM json_each(?))"
    yield from connection.execute(statement, (json.dumps(list(versions)),))


def _place() -> Path:
    return cache_dir() / "teacher" / f"signatures-{minhash.PERMUTATIONS}.npz"


def _load() -> tuple[Keys | None, Signatures | None]:
    import numpy as np

    try:
        with _place().open("rb") as opened, np.load(opened) as file:
            return file["keys"], file["signatures"]
    except (
        OSError,
        ValueError,
        KeyError,
        EOFError,
        zipfile.BadZipFile,
    ):  # absent, or cut by a full disk: it is made again
        return None, None


def _save(keys: Keys, signatures: Signatures) -> None:
    """Keep these, ordered by key. A disk that takes no more keeps none."""
    import numpy as np

    place = _place()
    order = np.argsort(keys, kind="stable")
    with contextlib.suppress(OSError):
        place.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(dir=place.parent, suffix=".npz")
        try:
            with os.fdopen(descriptor, "wb") as file:
                np.savez(file, keys=keys[order], signatures=signatures[order])
            os.replace(name, place)
        except BaseException:
            Path(name).unlink(missing_ok=True)
            raise
