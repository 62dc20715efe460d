"""What earlier runs really held in memory, and by how much the closed form was wrong about them.

A run's request keeps what was forecast for it, its step events what it held. For the next run with the same device, base and method and about the same size
the forecast is multiplied by the measured factor; without such a run it is a range. A measurement of another
base or method says nothing here and is not used.
"""

from __future__ import annotations

import statistics
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.jobs import JobFolder
from core.jobs.events import last_events
from core.jobs.folder import read_job
from core.jobs.status import list_jobs
from core.models import ModelShape
from core.training import memory
from core.training.config import RunConfig

NEWEST: Final = 5
"""Runs that are looked at, at most: what was measured long ago was measured with other libraries."""
LIKE: Final = 1.5
"""How much larger or smaller a run may be that tells of another: what a process itself takes does not grow with the batch."""
OPEN: Final = (0.92, 1.15)
"""The range of an uncalibrated forecast, as factors of it: the closed form's own error, and what libraries take besides."""
NARROW: Final = (0.96, 1.05)
"""The range when runs like this one were measured."""


@dataclass(frozen=True, slots=True)
class Calibration:
    """factor: measured over forecast, 1 where nothing was measured. runs: how many were."""

    factor: float = 1.0
    runs: int = 0

    def apply(self, parts: Mapping[str, int]) -> dict[str, int]:
        """A closed form's parts and total, with what was measured more or less put down to overhead, as far as that goes."""
        total = round(parts["total"] * self.factor)
        overhead = parts["overhead"] + total - parts["total"]
        if overhead >= 0:
            return {**parts, "overhead": overhead, "total": total}
        scaled = {name: round(size * self.factor) for name, size in parts.items() if name != "total"}
        return {**scaled, "total": sum(scaled.values())}

    def between(self, total: int) -> tuple[int, int]:
        """The range in which a total, already multiplied by the factor, is expected."""
        low, high = NARROW if self.runs else OPEN
        return round(low * total), round(high * total)


def key(config: RunConfig, shape: ModelShape, device: str) -> dict[str, Any]:
    """What two runs must share for the memory of one to tell that of the other. config: with its mode written out."""
    return {
        "device": device,
        "base": shape.architecture,
        "method": config.method.kind,
        "dora": config.method.dora,
        "dtype": config.precision.dtype,
        "activation_checkpointing": config.parallel.activation_checkpointing,
        "mode": config.parallel.mode,
        "packing": config.data.packing,
        "compile": config.parallel.compile,
    }


def calibrate(jobs: Path, wanted: Mapping[str, Any], closed: int) -> Calibration:
    """The factor of the newest runs with this key and about this size, their median. closed: bytes of the closed form."""
    factors: list[float] = []
    for info in list_jobs(jobs):
        if info.kind != "train" or not info.step:
            continue
        note = read_job(info.folder).request.get("calibration")
        if not note or note["key"] != wanted or not 1 / LIKE < note["closed"] / closed < LIKE:
            continue
        found = measured(info.folder)
        if found is not None:
            factors.append(found / note["closed"])
            if len(factors) == NEWEST:
                break
    return Calibration(statistics.median(factors), len(factors)) if factors else Calibration()


def measured(folder: JobFolder) -> int | None:
    """Bytes that rank 0 of a run held at its peak so far; None before its first step.

    On a GPU torch counts what it reserved; the context, which it does not see, is added as the forecast has it.
    """
    found = [event["memory"] for event in last_events(folder.events) if event["kind"] == "step" and event.get("memory")]
    if not found:
        return None
    request = read_job(folder).request
    return int(max(found)) + (memory.CONTEXT if request.get("on_gpu") else 0)


def sentence(folder: JobFolder) -> str | None:
    """“Memory: forecast 1.9 GiB, measured 2.1 GiB”, or the half of it that is known; None when neither is."""
    forecast, held = read_job(folder).request.get("forecast"), measured(folder)
    said = [f"{what} {size / 2**30:.2f} GiB" for what, size in (("forecast", forecast), ("measured", held)) if size]
    return f"Memory: {', '.join(said)} a process" if said else None
