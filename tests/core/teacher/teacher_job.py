"""The worker of a teacher's job under test: the real job, asked of `scripted.from_folder` instead of an endpoint."""

from __future__ import annotations

from core.jobs.worker import WorkerContext
from core.teacher import job
from tests.core.teacher.scripted import from_folder


def main(context: WorkerContext) -> None:
    job.run(context, from_folder)
