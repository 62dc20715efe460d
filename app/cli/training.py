"""`gosmith plan` and `gosmith train`: a run from its configuration file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from datetime import datetime
from functools import partial
from pathlib import Path
from typing import Any

import click

from app.cli.output import Session, table
from app.cli.suites import opened
from core.errors import UserError
from core.jobs import JobFolder, create, delete, info, start
from core.jobs.clock import clock_text, next_time
from core.models import Model
from core.training import exact, launch
from core.training.config import RunConfig
from core.training.config_file import load_config
from core.training.help import key_table
from core.training.plan import forecast, settled
from core.training.planned import Plan, compute_text

CONFIG = click.Path(path_type=Path, dir_okay=False)
POINT = ("step", "pass_at_1", "interval", "compile_rate", "problems", "seconds", "path")
"""What is told of an evaluation on the way."""


@click.command()
@click.argument("config_file", metavar="CONFIG.toml", type=CONFIG)
@click.option("--count", is_flag=True, help="Also count a step's memory operation by operation, in a short job.")
@click.pass_obj
def plan(session: Session, config_file: Path, count: bool) -> None:
    """Memory, tokens and time of a run before it starts."""
    workspace = session.workspace()
    config = load_config(config_file)
    found = launch.inputs(config, jobs=workspace.jobs, snapshots=workspace.snapshots, models=workspace.models)
    made = forecast(config, found.base, found.snapshot, workspace.jobs)
    data = asdict(made)
    lines = [_plan_text(made)]
    if count:
        counted = _count(session, settled(config, made), found.base, made)
        data["count"] = asdict(counted)
        lines.append(counted.sentence)
    session.answer(data, "\n".join([*lines, *(f"! {warning}" for warning in made.warnings)]))


def _plan_text(made: Plan) -> str:
    memory = "\n".join(f"  {name:<12} {size / 2**20:>12,.1f} MiB" for name, size in made.memory.items())
    seconds = f"{made.seconds:,.0f} s" if made.seconds is not None else "unknown until a run was measured here"
    known = f"{made.measured} earlier runs" if made.measured else "the closed form alone"
    return (
        f"{made.steps:,} steps, {made.tokens:,} tokens, {compute_text(made.flops, made.pf_days)}, time {seconds}\n"
        f"{made.compute_sentence}\n"
        f"mode {made.mode}{f': {made.why}' if made.why else ''}\n"
        f"{memory}\n"
        f"  expected between {made.low / 2**20:,.1f} and {made.high / 2**20:,.1f} MiB a process, by {known}\n"
        f"  {made.checkpoint_bytes / 2**20:,.1f} MiB a checkpoint"
    )


def _count(session: Session, config: RunConfig, base: Model, made: Plan) -> exact.Exact:
    """Have it counted, wait for it, and leave no job behind. Raises UserError when the job failed."""
    from app.cli.waiting import wait_for

    folder = create(session.workspace().jobs, "count", exact.question(config, base, made), title=exact.TITLE)
    start(folder)
    state = wait_for(folder, "Counting a step's memory")
    if state.state != "done":
        raise UserError("The count was stopped.", "Run the command again; without --count it answers at once.")
    counted = exact.answer(folder, config, base, made)
    delete(folder)
    return counted


def _print_keys(ctx: click.Context, _option: click.Parameter, wanted: bool) -> None:
    """Answer with every key of a configuration, and end."""
    session = ctx.find_object(Session)
    if not wanted or session is None:
        return
    rows = [(one.key, one.default, one.allowed, one.line) for one in key_table()]
    session.answer(
        {"keys": [asdict(one) for one in key_table()]}, table(rows, ("key", "default", "allowed", "what it does"))
    )
    ctx.exit()


@click.command()
@click.argument("config_file", metavar="CONFIG.toml", type=CONFIG)
@click.option("--detach", is_flag=True, help="Start the run and return; `gosmith jobs show` follows it.")
@click.option(
    "--start-at",
    metavar="TIME",
    help="Wait until 22:00, or 2026-11-21T22:00, and return; the run needs no shell and no window.",
)
@click.option(
    "--help-config",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_keys,
    help="Print every key of CONFIG.toml with its default and what it may be.",
)
@click.pass_obj
def train(session: Session, config_file: Path, detach: bool, start_at: str | None) -> None:
    """Fine-tune a base on a snapshot."""
    now = time.time()
    not_before = next_time(start_at, now) if start_at is not None else None
    workspace = session.workspace()
    folder = launch.launch(
        load_config(config_file),
        jobs=workspace.jobs,
        snapshots=workspace.snapshots,
        models=workspace.models,
        not_before=not_before,
        find_suite=partial(opened, session),
    )
    start(folder)
    if not_before is None:
        answer_run(session, folder, detach=detach)
    else:
        when = clock_text(not_before, now)
        text = f"{folder.id} starts at {when}; `gosmith jobs start {folder.id}` starts it now."
        answer_started(session, folder, text, not_before)


def answer_started(session: Session, folder: JobFolder, text: str, not_before: float | None = None) -> None:
    """Answer that a run is on its way, and nobody waits for it here."""
    state = info(folder)
    begins = datetime.fromtimestamp(not_before).astimezone().isoformat() if not_before is not None else None
    data: dict[str, Any] = {
        "job": state.id, "state": state.state, "steps": state.step or 0, "final_loss": None, "checkpoints": [],
        "starts_at": begins,
    }  # fmt: skip
    session.answer(data, text)


def answer_run(session: Session, folder: JobFolder, *, detach: bool) -> None:
    """Wait for a run unless detached, and answer with its outcome."""
    if detach:
        answer_started(session, folder, f"Started {folder.id}; `gosmith jobs show {folder.id}` follows it.")
        return
    from app.cli.waiting import wait_for

    losses: list[float] = []
    points: dict[int, dict[str, Any]] = {}

    def keep(event: dict[str, Any]) -> None:
        if event.get("kind") == "step":
            losses.append(float(event["loss"]))
        elif event.get("kind") == "evaluation":
            points[int(event["step"])] = {key: event.get(key) for key in POINT}
            click.echo(_point_text(event), err=True)

    state = wait_for(folder, f"Training {folder.path.name}", on_event=keep)
    checkpoints = [str(path) for path in sorted(folder.output.glob("checkpoint-*")) if path.is_dir()]
    final = losses[-1] if losses else None
    data = {
        "job": state.id, "state": state.state, "steps": state.step or len(losses),
        "final_loss": final, "checkpoints": checkpoints, "evaluations": [points[step] for step in sorted(points)],
    }  # fmt: skip
    loss = f", loss {final:.4f}" if final is not None else ""
    session.answer(data, f"{state.id} {state.state} after {data['steps']:,} steps{loss}\n" + "\n".join(checkpoints))


def _point_text(event: Mapping[str, Any]) -> str:
    """An evaluation on the way in a line."""
    if event.get("pass_at_1") is None:
        return f"step {event['step']:,}: no answer could be judged"
    low, high = event["interval"]
    return (
        f"step {event['step']:,}: pass@1 {100 * event['pass_at_1']:.1f} % ({100 * low:.1f} to {100 * high:.1f}), "
        f"{100 * event['compile_rate']:.0f} % compile, {event['problems']:,} problems"
    )
