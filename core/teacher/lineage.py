"""What a student comes from, told from job folders, snapshots and provenance: base, run, samples, and whose failures these answer.

Reads only. What is gone (a run's folder, a snapshot, an evaluation) is left out and named; nothing is guessed for it.
"""

from __future__ import annotations

import json
import sqlite3
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.evaluation.starting import MODEL_KIND
from core.files import read_json
from core.jobs.folder import Job, JobFolder, folders, read_job
from core.samples import membership

RUN_KIND = "train"


@dataclass(frozen=True, slots=True)
class Taught:
    """Samples of a snapshot that one job of a teacher wrote. topics: how many of each. evaluation: whose failures its plan answers, "" for none.

    there: whether the job's folder still is.
    """

    job: str
    samples: int
    topics: Mapping[str, int]
    evaluation: str
    there: bool


@dataclass(frozen=True, slots=True)
class Run:
    """A training job, or what is left of one. base: the folder that it started from, None where that is not known.

    samples, new: of its snapshot, None where that is gone; new ones are in no snapshot of its parents. taught: who wrote the new ones.
    parents: the runs that it builds on: that of its base, and those of the students whose failures its samples answer.
    generation: one more than the highest of these; at_least: something that it may come from is gone.
    """

    id: str
    title: str
    there: bool
    base: str | None
    snapshot: str
    samples: int | None
    new: int | None
    taught: tuple[Taught, ...]
    parents: tuple[str, ...]
    generation: int
    at_least: bool
    notes: tuple[str, ...]


class Lineage:
    """The runs of a workspace and what they come from, each looked up once."""

    def __init__(self, jobs: Path, snapshots: Path, connection: sqlite3.Connection) -> None:
        self._folder = jobs
        self._snapshots = snapshots
        self.jobs: dict[str, Job] = {}
        for entry in folders(jobs):
            try:
                self.jobs[entry.name] = read_job(JobFolder(Path(entry.path)))
            except UserError:
                continue  # half of a job, as a copy that broke off leaves it: it tells nothing
        self._connection = connection
        self._runs: dict[str, Run] = {}
        self._under_way: set[str] = set()

    def of_kind(self, kind: str) -> list[Job]:
        """Jobs of this kind, oldest first."""
        return sorted((job for job in self.jobs.values() if job.kind == kind), key=lambda job: job.created)

    def folder(self, job: Job) -> JobFolder:
        """Where a job lies."""
        return JobFolder(self._folder / job.id)

    def student(self, path: str) -> Run | None:
        """The run that saved the model in this folder, whether the folder is still there or not; None for a base."""
        found = run_of(path)
        return self.run(found) if found else None

    def run(self, name: str) -> Run:
        """The run with this job id."""
        if name not in self._runs:
            self._under_way.add(name)
            self._runs[name] = self._look(name)
            self._under_way.discard(name)
        return self._runs[name]

    def _look(self, name: str) -> Run:
        job = self.jobs.get(name)
        if job is None or job.kind != RUN_KIND:
            note = "Its run is gone, so what it comes from is not known."
            return Run(name, name, False, None, "", None, None, (), (), 1, True, (note,))
        base, place = _text(job.request, "base"), self._snapshot_of(job)
        notes: dict[str, bool] = {}  # sentence -> whether the generation may be higher for it
        parents: list[str] = []
        if (before := run_of(base)) is not None:
            self._add(parents, before)
        here = set(membership.uids(place)) if place.is_dir() else None
        if here is None:
            notes[f"The snapshot “{place.name}” is gone, so its samples are not known."] = True
        for one in self._taught(here or ()):
            if one.evaluation:
                self._answered(one.evaluation, parents, notes)
        known = [self.run(one) for one in parents]
        fresh = here
        for parent in known if here is not None else ():
            if parent.samples is None:
                notes[f"What {parent.title} was trained on is gone, so which samples are new is not known."] = False
                fresh = None
            elif fresh is not None:
                fresh = fresh - self._samples_of(parent.id)
        generation = 1 + max((one.generation for one in known), default=0)
        return Run(
            name, job.title, True, base, place.name, None if here is None else len(here), None if fresh is None else len(fresh),
            tuple(self._taught(fresh or ())), tuple(parents), generation,
            any(notes.values()) or any(one.at_least for one in known), tuple(notes),
        )  # fmt: skip

    def _answered(self, evaluation: str, parents: list[str], notes: dict[str, bool]) -> None:
        """Add the run of the student that this evaluation is of."""
        job = self.jobs.get(evaluation)
        if job is None:
            notes[f"Samples answer the evaluation {evaluation}, which is gone."] = True
        elif job.kind == MODEL_KIND:
            settings = job.request.get("settings")
            found = run_of(_text(settings, "path")) if isinstance(settings, dict) else None
            if found is not None:
                self._add(parents, found)
        # completions name no model: what answered them is not known, and was said when they were judged

    def _add(self, parents: list[str], run: str) -> None:
        # Folders that were changed by hand may say that a run comes from itself.
        if run not in parents and run not in self._under_way:
            parents.append(run)

    def _samples_of(self, run: str) -> set[str]:
        job = self.jobs.get(run)
        return set(membership.uids(self._snapshot_of(job))) if job is not None and job.kind == RUN_KIND else set()

    def _snapshot_of(self, job: Job) -> Path:
        """The folder of a run's snapshot; where the workspace was moved since, that of the same name."""
        place = Path(_text(job.request, "snapshot") or "none")
        return place if place.is_dir() else self._snapshots / place.name

    def _taught(self, uids: Iterable[str]) -> list[Taught]:
        """Who wrote which of these samples, most first."""
        rows = self._connection.execute(
            """
            SELECT g.job, g.evaluation, g.topic, count(*) FROM json_each(?) e JOIN sample s ON s.uid = e.value
            JOIN generation g ON g.sample_id = s.id GROUP BY 1, 2, 3
            """,
            (json.dumps(list(uids)),),
        )
        topics: dict[tuple[str, str], Counter[str]] = {}
        for job, evaluation, topic, count in rows:
            topics.setdefault((job, evaluation), Counter())[topic] += count
        found = [
            Taught(job, some.total(), dict(some.most_common()), evaluation, job in self.jobs)
            for (job, evaluation), some in topics.items()
        ]
        return sorted(found, key=lambda one: (-one.samples, one.job))


def run_of(path: str) -> str | None:
    """The id of the run that saved a model folder: from where it lies, which a deleted one still tells, else from its own note."""
    place = Path(path)
    if path and place.parent.name == "output" and place.name.startswith("checkpoint-"):
        return place.parent.parent.name
    note = read_json(place / "gosmith.json") if path else None
    return str(note["run"]) if note and note.get("run") else None


def _text(request: Mapping[str, Any], key: str) -> str:
    value = request.get(key)
    return value if isinstance(value, str) else ""
