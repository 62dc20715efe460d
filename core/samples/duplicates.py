"""Near copies among samples: three ways to look, marks in the table, and keeping the best of each cluster.

`solutions` compares code as it is written, and its marks (`dup:yes`) may be acted on in bulk. `shapes` compares code with all names and literals
blanked: it finds renamed copies, but also honest relatives, so it marks nothing and decides nothing. `instructions` compares what was asked;
several answers to one question may well be wanted, so it marks nothing either.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

from core.database import transaction
from core.errors import UserError
from core.samples import edits, minhash
from core.samples import query as search
from core.samples.language import Query, having, living
from core.samples.operations import Operation

KINDS = {"solutions": 0.7, "shapes": 0.85, "instructions": 0.7}
"""What may be compared, and the similarity from which two are near copies."""
REASON = "near copy"
_CHOSEN = {
    "solutions": "CASE WHEN v.code <> '' THEN v.code ELSE v.response END",
    "shapes": "v.code",
    "instructions": "v.prompt",
}


@dataclass(frozen=True, slots=True)
class Cluster:
    """Samples that are near copies of one another, directly or by way of others.

    ids: ascending. similarity: of the pair that holds the cluster together most loosely. keeper: the one worth keeping.
    """

    ids: tuple[int, ...]
    similarity: float
    keeper: int


@dataclass(frozen=True, slots=True)
class Found:
    """The answer to one search for near copies. looked_at: ids of all samples that were compared; clusters: the most similar first."""

    kind: str
    looked_at: Sequence[int]
    clusters: list[Cluster]


def clusters(
    connection: sqlite3.Connection,
    query: Query,
    *,
    kind: str = "solutions",
    threshold: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> list[Cluster]:
    """`find` and `mark` in one go."""
    found = find(connection, query, kind=kind, threshold=threshold, progress=progress)
    mark(connection, found)
    return found.clusters


def find(
    connection: sqlite3.Connection,
    query: Query,
    *,
    kind: str = "solutions",
    threshold: float | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Found:
    """Near copies among the samples that `query` finds. Only reads, and may take a while: 100,000 samples in half a minute.

    kind: one of KINDS; threshold: 0 to 1, else that of the kind.
    """
    if kind not in KINDS:
        raise UserError(f"Near copies of “{kind}” cannot be searched for.", f"Known are: {', '.join(KINDS)}.")
    looked_at = search.ids(connection, query)
    groups = minhash.group(
        looked_at,
        partial(texts, connection, kind),
        KINDS[kind] if threshold is None else threshold,
        progress,
        tokens=minhash.go_shape if kind == "shapes" else minhash.words,
    )
    result = [Cluster(tuple(sorted(members)), loosest, _keeper(connection, members)) for members, loosest in groups]
    return Found(kind, looked_at, sorted(result, key=lambda cluster: (-cluster.similarity, cluster.ids)))


def mark(connection: sqlite3.Connection, found: Found) -> None:
    """Mark clusters of solutions (`dup:yes` is every member but the keeper) and clear old marks of what was looked at.

    Clusters of another kind are not marked: what they mean is for a person to say.
    """
    if found.kind != "solutions":
        return
    with transaction(connection):
        connection.executemany("DELETE FROM duplicate WHERE sample_id = ?", ((key,) for key in found.looked_at))
        connection.executemany(
            "INSERT OR REPLACE INTO duplicate (sample_id, keeper, similarity) VALUES (?, ?, ?)",
            ((key, cluster.keeper, cluster.similarity) for cluster in found.clusters for key in cluster.ids),
        )


def keep_best(connection: sqlite3.Connection, query: Query, *, author: str = "me") -> Operation:
    """Reject every marked near copy that `query` finds, with the reason `REASON`; the keepers stay as they are. One operation."""
    marked = living(having(query, "dup", ("yes",)))
    return edits.review(connection, marked, status="rejected", reasons=(REASON,), author=author)


def marked(connection: sqlite3.Connection) -> list[Cluster]:
    """The clusters as they were marked last, without members that are deleted or edited since; the most similar first."""
    statement = """
        SELECT d.keeper, d.similarity, json_group_array(d.sample_id) FROM duplicate d JOIN review r ON r.sample_id = d.sample_id
        WHERE r.deleted = 0 GROUP BY d.keeper HAVING count(*) > 1 AND max(d.sample_id = d.keeper)
        ORDER BY d.similarity DESC, d.keeper
    """
    return [
        Cluster(tuple(sorted(map(int, ids.strip("[]").split(",")))), similarity, keeper)
        for keeper, similarity, ids in connection.execute(statement)
    ]


def texts(connection: sqlite3.Connection, kind: str, ids: Sequence[int]) -> Iterator[tuple[int, str]]:
    """(sample id, what is compared of it); for solutions the whole answer where there is no code."""
    statement = f"SELECT s.id, {_CHOSEN[kind]} FROM sample s JOIN version v ON v.id = s.version_id WHERE s.id IN (%s)"
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
