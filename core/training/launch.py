"""From a configuration to a job that can be started: everything that can be refused early is refused here.

The job gets absolute paths and a copy of its configuration, so that it means the same tomorrow. Nothing runs until
`core.jobs.start`.
"""

from __future__ import annotations

import difflib
import shutil
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from core import jobs as background
from core.errors import UserError
from core.evaluation.finding import NamedSuite, open_suite
from core.jobs import JobFolder
from core.jobs.folder import Change, read_job
from core.models import Model, inspect, resolve
from core.training import calibration, evaluating, machine
from core.training.config import RunConfig
from core.training.config_file import from_mapping, save_config, to_mapping
from core.training.dataset import snapshot_folder
from core.training.plan import forecast, settled, speed_key
from core.training.planned import Plan

LEASE = "train"
"""What runs share on a machine without a GPU: one at a time. With GPUs each takes as many as it has processes."""
CONFIG = "config.toml"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What a configuration names, found on this disk."""

    base: Model
    snapshot: Path


def inputs(config: RunConfig, *, jobs: Path, snapshots: Path, models: Path) -> Inputs:
    """Find base and snapshot. Raises UserError naming what is missing or does not belong together."""
    base = resolve(config.model.base, models, jobs)
    folder = snapshot_folder(snapshots, config.data.snapshot)
    if not (folder / "train.jsonl").stat().st_size:
        raise UserError(
            f"The snapshot “{config.data.snapshot}” has no rows to train on.", "Create one from more samples."
        )
    shape = inspect(base.base or base.path)
    if shape.positions is not None and config.data.max_length > shape.positions:
        raise UserError(
            f"data.max_length is {config.data.max_length:,}, but {base.name} has {shape.positions:,} positions.",
            f"Set max_length to {shape.positions} or less.",
        )
    known = sorted({linear.name for linear in shape.linears})
    if config.method.kind == "lora" and config.method.targets != "all-linear":
        for name in config.method.targets:
            if name not in known:
                near = difflib.get_close_matches(name, known, 1)
                hint = f"Did you mean “{near[0]}”?" if near else f"It has {', '.join(known)}."
                raise UserError(f"method.targets names “{name}”, but {base.name} has no such layer.", hint)
    return Inputs(base, folder)


def plan(config: RunConfig, *, jobs: Path, snapshots: Path, models: Path) -> Plan:
    """The forecast of what a configuration names. Raises UserError as `inputs` does."""
    found = inputs(config, jobs=jobs, snapshots=snapshots, models=models)
    return forecast(config, found.base, found.snapshot, jobs)


def _bundled(reference: str) -> NamedSuite:
    return open_suite(reference, None)


def launch(
    config: RunConfig,
    *,
    jobs: Path,
    snapshots: Path,
    models: Path,
    not_before: float | None = None,
    find_suite: evaluating.FindSuite = _bundled,
) -> JobFolder:
    """Make the job folder of a run, which waits until `not_before`, seconds since the epoch, if that is given.

    find_suite: the suite of that name for the evaluations on the way, whose problems are frozen into the folder.

    Its request says how the processes share the model, also where the configuration says "auto"; its config.toml stays as written.
    Raises UserError as `inputs` and `evaluating.freeze` do, or when the disk is full.
    """
    frozen = evaluating.freeze(config, find_suite)
    found = inputs(config, jobs=jobs, snapshots=snapshots, models=models)
    on = machine.look()
    root = found.base.base or found.base.path
    expected = forecast(config, found.base, found.snapshot, jobs)
    exact = settled(config, expected)
    request = {
        "config": to_mapping(exact),
        "base": str(found.base.path),
        "snapshot": str(found.snapshot),
        "speed_key": speed_key(exact, root, on.device),
        "forecast": expected.memory["total"],
        "calibration": {"key": calibration.key(exact, inspect(root), on.device), "closed": expected.closed},
        "on_gpu": on.gpus > 0,
    }
    if expected.parallel:
        request["why"] = expected.why
        request["written"] = {key: to_mapping(config)["parallel"][key] for key in expected.parallel}
    folder = background.create(
        jobs,
        "train",
        request,
        title=config.name,
        resources=leases(config, on.gpus),
        processes=config.parallel.processes,
        command=(sys.executable, "-m", "app.cli", "--workspace", str(jobs.parent), "train", f"{{folder}}/{CONFIG}"),
        not_before=not_before,
    )
    try:
        save_config(config, folder.path / CONFIG)
        if frozen is not None:
            evaluating.write(folder, frozen)
    except OSError as error:
        shutil.rmtree(folder.path, ignore_errors=True)
        raise UserError(
            f"The job folder {folder.path} cannot be written: {error.strerror}.", "Free some space."
        ) from error
    return folder


def written(request: Mapping[str, Any]) -> dict[str, Any]:
    """The configuration of a run as its person wrote it: "auto" where the plan has chosen since."""
    config = dict(request["config"])
    return {**config, "parallel": {**config["parallel"], **request.get("written", {})}}


def resume(folder: JobFolder, processes: int | None = None) -> None:
    """Go on from the newest checkpoint, or from the start where there is none, on so many processes or on as many as before.

    Raises UserError while it runs, when it is done, or when it cannot be shared out like that.
    """
    job = read_job(folder)
    request = job.request
    for key, what in (("base", "base model"), ("snapshot", "snapshot")):
        if not Path(request[key]).is_dir():
            raise UserError(
                f"The {what} of this run is no longer at {request[key]}.", "Put it back, or start a new run."
            )
    if processes is None or processes == job.processes:
        background.resume(folder)
        return
    config = shared_out(from_mapping(request["config"]), processes)
    resources = tuple(leases(config, machine.look().gpus))
    background.resume(folder, change=Change(processes, resources, {"config": to_mapping(config)}))


def leases(config: RunConfig, gpus: int) -> list[str]:
    """What a run must hold on a machine with so many GPUs: those it names, or any as many as it has processes."""
    chosen = config.parallel.gpus
    if chosen == "any":
        return [f"gpu:{min(config.parallel.processes, gpus)}/{gpus}"] if gpus else [LEASE]
    missing = next((number for number in chosen if number >= gpus), None)
    if missing is not None:
        there = "has none" if not gpus else f"has {gpus}, counted from 0"
        raise UserError(f"parallel.gpus names GPU {missing}, but this machine {there}.", 'Use gpus = "any".')
    return [f"gpu:{number}" for number in chosen]


def shared_out(config: RunConfig, processes: int) -> RunConfig:
    """The same run on another number of processes, on any GPUs; one alone needs no copies, shards or neighbours. Raises UserError."""
    data = to_mapping(config)
    section = data["parallel"]
    section |= {"processes": processes, "gpus": "any"}
    if processes * config.parallel.nodes == 1:
        section |= {"mode": "single", "replicas": 1, "tensor": 1}
    elif config.parallel.mode == "single":
        section["mode"] = "ddp"
    return from_mapping(data)
