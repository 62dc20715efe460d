"""Waiting for a job from a shell: progress on stderr, Ctrl+C stops the job and keeps what it has.

The job does not depend on this process; a killed shell leaves it running.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import click

from app.cli.output import Progress
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, info, list_jobs, stop
from core.jobs.events import EventTail
from core.jobs.yielding import SERVE, holders_of


def wait_for(folder: JobFolder, label: str, *, on_event: Callable[[dict[str, Any]], None] | None = None) -> JobInfo:
    """Wait until the job has ended. Raises UserError with the job's own sentence when it failed."""
    progress = Progress(label)
    tail = EventTail(folder.events)
    stopping = False
    said = ""
    while True:
        try:
            state = info(folder)
            if state.state == "queued" and state.place is not None and state.message not in ("", said):
                said = state.message
                click.echo(_who_holds(state), err=True)
            for event in tail.read():
                if event.get("kind") == "progress":
                    progress.update(int(event["done"]), event.get("total"))
                elif event.get("kind") == "step":
                    progress.update(int(event["step"]), state.total)
                if on_event is not None:
                    on_event(event)
            if not state.alive:
                break
            time.sleep(0.05)
        except KeyboardInterrupt:
            if stopping:
                raise
            stopping = True
            stop(folder)
    progress.end()
    if state.state in {"failed", "interrupted"}:
        raise UserError(
            state.message or f"Job {state.id} {state.state}.", state.hint or f"`gosmith jobs log {state.id}`"
        )
    return state


def _who_holds(waiting: JobInfo) -> str:
    """Why a job waits, and by which command each of those ends that hold what it wants."""
    lines = [waiting.message]
    for job in holders_of(waiting, list_jobs(waiting.folder.path.parent)):
        what = "a served model" if job.kind == SERVE else f"a job of kind {job.kind}"
        lines.append(f"  {', '.join(job.leases)}: “{job.title}”, {what}; `gosmith jobs stop {job.id}` ends it.")
    return "\n".join(lines)
