"""`gosmith jobs …`: what runs in the background, and what ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from app.cli.output import Session, table
from core import jobs as background
from core.jobs.folder import find, read_job
from core.jobs.status import JobInfo


@click.group()
def jobs() -> None:
    """Background jobs: list, show, stop, resume, log."""


@jobs.command("list")
@click.option("--kind", help="Only jobs of this kind (train, check, serve …).")
@click.pass_obj
def list_(session: Session, kind: str | None) -> None:
    """List jobs, newest first."""
    found = [job for job in background.list_jobs(session.workspace().jobs) if kind is None or job.kind == kind]
    rows = [(job.id, job.kind, job.state, _share(job), job.title) for job in found]
    session.answer(
        {"jobs": [_as_json(job) for job in found]}, table(rows, ("id", "kind", "state", "progress", "title"))
    )


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def show(session: Session, job_id: str) -> None:
    """Show one job."""
    folder = find(session.workspace().jobs, job_id)
    state = background.info(folder)
    checkpoints = [str(path) for path in sorted(folder.output.glob("checkpoint-*")) if path.is_dir()]
    data = {
        **_as_json(state),
        "folder": str(folder.path),
        "checkpoints": checkpoints,
        "request": read_job(folder).request,
    }
    lines = [f"{state.id}: {state.state} {_share(state)}", *([state.message] if state.message else [])]
    lines += [state.hint] if state.hint else []
    session.answer(data, "\n".join([*lines, str(folder.path), *checkpoints]))


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def stop(session: Session, job_id: str) -> None:
    """Stop a job; a run saves a checkpoint first."""
    folder = find(session.workspace().jobs, job_id)
    background.stop(folder, wait=True)
    state = background.info(folder)
    session.answer(_as_json(state), f"{state.id}: {state.state}")


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--detach", is_flag=True, help="Return at once.")
@click.pass_obj
def resume(session: Session, job_id: str, detach: bool) -> None:
    """Go on where a stopped or interrupted job was."""
    folder = find(session.workspace().jobs, job_id)
    if background.info(folder).kind == "train":
        from app.cli.training import answer_run
        from core.training import launch

        launch.resume(folder)
        answer_run(session, folder, detach=detach)
        return
    background.resume(folder)
    state = background.info(folder)
    session.answer(_as_json(state), f"{state.id}: {state.state}")


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--lines", type=click.IntRange(min=1), default=200, show_default=True)
@click.pass_obj
def log(session: Session, job_id: str, lines: int) -> None:
    """Show the end of a job's log; its first line is the command that repeats the job."""
    folder = find(session.workspace().jobs, job_id)
    try:
        text = folder.log.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        text = ""
    session.answer({"id": job_id, "log": text}, "\n".join(text.splitlines()[-lines:]) or "The log is empty.")


def _share(job: JobInfo) -> str:
    if job.step is not None and job.total:
        return f"{job.step:,}/{job.total:,}"
    return ""


def _as_json(job: JobInfo) -> dict[str, Any]:
    def when(stamp: float | None) -> str | None:
        return datetime.fromtimestamp(stamp).astimezone().isoformat(timespec="seconds") if stamp else None

    return {
        "id": job.id, "kind": job.kind, "state": job.state, "title": job.title, "message": job.message,
        "hint": job.hint, "step": job.step, "total": job.total, "created": when(job.created),
        "started": when(job.started), "finished": when(job.finished),
    }  # fmt: skip
