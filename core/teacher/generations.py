"""How the student fares over the loops: its generations on one suite in one mode, and what each learnt that the one before had not.

Generation 0 is a base that no run made. A run is one generation above the highest of its base and of the students whose failures its samples
answer. All of it is told from jobs, snapshots and provenance each time it is asked; nothing is kept, so nothing can disagree with them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from core.errors import UserError
from core.evaluation import results
from core.evaluation.passing import Estimate, estimate
from core.evaluation.results import Evaluation
from core.evaluation.starting import MODEL_KIND
from core.jobs.folder import Job, JobFolder
from core.teacher.lineage import Lineage, Run


@dataclass(frozen=True, slots=True)
class Row:
    """A model that was evaluated. model: run and step of a checkpoint, else what the evaluation calls it. there: whether its folder still is. evaluation: the newest job that measured it, of `evaluations`.

    run: what saved it, None for a base. generation is at least so much where at_least is set: something that it may come from is gone.
    samples: answers to each problem. passes: pass@1.
    """

    generation: int
    at_least: bool
    model: str
    path: str
    there: bool
    evaluation: str
    evaluations: int
    created: float
    run: Run | None
    step: int | None
    passes: Estimate
    problems: int
    samples: int | None
    temperature: float | None


@dataclass(frozen=True, slots=True)
class Generations:
    """rows: by generation, then oldest first. notes: what must be known to read them, in sentences."""

    suite: str
    mode: str
    sha256: str
    rows: tuple[Row, ...]
    notes: tuple[str, ...]


def measured(lineage: Lineage) -> list[tuple[str, str]]:
    """Suites and modes that models were evaluated in, the one that was used last first."""
    found = [(_asked(job, "suite"), _asked(job, "mode")) for job, _ in _finished(lineage)]
    return list(dict.fromkeys(reversed(found)))


def generations(lineage: Lineage, suite: str, mode: str = "fixed") -> Generations:
    """The generations on a suite. Raises UserError when no model was evaluated on it in that mode."""
    every = _finished(lineage)
    chosen = [(job, folder) for job, folder in every if (_asked(job, "suite"), _asked(job, "mode")) == (suite, mode)]
    read = [(job, found) for job, folder in chosen if (found := _read(folder)) is not None]
    if not read:
        known = ", ".join(dict.fromkeys(f"{_asked(job, 'suite')} ({_asked(job, 'mode')})" for job, _ in every))
        raise UserError(
            f"No model was evaluated on “{suite}” in the mode {mode} yet.",
            f"There are evaluations on {known}." if known else f"`gosmith evaluate MODEL --problems {suite}` does it.",
        )
    sha256 = read[-1][1].origin.sha256
    same = [(job, found) for job, found in read if found.origin.sha256 == sha256]
    rows: dict[str, Row] = {}
    for job, found in same:
        row = _row(lineage, job, found)
        if row is not None:
            before = rows.get(row.path)
            rows[row.path] = replace(row, evaluations=before.evaluations + 1) if before is not None else row
    ordered = tuple(sorted(rows.values(), key=lambda row: (row.generation, row.created)))
    notes = _notes(len(chosen) - len(read), len(read) - len(same), ordered)
    return Generations(suite, mode, sha256, ordered, tuple(notes))


def _notes(damaged: int, other: int, rows: Sequence[Row]) -> list[str]:
    notes = []
    if other:
        notes.append(
            f"{_evaluations(other)} of an earlier text of this suite {'is' if other == 1 else 'are'} left out: other problems say nothing here."
        )
    if damaged:
        notes.append(f"{_evaluations(damaged)} cannot be read and {'is' if damaged == 1 else 'are'} left out.")
    asked = {(row.samples, row.temperature) for row in rows}
    if len(asked) > 1:
        notes.append("Not all were asked alike (answers to a problem, temperature), which moves pass@1 by itself.")
    if any(row.at_least for row in rows):
        notes.append("Where something is gone that a student may come from, its generation is at least the one shown.")
    if len(rows) > 2:
        notes.append(
            "The best of many on the same suite is flattered by the choice; compare on another before you believe it."
        )
    return notes


def _row(lineage: Lineage, job: Job, found: Evaluation) -> Row | None:
    passes = found.pass_at.get(1) or estimate(found.tallies, 1)
    if passes is None:
        return None
    settings = found.origin.settings
    path = str(settings.get("path", ""))
    run = lineage.student(path)
    name = Path(path).name
    step = int(name.removeprefix("checkpoint-")) if run is not None and name[11:].isdigit() else None
    called = f"{run.title}/step-{step}" if run is not None and run.there and step is not None else found.origin.model
    sampling = settings.get("sampling")
    temperature = sampling.get("temperature") if isinstance(sampling, dict) else None
    return Row(
        run.generation if run is not None else 0, run.at_least if run is not None else False, called, path,
        bool(path) and Path(path).is_dir(), job.id, 1, job.created, run, step, passes, found.problems, settings.get("samples"), temperature,
    )  # fmt: skip


def _finished(lineage: Lineage) -> list[tuple[Job, JobFolder]]:
    """Evaluations of models that came to their end, oldest first."""
    found = [(job, lineage.folder(job)) for job in lineage.of_kind(MODEL_KIND)]
    return [(job, folder) for job, folder in found if (folder.output / results.RESULT).is_file()]


def _read(folder: JobFolder) -> Evaluation | None:
    try:
        return results.read(folder.output)
    except UserError:
        return None  # counted by the caller


def _asked(job: Job, key: str) -> str:
    return str(job.request.get(key, ""))


def _evaluations(count: int) -> str:
    return f"{count:,} evaluation{'s' if count != 1 else ''}"
