"""The job kind "train": one worker of a run. Nothing but the way from a job's request to `loop.train`."""

from __future__ import annotations

import os
from pathlib import Path

import torch

from core.engine import loop, parallel, tensorboard
from core.engine.prepare import Monitor
from core.files import write_json
from core.jobs.folder import read_job
from core.jobs.worker import WorkerContext
from core.training import evaluating
from core.training.config import RunConfig
from core.training.config_file import flat, from_mapping

OWN = ("name", "model.base", "data.snapshot", "parallel.node", "parallel.gpus")
"""What each machine may call as it likes; whether base and snapshot are the same is seen in what they hold."""


def main(context: WorkerContext) -> None:
    """Request: {"config": {...}, "base": folder, "snapshot": folder}.

    Writes output/checkpoint-<step>/ and output/result.json; raises UserError, which the worker reports.
    """
    config = from_mapping(context.request["config"])
    output = context.folder.output
    output.mkdir(exist_ok=True)
    if context.world_size > 1:
        torch.set_num_threads(max(1, len(os.sched_getaffinity(0)) // context.world_size))
    with tensorboard.beside(context, output, wanted=config.tensorboard, first=context.rank == 0) as monitor:
        result, first = _train(config, context, output, monitor)
    if first:
        write_json(
            output / "result.json",
            {
                "steps": result.steps,
                "final_loss": result.final_loss,
                "validation_loss": result.validation,
                "checkpoints": [str(path) for path in result.checkpoints],
                "stopped": result.stopped,
            },
        )


def _train(config: RunConfig, context: WorkerContext, output: Path, monitor: Monitor) -> tuple[loop.Result, bool]:
    """Train among the processes of the run; the result, and whether this process is the first of them."""
    section = config.parallel
    group = parallel.join(
        section.node * section.processes + context.rank,
        section.world,
        context.store,
        tensor=section.tensor,
        nodes=section.nodes,
        rendezvous=section.rendezvous,
    )
    try:
        group.agree({key: value for key, value in flat(config).items() if key not in OWN})
        result = loop.train(
            config,
            Path(context.request["base"]),
            Path(context.request["snapshot"]),
            output,
            run=context.folder.id,
            monitor=monitor,
            group=group,
            origin={"command": list(read_job(context.folder).command)},
            problems=evaluating.read(context.folder) if config.evaluation.every else None,
        )
    finally:
        parallel.leave(group)
    return result, group.first
