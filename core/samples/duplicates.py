"""Near copies among samples: found by MinHash, verified by counting, grouped, and marked in the table.

Two solutions are near copies when the Jaccard similarity of their token 5-grams reaches the threshold. MinHash with
locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998) only proposes pairs; each is verified by counting its
5-grams (as 64-bit hashes), so that no pair below the threshold is ever reported. Memory is some 200 bytes a sample: texts
are read a second time where a pair was proposed. What is done about a cluster is for a person to say: nothing is deleted here.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import combinations, pairwise
from typing import TYPE_CHECKING

from core.database import transaction
from core.samples import query as search
from core.samples.language import Query

if TYPE_CHECKING:
    import numpy as np

    Grams = np.ndarray[tuple[int], np.dtype[np.uint64]]

GRAM = 5
PERMUTATIONS = 128
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SEED = 1
_CHUNK = 2_000
_ALL_PAIRS = 32
"""Proposed together, so many are all compared with each other; of more, each with the next and with the first."""

Reader = Callable[[Sequence[int]], Iterable[tuple[int, str]]]
"""The texts of these keys, as (key, text) in any order."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Samples that are near copies of one another, directly or by way of others.

    ids: ascending. similarity: of the pair that holds the cluster together most loosely. keeper: the one worth keeping.
    """

    ids: tuple[int, ...]
    similarity: float
    keeper: int


def clusters(
    connection: sqlite3.Connection,
    query: Query,
    *,
    threshold: float = 0.7,
    progress: Callable[[int, int], None] | None = None,
) -> list[Cluster]:
    """Near copies among the solutions of the samples that `query` finds, the most similar first.

    Marks them (`dup:yes` is every member but the keeper) and clears old marks of the samples looked at.
    """
    found = search.ids(connection, query)
    groups = group(found, lambda ids: solutions(connection, ids), threshold, progress)
    result = [Cluster(tuple(sorted(members)), loosest, _keeper(connection, members)) for members, loosest in groups]
    result.sort(key=lambda cluster: (-cluster.similarity, cluster.ids))
    _mark(connection, found, result)
    return result


def group(
    keys: Sequence[int], read: Reader, threshold: float, progress: Callable[[int, int], None] | None = None
) -> list[tuple[list[int], float]]:
    """Groups of two or more keys whose texts are near copies, each with the lowest similarity that joined it.

    The same texts give the same groups in every process. Texts of under five tokens are compared as a whole.
    """
    ordered: list[int] = []
    bands: list[np.ndarray[tuple[int, int], np.dtype[np.uint64]]] = []
    for start in range(0, len(keys), _CHUNK):
        texts = list(read(keys[start : start + _CHUNK]))
        ordered += [key for key, _ in texts]
        if texts:
            bands.append(_band_hashes([shingles(text) for _, text in texts], threshold))
        if progress is not None:
            progress(min(start + _CHUNK, len(keys)), len(keys))
    if not ordered:
        return []
    proposed = _proposed(bands)
    candidates = sorted({place for places in proposed for place in places})
    place_of = {ordered[place]: place for place in candidates}
    grams: dict[int, Grams] = {}
    for start in range(0, len(candidates), _CHUNK):
        chunk = [ordered[place] for place in candidates[start : start + _CHUNK]]
        grams.update((place_of[key], shingles(text)) for key, text in read(chunk))
    return [
        ([ordered[place] for place in members], loosest) for members, loosest in _joined(proposed, grams, threshold)
    ]


def shingles(text: str) -> Grams:
    """The distinct token 5-grams of a text as sorted 64-bit hashes; white space does not count."""
    import numpy as np

    tokens = np.fromiter(map(_token_hash, _TOKEN.findall(text)), dtype=np.uint64)
    width = min(GRAM, max(len(tokens), 1))
    mixed = np.full(max(len(tokens) - width + 1, 1), 0x9E3779B97F4A7C15, dtype=np.uint64)
    for offset in range(width if len(tokens) else 0):
        mixed = (mixed ^ tokens[offset : offset + len(mixed)]) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(32)
    return np.unique(mixed)


@lru_cache(maxsize=1 << 18)
def _token_hash(token: str) -> int:
    return int.from_bytes(hashlib.blake2b(token.encode("utf-8", "replace"), digest_size=8).digest(), "little")


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of two texts' 5-grams, 0 to 1."""
    return _jaccard(shingles(one), shingles(other))


def _jaccard(one: Grams, other: Grams) -> float:
    import numpy as np

    common = len(np.intersect1d(one, other, assume_unique=True))
    return common / (len(one) + len(other) - common)


def _band_hashes(sets: Sequence[Grams], threshold: float) -> np.ndarray[tuple[int, int], np.dtype[np.uint64]]:
    """(texts, bands): texts that agree in a band are proposed as a pair."""
    import numpy as np
    from rensa import RMinHash

    bands, rows = _bands(threshold)
    offsets = np.concatenate([[0], np.cumsum([len(one) for one in sets])]).tolist()
    matrix = RMinHash.digest_matrix_from_flat_token_hashes(np.concatenate(sets), offsets, PERMUTATIONS, _SEED)
    digests = np.array(matrix.to_rows(), dtype=np.uint64)[:, : bands * rows].reshape(len(sets), bands, rows)
    mixed = np.zeros(digests.shape[:2], dtype=np.uint64)
    for row in range(rows):
        mixed = (mixed ^ digests[:, :, row]) * np.uint64(0xD6E8FEB86659FD93)
        mixed ^= mixed >> np.uint64(29)
    return mixed


def _proposed(bands: Sequence[np.ndarray[tuple[int, int], np.dtype[np.uint64]]]) -> list[list[int]]:
    """Places of texts that agree in a band, two or more together."""
    import numpy as np

    found: set[tuple[int, ...]] = set()
    for band in range(bands[0].shape[1]):
        column = np.concatenate([part[:, band] for part in bands])
        order = np.argsort(column, kind="stable")
        for places in np.split(order, np.flatnonzero(np.diff(column[order])) + 1):
            if len(places) > 1:
                found.add(tuple(places.tolist()))
    return [list(places) for places in sorted(found)]


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows for which a pair at the threshold is proposed with a probability of at least 99 %."""
    for rows in range(16, 0, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            return bands, rows
    return PERMUTATIONS, 1


def _joined(
    proposed: Sequence[Sequence[int]], grams: dict[int, Grams], threshold: float
) -> Iterator[tuple[list[int], float]]:
    """Union-find over verified pairs. No pair is counted twice, and pairs that are joined already not at all."""
    parent = {place: place for place in grams}
    loosest: dict[int, float] = {}
    apart: set[tuple[int, int]] = set()

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(one: int, other: int) -> None:
        top, lower = root(one), root(other)
        if top == lower or (one, other) in apart:
            return
        measured = _jaccard(grams[one], grams[other])
        if measured >= threshold:
            parent[lower] = top
            loosest[top] = min(measured, loosest.get(top, 1.0), loosest.pop(lower, 1.0))
        else:
            apart.add((one, other))

    for places in proposed:
        if len(places) <= _ALL_PAIRS:
            pairs: Iterable[tuple[int, int]] = combinations(places, 2)
        else:
            pairs = (*pairwise(places), *((places[0], other) for other in places[2:]))
        for one, other in pairs:
            join(one, other)
    members: dict[int, list[int]] = defaultdict(list)
    for place in sorted(grams):
        members[root(place)].append(place)
    for top, group_members in members.items():
        if len(group_members) > 1:
            yield group_members, loosest[top]


def solutions(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """(sample id, code, or the whole answer where there is no code)."""
    statement = """
        SELECT s.id, CASE WHEN v.code <> '' THEN v.code ELSE v.response END
        FROM sample s JOIN version v ON v.id = s.version_id WHERE s.id IN (%s)
    """
    for start in range(0, len(ids), 500):
        part = list(ids[start : start + 500])
        yield from connection.execute(statement % ",".join("?" * len(part)), part)


def _keeper(connection: sqlite3.Connection, members: Sequence[int]) -> int:
    """The best of a cluster: accepted, then highest rating, then most checks passed, then shortest, then oldest."""
    statement = """
        SELECT s.id FROM sample s
        JOIN review r ON r.sample_id = s.id
        JOIN verdict c ON c.version_id = s.version_id
        WHERE s.id IN (%s)
        ORDER BY r.status = 1 DESC, coalesce(r.rating, 0) DESC,
            (c.parse IS 1) + (c.format IS 1) + (c.types IS 1) + (c.vet IS 1) + (c.test IS 1) DESC, s.tokens, s.id
        LIMIT 1
    """
    keeper: int = connection.execute(statement % ",".join("?" * len(members)), list(members)).fetchone()[0]
    return keeper


def _mark(connection: sqlite3.Connection, looked_at: Sequence[int], found: Sequence[Cluster]) -> None:
    with transaction(connection):
        connection.executemany("DELETE FROM duplicate WHERE sample_id = ?", ((key,) for key in looked_at))
        connection.executemany(
            "INSERT OR REPLACE INTO duplicate (sample_id, keeper, similarity) VALUES (?, ?, ?)",
            ((key, cluster.keeper, cluster.similarity) for cluster in found for key in cluster.ids),
        )
