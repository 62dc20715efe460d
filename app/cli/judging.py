"""`gosmith teacher judge` and what belongs to it: samples scored by a second model with a rubric, and how far reviewers agree with it."""

from __future__ import annotations

import time
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click

from app.cli.output import Session, table
from app.cli.search import database
from core.errors import UserError
from core.jobs import JobFolder, info, start
from core.teacher.asking.keys import find_credentials
from core.teacher.judging import agreement as agreeing
from core.teacher.judging import intake, pace, rubrics, starting
from core.teacher.judging.agreement import Agreement, Dispute
from core.teacher.judging.plan import JudgePlan, load_plan

PLAN = click.Path(path_type=Path, dir_okay=False)
_EVERY = 1.0
"""Seconds between two looks at what a job has written."""
_DISPUTES = 10


@click.command()
@click.argument("plan_file", metavar="PLAN.toml", type=PLAN)
@click.option("--dry-run", is_flag=True, help="Send nothing: show example prompts and the projected cost.")
@click.option("--detach", is_flag=True, help="Start the job and return; `gosmith teacher collect` takes its scores in.")
@click.pass_obj
def judge(session: Session, plan_file: Path, dry_run: bool, detach: bool) -> None:
    """Have a second model score the samples that PLAN.toml names, by a rubric; Ctrl+C stops, `gosmith teacher resume` goes on."""
    plan = load_plan(plan_file)
    workspace = session.workspace()
    if dry_run:
        _answer_dry_run(session, plan)
        return
    find_credentials(plan.base_url)
    with database(session) as connection:
        folder = starting.launch(plan, workspace.root, connection)
    start(folder)
    answer_job(session, folder, detach=detach)


@click.command("rubrics")
@click.pass_obj
def rubrics_(session: Session) -> None:
    """List the rubrics; each is checked as a whole."""
    root = session.workspace().root
    found = [rubrics.find(name, root) for name in rubrics.names(root)]
    data = [
        {"name": one.name, "version": one.file.version, "title": one.file.title, "about": one.file.about, "own": one.own,
         "best": one.file.best, "criteria": {each.name: each.weight for each in one.file.criteria}, "digest": one.digest}
        for one in found
    ]  # fmt: skip
    rows = [(one.name, one.file.version, "yours" if one.own else "", one.file.about) for one in found]
    session.answer({"rubrics": data}, table(rows, ("name", "version", "", "what it asks for")))


@click.command("copy-rubric")
@click.argument("name")
@click.pass_obj
def copy_rubric(session: Session, name: str) -> None:
    """Copy rubric NAME into the workspace, to edit it there."""
    place = rubrics.copy(name, session.workspace().root)
    session.answer({"name": name, "folder": str(place)}, f"Edit it in {place}; it takes the place of ours.")


@click.command()
@click.option("--model", help="Only this judge.")
@click.option("--rubric", help="Only by this rubric.")
@click.pass_obj
def agreement(session: Session, model: str | None, rubric: str | None) -> None:
    """Show how far judges agree with the reviewers, on samples that both have looked at, and where they are furthest apart."""
    with database(session, readonly=True) as connection:
        found = [
            (agreeing.agreement(connection, one), agreeing.disputes(connection, one, _DISPUTES))
            for one in agreeing.judges(connection)
            if model in (None, one.model) and rubric in (None, one.rubric)
        ]
    if not found:
        raise UserError(
            "No judge has scored a sample of this workspace.", "`gosmith teacher judge PLAN.toml` has some scored."
        )
    data = [{**asdict(made), **asdict(made.judge), "disputes": [asdict(one) for one in wide]} for made, wide in found]
    for one in data:
        del one["judge"]
    session.answer({"judges": data}, "\n\n".join(_told(made, wide) for made, wide in found))


def answer_job(session: Session, folder: JobFolder, *, detach: bool) -> None:
    """Wait for a job unless detached, taking in what it says, and answer with its outcome."""
    from app.cli.waiting import wait_for

    if detach:
        data = {**_stands(folder), "job": folder.id, "state": info(folder).state, "message": ""}
        follow = (
            f"`gosmith jobs show {folder.id}` follows it, `gosmith teacher collect {folder.id}` takes its scores in."
        )
        session.answer(data, f"Started {folder.id}; {follow}")
        return
    last = 0.0
    with database(session) as connection:

        def look(event: dict[str, Any]) -> None:
            nonlocal last
            if event.get("kind") == starting.KIND and time.monotonic() - last >= _EVERY:
                last = time.monotonic()
                intake.take_in(connection, folder)

        try:
            state = wait_for(folder, "Asking the judge", on_event=look)
        finally:
            intake.take_in(connection, folder)
    data = {**_stands(folder), "job": folder.id, "state": state.state, "message": state.message}
    mean = "" if data["mean"] is None else f" with {data['mean']:.0f} of 100 on the average"
    cost = "" if data["cost_usd"] is None else f", ${data['cost_usd']:.4f}"
    text = f"{data['judged']:,} of {data['requested']:,} samples scored{mean}, {data['failed']:,} failed{cost}."
    paused = (
        f"\n{state.message} {state.hint}\n`gosmith teacher resume {folder.id}` goes on."
        if state.state == "stopped"
        else ""
    )
    session.answer(data, text + paused)


def answer_collected(session: Session, folder: JobFolder) -> None:
    """Take in what a job has said so far, and answer with how much that was."""
    with database(session) as connection:
        taken = intake.take_in(connection, folder)
    data = {"outcomes": taken.outcomes, "scored": taken.scored, "job": folder.id}
    session.answer(data, f"Took in {taken.scored:,} new scores.")


def _stands(folder: JobFolder) -> dict[str, Any]:
    at = pace.standing(folder.events) or pace.JudgeStanding()
    return {
        "requested": at.requested, "judged": at.judged, "failed": at.failed, "mean": at.mean, "prompt_tokens": at.prompt_tokens,
        "completion_tokens": at.completion_tokens, "cost_usd": at.cost_usd,
    }  # fmt: skip


def _answer_dry_run(session: Session, plan: JudgePlan) -> None:
    with database(session, readonly=True) as connection:
        made = starting.forecast(plan, session.workspace().root, connection)
    cost = "unknown: there is no price for this model" if made.cost_usd is None else f"${made.cost_usd:.2f}"
    known = f", {made.known:,} left out because they have such a score" if made.known else ""
    text = (
        f"{made.samples:,} samples{known}; about {made.prompt_tokens:,} tokens in, {made.completion_tokens:,} tokens out; cost {cost}\n"
        f"{made.sentence}"
    )
    examples = [
        f"--- example {number}\n" + "\n\n".join(f"[{role}] {content}" for role, content in messages)
        for number, messages in enumerate(made.examples, start=1)
    ]
    data = {
        "requested": made.samples, "known": made.known, "judged": 0, "failed": 0, "mean": None, "job": None, "dry_run": True,
        "prompt_tokens": made.prompt_tokens, "completion_tokens": made.completion_tokens,
        "cost_usd": None if made.cost_usd is None else float(made.cost_usd), "measured": made.measured, "sentence": made.sentence,
        "examples": made.examples,
    }  # fmt: skip
    session.answer(data, "\n\n".join([text, *examples]))


def _told(made: Agreement, wide: list[Dispute]) -> str:
    judge = made.judge
    lines = [
        f"{judge.model} by {judge.rubric} {judge.rubric_version}: {judge.scored:,} samples scored, "
        f"{made.accepted:,} of them accepted and {made.rejected:,} rejected by people."
    ]
    if made.auc is None:
        lines.append("How far it agrees with people can be told once it has scored accepted and rejected samples.")
    else:
        interval = "" if made.interval is None else f" (95 %: {made.interval[0]:.2f} to {made.interval[1]:.2f})"
        chance = "" if made.kappa is None else f", kappa {made.kappa:.2f}"
        lines += [
            f"It scores an accepted sample above a rejected one in {made.auc:.0%} of all pairs{interval}.",
            f"Accepting from {made.threshold} on agrees in {made.agreed:.0%}{chance}; always saying what is commoner, in {made.baseline:.0%}.",
        ]
    if made.criteria:
        lines.append(table([(name, auc) for name, auc in made.criteria.items()], ("criterion", "alone")))
    if wide:
        rows = [(one.sample, one.decision, one.score, one.title[:60]) for one in wide]
        lines.append(table(rows, ("sample", "people", "judge", "title")))
    return "\n".join(lines)
