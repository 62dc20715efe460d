"""Where a run's checkpoints come from, read from their gosmith.json without the engine that wrote them.

For pages and the command line. It tells what is written there, repairs nothing, and passes over a checkpoint whose note
cannot be read; whether a run may go on from one is asked of `core.engine.checkpoint` alone.
"""

from __future__ import annotations

import contextlib
import math
import shlex
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import read_json
from core.jobs.folder import JobFolder, folders, read_job

PREFIX = "checkpoint-"


@dataclass(frozen=True, slots=True)
class Origin:
    """A checkpoint and where it comes from. Texts are "" and numbers None where the note does not tell.

    best: the lowest validation loss of those that are kept. base: the folder of the model under it, start: what the run began
    with, a base or a checkpoint. commit: ends with "+" when files differed from it. hardware: in words. command: does it again.
    """

    path: Path
    step: int
    loss: float | None
    validation_loss: float | None
    snapshot: str
    snapshot_hash: str
    base: str
    base_hash: str
    start: str
    start_hash: str
    template_hash: str
    version: str
    commit: str
    packages: tuple[tuple[str, str], ...]
    hardware: str
    seed: int | None
    command: tuple[str, ...]
    best: bool = False

    @property
    def command_line(self) -> str:
        """The command as a shell takes it."""
        return shlex.join(self.command)


def checkpoints(output: Path) -> tuple[Origin, ...]:
    """The checkpoints in a run's output folder, newest first."""
    found = []
    for path in output.glob(f"{PREFIX}*"):
        note = read_json(path / "gosmith.json")
        if note is not None and isinstance(note.get("step"), int):
            found.append(_read(path, note, output.parent))
    lowest = min((one.validation_loss for one in found if one.validation_loss is not None), default=None)
    best = max((one.step for one in found if lowest is not None and one.validation_loss == lowest), default=None)
    found = [replace(one, best=one.step == best) for one in found]
    return tuple(sorted(found, key=lambda one: one.step, reverse=True))


def stamps(output: Path) -> tuple[tuple[str, int], ...]:
    """Changes when `checkpoints` would answer something else; costs a `stat` for each."""
    found = []
    for note in output.glob(f"{PREFIX}*/gosmith.json"):
        with contextlib.suppress(OSError):  # the run drops older checkpoints while we look
            found.append((note.parent.name, note.stat().st_mtime_ns))
    return tuple(sorted(found))


def runs_on(jobs: Path, snapshots: Collection[str]) -> tuple[tuple[str, str], ...]:
    """Job id and title of the runs on these snapshots, newest first."""
    runs = []
    for entry in folders(jobs):
        try:
            job = read_job(JobFolder(Path(entry.path)))
        except UserError:
            continue
        if job.kind == "train" and _part(_part(job.request, "config"), "data").get("snapshot") in snapshots:
            runs.append(job)
    return tuple((job.id, job.title) for job in sorted(runs, key=lambda job: job.created, reverse=True))


def _read(path: Path, note: Mapping[str, Any], job: Path) -> Origin:
    snapshot, gosmith = _part(note, "snapshot"), _part(note, "gosmith")
    return Origin(
        path=path,
        step=int(note["step"]),
        loss=_number(note.get("loss")),
        validation_loss=_number(note.get("validation_loss")),
        snapshot=_text(snapshot.get("name")),
        snapshot_hash=_text(snapshot.get("sha256")),
        base=_text(note.get("base")),
        base_hash=_text(note.get("base_hash")),
        start=_text(note.get("start")),
        start_hash=_text(note.get("start_hash")),
        template_hash=_text(note.get("template_hash")),
        version=_text(gosmith.get("version")),
        commit=_text(gosmith.get("commit")),
        packages=tuple((str(name), str(version)) for name, version in _part(note, "packages").items()),
        hardware=_hardware(_part(note, "hardware")),
        seed=seed if isinstance(seed := _part(note, "config").get("seed"), int) else None,
        command=tuple(str(word).replace("{folder}", str(job)) for word in command)
        if isinstance(command := note.get("command"), list)
        else (),
    )


def _hardware(told: Mapping[str, Any]) -> str:
    """ "2 × NVIDIA H200, 2 processes"."""
    gpus = told.get("gpus")
    names: Sequence[Any] = gpus if isinstance(gpus, list) else ()
    words = [f"{names.count(name)} × {name}" if names.count(name) > 1 else str(name) for name in dict.fromkeys(names)]
    device, processes = _text(told.get("device")), told.get("processes")
    words = words or ([device] if device else [])
    if isinstance(processes, int) and processes > 1:
        words.append(f"{processes} processes")
    return ", ".join(words)


def _part(note: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    value = note.get(key)
    return value if isinstance(value, dict) else {}


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None
