"""The folder of a job: where each file lies, how a job is made, and what its files say about its state.

Reading never changes anything, and a state is never guessed from memory: whoever opens the folder, today or after a
crash, comes to the same answer. Starting and stopping are in `core.jobs.control`.

    job.json       what was asked, never changed         state.json      where it stands, replaced as a whole
    events.jsonl   progress and metrics, appended        control.json    requests: stop, checkpoint
    rank0.log ...  what each worker printed              supervisor.log  what the supervisor printed
    error.json     why the last attempt failed           output/         what the job made
    heartbeat.0    touched by each worker every 5 s  reserve         space for last words on a full disk
"""

from __future__ import annotations

import os
import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.events import last_events
from core.jobs.leases import wish
from core.jobs.process import Identity, alive, boot_id

STATES: Final = ("queued", "running", "stopping", "done", "stopped", "failed", "interrupted")
ENDED: Final = ("done", "stopped", "failed", "interrupted")
SILENCE: Final = 60.0
"""Seconds without a heartbeat after which a live job is said to be silent."""
_NEVER_STARTED: Final = 60.0
"""Seconds between making a folder and starting it after which the starter is taken for dead."""


@dataclass(frozen=True, slots=True)
class JobFolder:
    """The paths inside one job folder. Equal when the path is equal; opens nothing."""

    path: Path

    @property
    def id(self) -> str:
        """The folder's name, by which the command line knows the job."""
        return self.path.name

    @property
    def request(self) -> Path:
        """job.json: what was asked."""
        return self.path / "job.json"

    @property
    def state(self) -> Path:
        """state.json, written by the supervisor alone."""
        return self.path / "state.json"

    @property
    def events(self) -> Path:
        """events.jsonl."""
        return self.path / "events.jsonl"

    @property
    def control(self) -> Path:
        """control.json, written by whoever wants something."""
        return self.path / "control.json"

    @property
    def error(self) -> Path:
        """error.json: the failure of the last attempt, classified."""
        return self.path / "error.json"

    @property
    def output(self) -> Path:
        """The folder of results."""
        return self.path / "output"

    @property
    def log(self) -> Path:
        """rank0.log, whose first line is the command that does the job again."""
        return self.rank_log(0)

    @property
    def supervisor_log(self) -> Path:
        """supervisor.log."""
        return self.path / "supervisor.log"

    def rank_log(self, rank: int) -> Path:
        """The log of one worker."""
        return self.path / f"rank{rank}.log"

    def rank_error(self, rank: int) -> Path:
        """What one worker says of its own failure; the supervisor makes error.json of these."""
        return self.path / f"rank{rank}.error.json"

    @property
    def reserve(self) -> Path:
        """A little space held back while the job runs, so that a full disk cannot keep it from saying why it failed."""
        return self.path / "reserve"

    def heartbeat(self, rank: int) -> Path:
        """Touched by one worker every few seconds."""
        return self.path / f"heartbeat.{rank}"


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked: the content of job.json.

    resources: leases the job must hold while it runs, as in `core.jobs.leases`. processes: number of workers.
    command: argv that does the same work again from a terminal, "{folder}" standing for the job's folder; empty when only
    the worker's own command does.
    created: seconds since the epoch.
    """

    id: str
    kind: str
    title: str
    created: float
    request: dict[str, Any]
    resources: tuple[str, ...] = ()
    processes: int = 1
    command: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class State:
    """The content of state.json. Times are seconds since the epoch.

    supervisor: who drives the job; None before the first start. attempt: 0 before the first start.
    exits: exit code of each worker that has ended, negative for a signal. steps, total: filled in at the end.
    """

    state: str = "queued"
    message: str = ""
    hint: str = ""
    attempt: int = 0
    supervisor: Identity | None = None
    queued: float | None = None
    started: float | None = None
    finished: float | None = None
    workers: tuple[int, ...] = ()
    exits: tuple[int | None, ...] = ()
    step: int | None = None
    total: int | None = None


@dataclass(frozen=True, slots=True)
class JobInfo:
    """Where a job stands now, for a row in a list. Times are seconds since the epoch.

    state: one of STATES. message, hint: one sentence each, for people. step, total: as far as the job tells.
    heartbeat: latest sign of life of the quietest worker. silent: it runs, but has said nothing for a minute.
    pid: of the supervisor, None unless it lives.
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


def create(
    jobs_dir: Path,
    kind: str,
    request: Mapping[str, object],
    *,
    title: str,
    resources: Sequence[str] = (),
    processes: int = 1,
    command: Sequence[str] = (),
) -> JobFolder:
    """Make the folder of a new job, with output/ in it; nothing runs until `core.jobs.start`.

    request: what the worker reads, any JSON. The caller may put input files into the folder before it starts the job.
    Raises UserError when a resource is none, the disk is full or the folder cannot be written.
    """
    for resource in resources:
        wish(resource)
    now = time.time()
    stamp = datetime.fromtimestamp(now).strftime("%Y%m%d-%H%M%S")
    while True:
        folder = JobFolder(jobs_dir / f"{stamp}-{kind}-{os.urandom(2).hex()}")
        try:
            folder.path.mkdir(parents=True)
            break
        except FileExistsError:
            continue
        except OSError as error:
            raise _unwritable(jobs_dir, error) from error
    try:
        folder.output.mkdir()
        write_json(
            folder.request,
            asdict(Job(folder.id, kind, title, now, dict(request), tuple(resources), processes, tuple(command))),
        )
    except OSError as error:
        raise _unwritable(folder.path, error) from error
    return folder


def _unwritable(path: Path, error: OSError) -> UserError:
    return UserError(
        f"The job folder {path} cannot be written: {error.strerror}.", "Free some space or choose another workspace."
    )


def find(jobs_dir: Path, reference: str) -> JobFolder:
    """The job whose id is, or uniquely ends with or starts with, `reference`. Raises UserError when none or several are."""
    names = [entry.name for entry in _folders(jobs_dir)]
    if reference in names:
        return JobFolder(jobs_dir / reference)
    matches = [name for name in names if reference and (name.startswith(reference) or name.endswith(reference))]
    if len(matches) == 1:
        return JobFolder(jobs_dir / matches[0])
    if matches:
        raise UserError(f"“{reference}” fits {len(matches)} jobs.", f"Name one: {', '.join(sorted(matches)[-3:])}.")
    raise UserError(f"There is no job “{reference}”.", "`gosmith jobs list` names them all.")


def read_job(folder: JobFolder) -> Job:
    """What was asked. Raises UserError when job.json is missing or damaged."""
    value = read_json(folder.request)
    known = {item.name for item in fields(Job)}
    try:
        if value is None:
            raise ValueError
        job = Job(**{key: item for key, item in value.items() if key in known})
        return replace(job, resources=tuple(job.resources), command=tuple(job.command))
    except (TypeError, ValueError):
        raise UserError(f"{folder.path} is not a job folder: its job.json is missing or damaged.") from None


def read_state(folder: JobFolder) -> State:
    """Where the supervisor said it stands; the first state when it has said nothing yet."""
    value = read_json(folder.state)
    if value is None:
        return State()
    known = {item.name for item in fields(State)}
    value = {key: item for key, item in value.items() if key in known}
    if value.get("supervisor"):
        value["supervisor"] = Identity(**value["supervisor"])
    for key in ("workers", "exits"):
        value[key] = tuple(value.get(key, ()))
    return State(**value)


def write_state(folder: JobFolder, state: State) -> None:
    """Replace state.json. For the supervisor alone."""
    write_json(folder.state, asdict(state))


def info(folder: JobFolder) -> JobInfo:
    """Where a job stands now. Raises UserError when the folder holds no job."""
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
        message = f"The computer was restarted while this job was {_doing(state.state)}{where}."
    else:
        message = (
            f"Its supervisor (process {state.supervisor.pid}) was killed while it was {_doing(state.state)}{where}."
        )
    saved = last_checkpoint(folder)
    if saved is not None:
        hint = f"Resume it to go on from {saved.name}."
    else:
        hint = "Resume it to start it again in the same folder; nothing was saved before."
    return replace(state, state="interrupted", message=message, hint=hint, finished=_last_sign(folder))


def _doing(state: str) -> str:
    return {"queued": "waiting in the queue", "running": "running", "stopping": "stopping"}[state]


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
        for entry in _folders(folder.output)
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
        for entry in _folders(self.jobs_dir):
            folder = JobFolder(self.jobs_dir / entry.name)
            try:
                changed = os.stat(folder.state).st_mtime_ns
            except OSError:
                changed = 0
            kept = self._ended.get(entry.name)
            if kept is None or kept[0] != changed:
                try:
                    kept = (changed, info(folder))
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


def _folders(directory: Path) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
