"""`gosmith suites …`: problems that are for measuring only, and samples that give them away."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli import suite_editing
from app.cli.output import Progress, Session, table
from app.cli.search import database, query_of
from core.errors import UserError
from core.samples import contamination

if TYPE_CHECKING:
    from core.evaluation.finding import NamedSuite


@click.group()
def suites() -> None:
    """Problems that are for measuring only, and samples that give them away."""


@suites.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--name", default="", help="What it is called; by default as its file.")
@click.pass_obj
def add(session: Session, file: Path, name: str) -> None:
    """Add the problems of FILE (HumanEval-X, HumanEvalPack, MultiPL-E, HumanEval) as a suite."""
    from core.samples import named_suites

    with database(session) as connection:
        name, suite = named_suites.add(connection, session.workspace().suites, file, name)
    data = {
        "name": name, "format": suite.format, "problems": len(suite.problems), "sha256": suite.sha256,
        "rejected": [{"file": str(file), "line": row.line, "reason": row.reason} for row in suite.bad],
    }  # fmt: skip
    lines = [f"Added “{name}” ({suite.format}): {len(suite.problems):,} problems, {len(suite.bad):,} rows rejected."]
    lines += [f"  {file}:{row.line}: {row.reason}" for row in suite.bad[:20]]
    lines.append("`gosmith suites find` looks for them in your samples.")
    session.answer(data, "\n".join(lines))


@suites.command("list")
@click.pass_obj
def list_(session: Session) -> None:
    """List the suites: bundled, private (in the workspace's folder `suites`), and added."""
    from core.samples import named_suites

    with database(session, readonly=True) as connection:
        found = named_suites.list_suites(connection, session.workspace().suites)
    bad = [one.problem for one in found if not one.format]  # what is merely empty has one
    bad += [
        f"{one.folder / row.file}:{row.line}: {row.reason}"
        for one in found
        if one.folder is not None
        for row in one.bad
    ]
    rows = [(one.name, one.origin, one.format, one.problems, one.contaminated) for one in found if one.format]
    keys = ("name", "origin", "format", "problems", "contaminated")
    text = table(rows, ("name", "origin", "format", "problems", "contaminated samples"))
    told = {one.name: {"title": one.title, "about": one.about} for one in found}
    data = {"suites": [{**dict(zip(keys, row, strict=True)), **told[row[0]]} for row in rows], "rejected": bad}
    session.answer(data, "\n".join([text, *bad]))


@suites.command()
@click.argument("name", metavar="SUITE")
@click.argument("task", required=False)
@click.pass_obj
def show(session: Session, name: str, task: str | None) -> None:
    """Show the problems of SUITE (a name, a file or a folder), or one of them as a whole."""
    from core.evaluation import finding

    suite = opened(session, name).suite
    if task is not None:
        one = finding.problem_of(suite, task)
        data = {key: value for key, value in asdict(one).items() if key != "record"}
        session.answer(data, "\n\n".join([one.task, one.prompt, one.solution, one.test]))
        return
    rows = [(one.task, one.entry_point, one.topic, one.difficulty) for one in suite.problems]
    keys = ("task", "entry_point", "topic", "difficulty")
    rejected = [asdict(row) for row in suite.bad]
    data = {
        "title": suite.title, "about": suite.about, "format": suite.format, "sha256": suite.sha256, "problems": [dict(zip(keys, row, strict=True)) for row in rows],
        "rejected": rejected,
    }  # fmt: skip
    lines = [f"{row.file or name}:{row.line}: {row.reason}" for row in suite.bad]
    head = [f"{suite.title}\n{suite.about}".strip()] if suite.title or suite.about else []
    session.answer(data, "\n".join([*head, table(rows, ("problem", "asks for", "topic", "difficulty")), *lines]))


@suites.command()
@click.argument("name", metavar="SUITE")
@click.option("--mode", type=click.Choice(["fixed", "paper"]), default="fixed", show_default=True)
@click.pass_obj
def check(session: Session, name: str, mode: str) -> None:
    """Check that SUITE measures something: tests compile, references pass, stubs fail. What does not is shown."""
    from core.evaluation import checking
    from core.evaluation.judging import Judge
    from core.golang.helper import prepare
    from core.golang.toolchain import find

    suite = opened(session, name).suite
    toolchain = find()
    prepare(toolchain, say=lambda text: click.echo(text, err=True))
    progress = Progress("Checking")
    with Judge(suite.format, mode, toolchain) as judge:
        found = checking.check(suite.problems, judge, toolchain, progress.update)
    progress.end()
    wrong = [one for one in found if one.complaints]
    data = {
        "problems": len(suite.problems), "sound": len(found) - len(wrong), "sha256": suite.sha256,
        "wrong": [asdict(one) for one in wrong], "flaky": [one.task for one in found if one.flaky],
        "rejected": [asdict(row) for row in suite.bad],
    }  # fmt: skip
    lines = [f"{row.file or name}:{row.line}: {row.reason}" for row in suite.bad]
    lines += [f"{one.task}: {complaint}" for one in wrong for complaint in one.complaints]
    lines.append(f"{len(found) - len(wrong):,} of {len(suite.problems):,} problems of {name} are sound.")
    session.answer(data, "\n".join(lines))
    if wrong or suite.bad:
        raise click.exceptions.Exit(1)


@suites.command()
@click.argument("name")
@click.option("--yes", is_flag=True, help="Delete a suite of your own with all its problems.")
@click.pass_obj
def delete(session: Session, name: str, yes: bool) -> None:
    """Forget suite NAME, which was added, and what was found of it; or delete NAME, a suite of your own."""
    from core.evaluation import private
    from core.samples import named_suites

    folder = session.workspace().suites
    with database(session) as connection:
        if not yes and not any(one.name == name for one in contamination.list_suites(connection)):
            count = len(private.problems(private.folder_of(folder, name)))
            raise UserError(
                f"“{name}” is a suite of your own; its {count:,} problems would be gone.", "Say --yes if they may be."
            )
        named_suites.delete(connection, folder, name)
    session.answer({"deleted": name}, f"Deleted suite “{name}”.")


@suites.command("find")
@click.argument("words", nargs=-1)
@click.pass_obj
def find_(session: Session, words: tuple[str, ...]) -> None:
    """Look for the added suites in the samples that match QUERY; what gives a problem away never leaves the workspace."""
    progress = Progress("Comparing")
    with database(session) as connection:
        contaminated, _ = contamination.check(connection, query_of(words), progress=progress.update)
    progress.end()
    session.answer({"contaminated": contaminated}, f"{contaminated:,} samples give away a problem (contaminated:yes).")


def opened(session: Session, reference: str) -> NamedSuite:
    """The suite of that name, file or folder. Raises UserError when there is none."""
    from core.samples import named_suites

    with database(session, readonly=True) as connection:
        return named_suites.open_suite(connection, reference, session.workspace().suites)


for _command in suite_editing.COMMANDS:
    suites.add_command(_command)
