"""Picking a part of what a search finds: different ones, few of each cluster, without the longest. The answer is ids, to be tagged.

Nothing is decided here, and the same search, number and seed pick the same samples.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING

from core.errors import UserError
from core.samples import duplicates, minhash
from core.samples import query as search
from core.samples.language import Query

if TYPE_CHECKING:
    import numpy as np

METHODS = {
    "diverse": "Picking different samples",
    "cap": "Keeping a few of each cluster",
    "shorter": "Leaving out the longest",
}
_POOL = 20_000
"""Candidates that are compared with each other; more are drawn down to so many first."""
_PERMUTATIONS = 64
_CHUNK = 2_000


def select(
    connection: sqlite3.Connection,
    query: Query,
    method: str,
    amount: float,
    *,
    seed: int = 7,
    progress: Callable[[int, int], None] | None = None,
) -> list[int]:
    """Ids picked out of what the query finds, ascending.

    method: "diverse" = so many samples whose solutions resemble each other least; "cap" = all, but at most so many of each marked
    cluster of near copies; "shorter" = all but so many per cent of the longest. Raises UserError for another method or amount.
    """
    ids = list(search.ids(connection, query))
    if method == "diverse" and amount >= 1 and amount == int(amount):
        return sorted(_diverse(connection, ids, int(amount), seed, progress))
    if method == "cap" and amount >= 1 and amount == int(amount):
        return _capped(connection, ids, int(amount))
    if method == "shorter" and 0 < amount < 100:
        return _shorter(connection, query, amount)
    if method not in METHODS:
        raise UserError(f"Samples cannot be picked by “{method}”.", f"Known are: {', '.join(METHODS)}.")
    allowed = "from above 0 to below 100 per cent" if method == "shorter" else "a whole number of at least 1"
    raise UserError(f"{METHODS[method]} cannot work with {amount:g}.", f"It takes {allowed}.")


def _diverse(
    connection: sqlite3.Connection,
    ids: list[int],
    count: int,
    seed: int,
    progress: Callable[[int, int], None] | None,
) -> list[int]:
    """Farthest-first traversal (Gonzalez 1985) under the distance 1 - Jaccard, estimated by MinHash."""
    import numpy as np

    if len(ids) <= count:
        return ids
    drawn = random.Random(seed).sample(ids, min(len(ids), max(_POOL, count)))
    signatures, keys = _signatures(connection, drawn)
    if len(keys) <= count:
        return keys
    nearest = np.zeros(len(keys), dtype=np.int16)
    chosen = [0]
    while len(chosen) < count:
        nearest = np.maximum(nearest, (signatures == signatures[chosen[-1]]).sum(axis=1, dtype=np.int16))
        nearest[chosen[-1]] = _PERMUTATIONS + 1
        chosen.append(int(nearest.argmin()))
        if progress is not None:
            progress(len(chosen), count)
    return [keys[place] for place in chosen]


def _signatures(
    connection: sqlite3.Connection, ids: list[int]
) -> tuple[np.ndarray[tuple[int, int], np.dtype[np.uint32]], list[int]]:
    """A MinHash a row, and the id of each row; samples without text are left out."""
    import numpy as np

    rows: list[np.ndarray[tuple[int, int], np.dtype[np.uint32]]] = []
    keys: list[int] = []
    for start in range(0, len(ids), _CHUNK):
        part = ids[start : start + _CHUNK]
        texts = dict(duplicates.texts(connection, "solutions", part))
        found = [(key, texts[key]) for key in part if texts.get(key)]  # in the order of the draw
        if found:
            rows.append(minhash.signatures([minhash.shingles(text) for _, text in found], _PERMUTATIONS))
            keys += [key for key, _ in found]
    if not rows:
        return np.zeros((0, _PERMUTATIONS), dtype=np.uint32), []
    return np.concatenate(rows), keys


def _capped(connection: sqlite3.Connection, ids: list[int], most: int) -> list[int]:
    wanted = set(ids)
    for cluster in duplicates.marked(connection):
        members = sorted((key for key in cluster.ids if key in wanted), key=lambda key: (key != cluster.keeper, key))
        wanted.difference_update(members[most:])
    return [key for key in sorted(ids) if key in wanted]


def _shorter(connection: sqlite3.Connection, query: Query, percent: float) -> list[int]:
    shortest_first = search.ids(connection, search.sorted_by(query, search.SortKey("tokens")))
    kept = len(shortest_first) - round(len(shortest_first) * percent / 100)
    return sorted(shortest_first[:kept])
