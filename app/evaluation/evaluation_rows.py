"""How evaluations stand in the list: pass@1 once they are done, until then how far they are."""

from __future__ import annotations

from app.evaluation import words
from app.widgets.jobs.job_row import STATES, JobRow
from core.evaluation.board import Standing
from core.jobs import JobInfo


def evaluation_row(job: JobInfo, at: Standing) -> JobRow:
    """A job as the list shows it."""
    tip = f"{job.title}\n{job.message or job.id}"
    return JobRow(job, STATES[job.state], _progress(job, at), tip=tip, short=job.title.removeprefix("Evaluate "))


def _progress(job: JobInfo, at: Standing) -> str:
    if job.state == "done":
        return "" if at.pass_at_1 is None else f"pass@1 {words.percent(at.pass_at_1)}"
    return f"{at.done:,} / {at.total:,}" if at.total else ""
