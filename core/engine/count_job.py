"""The job kind "count": the memory of a step, counted operation by operation for a run that has not been started.

A job because it needs torch and some twenty seconds for a large base; it reads config.json of the base and no weight.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from core.engine.count import count
from core.files import write_json
from core.jobs.worker import WorkerContext
from core.training.config_file import from_mapping
from core.training.exact import FILE
from core.training.memory import Load


def main(context: WorkerContext) -> None:
    """Request: {"config", "base": folder with config.json, "load": the plan's}. Writes output/count.json: a `Counted`."""
    request = context.request
    counted = count(from_mapping(request["config"]), Path(request["base"]), Load(**request["load"]))
    write_json(context.folder.output / FILE, asdict(counted))
