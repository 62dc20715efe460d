"""The evaluations of a workspace, from the folders of its jobs alone: which have come to their end, of what, and where the others stand.

Nothing is cached on disk: a result is read again only when its file has changed.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from core.errors import UserError
from core.evaluation import results
from core.evaluation.results import Evaluation
from core.evaluation.starting import KIND, MODEL_KIND
from core.jobs import JobInfo
from core.jobs.events import last_events

KINDS = (KIND, MODEL_KIND)
RUN_KIND = "train"
"""Of jobs whose student is evaluated on the way; each point is a result of its own in output/evaluations/step-N."""
_CHECKPOINT = re.compile(r"checkpoint-(\d+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """An evaluation that is done. key: what tells it from all others; job: the job that made it, a run for a point on its way. run: the job that
    trained the model, "" for a base and for completions; step: of that run."""

    key: str
    job: str
    title: str
    created: float
    evaluation: Evaluation
    run: str = ""
    step: int | None = None

    @property
    def name(self) -> str:
        """What was measured: the model, else the file of completions."""
        origin = self.evaluation.origin
        return origin.model or Path(str(origin.settings.get("file", ""))).name or self.title


@dataclass(frozen=True, slots=True)
class Standing:
    """Where an evaluation stands. done, total: of what `message` says it does. seconds_left: at its pace since then, None while that is
    not known. pass_at_1: None before it is done."""

    message: str = ""
    done: int = 0
    total: int = 0
    seconds_left: float | None = None
    pass_at_1: float | None = None


@dataclass(slots=True)
class Board:
    """Reads results, each once. Not for two threads at a time."""

    _read: dict[str, tuple[int, Entry]] = field(default_factory=dict)

    def entries(self, jobs: Iterable[JobInfo]) -> list[Entry]:
        """Those that are done, in the order given, of a run all points on its way; a result that cannot be read is left out."""
        found = []
        for job in jobs:
            if job.kind == RUN_KIND:
                found += [self._entry(job, one, f"{job.id}/{one.name}") for one in reversed(_points(job))]
            elif job.kind in KINDS and job.state == "done":
                found.append(self._entry(job, job.folder.output, job.id))
        return [entry for entry in found if entry is not None]

    def _entry(self, job: JobInfo, folder: Path, key: str) -> Entry | None:
        try:
            changed = os.stat(folder / results.RESULT).st_mtime_ns
            known = self._read.get(key)
            if known is None or known[0] != changed:
                known = self._read[key] = changed, _entry(job, key, results.read(folder))
        except (OSError, UserError):
            return None
        return known[1]


def stamp(job: JobInfo) -> object:
    """What changes when a job may have another result; some microseconds."""
    if job.kind != RUN_KIND:
        return job.finished
    return tuple(one.stat().st_mtime_ns for one in _points(job))


def _points(job: JobInfo) -> list[Path]:
    return sorted((job.folder.output / "evaluations").glob("step-*"))


def _entry(job: JobInfo, key: str, evaluation: Evaluation) -> Entry:
    settings = evaluation.origin.settings
    if job.kind == RUN_KIND:
        return Entry(key, job.id, job.title, evaluation.started, evaluation, job.id, int(settings["step"]))
    run, step = origin_of(str(settings.get("path", "")))
    return Entry(key, job.id, job.title, job.created, evaluation, run, step)


def origin_of(path: str) -> tuple[str, int | None]:
    """The run and the step of a checkpoint's folder, ("", None) for any other."""
    parts = Path(path).parts[-3:]
    match = _CHECKPOINT.fullmatch(parts[2]) if len(parts) == 3 and parts[1] == "output" else None
    return (parts[0], int(match[1])) if match is not None else ("", None)


def standing(events: Path, size: int = 16 * 1024) -> Standing:
    """Where a job stands, from the last `size` bytes of its events; 16 kB take 0.2 ms and reach half a minute back."""
    message, began = "", 0
    found = last_events(events, size)
    for place, event in enumerate(found):
        if event["kind"] == "message":
            message, began = str(event.get("text", "")), place
    steps = [event for event in found[began:] if event["kind"] == "progress"]
    ends = [event for event in found if event["kind"] == "evaluated"]
    pass_at = (ends[-1].get("pass_at") or {}).get("1") if ends else None
    if not steps:
        return Standing(message, pass_at_1=pass_at)
    first, last = steps[0], steps[-1]
    done, total = int(last["done"]), int(last["total"] or 0)
    gone, spent = done - int(first["done"]), float(last["t"]) - float(first["t"])
    left = spent / gone * (total - done) if gone > 0 and spent > 0 and total > done else None
    return Standing(message, done, total, left, pass_at)
