"""The models a person can pick: the starter, those in the workspace, and what its runs have saved.

Listing reads headers and small JSON files only, and never fails because one folder is broken: that one is listed with
its problem. Whether a model can really be used is decided by `core.models.resolve`.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

from core.errors import UserError
from core.files import read_json
from core.models.shape import read_config
from core.models.weights import ADAPTER_FILE, no_weights, read_header, weight_files
from core.paths import resources

STARTER: Final = "starter"


@dataclass(frozen=True, slots=True)
class Model:
    """A model folder. name: what people call it, and what `resolve` takes.

    base: the folder of the model that an adapter belongs to; None when this folder is a whole model. run: job id of the
    run that saved it. step: of that run. parameters, bytes: of the weights in this folder. problem: why it cannot be
    used, "" when nothing is known against it.
    """

    name: str
    path: Path
    kind: Literal["base", "checkpoint"]
    base: Path | None = None
    run: str | None = None
    step: int | None = None
    parameters: int = 0
    bytes: int = 0
    problem: str = ""


def list_models(models_dir: Path, jobs_dir: Path) -> list[Model]:
    """The starter, the models of the workspace by name, then checkpoints: newest run first, newest step first."""
    found = [_described(STARTER, resources() / STARTER)] if (resources() / STARTER).is_dir() else []
    own = [_described(name, models_dir / name) for name in _subfolders(models_dir)]
    names = {model.name for model in own}
    found = [model for model in found if model.name not in names] + own
    for job in sorted(_subfolders(jobs_dir), reverse=True):
        found.extend(checkpoints(jobs_dir / job))
    return found


def checkpoints(job: Path) -> list[Model]:
    """What one run has saved, newest first; [] when it is no run."""
    title = ""
    found = []
    for name in _subfolders(job / "output"):
        match = re.fullmatch(r"checkpoint-(\d+)", name)
        if match:
            title = title or str((read_json(job / "job.json") or {}).get("title") or job.name)
            step = int(match[1])
            found.append(_described(f"{title}/step-{step}", job / "output" / name, run=job.name, step=step))
    return sorted(found, key=lambda model: model.step or 0, reverse=True)


def describe(name: str, path: Path, *, run: str | None = None, step: int | None = None) -> Model:
    """The model in a folder, from headers only. Raises UserError when it cannot be one."""
    if not path.is_dir():
        raise UserError(f"{path} is not a folder.", "Choose the folder that holds config.json.")
    note = read_json(path / "gosmith.json") or {}
    if step is None and isinstance(note.get("step"), int):
        step = note["step"]
    run = run or (str(note["run"]) if note.get("run") else None)
    if (path / "adapter_config.json").is_file():
        if not (path / ADAPTER_FILE).is_file():
            raise no_weights(path, ADAPTER_FILE)
        files, base = [path / ADAPTER_FILE], recorded_base(path)
    else:
        read_config(path)
        files, base = weight_files(path), None
    parameters = sum(tensor.count for file in files for tensor in read_header(file).values())
    size = sum(file.stat().st_size for file in files)
    kind: Literal["base", "checkpoint"] = "checkpoint" if base is not None or run is not None else "base"
    return Model(name, path, kind, base, run, step, parameters, size)


def recorded_base(path: Path) -> Path:
    """Where an adapter says its base lies. The starter moves with the installation and is found again by its name.

    Raises UserError when the adapter names no base.
    """
    note = read_json(path / "gosmith.json") or {}
    named = (read_json(path / "adapter_config.json") or {}).get("base_model_name_or_path") or note.get("base")
    if not isinstance(named, str) or not named:
        raise UserError(
            f"The adapter in {path} does not say which model it belongs to.", "Copy its run's folder again."
        )
    base = Path(named)
    if not base.exists() and base.parts[-2:] == (resources().name, STARTER):
        return resources() / STARTER
    return base


def _described(name: str, path: Path, *, run: str | None = None, step: int | None = None) -> Model:
    try:
        return describe(name, path, run=run, step=step)
    except (UserError, OSError) as error:
        kind: Literal["base", "checkpoint"] = "base" if run is None else "checkpoint"
        return Model(name, path, kind, run=run, step=step, problem=str(error))


def _subfolders(directory: Path) -> list[str]:
    try:
        with os.scandir(directory) as entries:
            return sorted(entry.name for entry in entries if entry.is_dir() and not entry.name.startswith("."))
    except (FileNotFoundError, NotADirectoryError):
        return []
