"""`gosmith snapshot …`: freeze samples into what a run trains on."""

from __future__ import annotations

from typing import Any

import click

from app.cli.output import Session, table
from app.cli.samples import database
from core.samples import query, snapshots


@click.group()
def snapshot() -> None:
    """Freeze samples into what a run trains on."""


@snapshot.command()
@click.argument("name")
@click.argument("words", nargs=-1)
@click.option("--validation", type=click.FloatRange(0.0, 0.5), default=0.05, show_default=True)
@click.option("--seed", type=int, default=7, show_default=True, help="Seed of the split.")
@click.pass_obj
def create(session: Session, name: str, words: tuple[str, ...], validation: float, seed: int) -> None:
    """Create snapshot NAME of the samples that match QUERY (default: status:accepted)."""
    text = " ".join(words) or "status:accepted"
    with database(session) as connection:
        made = snapshots.create(
            session.workspace().snapshots, connection, name, query.parse(text), validation=validation, seed=seed
        )  # fmt: skip
    _answer(session, made)


@snapshot.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the snapshots of this workspace."""
    found = snapshots.list_snapshots(session.workspace().snapshots)
    rows = [(s.name, s.train, s.validation, s.sha256[:12], s.query) for s in found]
    session.answer(
        {"snapshots": [_as_json(s) for s in found]}, table(rows, ("name", "train", "validation", "sha256", "query"))
    )


@snapshot.command()
@click.argument("name")
@click.pass_obj
def show(session: Session, name: str) -> None:
    """Show one snapshot."""
    _answer(session, snapshots.show(session.workspace().snapshots, name))


def _answer(session: Session, made: snapshots.Snapshot) -> None:
    session.answer(
        _as_json(made),
        f"{made.name}: {made.samples:,} samples, {made.train:,} train and {made.validation:,} validation\n"
        f"  sha256 {made.sha256}\n  {made.folder}",
    )


def _as_json(made: snapshots.Snapshot) -> dict[str, Any]:
    return {
        "name": made.name, "samples": made.samples, "train": made.train, "validation": made.validation,
        "sha256": made.sha256, "query": made.query, "created": made.created, "folder": str(made.folder),
    }  # fmt: skip
