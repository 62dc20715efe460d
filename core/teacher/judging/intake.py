"""What a judge has said, into the workspace: a batch a transaction, exactly once, at any time and as often as one likes.

No operation of the log, so undo passes it by: it changes nothing that a person did, and a score goes with the text it was given.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from core import steps
from core.changes import Changes
from core.database import transaction
from core.jobs import JobFolder
from core.jobs.folder import Job, read_job
from core.samples.store import NAMED_IDS
from core.steps import Steps
from core.teacher.judging import results
from core.teacher.judging.results import Judged
from core.teacher.provenance import stored
from core.teacher.results import cost_of, usage_of

BATCH = 500
"""Judgements a transaction: others may write between two."""


@dataclass(frozen=True, slots=True)
class TakenIn:
    """outcomes: how many judgements were new; scored: of those, how many brought a score."""

    outcomes: int
    scored: int
    changes: Changes


def take_in_steps(connection: sqlite3.Connection, folder: JobFolder) -> Steps[TakenIn]:
    """Store what the job has written since the last time, a step a batch. Raises UserError when a batch cannot be written."""
    job, name = read_job(folder), f"judge {folder.id}"
    outcomes = 0
    scored: list[int] = []
    while True:
        with transaction(connection):
            row = connection.execute("SELECT value FROM fact WHERE name = ?", (name,)).fetchone()
            found, end = results.read(folder.output / results.FILE, int(row[0]) if row else 0, BATCH)
            if found:
                scored += _store(connection, job, found)
                connection.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (name, str(end)))
        if not found:
            ids = tuple(scored) if len(scored) <= NAMED_IDS else None
            return TakenIn(outcomes, len(scored), Changes(review=bool(scored), ids=ids))
        outcomes += len(found)
        yield


take_in = steps.in_one_go(take_in_steps)
"""`take_in_steps` for those who have nothing else to do meanwhile."""


def _store(connection: sqlite3.Connection, job: Job, found: Sequence[Judged]) -> list[int]:
    """Judgements of versions that are there; returns the samples that got a score."""
    plan, rubric = job.request["plan"], job.request["rubric"]
    scored = []
    for one in found:
        answers = [exchange.answer for exchange in one.exchanges]
        usage, cost = usage_of(one.exchanges), cost_of(one.exchanges)
        values: dict[str, Any] = {
            "job": job.id, "sample_id": one.sample, "version_id": one.version, "score": one.score,
            "points": json.dumps([asdict(points) for points in one.points]), "summary": one.summary, "reason": one.reason,
            "rubric": rubric["name"], "rubric_version": rubric["version"], "rubric_digest": rubric["digest"], "base_url": plan["base_url"],
            "asked_model": plan["model"], "model": answers[-1].model if answers else "",
            "fingerprint": answers[-1].fingerprint if answers else "", "parameters": json.dumps(plan["parameters"]),
            "requests": len(answers), "prompt_tokens": usage.prompt, "completion_tokens": usage.completion, "cached_tokens": usage.cached,
            "reasoning_tokens": usage.reasoning, "seconds": sum(each.seconds for each in answers),
            "cost_usd": None if cost is None else str(cost), "prices": answers[-1].prices if answers else "", "created": one.created,
            "conversation": stored(one.exchanges),
        }  # fmt: skip
        added = connection.execute(
            f"""
            INSERT OR IGNORE INTO judgement ({", ".join(values)})
            SELECT {", ".join("?" * len(values))} FROM version WHERE id = ? AND sample_id = ?
            """,
            (*values.values(), one.version, one.sample),
        )
        if added.rowcount and one.score is not None:
            scored.append(one.sample)
    return scored
