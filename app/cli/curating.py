"""`gosmith samples …`, the part that works on many samples at once: near copies and picking."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from typing import Any

import click

from app.cli.output import Progress, Session
from app.cli.search import database, query_of
from core.errors import UserError
from core.samples.operations import Operation


@click.command()
@click.argument("words", nargs=-1)
@click.option(
    "--kind", type=click.Choice(("solutions", "shapes", "instructions")), default="solutions", show_default=True
)
@click.option("--threshold", type=click.FloatRange(0.3, 1.0), help="Similarity from which two are near copies.")
@click.option("--keep-best", is_flag=True, help="Reject all but the best of each cluster of solutions; can be undone.")
@click.pass_obj
def duplicates(session: Session, words: tuple[str, ...], kind: str, threshold: float | None, keep_best: bool) -> None:
    """Find near copies among samples that match QUERY; those of solutions are marked (`dup:yes`)."""
    from core.samples import duplicates as near

    if keep_best and kind != "solutions":
        raise UserError(f"Only copies of solutions are decided in bulk, not of {kind}.", "Look at them one by one.")
    with database(session) as connection:
        clusters = near.clusters(connection, query_of(words), kind=kind, threshold=threshold)
        operation = near.keep_best(connection, query_of(words)) if keep_best else None
    data: dict[str, Any] = {
        "clusters": [{"ids": list(c.ids), "similarity": round(c.similarity, 4), "keeper": c.keeper} for c in clusters]
    }
    lines = [f"{c.similarity:.2f}  keep {c.keeper}  of {', '.join(map(str, c.ids))}" for c in clusters]
    if operation is not None:
        data |= {"changed": operation.changed, "label": operation.label}
        lines.append(f"{operation.label}.")
    session.answer(data, "\n".join(lines) or "No near copies.")


@click.command()
@click.argument("words", nargs=-1)
@click.option("--tag", "name", required=True, help="The tag that the picked samples get.")
@click.option("--diverse", type=click.IntRange(min=1), help="So many samples that resemble each other least.")
@click.option("--cap", type=click.IntRange(min=1), help="All, but at most so many of each cluster of near copies.")
@click.option("--without-longest", type=float, help="All but so many per cent of the longest.")
@click.option("--seed", type=int, default=7, show_default=True)
@click.pass_obj
def select(
    session: Session,
    words: tuple[str, ...],
    name: str,
    diverse: int | None,
    cap: int | None,
    without_longest: float | None,
    seed: int,
) -> None:
    """Pick a part of the samples that match QUERY and tag it; can be undone."""
    from core.samples import edits, selecting

    asked = {"diverse": diverse, "cap": cap, "shorter": without_longest}
    chosen = [(method, amount) for method, amount in asked.items() if amount is not None]
    if len(chosen) != 1:
        raise click.UsageError("Say how to pick: one of --diverse, --cap, --without-longest.")
    with database(session) as connection:
        ids = selecting.select(connection, query_of(words), *chosen[0], seed=seed)
        operation = edits.tag(connection, ids, add=[name])
    data = {"selected": len(ids), "changed": operation.changed, "label": operation.label}
    session.answer(data, f"Picked {len(ids):,}; {operation.label}.")


@click.command()
@click.pass_obj
def score(session: Session) -> None:
    """Let the apprentice learn from your decisions and score every sample (`score:>80`, `sort:uncertain`)."""
    from core.samples import apprentice

    progress = Progress("Learning")
    with database(session) as connection:
        learnt = apprentice.learn(connection, progress=progress.update)
        progress.end()
        given = list(apprentice.scores(connection, learnt))
        apprentice.keep_scores(connection, given)
    report = learnt.report
    data = {"scored": len(given), **asdict(report)}
    text = (
        f"Scored {len(given):,}, learnt from {report.accepted:,} accepted and {report.rejected:,} rejected.\n"
        f"Of decisions it had not seen it would have made {report.accuracy:.1%} alike "
        f"(always saying what is commoner: {report.baseline:.1%}); AUC {report.auc:.3f}.\n"
        f"  for:     {', '.join(report.speaks_for)}\n  against: {', '.join(report.speaks_against)}"
    )
    session.answer(data, text)


@click.command()
@click.argument("words", nargs=-1)
@click.pass_obj
def gofmt(session: Session, words: tuple[str, ...]) -> None:
    """Format the code of samples that match QUERY as gofmt does; can be undone."""
    from core.samples import mending

    _mend(session, words, mending.gofmt, "Formatting")


@click.command("fix-imports")
@click.argument("words", nargs=-1)
@click.pass_obj
def fix_imports(session: Session, words: tuple[str, ...]) -> None:
    """Put the imports of samples that match QUERY right, where it is certain; can be undone."""
    from core.samples import mending

    _mend(session, words, mending.fix_imports, "Fixing imports")


def _mend(session: Session, words: tuple[str, ...], mend: Callable[..., Operation], what: str) -> None:
    progress = Progress(what)
    with database(session) as connection:
        operation = mend(connection, query_of(words), progress=progress.update)
    progress.end()
    session.answer({"changed": operation.changed, "label": operation.label}, f"{operation.label}.")
