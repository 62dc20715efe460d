"""Where a job stands, told from its files.

Reading never changes anything, and a state is never guessed from memory: whoever opens the folder, today or after a
crash, comes to the same answer. That a supervisor is gone is found out here, by whoever looks; nobody needs to have seen it go.
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Final

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.events import last_events
from core.jobs.folder import Job, JobFolder, folders, read_job
from core.jobs.order import places
from core.jobs.process import Identity, alive, boot_id

STATES: Final = ("queued", "running", "stopping", "done", "stopped", "failed", "interrupted")
ENDED: Final = ("done", "stopped", "failed", "interrupted")
SILENCE: Final = 60.0
"""Seconds without a heartbeat after which a live job is said to be silent."""
_NEVER_STARTED: Final = 60.0
"""Seconds between making a folder and starting it after which the starter is taken for dead."""


@dataclass(frozen=True, slots=True)
class State:
    """The content of state.json. Times are seconds since the epoch.

    scheduled: it waits for its time. supervisor: who drives the job; None before the first start. attempt: 0 before the first start.
    leases: names of those it holds. exits: exit code of each worker that has ended, negative for a signal.
    steps, total: filled in at the end.
    """

    state: str = "queued"
    message: str = ""
    hint: str = ""
    scheduled: bool = False
    attempt: int = 0
    supervisor: Identity | None = None
    queued: float | None = None
    started: float | None = None
    finished: float | None = None
    workers: tuple[int, ...] = ()
    leases: tuple[str, ...] = ()
    exits: tuple[int | None, ...] = ()
    step: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class JobInfo:
    """Where a job stands now, for a row in a list. Times are seconds since the epoch.

    state: one of STATES. message, hint: one sentence each, for people. step, total: as far as the job tells.
    heartbeat: latest sign of life of the quietest worker. silent: it runs, but has said nothing for a minute.
    pid: of the supervisor, None unless it lives. leases: names of those it holds now, and workers: pids of who uses them.
    place: in the queue, from 1, of a job that waits for others. not_before: when a job that waits for its time begins.
    """

    id: str
    folder: JobFolder
    kind: str
    title: str
    state: str
    message: str
    hint: str
    created: float
    queued: float | None = None
    started: float | None = None
    finished: float | None = None
    attempt: int = 0
    pid: int | None = None
    step: int | None = None
    total: int | None = None
    heartbeat: float | None = None
    silent: bool = False
    resources: tuple[str, ...] = ()
    processes: int = 1
    leases: tuple[str, ...] = ()
    workers: tuple[int, ...] = ()
    place: int | None = None
    not_before: float | None = None

    @property
    def alive(self) -> bool:
        """Is there still a supervisor that drives it, or one about to start?"""
        return self.state not in ENDED

    @property
    def progress(self) -> float | None:
        """Share done, 0 to 1; None when unknown."""
        if self.state == "done":
            return 1.0
        return min(1.0, self.step / self.total) if self.step is not None and self.total else None


def read_state(folder: JobFolder) -> State:
    """Where the supervisor said it stands; the first state when it has said nothing yet."""
    value = read_json(folder.state)
    if value is None:
        return State()
    known = {item.name for item in fields(State)}
    value = {key: item for key, item in value.items() if key in known}
    if value.get("supervisor"):
        value["supervisor"] = Identity(**value["supervisor"])
    for key in ("workers", "leases", "exits"):
        value[key] = tuple(value.get(key, ()))
    return State(**value)


def write_state(folder: JobFolder, state: State) -> None:
    """Replace state.json. For the supervisor alone."""
    write_json(folder.state, asdict(state))


def info(folder: JobFolder, queue: Mapping[str, int] | None = None) -> JobInfo:
    """Where a job stands now. Raises UserError when the folder holds no job.

    queue: the places of those who wait, when the caller knows them already.
    """
    job = read_job(folder)
    state = read_state(folder)
    if state.state not in ENDED and state.supervisor and not alive(state.supervisor):
        state = read_state(folder)  # it may have ended properly between the two looks
    lost = _lost(folder, job, state)
    if lost is not None:
        state = lost
    step, total = (state.step, state.total) if state.state in ENDED and lost is None else last_step(folder)
    beat = _heartbeat(folder, job) if state.state in ("running", "stopping") else None
    newest = max(beat or 0.0, state.started or 0.0)
    silent = state.state == "running" and time.time() - newest > SILENCE
    message = state.message
    if silent:
        message = f"No sign of life for {time.time() - newest:.0f} s."
    live = state.state not in ENDED and state.supervisor is not None
    at_work = state.state in ("running", "stopping")
    place = None
    if state.state == "queued":
        place = (places(folder.path.parent / "leases") if queue is None else queue).get(job.id)
    return JobInfo(
        id=job.id,
        folder=folder,
        kind=job.kind,
        title=job.title,
        state=state.state,
        message=message,
        hint=state.hint or ("Stop it if it stays silent; the log says what it did last." if silent else ""),
        created=job.created,
        queued=state.queued,
        started=state.started,
        finished=state.finished,
        attempt=state.attempt,
        pid=state.supervisor.pid if live and state.supervisor else None,
        step=step,
        total=total,
        heartbeat=beat,
        silent=silent,
        resources=job.resources,
        processes=job.processes,
        leases=state.leases if at_work else (),
        workers=state.workers if at_work else (),
        place=place,
        not_before=job.not_before if state.state == "queued" and state.scheduled else None,
    )


def _lost(folder: JobFolder, job: Job, state: State) -> State | None:
    """The derived state `interrupted`, with what happened; None when the job is not interrupted."""
    if state.state in ENDED:
        return None
    if state.supervisor is None:
        if time.time() - job.created < _NEVER_STARTED:
            return None
        return replace(
            state,
            state="interrupted",
            message="It was prepared but never started.",
            hint="Resume it to start it, or delete it.",
        )
    if alive(state.supervisor):
        return None
    step, total = last_step(folder)
    where = f" at {step:,} of {total:,}" if step is not None and total else f" at step {step:,}" if step else ""
    if state.supervisor.boot != boot_id():
        message = f"The computer was restarted while this job was {_doing(state)}{where}."
    else:
        message = f"Its supervisor (process {state.supervisor.pid}) was killed while it was {_doing(state)}{where}."
    saved = last_checkpoint(folder)
    if saved is not None:
        hint = f"Resume it to go on from {saved.name}."
    else:
        hint = "Resume it to start it again in the same folder; nothing was saved before."
    return replace(state, state="interrupted", message=message, hint=hint, finished=_last_sign(folder))


def _doing(state: State) -> str:
    if state.scheduled:
        return "waiting for its time"
    return {"queued": "waiting in the queue", "running": "running", "stopping": "stopping"}[state.state]


def _last_sign(folder: JobFolder) -> float | None:
    times = []
    for path in (folder.events, folder.state, folder.heartbeat(0)):
        try:
            times.append(path.stat().st_mtime)
        except FileNotFoundError:
            continue
    return max(times, default=None)


def _heartbeat(folder: JobFolder, job: Job) -> float | None:
    beats = []
    for rank in range(job.processes):
        try:
            beats.append(folder.heartbeat(rank).stat().st_mtime)
        except FileNotFoundError:
            continue
    return min(beats, default=None)


def last_step(folder: JobFolder) -> tuple[int | None, int | None]:
    """Step and total that the newest events tell: of `progress` events, else the step of the newest `step` event."""
    step: int | None = None
    for event in reversed(last_events(folder.events)):
        if event["kind"] == "progress":
            return int(event["done"]), None if event.get("total") is None else int(event["total"])
        if event["kind"] == "step" and step is None:
            step = int(event["step"])
    return step, None


def last_checkpoint(folder: JobFolder) -> Path | None:
    """The newest whole checkpoint of a job, by step; None when it has saved none."""
    found = [
        (int(match[1]), folder.output / match[0])
        for entry in folders(folder.output)
        if (match := re.fullmatch(r"checkpoint-(\d+)", entry.name))
    ]
    return max(found, default=(0, None))[1]


def list_jobs(jobs_dir: Path) -> list[JobInfo]:
    """All jobs of a workspace, newest first."""
    return JobWatcher(jobs_dir).poll()


@dataclass(slots=True)
class JobWatcher:
    """Lists the jobs of a workspace again and again, at the cost of one `stat` for each that has ended."""

    jobs_dir: Path
    _ended: dict[str, tuple[int, JobInfo]] = field(default_factory=dict)

    def poll(self) -> list[JobInfo]:
        """All jobs, newest first. Folders without a readable job.json are no jobs and are left out."""
        found = []
        seen = set()
        queue = places(self.jobs_dir / "leases")
        for entry in folders(self.jobs_dir):
            folder = JobFolder(self.jobs_dir / entry.name)
            try:
                changed = os.stat(folder.state).st_mtime_ns
            except OSError:
                changed = 0
            kept = self._ended.get(entry.name)
            if kept is None or kept[0] != changed:
                try:
                    kept = (changed, info(folder, queue))
                except UserError:
                    continue
            if not kept[1].alive:
                self._ended[entry.name] = kept
                seen.add(entry.name)
            found.append(kept[1])
        for name in self._ended.keys() - seen:
            del self._ended[name]
        found.sort(key=lambda job: (job.created, job.id), reverse=True)
        return found
