"""Near copies among samples: found by MinHash, verified by counting, grouped, and marked in the table.

Two solutions are near copies when the Jaccard similarity of their token 5-grams reaches the threshold. MinHash with
locality-sensitive hashing (Broder 1997; Indyk and Motwani 1998) only proposes pairs; each is verified exactly, so that no
pair below the threshold is ever reported. What is done about a cluster is for a person to say: nothing is deleted here.
"""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Hashable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from core.database import transaction
from core.samples import query as search
from core.samples.language import Query

GRAM = 5
PERMUTATIONS = 128
_TOKEN = re.compile(r"\w+|[^\w\s]")
_SEED = 1
_CHUNK = 5_000


@dataclass(frozen=True, slots=True)
class Cluster:
    """Samples that are near copies of one another, directly or by way of others.

    ids: ascending. similarity: of the pair that holds the cluster together most loosely. keeper: the one worth keeping.
    """

    ids: tuple[int, ...]
    similarity: float
    keeper: int


def clusters(connection: sqlite3.Connection, query: Query, *, threshold: float = 0.7) -> list[Cluster]:
    """Near copies among the solutions of the samples that `query` finds, the most similar first.

    Marks them (`dup:yes` is every member but the keeper) and clears old marks of the samples looked at.
    """
    found = search.ids(connection, query)
    groups = group(_solutions(connection, found), threshold)
    result = []
    for members, similarity in groups:
        result.append(Cluster(tuple(sorted(members)), similarity, _keeper(connection, members)))
    result.sort(key=lambda cluster: (-cluster.similarity, cluster.ids))
    _mark(connection, found, result)
    return result


def group(
    texts: Iterator[tuple[int, str]] | Sequence[tuple[int, str]], threshold: float
) -> list[tuple[list[int], float]]:
    """Groups of two or more keys whose texts are near copies, each with the lowest similarity that joined it.

    texts: (key, text). Texts of under five tokens are compared as a whole.
    """
    keys: list[int] = []
    grams: list[frozenset[int]] = []
    buckets: dict[Hashable, list[int]] = defaultdict(list)
    bands, rows = _bands(threshold)
    pending: list[tuple[int, str]] = []

    def take_in() -> None:
        from rensa import RMinHash

        sets = [sorted(shingles(text)) for _, text in pending]
        digests = RMinHash.digests_from_token_sets(sets, num_perm=PERMUTATIONS, seed=_SEED)
        for (key, _), tokens, digest in zip(pending, sets, digests, strict=True):
            place = len(keys)
            keys.append(key)
            grams.append(frozenset(map(hash, tokens)))
            for band in range(bands):
                buckets[band, tuple(digest[band * rows : (band + 1) * rows])].append(place)
        pending.clear()

    for item in texts:
        pending.append(item)
        if len(pending) == _CHUNK:
            take_in()
    if pending:
        take_in()
    return [
        ([keys[place] for place in members], similarity) for members, similarity in _joined(buckets, grams, threshold)
    ]


def shingles(text: str) -> set[str]:
    """The token 5-grams of a text; white space does not count."""
    tokens = _TOKEN.findall(text)
    if len(tokens) < GRAM:
        return {" ".join(tokens)}
    return {" ".join(tokens[start : start + GRAM]) for start in range(len(tokens) - GRAM + 1)}


def similarity(one: str, other: str) -> float:
    """Jaccard similarity of two texts' 5-grams, 0 to 1."""
    return _jaccard(frozenset(shingles(one)), frozenset(shingles(other)))


def _jaccard(one: frozenset[Hashable], other: frozenset[Hashable]) -> float:
    common = len(one & other)
    return common / (len(one) + len(other) - common)


def _bands(threshold: float) -> tuple[int, int]:
    """Bands and rows for which a pair at the threshold is proposed with a probability of at least 99 %."""
    for rows in range(16, 0, -1):
        bands = PERMUTATIONS // rows
        if 1 - (1 - threshold**rows) ** bands >= 0.99:
            return bands, rows
    return PERMUTATIONS, 1


def _joined(
    buckets: dict[Hashable, list[int]], grams: Sequence[frozenset[int]], threshold: float
) -> Iterator[tuple[list[int], float]]:
    """Union-find over verified pairs. Pairs already joined are not counted again, so identical texts cost one look each."""
    parent = list(range(len(grams)))
    loosest: dict[int, float] = {}

    def root(place: int) -> int:
        while parent[place] != place:
            parent[place] = parent[parent[place]]
            place = parent[place]
        return place

    def join(one: int, other: int) -> None:
        top, lower = root(one), root(other)
        if top == lower:
            return
        measured = _jaccard(grams[one], grams[other])
        if measured >= threshold:
            parent[lower] = top
            loosest[top] = min(measured, loosest.get(top, 1.0), loosest.pop(lower, 1.0))

    for bucket in buckets.values():
        for one, other in pairwise(bucket):
            join(one, other)
        for other in bucket[2:]:
            join(bucket[0], other)
    members: dict[int, list[int]] = defaultdict(list)
    for place in range(len(grams)):
        members[root(place)].append(place)
    for top, group_members in members.items():
        if len(group_members) > 1:
            yield group_members, loosest[top]


def _solutions(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
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
