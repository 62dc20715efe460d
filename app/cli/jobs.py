"""`gosmith jobs …`: what runs in the background, and what ran."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import click

from app.cli.output import Session, table
from core import jobs as background
from core.errors import UserError
from core.jobs import JobFolder, control, order
from core.jobs.folder import find, read_job
from core.jobs.order import FIRST, LAST
from core.jobs.status import JobInfo
from core.training import origin
from core.training.calibration import measured
from core.training.calibration import sentence as memory_sentence
from core.training.machine import look
from core.training.origin import Origin


@click.group()
def jobs() -> None:
    """Background jobs: what runs, who waits in which order, who holds which GPU."""


@jobs.command("list")
@click.option("--kind", help="Only jobs of this kind (train, check, serve …).")
@click.pass_obj
def list_(session: Session, kind: str | None) -> None:
    """List jobs, newest first."""
    found = [job for job in background.list_jobs(session.workspace().jobs) if kind is None or job.kind == kind]
    rows = [(job.id, job.kind, job.state, _share(job), ", ".join(job.leases), job.title) for job in found]
    session.answer(
        {"jobs": [_as_json(job) for job in found]}, table(rows, ("id", "kind", "state", "progress", "holds", "title"))
    )


@jobs.command()
@click.pass_obj
def gpus(session: Session) -> None:
    """Show who holds which GPU, and who waits."""
    found = background.list_jobs(session.workspace().jobs)
    holders = {name: job for job in found for name in job.leases}
    names = [f"gpu:{number}" for number in range(look().gpus)]
    names += sorted(holders.keys() - set(names))
    waiting = sorted((job for job in found if job.place is not None), key=lambda job: job.place or 0)
    rows = [
        (name, job.id, job.pid, job.title) if (job := holders.get(name)) else (name, "free", None, "") for name in names
    ]
    text = table(rows, ("lease", "job", "process", "title")) if rows else "This machine has no GPU, and nothing runs."
    lines = [f"{job.place}. {job.title} ({job.id})" for job in waiting]
    data = {
        "leases": [{"name": name, **_holder(holders.get(name))} for name in names],
        "waiting": [{"job": job.id, "title": job.title, "place": job.place, "pid": job.pid} for job in waiting],
    }
    session.answer(data, "\n".join([text, *(["Waiting:", *lines] if lines else [])]))


def _holder(job: JobInfo | None) -> dict[str, Any]:
    if job is None:
        return {"job": None, "title": None, "pid": None, "workers": []}
    return {"job": job.id, "title": job.title, "pid": job.pid, "workers": list(job.workers)}


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def show(session: Session, job_id: str) -> None:
    """Show one job; of a run also what it was made from and the checkpoints it keeps."""
    folder = find(session.workspace().jobs, job_id)
    state = background.info(folder)
    request = read_job(folder).request
    data = {**_as_json(state), "folder": str(folder.path), "request": request}
    kept: list[str] = []
    if state.kind == "train":
        found = origin.checkpoints(folder.output)[::-1]
        data |= {
            "snapshot": request.get("snapshot"),
            "base": request.get("base"),
            "checkpoints": [_checkpoint(one) for one in found],
            "memory": {"forecast": request.get("forecast"), "measured": measured(folder)},
        }
        kept = [_described(one) for one in found]
    lines = [f"{state.id}: {state.state} {_share(state)}", *([state.message] if state.message else [])]
    lines += [state.hint] if state.hint else []
    memory = memory_sentence(folder) if state.kind == "train" else None
    lines += [memory] if memory else []
    session.answer(data, "\n".join([*lines, str(folder.path), *kept]))


def _checkpoint(one: Origin) -> dict[str, Any]:
    return {
        "path": str(one.path),
        "step": one.step,
        "loss": one.loss,
        "validation_loss": one.validation_loss,
        "best": one.best,
    }


def _described(one: Origin) -> str:
    losses = (("loss", one.loss), ("validation", one.validation_loss))
    words = [f"{name} {value:.4f}" for name, value in losses if value is not None]
    return "  ".join([str(one.path), *words, *(["best"] if one.best else [])])


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--after-epoch", is_flag=True, help="Let a run finish the epoch it is in; returns at once.")
@click.pass_obj
def stop(session: Session, job_id: str, after_epoch: bool) -> None:
    """Stop a job; a run saves a checkpoint first and can be resumed."""
    folder = find(session.workspace().jobs, job_id)
    if after_epoch:
        _live_run(folder, "stop at the end of an epoch")
        control.request_stop_after_epoch(folder)
        state = background.info(folder)
        session.answer(_as_json(state), f"{state.id} stops after this epoch.")
        return
    background.stop(folder, wait=True)
    state = background.info(folder)
    session.answer(_as_json(state), f"{state.id}: {state.state}")


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def checkpoint(session: Session, job_id: str) -> None:
    """Have a run save a checkpoint at its next step."""
    folder = find(session.workspace().jobs, job_id)
    _live_run(folder, "save a checkpoint")
    control.request_checkpoint(folder)
    state = background.info(folder)
    session.answer(_as_json(state), f"{state.id} saves a checkpoint at its next step.")


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def start(session: Session, job_id: str) -> None:
    """Start a job now that waits for its time."""
    folder = find(session.workspace().jobs, job_id)
    state = background.info(folder)
    if state.not_before is None:
        raise UserError(
            f"“{state.title}” does not wait for a time; it is {state.state}.",
            "`gosmith jobs resume` starts an ended one.",
        )
    control.start_now(folder)
    session.answer(_as_json(state), f"{state.id} starts as soon as it gets what it needs.")


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--before", metavar="OTHER", help="Right before this job.")
@click.option("--first", is_flag=True, help="Before all others.")
@click.option("--last", is_flag=True, help="Behind all others.")
@click.pass_obj
def move(session: Session, job_id: str, before: str | None, first: bool, last: bool) -> None:
    """Give a waiting job another place in the queue."""
    if (before is not None) + first + last != 1:
        raise click.UsageError("Say where to: --before OTHER, --first or --last.")
    workspace = session.workspace()
    folder = find(workspace.jobs, job_id)
    other = find(workspace.jobs, before).id if before is not None else FIRST if first else LAST
    order.move(workspace.jobs, folder.id, other)
    waiting = order.tickets(workspace.jobs / "leases")
    lines = [f"{place}. {ticket.holder} ({ticket.job})" for place, ticket in enumerate(waiting, 1)]
    session.answer({"waiting": [ticket.job for ticket in waiting]}, "\n".join(lines))


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.pass_obj
def delete(session: Session, job_id: str) -> None:
    """Delete a job that has ended, with its log, metrics and results."""
    folder = find(session.workspace().jobs, job_id)
    background.delete(folder)
    session.answer({"deleted": folder.id}, f"{folder.id} is deleted.")


def _live_run(folder: JobFolder, what: str) -> None:
    state = background.info(folder)
    if state.kind != "train":
        raise UserError(
            f"“{state.title}” is no run; only a run can {what}.", f"`gosmith jobs stop {state.id}` stops it."
        )
    if not state.alive:
        raise UserError(
            f"“{state.title}” has ended: it is {state.state}.", f"`gosmith jobs show {state.id}` says how it ended."
        )


@jobs.command()
@click.argument("job_id", metavar="ID")
@click.option("--detach", is_flag=True, help="Return at once.")
@click.option(
    "--processes", type=click.IntRange(1, 64), help="Share a run out to so many workers; as many as before if left out."
)
@click.pass_obj
def resume(session: Session, job_id: str, detach: bool, processes: int | None) -> None:
    """Go on where a stopped or interrupted job was."""
    folder = find(session.workspace().jobs, job_id)
    if background.info(folder).kind == "train":
        from app.cli.training import answer_run
        from core.training import launch

        launch.resume(folder, processes)
        answer_run(session, folder, detach=detach)
        return
    if processes is not None:
        raise UserError(f"{folder.id} is no run, so it has no workers to share it out to.", "Leave --processes out.")
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
        "started": when(job.started), "finished": when(job.finished), "pid": job.pid, "workers": list(job.workers),
        "leases": list(job.leases), "place": job.place, "not_before": when(job.not_before),
    }  # fmt: skip
