"""From a search to the ids of the samples it finds, their number, and counts by facet.

The whole answer is computed in SQL; nothing is ever left out because of size. Statements take part in whatever transaction the caller has open.
"""

from __future__ import annotations

import json
import sqlite3
from array import array
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from core.samples.language import (
    CHOICES,
    NUMBERS,
    SORTS,
    Condition,
    Query,
    SortKey,
    Word,
    having,
    parse,
    render,
    sorted_by,
)
from core.samples.store import JUDGE, STATES, STATUSES

__all__ = [
    "SORTS",
    "Condition",
    "Facets",
    "Query",
    "SortKey",
    "Word",
    "count",
    "facets",
    "first",
    "having",
    "ids",
    "parse",
    "render",
    "select",
    "sorted_by",
]

FACET_VALUES = 100
"""The most frequent topics, sources, tags that a facet lists; the rest are counted by searching for them."""

_NOT_DELETED = "{id} NOT IN (SELECT sample_id FROM review WHERE deleted = 1)"
_STATE_NAMES = (*STATES, "unchecked")
_VERDICT_VALUES = {"fail": "= 0", "pass": "= 1", "unchecked": "IS NULL"}
_SCORE = "(SELECT percent FROM score WHERE score.version_id = s.version_id)"
_SORTS = {
    "id": ("", "{id}"),
    "title": ("s", "s.title COLLATE NOCASE"),
    "status": ("r", "r.status"),
    "rating": ("r", "r.rating"),
    "topic": ("s", "s.topic COLLATE NOCASE"),
    "source": ("s", "s.source COLLATE NOCASE"),
    "tokens": ("s", "s.tokens"),
    "lines": ("s", "s.lines"),
    "verdict": ("v", "v.state"),
    "dup": ("", "{id} IN (SELECT sample_id FROM duplicate WHERE keeper <> sample_id)"),
    "reviewed": ("r", "r.updated"),
    "score": ("s", _SCORE),
    "judge": ("s", JUDGE),
    "uncertain": ("s", f"abs({_SCORE} - 50)"),
    **{check: ("v", f"v.{check}") for check in CHOICES["check"]},
}


@dataclass(frozen=True, slots=True)
class Facets:
    """How many of the samples found are of each kind; the most frequent first. checks: check -> state -> count."""

    total: int
    status: dict[str, int]
    verdict: dict[str, int]
    checks: dict[str, dict[str, int]]
    topic: dict[str, int]
    source: dict[str, int]
    tag: dict[str, int]
    reason: dict[str, int]


@dataclass(frozen=True, slots=True)
class _Clause:
    """A piece of SQL. tables: letters of the tables it reads: s sample, r review, v verdict. `{id}` stands for the sample's id."""

    tables: str
    sql: str
    parameters: tuple[object, ...] = ()


def ids(connection: sqlite3.Connection, query: Query) -> array[int]:
    """The ids of all samples found, in the query's order, 8 bytes each; by id where it names none."""
    sql, parameters = select(query)
    # One string from SQL to Python instead of a row a sample: faster, and the work is done without the interpreter's lock.
    # LIMIT -1 keeps SQLite from dropping the order of a subquery.
    found = connection.execute(f"SELECT json_group_array(id) FROM ({sql} LIMIT -1)", parameters).fetchone()[0]
    return array("q", json.loads(found))


def first(connection: sqlite3.Connection, query: Query, number: int) -> array[int]:
    """The first ids of `ids`, at the cost of a screenful and not of the whole answer; all of them when there are fewer.

    Only for showing something at once: words without an order of their own are answered in the order of their texts, which
    is that of the ids but for samples that were edited.
    """
    if query.words and not query.sort and any(not word.negated and _has_token(word.text) for word in query.words):
        clauses = _conditions(query.conditions) + _words(query.words, driving=True)
        statement, _, parameters = _statement(query, clauses, "words CROSS JOIN sample s ON s.version_id = words.rowid")
        found = connection.execute(f"{statement} ORDER BY words.rowid LIMIT ?", (*parameters, number))
        return array("q", sorted(key for (key,) in found))
    sql, parameters = select(query)
    return array("q", [key for (key,) in connection.execute(f"{sql} LIMIT ?", (*parameters, number))])


def count(connection: sqlite3.Connection, query: Query) -> int:
    """How many samples the query finds."""
    sql, parameters = select(query, ordered=False)
    return int(connection.execute(f"SELECT count(*) FROM ({sql})", parameters).fetchone()[0])


def select(query: Query, *, ordered: bool = True) -> tuple[str, tuple[object, ...]]:
    """The query as a SELECT of one column named id, and its parameters: for bulk work over a query."""
    clauses = _conditions(query.conditions) + _words(query.words)
    sort = [_SORTS[key.key] for key in query.sort] if ordered else []
    statement, key, parameters = _statement(query, clauses, "", "".join(letters for letters, _ in sort))
    if ordered:
        directions = [
            (sql, "DESC" if key.descending else "ASC") for (_, sql), key in zip(sort, query.sort, strict=True)
        ]
        directions.append(("{id}", directions[-1][1] if directions else "ASC"))
        order = ", ".join(f"{sql} {direction}" for sql, direction in directions)
        statement += f" ORDER BY {order}".replace("{id}", key)
    return statement, parameters


def _statement(
    query: Query, clauses: list[_Clause], driver: str, more_tables: str = ""
) -> tuple[str, str, tuple[object, ...]]:
    """SELECT … FROM … WHERE of the clauses; deleted samples only where they are asked for. driver: a FROM to begin with.

    Returns the statement, the column of the sample's id in it, and the parameters.
    """
    tables = {letter for clause in clauses for letter in clause.tables} | set(more_tables)
    if not any(condition.key == "deleted" for condition in query.conditions):
        clauses = [*clauses, _Clause("", "r.deleted = 0" if not driver and tables <= {"r"} else _NOT_DELETED)]
    source, key = _source(tables or {"r"}, driver)
    where = " AND ".join(f"({clause.sql})" for clause in clauses)
    link = " AND " if " WHERE " in source and where else " WHERE " if where else ""
    statement = f"SELECT {key} AS id FROM {source}{link}{where}"
    return statement.replace("{id}", key), key, tuple(value for clause in clauses for value in clause.parameters)


def _source(tables: set[str], driver: str = "") -> tuple[str, str]:
    """FROM clause with the fewest tables, and the column that holds the sample's id in it. driver: what it begins with, with s in it."""
    if not driver and tables == {"r"}:
        return "review r", "r.sample_id"
    if not driver and tables == {"v"}:
        return "verdict v WHERE v.current = 1", "v.sample_id"
    if not driver and tables == {"r", "v"}:
        return "verdict v JOIN review r ON r.sample_id = v.sample_id WHERE v.current = 1", "v.sample_id"
    source = driver or "sample s"
    if "r" in tables:
        source += " JOIN review r ON r.sample_id = s.id"
    if "v" in tables:
        source += " JOIN verdict v ON v.version_id = s.version_id"
    return source, "s.id"


def _conditions(conditions: Sequence[Condition]) -> list[_Clause]:
    checks = [c for c in conditions if c.key == "check" and not c.negated]
    verdicts = [c for c in conditions if c.key == "verdict" and not c.negated]
    clauses = []
    for condition in conditions:
        if condition in checks:
            states = verdicts[0].values if verdicts else ("fail",)
            clauses.append(
                _any("v", [f"v.{check} {_VERDICT_VALUES[state]}" for check in condition.values for state in states])
            )
        elif condition in verdicts and checks:
            continue  # the checks named say which verdict is meant
        else:
            clause = _condition(condition)
            clauses.append(
                _Clause(clause.tables, f"({clause.sql}) IS NOT TRUE", clause.parameters)
                if condition.negated
                else clause
            )
    return clauses


def _condition(condition: Condition) -> _Clause:
    key, values = condition.key, condition.values
    if key == "status":
        return _any("r", [f"r.status = {STATUSES.index(value)}" for value in values])
    if key == "verdict":
        return _any("v", [f"v.state {_VERDICT_VALUES[value]}" for value in values])
    if key == "check":
        return _any("v", [f"v.{value} = 0" for value in values])
    if key == "dup":
        inside = "{id} %s (SELECT sample_id FROM duplicate WHERE keeper <> sample_id)"
        return _any("", [inside % ("IN" if value == "yes" else "NOT IN") for value in values])
    if key == "policy":
        inside = "s.version_id IN (SELECT version_id FROM policy WHERE kind = ?)"
        return _Clause("s", " OR ".join([inside] * len(values)), tuple(values))
    if key == "contaminated":
        inside = "s.version_id %s (SELECT version_id FROM contamination)"
        return _any("s", [inside % ("IN" if value == "yes" else "NOT IN") for value in values])
    if key == "disputed":
        inside = "{id} %s (SELECT o.sample_id FROM opinion o JOIN review w ON w.sample_id = o.sample_id WHERE o.status <> 0 AND w.status <> 0 AND o.status <> w.status)"
        return _any("", [inside % ("IN" if value == "yes" else "NOT IN") for value in values])
    if key == "deleted":
        return _any("r", [f"r.deleted = {int(value == 'yes')}" for value in values])
    if key in NUMBERS:
        tables, column = {
            "tokens": ("s", "s.tokens"),
            "lines": ("s", "s.lines"),
            "rating": ("r", "r.rating"),
            "score": ("s", _SCORE),
            "judge": ("s", JUDGE),
            "id": ("", "{id}"),
        }[key]
        return _any(tables, [_comparison(column, value) for value in values])
    return _name(key, values)


def _name(key: str, values: Sequence[str]) -> _Clause:
    if key == "snapshot":  # its names are those of folders: `membership` reads them
        inside = "s.uid IN (SELECT value FROM json_each(snapshot_samples(?)))"
        return _Clause("s", " OR ".join([inside] * len(values)), tuple(values))
    clauses, parameters = [], []
    for value in values:
        prefix = value.endswith("*") and len(value) > 1
        test = "LIKE ? ESCAPE '\\'" if prefix else "= ? COLLATE NOCASE"
        parameters.append(_like_prefix(value[:-1]) if prefix else value)
        if key == "tag":
            clauses.append(f"{{id}} IN (SELECT sample_id FROM tag WHERE name {test})")
        elif key == "job":
            made = f"SELECT sample_id FROM generation WHERE job {test} AND sample_id IS NOT NULL"
            clauses.append(f"{{id}} IN ({made} UNION ALL SELECT sample_id FROM judgement WHERE job {test})")
            parameters.append(parameters[-1])
        elif key == "reviewer":
            clauses.append(f"r.author {test}")
        elif key == "reason":
            clauses.append(f"r.reasons <> '[]' AND EXISTS (SELECT 1 FROM json_each(r.reasons) WHERE value {test})")
        else:
            clauses.append(f"s.{key} {test}")
    return _Clause(
        {"tag": "", "job": "", "reason": "r", "reviewer": "r"}.get(key, "s"),
        " OR ".join(f"({clause})" for clause in clauses),
        tuple(parameters),
    )


def _any(tables: str, alternatives: list[str]) -> _Clause:
    return _Clause(tables, " OR ".join(alternatives))


def _comparison(column: str, value: str) -> str:
    low, dots, high = value.partition("..")
    if dots:
        return f"{column} BETWEEN {int(low)} AND {int(high)}"
    number = value.lstrip("<>=")
    return f"{column} {value[: len(value) - len(number)] or '='} {int(number)}"


def _like_prefix(value: str) -> str:
    return value.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"


def _words(words: Sequence[Word], *, driving: bool = False) -> list[_Clause]:
    """driving: the full-text index is in the FROM clause itself."""
    clauses = []
    together = [_match(word) for word in words if not word.negated and _has_token(word.text)]
    if together:
        inside = "words MATCH ?" if driving else "s.version_id IN (SELECT rowid FROM words WHERE words MATCH ?)"
        clauses.append(_Clause("s", inside, (" AND ".join(together),)))
    for word in words:
        parts = []
        if word.negated and _has_token(word.text):
            parts.append(_Clause("s", "s.version_id IN (SELECT rowid FROM words WHERE words MATCH ?)", (_match(word),)))
        if not all(
            _is_token(letter) for letter in word.text
        ):  # what stands between words counts too, which the index does not know
            text = "EXISTS (SELECT 1 FROM version t WHERE t.id = s.version_id AND (instr(lower(t.prompt), lower(?)) OR instr(lower(t.response), lower(?))))"
            parts.append(_Clause("s", text, (word.text, word.text)))
        if parts:
            sql = " AND ".join(part.sql for part in parts)
            parameters = tuple(value for part in parts for value in part.parameters)
            clauses.append(_Clause("s", f"NOT ({sql})" if word.negated else sql, parameters))
    return clauses


def _match(word: Word) -> str:
    """FTS5: its tokenizer splits `http.Client` into two words that must stand side by side; * lets the last one go on."""
    return '"' + word.text.replace("\0", " ").replace('"', '""') + '"' + ("" if word.phrase else "*")


def _is_token(letter: str) -> bool:
    return letter.isalnum() or letter == "_"


def _has_token(text: str) -> bool:
    return any(_is_token(letter) for letter in text)


def facets(connection: sqlite3.Connection, query: Query) -> Facets:
    """Count what the query finds by status, verdict, check, topic, source, tag and reason."""
    sql, parameters = select(query, ordered=False)
    hits = f"WITH hit AS MATERIALIZED ({sql}) "
    packed = " + ".join(f"coalesce(v.{check}, 3) * {4**position}" for position, check in enumerate(CHOICES["check"]))
    # One pass over all hits, one string a column: counting lists here is several times as fast as GROUP BY, which sorts. See also `ids`.
    columns = ", ".join(f"json_group_array({column})" for column in ("r.status", packed, "s.topic", "s.source"))
    tables = "hit CROSS JOIN review r ON r.sample_id = hit.id CROSS JOIN sample s ON s.id = hit.id CROSS JOIN verdict v ON v.version_id = s.version_id"
    found = connection.execute(f"{hits}SELECT {columns} FROM {tables}", parameters).fetchone()
    statuses, verdicts, topics, sources = (Counter(json.loads(column)) for column in found)

    def listed(column: str, tables: str) -> Counter[str]:
        return Counter(
            json.loads(
                connection.execute(f"{hits}SELECT json_group_array({column}) FROM {tables}", parameters).fetchone()[0]
            )
        )

    checks: dict[str, Counter[str]] = {check: Counter() for check in CHOICES["check"]}
    states: Counter[str] = Counter()
    for number, times in verdicts.items():
        each = [_STATE_NAMES[number // 4**position % 4] for position in range(len(checks))]
        states["fail" if "fail" in each else "pass" if "pass" in each else "unchecked"] += times
        for check, state in zip(checks, each, strict=True):
            checks[check][state] += times
    return Facets(
        total=statuses.total(),
        status=_most({STATUSES[number]: times for number, times in statuses.items()}),
        verdict=_most(states),
        checks={check: _most(counts) for check, counts in checks.items()},
        topic=_most(topics),
        source=_most(sources),
        tag=_most(listed("t.name", "hit CROSS JOIN tag t ON t.sample_id = hit.id")),
        reason=_most(
            listed(
                "e.value",
                "hit CROSS JOIN review r ON r.sample_id = hit.id AND r.reasons <> '[]' JOIN json_each(r.reasons) e",
            )
        ),
    )


def _most(counts: Mapping[str, int]) -> dict[str, int]:
    return dict(Counter(counts).most_common(FACET_VALUES))
