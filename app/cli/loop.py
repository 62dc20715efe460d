"""The loop from the command line: `gosmith teacher plan` asks for what a student gets wrong, `gosmith generations` shows what came of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.output import Session, table
from app.cli.search import database
from core.errors import UserError

if TYPE_CHECKING:
    from core.teacher.generations import Row
    from core.teacher.lineage import Run
    from core.teacher.shortfall import Answer, Need


@click.command("plan")
@click.argument("reference", metavar="EVALUATION")
@click.option("--recipe", default="topic-grid", show_default=True, help="`gosmith teacher recipes` lists them.")
@click.option(
    "--samples", type=click.IntRange(1, 1_000_000), default=200, show_default=True, help="How many to ask for."
)
@click.option("--model", default="gpt-4.1", show_default=True, help="Whom to ask.")
@click.option("--base-url", help="The endpoint, when it is not OpenAI's.")
@click.option("--budget-usd", type=click.FloatRange(min=0, min_open=True), help="What it may cost at most.")
@click.option("--out", type=click.Path(path_type=Path, dir_okay=False), help="Write the plan to this file.")
@click.pass_obj
def plan(
    session: Session,
    reference: str,
    recipe: str,
    samples: int,
    model: str,
    base_url: str | None,
    budget_usd: float | None,
    out: Path | None,
) -> None:
    """Make a plan of what fails in EVALUATION (a job's id, a folder or an evaluation.json), by topic, for `gosmith teacher generate`."""
    import tomli_w

    from app.cli.evaluation import read
    from core.evaluation import results
    from core.teacher import recipes, shortfall, starting
    from core.teacher.terms import save_plan, to_mapping

    workspace = session.workspace()
    evaluation = read(session, reference)
    found = shortfall.answer(
        evaluation, results.job_of(evaluation, workspace.jobs), recipes.find(recipe, workspace.root), samples
    )
    terms = {"base_url": base_url, "budget_usd": budget_usd}
    made = found.plan(model, **{key: value for key, value in terms.items() if value is not None})
    starting.checked(made, workspace.root)
    text = tomli_w.dumps(to_mapping(made))
    if out is not None:
        if out.exists():
            raise UserError(f"There is a file {out} already.", "Name another, or delete it.")
        try:
            save_plan(made, out)
        except OSError as error:
            raise UserError(f"{out} cannot be written: {error.strerror}.", "Choose another place.") from error
    data = {
        "plan": to_mapping(made), "topics": [asdict(one) for one in found.topics],
        "difficulties": [asdict(one) for one in found.difficulties], "notes": list(found.notes),
        "out": None if out is None else str(out),
    }  # fmt: skip
    session.answer(data, _told(found, out) if out is not None else _commented(found) + text)


def _told(found: Answer, out: Path) -> str:
    rows = [_cells(one) for one in found.topics]
    lines = [table(rows, ("topic", "problems", "passed", "samples")), *found.notes]
    return "\n".join(
        [*lines, f"`gosmith teacher generate {out}` asks for them; with --dry-run it says what that costs."]
    )


def _commented(found: Answer) -> str:
    """What there is to say, so that what is printed is a plan all the same."""
    return "".join(f"# {note}\n" for note in found.notes)


def _cells(one: Need) -> tuple[str, int, str, int]:
    return one.name, one.problems, f"{one.passed:.1f}", one.quota


@click.command("generations")
@click.argument("suite")
@click.option("--mode", type=click.Choice(["fixed", "paper"]), default="fixed", show_default=True)
@click.pass_obj
def generations(session: Session, suite: str, mode: str) -> None:
    """Show the generations of the student on SUITE: what each learnt, and pass@1."""
    from core.teacher import generations as loops
    from core.teacher.lineage import Lineage

    workspace = session.workspace()
    with database(session, readonly=True) as connection:
        found = loops.generations(Lineage(workspace.jobs, workspace.snapshots, connection), suite, mode)
    data = {
        "suite": found.suite, "mode": found.mode, "sha256": found.sha256, "rows": [_as_json(row) for row in found.rows],
        "notes": list(found.notes),
    }  # fmt: skip
    rows = [_line(row) for row in found.rows]
    header = ("generation", "model", "pass@1", "95 %", "problems", "snapshot", "samples", "new", "from")
    lines = [table(rows, header), *_remarks(found.rows), *found.notes]
    session.answer(data, "\n".join(lines))


def _line(row: Row) -> Sequence[object]:
    low, high = (100 * end for end in row.passes.interval)
    run = row.run
    return (
        f"≥ {row.generation}" if row.at_least else row.generation, row.model if row.there else f"{row.model} (deleted)",
        f"{100 * row.passes.value:.1f} %", f"{low:.1f} to {high:.1f}", row.problems, run.snapshot if run is not None else "",
        run.samples if run is not None else None, run.new if run is not None else None, _teachers(run),
    )  # fmt: skip


def _teachers(run: Run | None) -> str:
    if run is None:
        return ""
    return ", ".join(
        f"{one.job} {one.samples} ({', '.join(f'{topic} {count}' for topic, count in one.topics.items())})"
        for one in run.taught
    )


def _remarks(rows: Sequence[Row]) -> list[str]:
    return list(dict.fromkeys(f"{row.model}: {note}" for row in rows if row.run is not None for note in row.run.notes))


def _as_json(row: Row) -> dict[str, Any]:
    data = asdict(row)
    passes = data.pop("passes")
    return {**data, "pass_at_1": passes["value"], "interval": list(passes["interval"])}
