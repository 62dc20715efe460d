"""Start the job that prepares Go, when there is anything to prepare and nobody does it already."""

from __future__ import annotations

from pathlib import Path

from core.golang.helper import is_ready
from core.golang.toolchain import find, survey
from core.jobs import JobFolder, create, list_jobs, start

KIND = "warm"


def warm_if_cold(jobs_dir: Path) -> JobFolder | None:
    """The job, started; None where Go is ready, is missing, or is being prepared. For programs that have just begun."""
    toolchain = survey().chosen
    if toolchain is None or is_ready(toolchain):
        return None
    if any(job.kind == KIND and job.alive for job in list_jobs(jobs_dir)):
        return None
    return start_warming(jobs_dir)


def start_warming(jobs_dir: Path) -> JobFolder:
    """The job, started whether there is something to do or not. Raises UserError when there is no Go toolchain."""
    folder = create(jobs_dir, KIND, {"toolchain": find().version}, title="Prepare Go")
    start(folder)
    return folder
