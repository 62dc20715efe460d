"""What surrounds the steps of a run: the time to the first one, the time from a kill to the next one, and what being watched costs.

python -m tests.benchmarks.bench_runs

The starter, LoRA, 290 bundled samples, through the real supervisor. "Warm" means that the snapshot's tokens are cached, as in every
run on it but the first. The peer of being watched is the step itself: a step of 100 ms is what the share is of.
"""

from __future__ import annotations

import os
import signal
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

from core import jobs
from core.jobs.control import wait_for_end
from core.jobs.events import read_events
from core.jobs.folder import JobFolder
from core.jobs.status import read_state
from core.jobs.worker import WorkerContext
from core.samples import snapshots
from core.samples.language import parse
from core.training import launch
from core.training.config_file import from_mapping
from core.workspace import open_workspace
from tests.benchmarks.report import report

STEP = 0.1


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = Path(folder) / "workspace"
        opened = open_workspace(workspace)
        with closing(opened.connect()) as connection:
            snapshots.create(opened.snapshots, connection, "bench", parse("tag:bundled"))
        places = {"jobs": opened.jobs, "snapshots": opened.snapshots, "models": opened.models}
        cold = started(places, 5)
        warm = [started(places, 5) for _ in range(3)]
        again = resumed(places)
        watched = cost_of_watching(Path(folder))
    report(
        "runs",
        {
            "seconds to the first step, first run on a snapshot": round(cold, 2),
            "seconds to the first step, warm": round(statistics.median(warm), 2),
            "seconds from resuming a killed run to its next step": round(again, 2),
            "milliseconds a step to be watched": round(1000 * watched, 4),
            "share of a step of 100 ms": round(watched / STEP, 5),
        },
    )


def config(steps: int) -> Any:
    return from_mapping(
        {
            "name": "bench",
            "model": {"base": "starter"},
            "data": {"snapshot": "bench", "max_length": 512},
            "budget": {"steps": steps},
            "checkpoints": {"every": 2, "keep": 1},
            "validation": {"every": 0},
        }
    )


def until(condition: Callable[[], object]) -> None:
    while not condition():
        time.sleep(0.01)


def steps(folder: JobFolder) -> list[dict[str, Any]]:
    return [event for event in read_events(folder.events) if event["kind"] == "step"]


def started(places: dict[str, Path], count: int) -> float:
    """Seconds from asking for a run to the end of its first step."""
    began = time.time()
    folder = launch.launch(config(count), **places)
    jobs.start(folder)
    wait_for_end(folder, 300)
    return float(steps(folder)[0]["t"]) - began


def resumed(places: dict[str, Path]) -> float:
    """Seconds from resuming a run that was killed to the end of its next step."""
    folder = launch.launch(config(2000), **places)
    jobs.start(folder)
    until(lambda: len(steps(folder)) > 6)
    for pid in (read_state(folder).supervisor.pid, *read_state(folder).workers):  # type: ignore[union-attr]
        os.kill(pid, signal.SIGKILL)
    until(lambda: not jobs.info(folder).alive)
    known = len(steps(folder))
    began = time.time()
    launch.resume(folder)
    until(lambda: len(steps(folder)) > known)
    first = float(steps(folder)[known]["t"]) - began
    jobs.stop(folder, wait=True, timeout=60)
    return first


def cost_of_watching(folder: Path) -> float:
    """Seconds that a step's events and questions take, as the loop asks them."""
    job = jobs.create(folder / "jobs", "train", {}, title="watched")
    context = WorkerContext(job, 0, 1, 1, folder / "store")
    fields = {"loss": 1.234567, "lr": 2e-4, "grad_norm": 0.512345, "tokens": 8192, "trained": 4096}
    rounds = []
    for _ in range(20):
        began = time.perf_counter()
        for step in range(200):
            context.event(
                "step", step=step, **fields, tokens_per_second=1650.1, trained_per_second=800.2, memory=1 << 30
            )
            context.progress(step, 4000)
            context.should_stop()
            context.checkpoint_requested()
            context.stop_after_epoch()
        rounds.append((time.perf_counter() - began) / 200)
    return statistics.median(rounds)


if __name__ == "__main__":
    main()
