"""Questions about a run that only a try on this machine can answer, and what became of them: three finders, one job kind.

    micro          the largest batch.micro that fits into memory
    learning-rate  the learning rate, by a range test
    batch          how many rows a step are useful, by the gradient noise scale

A finder tries in one process what a run does in several, so a run that only fits when it is sharded is refused here. The
work is in `core.engine.finders`; nothing here loads the model.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core import jobs as background
from core.errors import UserError
from core.files import read_json
from core.jobs import JobFolder
from core.training import machine
from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping
from core.training.launch import leases

TITLES: Final = {
    "micro": "Largest micro-batch",
    "learning-rate": "Learning rate",
    "batch": "Useful batch size",
}
"""Finder -> what it finds."""
FOUND: Final = "found.json"


@dataclass(frozen=True, slots=True)
class Finding:
    """The answer of a finder.

    value: rows (micro, batch) or a learning rate. sentence: the value, why it, and whose method says so.
    curve: micro: rows and the bytes they took at the peak; learning-rate: rate and smoothed loss; batch: step and the
    estimate in rows after it.
    """

    value: float
    sentence: str
    curve: tuple[tuple[float, float], ...]

    def to_json(self) -> dict[str, Any]:
        """Plain data, as it stands in found.json and in the answer of the command line."""
        return {"value": self.value, "sentence": self.sentence, "curve": [list(point) for point in self.curve]}


def alone(config: RunConfig) -> RunConfig:
    """The same run in one process, which computes the same steps. Raises UserError for a run that is sharded."""
    section = config.parallel
    if section.mode == "fsdp" or section.offload:
        raise UserError(
            "A finder tries the run in one process, and this one is sharded over several.",
            'Set parallel.mode = "ddp" or "auto" and offload = false while you look for a value.',
        )
    plain = to_mapping(config)
    kept = {key: plain["parallel"][key] for key in ("activation_checkpointing", "compile")}
    gpus = config.parallel.gpus
    kept["gpus"] = "any" if gpus == "any" else gpus[:1]
    return from_mapping({**plain, "parallel": kept})


def create(finder: str, config: RunConfig, base: Path, snapshot: Path, jobs: Path) -> JobFolder:
    """Make the job that looks for a value; it waits for the machine as a run does. base, snapshot: existing folders.

    Raises UserError when there is no such finder, the run is sharded, or the disk is full.
    """
    if finder not in TITLES:
        raise UserError(f"There is no finder “{finder}”.", f"There are: {', '.join(TITLES)}.")
    single = alone(config)
    request = {"finder": finder, "config": to_mapping(single), "base": str(base), "snapshot": str(snapshot)}
    resources = leases(single, machine.look().gpus)
    return background.create(jobs, "find", request, title=TITLES[finder], resources=resources)


def read(folder: JobFolder) -> Finding:
    """What a finder's job has found. Raises UserError when it has found nothing, with the job's own sentence."""
    data = read_json(folder.output / FOUND)
    if data is None:
        state = background.info(folder)
        raise UserError(state.message or "The search ended without an answer.", state.hint)
    return Finding(data["value"], data["sentence"], tuple((x, y) for x, y in data["curve"]))


def settings(finder: str, found: Finding, config: RunConfig) -> Mapping[str, Any]:
    """What `found` changes in a configuration, nested as in the file: a larger micro-batch needs fewer of them a step."""
    if finder == "learning-rate":
        return {"optimizer": {"learning_rate": found.value}}
    rows = int(found.value)
    if finder == "micro":
        return {
            "batch": {"micro": rows, "accumulation": math.ceil(config.batch.micro * config.batch.accumulation / rows)}
        }
    micro = min(config.batch.micro, rows)
    return {"batch": {"micro": micro, "accumulation": math.ceil(rows / micro)}}


def short(value: float) -> str:
    """A learning rate in two digits, as people write it: 2e-4."""
    mantissa, _, exponent = f"{value:.1e}".partition("e")
    return f"{mantissa.removesuffix('.0')}e{int(exponent)}"
