"""What a teacher's job has made, into the workspace: samples with verdicts, marks and provenance, in one transaction a batch, exactly once.

Safe at any time and as often as one likes: while the job runs, after it was killed, after this process was. How far it came is
remembered beside what was taken in. All of a job is one operation of the log, so one undo takes it out again.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from core import steps
from core.changes import Changes
from core.database import transaction
from core.jobs import JobFolder
from core.jobs.folder import Job, read_job
from core.samples import duplicates, minhash, operations
from core.samples.adding import Prepared, insert, prepare
from core.samples.conversation import Message, problem
from core.samples.store import VerdictRecord, put_verdicts
from core.steps import Steps
from core.teacher import results
from core.teacher.provenance import stored
from core.teacher.results import Made, Outcome

AUTHOR = "teacher"
FIX = "fix"
BATCH = 200
"""Outcomes a transaction: others may write between two."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """outcomes: how many were new. samples: how many samples they brought; duplicates: of those, how many texts were there already."""

    outcomes: int
    samples: int
    duplicates: int
    changes: Changes


@dataclass(slots=True)
class _Progress:
    """How far a job has been taken in: bytes of its output, its entry in the log, samples in that entry."""

    offset: int = 0
    entry: int = 0
    samples: int = 0


def take_in_steps(connection: sqlite3.Connection, folder: JobFolder) -> Steps[TakenIn]:
    """Store what the job has written since the last time, a step a batch. Raises UserError when a batch cannot be written."""
    job = read_job(folder)
    outcomes = samples = copies = 0
    while True:
        with transaction(connection):
            at = _progress(connection, folder.id)
            found, end = results.read(folder.output / results.FILE, at.offset, BATCH)
            if found:
                added, there = _store(connection, job, found, at)
                outcomes, samples, copies = outcomes + len(found), samples + added, copies + there
                at.offset = end
                _remember(connection, folder.id, at)
        if not found:
            changes = Changes(membership=True, added=True, verdict=True, ids=None) if samples else Changes()
            return TakenIn(outcomes, samples, copies, changes)
        yield


take_in = steps.in_one_go(take_in_steps)
"""`take_in_steps` for those who have nothing else to do meanwhile."""


def _progress(connection: sqlite3.Connection, job: str) -> _Progress:
    row = connection.execute("SELECT value FROM fact WHERE name = ?", (f"teacher {job}",)).fetchone()
    return _Progress(*json.loads(row[0])) if row else _Progress()


def _remember(connection: sqlite3.Connection, job: str, at: _Progress) -> None:
    value = json.dumps([at.offset, at.entry, at.samples])
    connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (f"teacher {job}", value))


def _store(connection: sqlite3.Connection, job: Job, found: Sequence[Outcome], at: _Progress) -> tuple[int, int]:
    """Samples, verdicts, marks, provenance and the log of one batch. Returns how many samples are new and how many were there."""
    recipe = job.request["recipe"]
    ids: list[int] = []
    records: list[VerdictRecord] = []
    copies = 0
    for one in found:
        if not one.made:
            _provenance(connection, job, one, "sample", None, None)
        for made in one.made:
            fresh = _prepared(one, made, recipe["name"])
            added = insert(connection, [fresh], author=AUTHOR).ids if fresh else ()
            if not added:
                copies += 1
                _provenance(connection, job, one, made.kind, None, None)
                continue
            (key,) = added
            version = connection.execute("SELECT version_id FROM sample WHERE id = ?", (key,)).fetchone()[0]
            ids.append(key)
            records.append(VerdictRecord(version, made.states, made.diagnostics, made.toolchain, made.policy))
            _provenance(connection, job, one, made.kind, key, version)
            connection.executemany(
                "INSERT OR IGNORE INTO contamination SELECT ?, id, ?, ?, ?, ? FROM problem WHERE id = ?",
                [(version, leak.kind, leak.part, leak.start, leak.end, leak.problem) for leak in made.contamination],
            )
            if made.near is not None:
                _mark(connection, job.id, key, results.code_of(made), made.near[0])
    put_verdicts(connection, records)
    if ids:
        _log(connection, job, ids, at)
    return len(ids), copies


def _prepared(one: Outcome, made: Made, recipe: str) -> Prepared | None:
    messages = [Message(role, content) for role, content in made.messages]
    if problem(messages):
        return None  # such as half of a character: kept in the provenance alone
    tags = (recipe, *(("fix",) if made.kind == FIX else ()), "verified" if made.verified else "unverified")
    return prepare(messages, one.topic, _model(one), tags)


def _log(connection: sqlite3.Connection, job: Job, ids: Sequence[int], at: _Progress) -> None:
    if at.entry and not operations.is_open(connection, at.entry):
        at.entry = at.samples = 0  # somebody has undone what came before; this is news
    at.samples += len(ids)
    if at.entry:
        operations.grow(connection, at.entry, at.samples)
    else:
        at.entry = operations.begin(connection, AUTHOR)
        operations.close(connection, at.entry, f"Teacher: {job.title}", at.samples)
    operations.put_part(connection, at.entry, "review", {"deleted": 1}, {"deleted": 0}, ids)


def _mark(connection: sqlite3.Connection, job: str, key: int, code: str, near: str) -> None:
    """Mark a sample as a near copy of what the job took it for, after counting: signatures only estimate."""
    kind, _, number = near.partition(":")
    if kind == "job":
        row = connection.execute(
            "SELECT sample_id FROM generation WHERE job = ? AND number = ? AND kind = 'sample'", (job, int(number))
        ).fetchone()
        other = row[0] if row else None
    else:
        other = int(number)
    if other is None or other == key:
        return
    text = next((text for _, text in duplicates.texts(connection, "solutions", [other])), "")
    alike = minhash.similarity(code, text)
    if alike < duplicates.KINDS["solutions"]:
        return
    row = connection.execute("SELECT keeper FROM duplicate WHERE sample_id = ?", (other,)).fetchone()
    keeper = row[0] if row else other
    connection.executemany(
        "INSERT OR IGNORE INTO duplicate (sample_id, keeper, similarity) VALUES (?, ?, ?)",
        [(keeper, keeper, alike), (key, keeper, alike)],
    )


def _model(one: Outcome) -> str:
    """Who wrote it, as it signs: what answered last."""
    return one.exchanges[-1].answer.model if one.exchanges else ""


def _provenance(
    connection: sqlite3.Connection, job: Job, one: Outcome, kind: str, key: int | None, version: int | None
) -> None:
    plan, recipe = job.request["plan"], job.request["recipe"]
    answers = [exchange.answer for exchange in one.exchanges]
    usage, cost = one.usage, one.cost
    values: dict[str, Any] = {
        "job": job.id, "number": one.number, "kind": kind, "sample_id": key, "version_id": version, "result": one.result,
        "reason": one.reason, "topic": one.topic, "recipe": recipe["name"], "recipe_version": recipe["version"],
        "recipe_digest": recipe["digest"], "seed": plan["seed"], "draw": json.dumps(one.draw), "origin": one.origin,
        "parents": json.dumps(one.parents), "base_url": plan["base_url"], "asked_model": plan["model"], "model": _model(one),
        "fingerprint": answers[-1].fingerprint if answers else "", "parameters": json.dumps(plan["parameters"]),
        "requests": len(answers), "prompt_tokens": usage.prompt, "completion_tokens": usage.completion,
        "cached_tokens": usage.cached, "reasoning_tokens": usage.reasoning, "seconds": sum(each.seconds for each in answers),
        "cost_usd": None if cost is None else str(cost), "prices": answers[-1].prices if answers else "",
        "agreement": one.agreement, "evaluation": plan.get("evaluation", ""), "created": int(time.time()),
        "conversation": stored(one.exchanges),
    }  # fmt: skip
    connection.execute(
        f"INSERT OR IGNORE INTO generation ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})",
        tuple(values.values()),
    )
