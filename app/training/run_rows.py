"""How runs stand in the list: how far each is, its loss in miniature, and who comes first: what runs, who waits in the order of the queue, what has ended."""

from __future__ import annotations

import time
from collections.abc import Sequence

from app.widgets.jobs.job_row import STATES, JobRow
from core.jobs import JobInfo
from core.jobs.clock import clock_text


def run_row(job: JobInfo, spark: tuple[float, ...] = ()) -> JobRow:
    """A run as the list shows it. spark: losses over the whole run, oldest first."""
    return JobRow(job, STATES[job.state], _progress(job), spark, _tip(job))


def reading_order(jobs: Sequence[JobInfo]) -> list[JobInfo]:
    """Runs as they are shown; `jobs` are newest first, as everywhere."""

    def key(job: JobInfo) -> tuple[int, float]:
        if job.state in ("running", "stopping"):
            return 0, 0.0
        if job.place is not None:
            return 1, job.place
        if job.state == "queued":
            return 2, job.not_before or 0.0
        return 3, 0.0

    return sorted(jobs, key=key)


def _progress(job: JobInfo) -> str:
    """Such as `120 / 300`, `next`, `3rd in the queue` or `starts at 22:00`; empty when nothing is known."""
    if job.not_before is not None:
        return f"starts at {clock_text(job.not_before, time.time())}"
    if job.place is not None:
        return "next" if job.place == 1 else f"{_ordinal(job.place)} in the queue"
    if job.step is None:
        return ""
    return f"{job.step:,} / {job.total:,}" if job.total else f"step {job.step:,}"


def _ordinal(number: int) -> str:
    ending = "th" if number % 100 in (11, 12, 13) else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
    return f"{number}{ending}"


def _tip(job: JobInfo) -> str:
    lines = [job.message or job.id]
    if job.leases:
        lines.append(f"Holds {', '.join(job.leases)}; process {job.pid}.")
    if job.place is not None:
        lines.append("Drag it, or press Alt+Up and Alt+Down, to change its place.")
    return "\n".join(lines)
