"""`gosmith snapshot …`: freeze samples into what a run trains on."""

from __future__ import annotations

from typing import Any

import click

from app.cli.output import Session, table
from app.cli.search import database, query_of
from core.samples import comparing, snapshots


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
    with database(session) as connection:
        made = snapshots.create(
            session.workspace().snapshots, connection, name, query_of(words or ("status:accepted",)), validation=validation, seed=seed
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


@snapshot.command()
@click.argument("name")
@click.argument("other")
@click.pass_obj
def diff(session: Session, name: str, other: str) -> None:
    """Tell what is in snapshot OTHER and not in NAME, and the other way round."""
    folder = session.workspace().snapshots
    found = comparing.compare(snapshots.show(folder, name), snapshots.show(folder, other))
    data = {
        "same": found.same,
        "added": found.added,
        "removed": found.removed,
        "edited": found.edited,
        "moved": found.moved,
    }
    text = ", ".join(f"{len(value) if key != 'same' else value:,} {key}" for key, value in data.items())
    session.answer(data, f"{name} → {other}: {text}")


@snapshot.command()
@click.argument("name")
@click.pass_obj
def card(session: Session, name: str) -> None:
    """Print the data card of a snapshot."""
    found = snapshots.show(session.workspace().snapshots, name)
    text = (found.folder / "README.md").read_text(encoding="utf-8")
    session.answer({"name": name, "card": text, "path": str(found.folder / "README.md")}, text)


def _answer(session: Session, made: snapshots.Snapshot) -> None:
    session.answer(
        _as_json(made),
        f"{made.name}: {made.samples:,} samples, {made.train:,} train and {made.validation:,} validation\n"
        f"  sha256 {made.sha256}\n  {made.folder}",
    )


def _as_json(made: snapshots.Snapshot) -> dict[str, Any]:
    return {
        "name": made.name, "samples": made.samples, "train": made.train, "validation": made.validation,
        "sha256": made.sha256, "contaminated": made.contaminated, "query": made.query, "created": made.created, "folder": str(made.folder),
    }  # fmt: skip
