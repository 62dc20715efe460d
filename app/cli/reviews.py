"""`gosmith reviews …`: decisions of several people, out of one workspace and into another."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from app.cli.output import Session, table
from app.cli.search import database, query_of
from core.samples import reviews as bundles
from core.settings import load_settings


@click.group()
def reviews() -> None:
    """Decisions of several people: export, merge, agreement."""


@reviews.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.argument("words", nargs=-1)
@click.option("--reviewer", help="Who decided; by default the name in the settings.")
@click.pass_obj
def export(session: Session, file: Path, words: tuple[str, ...], reviewer: str | None) -> None:
    """Write the decisions on samples that match QUERY to FILE, a review bundle."""
    name = reviewer or load_settings().reviewer
    with database(session, readonly=True) as connection:
        count = bundles.export_reviews(connection, file, name, query_of(words))
    session.answer(
        {"exported": count, "reviewer": name, "path": str(file)}, f"Wrote {count:,} reviews by {name} to {file}."
    )


@reviews.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--dry-run", is_flag=True, help="Only say what would happen.")
@click.pass_obj
def merge(session: Session, file: Path, dry_run: bool) -> None:
    """Merge the review bundle FILE; can be undone. Where both decided differently, ours stays (`disputed:yes`)."""
    with database(session) as connection:
        if dry_run:
            preview = bundles.preview_reviews(connection, file)
            data = {**asdict(preview), "changed": 0, "label": ""}
        else:
            result = bundles.merge_reviews(connection, file)
            preview = result.preview
            data = {**asdict(preview), "changed": result.operation.changed, "label": result.operation.label}
    text = (
        f"{preview.samples:,} reviews by {preview.reviewer}: {preview.new:,} new samples, {preview.decided:,} decided for us, "
        f"{preview.agreeing:,} agree, {preview.disagreeing:,} disagree, {len(preview.edited):,} edited on both sides and left."
    )
    session.answer(data, text)


@reviews.command()
@click.pass_obj
def agreement(session: Session) -> None:
    """How your decisions agree with those of each other reviewer (Cohen's kappa)."""
    with database(session, readonly=True) as connection:
        found = bundles.agreement(connection)
    data = [
        {
            "reviewer": one.reviewer, "samples": one.samples, "agreeing": one.agreeing, "kappa": one.kappa,
            "counts": [{"ours": ours, "theirs": theirs, "samples": times} for (ours, theirs), times in one.counts.items()],
        }
        for one in found
    ]  # fmt: skip
    rows = [
        (one.reviewer, f"{one.samples:,}", f"{one.agreeing:,}", "-" if one.kappa is None else f"{one.kappa:.2f}")
        for one in found
    ]
    session.answer({"agreement": data}, table(rows, ("reviewer", "decided by both", "alike", "kappa")))
