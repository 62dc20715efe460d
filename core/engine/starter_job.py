"""The job kind "starter": build the starter model anew. Nothing but the way from a job's request to `starter.build`."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

from core.engine import starter
from core.golang import toolchain
from core.jobs.worker import WorkerContext
from core.paths import resources


def main(context: WorkerContext) -> None:
    """Request: {"out": folder, "source": a Go src folder or null for the toolchain's own, "steps": int or null}.

    A resumed job goes on from the newest checkpoint in its folder. Raises UserError when there is no Go source.
    """
    request = context.request
    go = toolchain.find()
    source = Path(request["source"]) if request.get("source") else go.goroot / "src"
    plan = starter.Plan()
    if request.get("steps"):
        steps = int(request["steps"])
        plan = replace(plan, read_steps=steps - steps // 2, mix_steps=steps // 2)
    built = starter.build(source, resources() / "samples", context.folder.output / "work", plan, context, go)
    out = Path(request["out"])
    out.mkdir(parents=True, exist_ok=True)
    shutil.copytree(built, out, dirs_exist_ok=True)
