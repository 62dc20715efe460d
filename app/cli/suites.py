"""`gosmith suites …`: problems that are for measuring only, and samples that give them away."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

import click

from app.cli.output import Progress, Session, table
from app.cli.search import database, query_of
from core.samples import contamination


@click.group()
def suites() -> None:
    """Problems that are for measuring only, and samples that give them away."""


@suites.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What it is called; by default as its file.")
@click.pass_obj
def add(session: Session, file: Path, name: str) -> None:
    """Add the problems of FILE (HumanEval-X, HumanEvalPack, MultiPL-E, HumanEval) as a suite."""
    with database(session) as connection:
        name, suite = contamination.add_suite(connection, file, name)
    data = {
        "name": name, "format": suite.format, "problems": len(suite.problems), "sha256": suite.sha256,
        "rejected": [{"file": str(file), "line": row.line, "reason": row.reason} for row in suite.bad],
    }  # fmt: skip
    lines = [f"Added “{name}” ({suite.format}): {len(suite.problems):,} problems, {len(suite.bad):,} rows rejected."]
    lines += [f"  {file}:{row.line}: {row.reason}" for row in suite.bad[:20]]
    lines.append("`gosmith suites check` looks for them in your samples.")
    session.answer(data, "\n".join(lines))


@suites.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the suites."""
    with database(session, readonly=True) as connection:
        found = contamination.list_suites(connection)
    rows = [(one.name, one.format, f"{one.problems:,}", f"{one.contaminated:,}") for one in found]
    session.answer(
        {"suites": [asdict(one) for one in found]}, table(rows, ("name", "format", "problems", "contaminated samples"))
    )


@suites.command()
@click.argument("name")
@click.pass_obj
def delete(session: Session, name: str) -> None:
    """Forget suite NAME and what was found of it."""
    with database(session) as connection:
        contamination.delete_suite(connection, name)
    session.answer({"deleted": name}, f"Deleted suite “{name}”.")


@suites.command()
@click.argument("words", nargs=-1)
@click.pass_obj
def check(session: Session, words: tuple[str, ...]) -> None:
    """Look for all suites in the samples that match QUERY; what gives a problem away never leaves the workspace."""
    progress = Progress("Comparing")
    with database(session) as connection:
        contaminated, _ = contamination.check(connection, query_of(words), progress=progress.update)
    progress.end()
    session.answer({"contaminated": contaminated}, f"{contaminated:,} samples give away a problem (contaminated:yes).")
