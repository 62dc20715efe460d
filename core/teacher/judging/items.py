"""What is judged: chosen by a plan's query, and written into the job's folder, because workers never open the database.

A text reaches a template only inside of a fence that nothing in it can end.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from core.golang.checker import CHECKS
from core.samples import query as search
from core.samples.conversation import messages_of
from core.samples.language import living
from core.samples.store import STATES, diagnostics
from core.teacher.answers import fenced
from core.teacher.judging.judgement import judged_by
from core.teacher.judging.plan import JudgePlan

FILE = "items.jsonl"
_CHUNK = 500
_FINDINGS = 8
_LONGEST = 400
"""Characters of one complaint; what a test prints can be any length."""


@dataclass(frozen=True, slots=True)
class Item:
    """One text. conversation: (role, content) of all that stands before the answer. states: check -> pass, fail, skipped; what was not asked is
    missing. findings: the first complaints of the toolchain, a line each."""

    sample: int
    version: int
    conversation: tuple[tuple[str, str], ...]
    answer: str
    states: Mapping[str, str]
    findings: tuple[str, ...]

    def given(self) -> dict[str, Any]:
        """What a template may name."""
        return {
            "conversation": [{"role": role, "text": fenced(content)} for role, content in self.conversation],
            "answer": fenced(self.answer),
            "verdicts": {check: self.states.get(check, "not asked") for check in CHECKS},
            "findings": fenced("\n".join(self.findings)) if self.findings else "",
        }


@dataclass(frozen=True, slots=True)
class Choice:
    """ids: of the samples to judge, in the query's order. known: how many more are left out, because this judge has scored their text."""

    ids: tuple[int, ...]
    known: int


def choose(connection: sqlite3.Connection, plan: JudgePlan, digest: str) -> Choice:
    """Which samples a plan means. digest: of its rubric. Raises UserError when the search is wrong."""
    found = search.ids(connection, living(search.parse(plan.query)))
    there = set() if plan.again else judged_by(connection, plan.model, digest)
    new = [key for key in found if key not in there]
    return Choice(tuple(new[: plan.most]), len(found) - len(new))


def read(connection: sqlite3.Connection, ids: Sequence[int]) -> Iterator[Item]:
    """The present text of these samples, in their order."""
    checks = ", ".join(f"v.{check}" for check in CHECKS)
    for start in range(0, len(ids), _CHUNK):
        rows = connection.execute(
            f"""
            SELECT s.id, s.version_id, t.context, t.prompt, t.response, {checks} FROM json_each(?) e
            JOIN sample s ON s.id = e.value JOIN version t ON t.id = s.version_id JOIN verdict v ON v.version_id = t.id ORDER BY e.key
            """,
            (json.dumps(list(ids[start : start + _CHUNK])),),
        )
        for key, version, context, prompt, response, *states in rows:
            *before, _ = messages_of(context, prompt, response)
            yield Item(
                sample=key,
                version=version,
                conversation=tuple((one.role, one.content) for one in before),
                answer=response,
                states={name: STATES[said] for name, said in zip(CHECKS, states, strict=True) if said is not None},
                findings=_findings(connection, version) if 0 in states else (),
            )


def write(items: Iterator[Item], place: Path) -> None:
    """A line each. Raises OSError."""
    with place.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(asdict(one), separators=(",", ":")) + "\n" for one in items)


def each(place: Path) -> Iterator[Item]:
    """What `write` was given, one at a time: a large workspace's texts are more than fits into memory."""
    with place.open(encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            row["conversation"] = tuple((role, content) for role, content in row["conversation"])
            row["findings"] = tuple(row["findings"])
            yield Item(**row)


def _findings(connection: sqlite3.Connection, version: int) -> tuple[str, ...]:
    found = diagnostics(connection, version)[:_FINDINGS]
    return tuple(f"{one.check}{f', line {one.line}' if one.line else ''}: {one.message[:_LONGEST]}" for one in found)
