"""`gosmith teacher …`: samples written by a strong model, by recipe and within a budget."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli import judging, loop
from app.cli.output import Session, table
from app.cli.search import database
from core.errors import UserError
from core.jobs import JobFolder, info, start
from core.jobs.events import EventTail
from core.jobs.folder import find as find_job
from core.teacher import forecast, intake, provenance, recipes, results, seeds, starting
from core.teacher.asking.keys import find_credentials
from core.teacher.asking.prices import load_prices
from core.teacher.judging import starting as judge_starting
from core.teacher.plan import load_plan

PLAN = click.Path(path_type=Path, dir_okay=False)
_EVERY = 1.0
"""Seconds between two looks at what a job has written."""


@click.group()
def teacher() -> None:
    """Have a strong model write samples, by recipe and within a budget, and a second one score them."""


for _command in (judging.judge, judging.rubrics_, judging.copy_rubric, judging.agreement, loop.plan):
    teacher.add_command(_command)


@teacher.command()
@click.argument("plan_file", metavar="PLAN.toml", type=PLAN)
@click.option("--dry-run", is_flag=True, help="Send nothing: show example prompts and the projected cost.")
@click.option(
    "--detach", is_flag=True, help="Start the job and return; `gosmith teacher collect` takes its samples in."
)
@click.pass_obj
def generate(session: Session, plan_file: Path, dry_run: bool, detach: bool) -> None:
    """Make the samples that PLAN.toml describes; Ctrl+C stops, `gosmith teacher resume` goes on."""
    plan = load_plan(plan_file)
    workspace = session.workspace()
    if dry_run:
        _answer_dry_run(session, plan)
        return
    find_credentials(plan.base_url)
    with database(session) as connection:
        folder = starting.launch(plan, workspace.root, connection)
    start(folder)
    _answer_job(session, folder, detach=detach)


@teacher.command("recipes")
@click.pass_obj
def recipes_(session: Session) -> None:
    """List the recipes; each is checked as a whole."""
    root = session.workspace().root
    found = [recipes.find(name, root) for name in recipes.names(root)]
    data = [
        {"name": one.name, "version": one.file.version, "title": one.file.title, "about": one.file.about, "own": one.own,
         "source": one.file.source, "topics": one.file.topics(), "answers": one.file.answers, "digest": one.digest}
        for one in found
    ]  # fmt: skip
    rows = [(one.name, one.file.version, "yours" if one.own else "", one.file.about) for one in found]
    session.answer({"recipes": data}, table(rows, ("name", "version", "", "what it makes")))


@teacher.command("copy")
@click.argument("name")
@click.pass_obj
def copy_(session: Session, name: str) -> None:
    """Copy recipe NAME into the workspace, to edit it there."""
    place = recipes.copy(name, session.workspace().root)
    session.answer({"name": name, "folder": str(place)}, f"Edit it in {place}; it takes the place of ours.")


@teacher.command()
@click.argument("job_id", metavar="JOB")
@click.option(
    "--budget-usd", type=click.FloatRange(min=0, min_open=True), help="The budget from now on, dollars in all."
)
@click.option("--budget-tokens", type=click.IntRange(min=1), help="The budget from now on, tokens in all.")
@click.option("--detach", is_flag=True, help="Return at once.")
@click.pass_obj
def resume(session: Session, job_id: str, budget_usd: float | None, budget_tokens: int | None, detach: bool) -> None:
    """Go on with a job that was paused or stopped; nothing that was answered is asked again."""
    folder, judges = _job(session, job_id)
    if judges:
        judge_starting.resume(folder, budget_usd=budget_usd, budget_tokens=budget_tokens)
        judging.answer_job(session, folder, detach=detach)
        return
    starting.resume(folder, budget_usd=budget_usd, budget_tokens=budget_tokens)
    _answer_job(session, folder, detach=detach)


@teacher.command()
@click.argument("job_id", metavar="JOB")
@click.argument("numbers", metavar="[NUMBER]...", type=click.IntRange(min=0), nargs=-1)
@click.option("--detach", is_flag=True, help="Return at once.")
@click.pass_obj
def retry(session: Session, job_id: str, numbers: tuple[int, ...], detach: bool) -> None:
    """Try samples of a job again, in a job of their own: those NUMBERed, else all that were refused or failed."""
    folder = _teachers_job(session, job_id)
    if not numbers:
        found = results.each(folder.output / results.FILE)
        numbers = tuple(one.number for one in found if one.result in ("refused", "failed"))
    if not numbers:
        raise UserError(
            f"Nothing of {folder.id} was refused or failed.", "Name the samples to try again by their numbers."
        )
    with database(session) as connection:
        made = starting.launch_again(folder, numbers, session.workspace().root, connection)
    start(made)
    _answer_job(session, made, detach=detach)


@teacher.command()
@click.argument("job_id", metavar="JOB")
@click.pass_obj
def collect(session: Session, job_id: str) -> None:
    """Take in what a job has made so far."""
    folder, judges = _job(session, job_id)
    if judges:
        judging.answer_collected(session, folder)
        return
    with database(session) as connection:
        taken = intake.take_in(connection, folder)
    data = {"outcomes": taken.outcomes, "samples": taken.samples, "duplicates": taken.duplicates, "job": folder.id}
    session.answer(data, f"Took in {taken.samples:,} new samples.")


@teacher.command()
@click.argument("sample_id", type=int)
@click.pass_obj
def show(session: Session, sample_id: int) -> None:
    """Show where a sample comes from: recipe, cost, and its conversation with the teacher."""
    with database(session, readonly=True) as connection:
        found = provenance.provenance(connection, sample_id)
    if found is None:
        raise UserError(
            f"No teacher wrote sample {sample_id}.", "`gosmith samples list tag:verified` lists such that one did."
        )
    cost = "at no known price" if found.cost_usd is None else f"${found.cost_usd:.4f}"
    lines = [
        f"{found.recipe} {found.recipe_version}, {found.model}, {found.requests} requests, {cost}, {found.result} {found.reason}".rstrip()
    ]
    for turn in found.conversation:
        lines += [
            f"\n--- {turn.stage}",
            *(f"[{one.role}] {one.content}" for one in turn.messages),
            f"[{turn.model}] {turn.answer or turn.refusal}",
        ]
    session.answer(_plain(asdict(found)), "\n".join(lines))


def _teachers_job(session: Session, job_id: str) -> JobFolder:
    folder = find_job(session.workspace().jobs, job_id)
    if info(folder).kind != starting.KIND:
        raise UserError(f"{folder.id} is no job of a teacher.", "`gosmith jobs list --kind teacher` lists those.")
    return folder


def _job(session: Session, job_id: str) -> tuple[JobFolder, bool]:
    """A job that writes samples or judges them, and whether it judges."""
    folder = find_job(session.workspace().jobs, job_id)
    if info(folder).kind == judge_starting.KIND:
        return folder, True
    return _teachers_job(session, job_id), False


def _answer_dry_run(session: Session, plan: Any) -> None:
    from core.golang.toolchain import find

    toolchain = find()
    recipe = starting.checked(plan, session.workspace().root)
    tree = Path(plan.seeds.folder).expanduser() if plan.seeds.folder else None
    with database(session, readonly=True) as connection:
        pool = seeds.some(recipe.file, tree, toolchain, connection, plan.seeds.query, 100)
        known = provenance.spent(connection, recipe.name, plan.model)
    go = ".".join(toolchain.version.removeprefix("go").split(".")[:2])
    made = forecast.forecast(plan, recipe, go, pool=pool, prices=load_prices(session.workspace().root), spent=known)
    cost = "unknown: there is no price for this model" if made.cost_usd is None else f"${made.cost_usd:.2f}"
    examples = [
        f"--- example {one.number + 1} ({', '.join(one.draw.values())})\n"
        + "\n\n".join(f"[{role}] {content}" for role, content in one.messages)
        for one in made.examples
    ]
    text = (
        f"{made.samples:,} samples, about {made.requests:,} requests, {made.prompt_tokens:,} tokens in, "
        f"{made.completion_tokens:,} tokens out; cost {cost}\n{made.sentence}"
    )
    data = {
        "requested": made.samples, "completed": 0, "failed": 0, "job": None, "dry_run": True, "requests": made.requests,
        "prompt_tokens": made.prompt_tokens, "completion_tokens": made.completion_tokens,
        "cost_usd": None if made.cost_usd is None else float(made.cost_usd), "measured": made.measured,
        "sentence": made.sentence, "examples": [_plain(asdict(one)) for one in made.examples],
    }  # fmt: skip
    session.answer(data, "\n\n".join([text, *examples]))


def _plain(value: Any) -> Any:
    """Mappings and lists as JSON has them, exact numbers as texts."""
    if isinstance(value, Mapping):
        return {key: _plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)


def _answer_job(session: Session, folder: JobFolder, *, detach: bool) -> None:
    """Wait for a job unless detached, taking in what it makes, and answer with its outcome."""
    from app.cli.waiting import wait_for

    if detach:
        data = {
            "requested": None,
            "completed": 0,
            "failed": 0,
            "cost_usd": None,
            "job": folder.id,
            "state": info(folder).state,
        }
        session.answer(
            data,
            f"Started {folder.id}; `gosmith jobs show {folder.id}` follows it, `gosmith teacher collect {folder.id}` takes its samples in.",
        )
        return
    last = 0.0
    with database(session) as connection:

        def look(event: dict[str, Any]) -> None:
            nonlocal last
            if event.get("kind") == "teacher" and time.monotonic() - last >= _EVERY:
                last = time.monotonic()
                intake.take_in(connection, folder)

        try:
            state = wait_for(folder, "Asking the teacher", on_event=look)
        finally:
            intake.take_in(connection, folder)
    data = {**_stands(folder), "job": folder.id, "state": state.state, "message": state.message}
    cost = "" if data["cost_usd"] is None else f", ${data['cost_usd']:.4f}"
    text = (
        f"{data['completed']:,} of {data['requested']:,} samples done: {data['verified']:,} verified, {data['unverified']:,} unverified, "
        f"{data['refused']:,} refused before they cost much, {data['failed']:,} failed, {data['fixes']:,} fixes{cost}."
    )
    paused = (
        f"\n{state.message} {state.hint}\n`gosmith teacher resume {folder.id}` goes on."
        if state.state == "stopped"
        else ""
    )
    session.answer(data, text + paused)


def _stands(folder: JobFolder) -> dict[str, Any]:
    """Where a job stands, from its newest event. completed: samples that came to a result, kept or refused."""
    found: dict[str, Any] = {}
    tail = EventTail(folder.events)
    while batch := tail.read():
        found = next((event for event in reversed(batch) if event["kind"] == "teacher"), found)
    counts = {
        name: found.get(name, 0) for name in ("requested", "verified", "unverified", "refused", "failed", "fixes")
    }
    return {
        "requested": counts["requested"],
        "completed": counts["verified"] + counts["unverified"] + counts["refused"],
        **{name: counts[name] for name in ("failed", "verified", "unverified", "refused", "fixes")},
        "prompt_tokens": found.get("prompt_tokens", 0),
        "completion_tokens": found.get("completion_tokens", 0),
        "cost_usd": found.get("cost_usd"),
    }
