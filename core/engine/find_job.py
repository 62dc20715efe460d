"""The job kind "find": one search for a value of a run's configuration. Nothing but the way from its request to a finder."""

from __future__ import annotations

from pathlib import Path

from core.engine.finders import learning_rate, micro_batch, noise_scale
from core.engine.finders.trying import Stopped
from core.files import write_json
from core.jobs.worker import WorkerContext
from core.training.config_file import from_mapping
from core.training.finders import FOUND

FIND = {"micro": micro_batch.find, "learning-rate": learning_rate.find, "batch": noise_scale.find}


def main(context: WorkerContext) -> None:
    """Request: {"finder": of `core.training.finders.TITLES`, "config", "base": folder, "snapshot": folder}.

    Writes output/found.json, and events "progress" and "point" ({"x", "y"} of the curve) on the way; raises UserError, which
    the worker reports. A search that is stopped leaves no answer.
    """
    request, output = context.request, context.folder.output
    output.mkdir(exist_ok=True)
    try:
        found = FIND[request["finder"]](
            from_mapping(request["config"]), Path(request["base"]), Path(request["snapshot"]), output, context
        )
    except Stopped:
        return
    write_json(output / FOUND, found.to_json())
