"""Decisions of several reviewers: out of one workspace as a file, into another as one operation that can be undone.

A review bundle is gzip JSONL: a manifest line with the hash of all that follows, then a sample a line with its whole text and its decision.
Nothing is overwritten: where both decided, ours stays and theirs is an opinion; where both edited, ours stays and theirs is reported.
A bundle is read to its end and checked before the first change; the merge is one transaction.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter, defaultdict
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.changes import Changes
from core.database import still, transaction
from core.samples import operations, reviewfile
from core.samples import query as search
from core.samples.adding import add, add_version
from core.samples.conversation import NewSample, messages_of, text_of
from core.samples.language import Query, living
from core.samples.operations import Operation
from core.samples.reviewfile import Record
from core.samples.store import STATUSES

DECISIONS = STATUSES[1:]
_NEW = STATUSES.index("new")


@dataclass(frozen=True, slots=True)
class MergePreview:
    """What a merge does, in samples.

    new: unknown here. decided: undecided here, so their decision becomes ours. agreeing, disagreeing: decided here and there. continued: their
    text goes on from ours and becomes a version. edited: uids whose texts went different ways; nothing of them is taken. deleted: put aside
    here; nothing of them is taken.
    """

    reviewer: str
    samples: int
    new: int
    decided: int
    agreeing: int
    disagreeing: int
    continued: int
    edited: tuple[str, ...]
    deleted: int


@dataclass(frozen=True, slots=True)
class MergeResult:
    """operation: its id is 0 when the bundle held nothing that was not here."""

    operation: Operation
    preview: MergePreview


@dataclass(frozen=True, slots=True)
class Agreement:
    """How this workspace's decisions and one other reviewer's agree.

    samples: decided by both, adopted decisions left out. counts: (ours, theirs) -> samples. kappa: Cohen's; None without samples or when chance
    alone would make all agree.
    """

    reviewer: str
    samples: int
    agreeing: int
    kappa: float | None
    counts: dict[tuple[str, str], int]


@dataclass(frozen=True, slots=True)
class _Step:
    """One record and what is to be done with it. sample_id: None for an unknown sample. review: columns before -> after."""

    record: Record
    kind: str
    sample_id: int | None = None
    version: int = 0
    status: int = _NEW
    review: tuple[dict[str, Any], dict[str, Any]] | None = None
    opinion: tuple[Any, ...] | None = None
    opines: bool = False
    tags: tuple[str, ...] = ()


def export_reviews(connection: sqlite3.Connection, path: Path, reviewer: str, query: Query) -> int:
    """Write what `reviewer` decided on the samples that `query` finds, undecided ones with their text; returns how many.

    The file appears whole or not at all. Raises UserError when nothing is found, `reviewer` is empty or the file cannot be written.
    """
    with still(connection):
        found = search.ids(connection, living(query))
        return reviewfile.write(path, reviewer, (_record(connection, key) for key in found))


def preview_reviews(connection: sqlite3.Connection, path: Path) -> MergePreview:
    """Say what `merge_reviews` would do now. Raises the same UserErrors."""
    reviewer, _ = reviewfile.check(path)
    with still(connection):
        return _preview(reviewer, _plan(connection, path, reviewer))


def merge_reviews(connection: sqlite3.Connection, path: Path) -> MergeResult:
    """Take a bundle in, as one operation. Raises UserError for a damaged, foreign or newer bundle; nothing is changed then."""
    reviewer, _ = reviewfile.check(path)
    with transaction(connection):
        steps = _plan(connection, path, reviewer)
        preview = _preview(reviewer, steps)
        if not any(_does_something(step) for step in steps):
            return MergeResult(Operation(0, f"Merge the reviews of {reviewer}", 0, Changes()), preview)
        operation = operations.begin(connection, reviewer)
        touched = _carry_out(connection, operation, reviewer, steps)
        label = f"Merge the reviews of {reviewer}: {touched:,} samples"
        changes = operations.changes_of(connection, operation, touched)
        operations.close(connection, operation, label, touched)
        return MergeResult(Operation(operation, label, touched, changes), preview)


def agreement(connection: sqlite3.Connection) -> list[Agreement]:
    """Cohen's kappa (1960) over accepted, rejected and needs_work with each reviewer of table `opinion`, by name."""
    pairs: dict[str, Counter[tuple[str, str]]] = defaultdict(Counter)
    for (reviewer,) in connection.execute("SELECT DISTINCT reviewer FROM opinion ORDER BY reviewer"):
        pairs[reviewer] = Counter()
    # A decision taken over from a reviewer says nothing of how we agree.
    statement = """
        SELECT o.reviewer, r.status, o.status, count(*) FROM opinion o JOIN review r ON r.sample_id = o.sample_id
        WHERE r.status <> 0 AND o.status <> 0 AND r.deleted = 0
        AND NOT (r.author = o.reviewer AND r.status = o.status AND r.updated IS o.updated) GROUP BY 1, 2, 3
    """
    for reviewer, ours, theirs, times in connection.execute(statement):
        pairs[reviewer][STATUSES[ours], STATUSES[theirs]] = times
    return [
        Agreement(reviewer, counts.total(), sum(counts[d, d] for d in DECISIONS), kappa(counts), dict(counts))
        for reviewer, counts in pairs.items()
    ]


def kappa(counts: Counter[tuple[str, str]]) -> float | None:
    """Cohen's kappa of (one's choice, the other's choice) -> times; None where it is undefined."""
    total = counts.total()
    ours: Counter[str] = Counter()
    theirs: Counter[str] = Counter()
    for (one, other), times in counts.items():
        ours[one] += times
        theirs[other] += times
    chance = sum(ours[name] * theirs[name] for name in ours)
    if chance == total * total:
        return None
    return (total * sum(times for (a, b), times in counts.items() if a == b) - chance) / (total * total - chance)


def _record(connection: sqlite3.Connection, key: int) -> Record:
    statement = """
        SELECT s.uid, t.hash, t.context, t.prompt, t.response, s.topic, s.source, r.status, r.rating, r.reasons, r.note, r.updated, t.parent,
               (SELECT json_group_array(name) FROM (SELECT name FROM tag WHERE sample_id = s.id ORDER BY name))
        FROM sample s JOIN version t ON t.id = s.version_id JOIN review r ON r.sample_id = s.id WHERE s.id = ?
    """
    (uid, digest, context, prompt, response, topic, source, status, rating, reasons, note, updated, parent, tags) = (
        connection.execute(statement, (key,)).fetchone()
    )
    ancestors = []
    while parent is not None:
        older, parent = connection.execute("SELECT hash, parent FROM version WHERE id = ?", (parent,)).fetchone()
        ancestors.append(older.hex())
    messages = messages_of(context, prompt, response)
    return Record(
        uid, digest.hex(), tuple(ancestors), messages, topic, source, STATUSES[status], rating,
        tuple(json.loads(reasons)), note, tuple(json.loads(tags)), updated,
    )  # fmt: skip


def _plan(connection: sqlite3.Connection, path: Path, reviewer: str) -> list[_Step]:
    """What each record asks for, told by reading alone; of two records about one sample the first counts."""
    steps: list[_Step] = []
    seen: set[object] = set()
    for record in reviewfile.records(path):
        found = _find(connection, record)
        marks = {record.uid, record.hash} if found is None else {found[0]}
        if seen.isdisjoint(marks):
            steps.append(_Step(record, "new") if found is None else _known(connection, record, reviewer, *found))
        seen |= {*marks, record.uid, record.hash}
    return steps


def _find(connection: sqlite3.Connection, record: Record) -> tuple[int, int, str] | None:
    """Sample, its version and how their text stands to it: same, continued or edited. By uid, else by text among the living."""
    found = connection.execute(
        "SELECT s.id, s.version_id, t.hash FROM sample s JOIN version t ON t.id = s.version_id WHERE s.uid = ?",
        (record.uid,),
    ).fetchone()
    digest = bytes.fromhex(record.hash)
    if found is None:
        found = connection.execute(
            """
            SELECT s.id, s.version_id, c.hash FROM version t JOIN sample s ON s.id = t.sample_id
            JOIN version c ON c.id = s.version_id JOIN review r ON r.sample_id = s.id
            WHERE t.hash = ? AND r.deleted = 0 ORDER BY t.id = s.version_id DESC, s.id LIMIT 1
            """,
            (digest,),
        ).fetchone()
    if found is None:
        return None
    sample_id, version, current = found
    kind = "same" if current == digest else "continued" if current.hex() in record.ancestors else "edited"
    return sample_id, version, kind


def _known(
    connection: sqlite3.Connection, record: Record, reviewer: str, sample_id: int, version: int, kind: str
) -> _Step:
    status, rating, deleted, reasons, note, author, updated = connection.execute(
        "SELECT status, rating, deleted, reasons, note, author, updated FROM review WHERE sample_id = ?", (sample_id,)
    ).fetchone()
    before = {"deleted": deleted, "status": status, "rating": rating, "reasons": reasons, "note": note, "author": author, "updated": updated}  # fmt: skip
    # A deleted sample that no person ever touched is one whose merge was undone: it may come again.
    if deleted and updated is not None:
        return _Step(record, "deleted", sample_id)
    if kind == "edited":
        return _Step(record, "edited", sample_id)
    theirs = STATUSES.index(record.status)
    own_earlier = author == reviewer != "me" and (updated or 0) < (record.updated or 0)
    after = {**before, "deleted": 0}
    if theirs != _NEW and (status == _NEW or own_earlier):
        after |= _decision(record, reviewer)
        if not record.note:
            after["note"] = note
    opinion = connection.execute(
        "SELECT status, rating, reasons, note, updated FROM opinion WHERE sample_id = ? AND reviewer = ?",
        (sample_id, reviewer),
    ).fetchone()
    opines = theirs != _NEW and (
        opinion is None or (opinion[-1] <= (record.updated or 0) and tuple(opinion) != _opinion(record))
    )
    held = {
        str(name).lower() for (name,) in connection.execute("SELECT name FROM tag WHERE sample_id = ?", (sample_id,))
    }
    tags = tuple(name for name in record.tags if name.lower() not in held)
    change = (before, after) if after != before else None
    return _Step(record, kind, sample_id, version, status, change, opinion, opines, tags)


def _decision(record: Record, reviewer: str) -> dict[str, Any]:
    status, rating, reasons, note, updated = _opinion(record)
    return {"status": status, "rating": rating, "reasons": reasons, "note": note, "author": reviewer, "updated": updated}  # fmt: skip


def _opinion(record: Record) -> tuple[int, int | None, str, str, int]:
    reasons = json.dumps(list(record.reasons), ensure_ascii=False)
    return STATUSES.index(record.status), record.rating, reasons, record.note, record.updated or 0


def _does_something(step: _Step) -> bool:
    return step.kind in ("new", "continued") or bool(step.review or step.opines or step.tags)


def _preview(reviewer: str, steps: list[_Step]) -> MergePreview:
    kinds = Counter(step.kind for step in steps)
    both = [(s.status, STATUSES.index(s.record.status)) for s in steps if s.kind in ("same", "continued")]
    both = [(ours, theirs) for ours, theirs in both if _NEW not in (ours, theirs)]
    return MergePreview(
        reviewer=reviewer,
        samples=len(steps),
        new=kinds["new"],
        decided=sum(s.status == _NEW != STATUSES.index(s.record.status) for s in steps if s.kind in ("same", "continued")),
        agreeing=sum(ours == theirs for ours, theirs in both),
        disagreeing=sum(ours != theirs for ours, theirs in both),
        continued=kinds["continued"],
        edited=tuple(step.record.uid for step in steps if step.kind == "edited"),
        deleted=kinds["deleted"],
    )  # fmt: skip


def _carry_out(connection: sqlite3.Connection, operation: int, reviewer: str, steps: list[_Step]) -> int:
    """Do what the steps say inside the caller's transaction; returns how many samples changed."""
    touched: set[int] = set()
    reviews: dict[tuple[str, str], list[int]] = defaultdict(list)
    tags: dict[str, list[int]] = defaultdict(list)
    opinions: list[tuple[int, tuple[Any, ...] | None, Record]] = []
    added: list[int] = []
    for step in steps:
        if not _does_something(step):
            continue
        record, key, review = step.record, step.sample_id, step.review
        if key is None:
            key, review = _add(connection, record, reviewer)
            added.append(key)
        if step.kind == "continued":
            _continue(connection, operation, step, key, reviewer)
        if review is not None:
            reviews[json.dumps(review[0]), json.dumps(review[1])].append(key)
        if step.opines or (step.kind == "new" and record.status != "new"):
            opinions.append((key, step.opinion, record))
        for name in step.tags:
            tags[name].append(key)
        touched.add(key)
    if added:
        operations.put_part(connection, operation, "review", {"deleted": 1}, {"deleted": 0}, added)
    for (before, after), ids in reviews.items():
        operations.apply(connection, operation, "review", json.loads(before), json.loads(after), ids)
    if opinions:
        old = {"reviewer": reviewer, "rows": [[key, *before] for key, before, _ in opinions if before is not None]}
        new = {"reviewer": reviewer, "rows": [[key, *_opinion(record)] for key, _, record in opinions]}
        operations.apply(connection, operation, "opinion", old, new, [key for key, _, _ in opinions])
    for name, ids in tags.items():
        operations.set_scope(connection, ids)
        operations.change_tag(connection, operation, name, present=True)
    return len(touched)


def _add(connection: sqlite3.Connection, record: Record, reviewer: str) -> tuple[int, tuple[dict[str, Any], dict[str, Any]] | None]:  # fmt: skip
    """Insert an unknown sample under its own uid; returns its id and what its review goes from and to."""
    new = NewSample(record.messages, record.topic, record.source, record.tags)
    (key,) = add(connection, [new], author=reviewer).ids
    connection.execute("UPDATE sample SET uid = ? WHERE id = ?", (record.uid, key))
    if record.status == "new":
        return key, None
    undecided = {"status": _NEW, "rating": None, "reasons": "[]", "note": "", "author": "", "updated": None}
    return key, (undecided, _decision(record, reviewer))


def _continue(connection: sqlite3.Connection, operation: int, step: _Step, key: int, reviewer: str) -> None:
    version = add_version(connection, key, step.version, text_of(step.record.messages), author=reviewer)
    operations.apply(connection, operation, "version", {"version": step.version}, {"version": version}, [key])
