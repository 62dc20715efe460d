"""`gosmith evaluate` and `gosmith compare`: how many problems are solved, and whether one is better than another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.models import INT8
from app.cli.output import Session, table
from core.errors import UserError

if TYPE_CHECKING:
    from core.evaluation.results import Evaluation


def _ks(_context: click.Context, _parameter: click.Parameter, text: str) -> list[int]:
    from core.evaluation.asking import read_ks

    try:
        return list(read_ks(text))
    except UserError as error:
        raise click.BadParameter(str(error)) from error


@click.command()
@click.argument("model", required=False)
@click.option(
    "--completions", "file", type=click.Path(path_type=Path),
    help='Judge these instead of a model\'s: {"task_id": …, "completion": …} a line.',
)  # fmt: skip
@click.option(
    "--problems", "suite", required=True, help="A suite by name (`gosmith suites list`), or a file or folder."
)
@click.option("--mode", type=click.Choice(["fixed", "paper"]), default="fixed", show_default=True)
@click.option("--samples", type=click.IntRange(min=1), default=1, show_default=True, help="Answers to each problem.")
@click.option("--temperature", type=float, help="By default 0 for one sample, 0.8 for several.")
@click.option("--top-p", type=float)
@click.option("--top-k", type=int)
@click.option("--min-p", type=float)
@click.option("--max-tokens", type=int)
@click.option("--seed", type=int)
@click.option(
    "--continue", "goes_on", is_flag=True, help="Have the model go on from the signature, without a chat template."
)
@INT8
@click.option("-k", "ks", callback=_ks, default="1", show_default=True, help="Which pass@k, such as 1,10.")
@click.option(
    "--timeout", type=click.FloatRange(1, 600), default=10.0, show_default=True, help="Seconds for one candidate."
)
@click.pass_obj
def evaluate(
    session: Session,
    model: str | None,
    file: Path | None,
    suite: str,
    mode: str,
    samples: int,
    goes_on: bool,
    int8: bool,
    ks: list[int],
    timeout: float,
    **fields: float | None,
) -> None:
    """Have MODEL answer a suite's problems and judge the answers, or judge ready-made ones; the mode fixed reads answers as they were meant, paper
    as the suite's authors do."""
    from app.cli.suites import opened
    from app.cli.waiting import wait_for
    from core.evaluation import results
    from core.evaluation.asking import usual
    from core.evaluation.starting import start_evaluation, start_model_evaluation
    from core.inference.sampling import validate
    from core.models import resolve

    workspace = session.workspace()
    if (model is None) == (file is None):
        raise UserError("Nobody is named to evaluate." if file is None else "A model and completions are named both.",
                        "Give a MODEL (`gosmith models list`) or --completions FILE.")  # fmt: skip
    named = opened(session, suite)
    if file is not None:
        folder = start_evaluation(workspace.jobs, named, file, mode=mode, ks=ks, seconds=timeout)
    else:
        assert model is not None
        found_model = resolve(model, workspace.models, workspace.jobs)
        wanted = validate(**{**usual(samples), **{name: value for name, value in fields.items() if value is not None}})
        folder = start_model_evaluation(
            workspace.jobs, named, found_model.name, found_model.path, mode=mode, ks=ks, samples=samples, sampling=wanted,
            chat=not goes_on, int8=int8, seconds=timeout,
        )  # fmt: skip
    info = wait_for(folder, "Judging" if file is not None else "Evaluating")
    if info.state != "done":
        raise UserError(
            "The evaluation was stopped before its end.", f"`gosmith jobs resume {info.id}` goes on with it."
        )
    found = results.read(folder.output)
    data = {**results.as_json(found), "job": info.id, "folder": str(folder.output)}
    lines = [
        f"pass@{k}: {100 * one.value:.1f} % ({100 * one.interval[0]:.1f} to {100 * one.interval[1]:.1f})"
        for k, one in found.pass_at.items()
    ]
    lines += [f"{found.problems:,} problems of {found.origin.suite}, mode {mode}, in {found.seconds:.1f} s"]
    lines += [", ".join(f"{name.replace('_', ' ')} {count:,}" for name, count in found.statuses.items() if count)]
    for what, names in (
        ("without completions", found.missing),
        ("whose own answer does not pass", tuple(found.references)),
        ("that pass now and then", found.flaky),
    ):
        if names:
            lines.append(f"{len(names):,} problems {what}: {', '.join(names[:8])}{' …' if len(names) > 8 else ''}")
    session.answer(data, "\n".join([*lines, str(folder.output)]))


@click.command()
@click.argument("a", metavar="EVAL_A")
@click.argument("b", metavar="EVAL_B")
@click.option("-k", type=click.IntRange(min=1), default=1, show_default=True)
@click.option("--seed", type=int, default=0, show_default=True, help="Of the resampling for k > 1.")
@click.pass_obj
def compare(session: Session, a: str, b: str, k: int, seed: int) -> None:
    """What EVAL_B has on EVAL_A, problem by problem; each a job's id, a folder or an evaluation.json."""
    from core.evaluation import comparing

    found = comparing.compare(_read(session, a), _read(session, b), k, seed=seed)
    data = asdict(found)
    flips = {"gained": data.pop("gained"), "lost": data.pop("lost")}
    lines = [f"{found.word}: {comparing.sentence(found)}", comparing.how_sure(found)]
    rows = [
        (word, one.task, f"{one.a[0]}/{one.a[1]}", f"{one.b[0]}/{one.b[1]}")
        for word, some in (("gained", found.gained), ("lost", found.lost))
        for one in some
    ]
    lines += [table(rows, ("flip", "problem", "A", "B"))] if rows else ["No problem flips."]
    session.answer({**data, "flips": flips}, "\n".join(lines))


def _read(session: Session, reference: str) -> Evaluation:
    from core.evaluation import results
    from core.jobs.folder import find

    path = Path(reference).expanduser()
    return results.read(path if path.exists() else find(session.workspace().jobs, reference).path)
