"""The folder of a job: where each file lies, how a folder is made and found, and what was asked of the job.

What its files say about where it stands is read in `core.jobs.status`; starting and stopping are in `core.jobs.control`.

    job.json       what was asked, never changed         state.json      where it stands, replaced as a whole
    resume.json    what a resume asked otherwise         supervisor.lock held by the one supervisor
    events.jsonl   progress and metrics, appended        control.json    requests: stop, checkpoint, start now
    rank0.log ...  what each worker printed              supervisor.log  what the supervisor printed
    error.json     why the last attempt failed           output/         what the job made
    heartbeat.0    touched by each worker every 5 s  reserve         space for last words on a full disk
    pause.json     why a worker stopped by itself before its work was done
    given_back.json  that a worker needs its leases no more
"""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import read_json, write_json
from core.jobs.leases import wish


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
    def changes(self) -> Path:
        """resume.json: in what the request has been changed by resuming."""
        return self.path / "resume.json"

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
    def pause(self) -> Path:
        """What the worker says of why it stopped by itself; absent where it did not."""
        return self.path / "pause.json"

    @property
    def given_back(self) -> Path:
        """That the worker needs its leases no more, though it works on; absent where it does."""
        return self.path / "given_back.json"

    @property
    def reserve(self) -> Path:
        """A little space held back while the job runs, so that a full disk cannot keep it from saying why it failed."""
        return self.path / "reserve"

    def heartbeat(self, rank: int) -> Path:
        """Touched by one worker every few seconds."""
        return self.path / f"heartbeat.{rank}"


@dataclass(frozen=True, slots=True)
class Job:
    """What was asked: the content of job.json, with what was changed by resuming.

    resources: leases the job must hold while it runs, as in `core.jobs.leases`. processes: number of workers.
    command: argv that does the same work again from a terminal, "{folder}" standing for the job's folder; empty when only
    the worker's own command does.
    created: seconds since the epoch. not_before: so many seconds since the epoch before which it does not ask for its leases.
    """

    id: str
    kind: str
    title: str
    created: float
    request: dict[str, Any]
    resources: tuple[str, ...] = ()
    processes: int = 1
    command: tuple[str, ...] = ()
    not_before: float | None = None


def create(
    jobs_dir: Path,
    kind: str,
    request: Mapping[str, object],
    *,
    title: str,
    resources: Sequence[str] = (),
    processes: int = 1,
    command: Sequence[str] = (),
    not_before: float | None = None,
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
            asdict(
                Job(folder.id, kind, title, now, dict(request), tuple(resources), processes, tuple(command), not_before)
            ),
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
    names = [entry.name for entry in folders(jobs_dir)]
    if reference in names:
        return JobFolder(jobs_dir / reference)
    matches = [name for name in names if reference and (name.startswith(reference) or name.endswith(reference))]
    if len(matches) == 1:
        return JobFolder(jobs_dir / matches[0])
    if matches:
        raise UserError(f"“{reference}” fits {len(matches)} jobs.", f"Name one: {', '.join(sorted(matches)[-3:])}.")
    raise UserError(f"There is no job “{reference}”.", "`gosmith jobs list` names them all.")


@dataclass(frozen=True, slots=True)
class Change:
    """What a resume asks otherwise than job.json: processes and resources as in Job, request: the keys of it that change."""

    processes: int
    resources: tuple[str, ...]
    request: dict[str, Any]


def write_change(folder: JobFolder, change: Change) -> None:
    """From now on this is what was asked, whoever reads the job. Raises UserError when the folder cannot be written."""
    for resource in change.resources:
        wish(resource)
    try:
        write_json(folder.changes, asdict(change))
    except OSError as error:
        raise _unwritable(folder.path, error) from error


def read_job(folder: JobFolder) -> Job:
    """What was asked. Raises UserError when job.json is missing or damaged."""
    value = read_json(folder.request)
    change = read_json(folder.changes)
    known = {item.name for item in fields(Job)}
    try:
        if value is None:
            raise ValueError
        job = Job(**{key: item for key, item in value.items() if key in known})
        if change is not None:
            job = replace(job, **{**change, "request": {**job.request, **change["request"]}})
        return replace(job, resources=tuple(job.resources), command=tuple(job.command))
    except (KeyError, TypeError, ValueError):
        raise UserError(f"{folder.path} is not a job folder: its job.json is missing or damaged.") from None


def folders(directory: Path) -> list[os.DirEntry[str]]:
    """The folders in a directory, without hidden ones; none when it is not there."""
    try:
        with os.scandir(directory) as entries:
            return [entry for entry in entries if entry.is_dir() and not entry.name.startswith(".")]
    except (FileNotFoundError, NotADirectoryError):
        return []
