"""What a set of samples looks like in numbers: how many of each kind, how long they are, what reviewers think of each source.

Everything is counted in SQL over the whole search. Lengths are those that lists show (estimated tokens, lines of code); real tokens are
counted by a tokenizer that the caller brings, over samples drawn at random, because counting a million takes an hour.
"""

from __future__ import annotations

import json
import random
import sqlite3
from bisect import bisect_left
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

from core.samples import query as search
from core.samples.language import Query
from core.samples.query import Facets
from core.samples.store import STATUSES

TOKEN_EDGES = (0, 64, 128, 256, 384, 512, 768, 1024, 1536, 2048, 4096, 8192)
LINE_EDGES = (0, 10, 20, 30, 40, 60, 80, 120, 160, 240, 400)
DRAWN = 2_000

CountTokens = Callable[[Sequence[str]], Iterable[int]]
"""Numbers of tokens of several texts."""


@dataclass(frozen=True, slots=True)
class Bin:
    """Samples whose length is at least `low` and below `high` (None: no upper end)."""

    low: int
    high: int | None
    count: int


@dataclass(frozen=True, slots=True)
class Acceptance:
    """What reviewers decided on the samples of one source; decided = accepted + rejected."""

    source: str
    decided: int
    accepted: int


@dataclass(frozen=True, slots=True)
class Statistics:
    """tokens, lines: histograms with the edges above. median and largest: of the estimated tokens.

    policies: how many samples break each policy, the most frequent first.
    """

    facets: Facets
    tokens: tuple[Bin, ...]
    lines: tuple[Bin, ...]
    median: int
    largest: int
    acceptance: tuple[Acceptance, ...]
    policies: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class TokenCount:
    """Real tokens of whole conversations, of `drawn` samples. share_over: limit -> share of the samples that are longer."""

    drawn: int
    median: int
    longest: int
    ratio: float
    share_over: Mapping[int, float]


def statistics(connection: sqlite3.Connection, query: Query) -> Statistics:
    """Count what the query finds. A second or so for a million samples: not for the GUI thread."""
    chosen, parameters = search.select(query, ordered=False)
    tables = f"({chosen}) f JOIN sample s ON s.id = f.id"
    columns = connection.execute(
        f"SELECT json_group_array(s.tokens), json_group_array(s.lines) FROM {tables}", parameters
    ).fetchone()
    tokens, lines = (sorted(json.loads(column)) for column in columns)
    accepted, rejected = STATUSES.index("accepted"), STATUSES.index("rejected")
    decided = connection.execute(
        f"""
        SELECT s.source, count(*), sum(r.status = {accepted}) FROM {tables} JOIN review r ON r.sample_id = s.id
        WHERE r.status IN ({accepted}, {rejected}) GROUP BY s.source COLLATE NOCASE ORDER BY count(*) DESC
        """,
        parameters,
    )
    return Statistics(
        facets=search.facets(connection, query),
        tokens=histogram(tokens, TOKEN_EDGES),
        lines=histogram(lines, LINE_EDGES),
        median=tokens[len(tokens) // 2] if tokens else 0,
        largest=tokens[-1] if tokens else 0,
        acceptance=tuple(Acceptance(*row) for row in decided),
        policies=dict(
            connection.execute(
                f"""
                SELECT p.kind, count(DISTINCT p.version_id) FROM {tables} JOIN policy p ON p.version_id = s.version_id
                GROUP BY p.kind ORDER BY 2 DESC
                """,
                parameters,
            )
        ),
    )


def histogram(values: Iterable[int], edges: Sequence[int]) -> tuple[Bin, ...]:
    """How many values lie between each edge and the next; the last bin is open."""
    ordered = sorted(values)
    places = [0, *(bisect_left(ordered, edge) for edge in edges[1:]), len(ordered)]
    ends = [*edges[1:], None]
    return tuple(Bin(edges[n], ends[n], places[n + 1] - places[n]) for n in range(len(edges)))


def count_tokens(
    connection: sqlite3.Connection,
    query: Query,
    count: CountTokens,
    limits: Sequence[int] = (512, 1024, 2048, 4096),
    *,
    drawn: int = DRAWN,
    seed: int = 7,
) -> TokenCount | None:
    """Tokens of samples drawn from the query, by a real tokenizer; None when nothing is found. Templates add a few to each."""
    ids = search.ids(connection, query)
    chosen = sorted(random.Random(seed).sample(range(len(ids)), min(drawn, len(ids))))
    if not chosen:
        return None
    rows = connection.execute(
        """
        SELECT coalesce(v.context, v.prompt) || char(10) || v.response, v.tokens
        FROM json_each(?) e JOIN sample s ON s.id = e.value JOIN version v ON v.id = s.version_id
        """,
        (json.dumps([ids[place] for place in chosen]),),
    ).fetchall()
    real = list(count([text for text, _ in rows]))
    ordered = sorted(real)
    return TokenCount(
        drawn=len(real),
        median=ordered[len(ordered) // 2],
        longest=ordered[-1],
        ratio=sum(real) / max(1, sum(estimated for _, estimated in rows)),
        share_over={limit: sum(length > limit for length in real) / len(real) for limit in limits},
    )
