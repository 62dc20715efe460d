"""How teachers' jobs stand in the list: how many samples are done, and what they have cost."""

from __future__ import annotations

from app.teacher import words
from app.widgets.jobs.job_row import JobRow
from core.jobs import JobInfo
from core.teacher.judging.pace import JudgeStanding
from core.teacher.pace import Standing


def job_row(job: JobInfo, standing: Standing | JudgeStanding | None) -> JobRow:
    """A job as the list shows it. standing: None before it has said anything."""
    return JobRow(job, words.STATES[job.state], _progress(standing), tip=f"{job.title}\n{job.message or job.id}")


def _progress(standing: Standing | JudgeStanding | None) -> str:
    """Such as `120 / 300 · $0.38`; empty when nothing is known."""
    if standing is None:
        return ""
    parts = [f"{standing.done:,} / {standing.requested:,}"]
    if standing.cost_usd is not None:
        parts.append(words.dollars(standing.cost_usd))
    return " · ".join(parts)
