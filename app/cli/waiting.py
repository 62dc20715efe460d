"""Waiting for a job from a shell: progress on stderr, Ctrl+C stops the job and keeps what it has.

The job does not depend on this process; a killed shell leaves it running.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from app.cli.output import Progress
from core.errors import UserError
from core.jobs import JobFolder, JobInfo, info, stop
from core.jobs.events import EventTail


def wait_for(folder: JobFolder, label: str, *, on_event: Callable[[dict[str, Any]], None] | None = None) -> JobInfo:
    """Wait until the job has ended. Raises UserError with the job's own sentence when it failed."""
    progress = Progress(label)
    tail = EventTail(folder.events)
    stopping = False
    while True:
        try:
            state = info(folder)
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
