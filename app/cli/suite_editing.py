"""`gosmith suites …`: suites of one's own, made and changed. All that the window's editor does, one file at a time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from app.cli.output import Session
from app.cli.search import database
from core.errors import UserError

if TYPE_CHECKING:
    from core.evaluation.drafting import Complaint, Draft
    from core.evaluation.suites import Problem


@click.command()
@click.argument("name")
@click.option("--from", "source", default="", metavar="SUITE", help="Begin with the problems of this suite.")
@click.option("--title", default="", help="What it is called in a heading.")
@click.option("--about", default="", help="What it measures, in a sentence.")
@click.pass_obj
def new(session: Session, name: str, source: str, title: str, about: str) -> None:
    """Make a suite of your own, in the workspace's folder `suites`."""
    from core.samples import named_suites

    if source:
        if title or about:
            raise click.UsageError("a copy keeps the title of its original: --from goes without --title and --about")
        _copy(session, source, name)
        return
    with database(session) as connection:
        folder = named_suites.create(connection, session.workspace().suites, name, title, about)
    session.answer({"name": name, "folder": str(folder), "problems": 0}, f"Made the suite “{name}” in {folder}.")


@click.command()
@click.argument("source", metavar="SUITE")
@click.argument("name")
@click.pass_obj
def copy(session: Session, source: str, name: str) -> None:
    """Copy SUITE (a name or a folder) to a suite of your own, to be edited."""
    _copy(session, source, name)


def _copy(session: Session, source: str, name: str) -> None:
    from core.evaluation import ours
    from core.samples import named_suites

    with database(session) as connection:
        folder = named_suites.copy(connection, session.workspace().suites, source, name)
    count = len(ours.load(folder).problems)
    session.answer(
        {"name": name, "folder": str(folder), "problems": count}, f"Copied {count:,} problems to “{name}” in {folder}."
    )


@click.command()
@click.argument("name", metavar="SUITE")
@click.option("--title", help="What it is called in a heading.")
@click.option("--about", help="What it measures, in a sentence.")
@click.pass_obj
def describe(session: Session, name: str, title: str | None, about: str | None) -> None:
    """Say what SUITE, one of your own, is called in a heading and what it measures; what is not named stays."""
    from core.evaluation import ours, private

    if title is None and about is None:
        raise click.UsageError("say what it is: --title, --about or both")
    own = session.workspace().suites
    before = ours.load(private.folder_of(own, name))
    title, about = before.title if title is None else title, before.about if about is None else about
    private.describe(own, name, title, about)
    session.answer({"name": name, "title": title, "about": about}, f"“{name}”: {title}. {about}".strip())


@click.command("try")
@click.argument("file", type=click.Path(path_type=Path))
@click.pass_obj
def try_(session: Session, file: Path) -> None:
    """Check the problem in FILE without keeping it: its test compiles, its reference passes, a stub of it fails."""
    from dataclasses import asdict

    from core.evaluation import drafting, trying
    from core.golang.helper import prepare
    from core.golang.toolchain import find

    text = _text(file)
    draft = drafting.draft_of(_parsed(file, text))
    toolchain = find()
    prepare(toolchain, say=lambda words: click.echo(words, err=True))
    trial = trying.try_draft(draft, toolchain)
    assert trial is not None  # nobody cancels it
    told = [{**asdict(one), "line": _line(text, draft, one)} for one in trial.complaints]
    lines = [f"{file}:{one['line'] or 1}: {one['part']}: {one['text']}" for one in told]
    data = {
        "sound": not told, "sentence": trial.sentence, "tests": trial.tests, "seconds": trial.seconds, "complaints": told,
    }  # fmt: skip
    session.answer(data, "\n".join([*lines, trial.sentence]))
    if trial.complaints:
        raise click.exceptions.Exit(1)


@click.command()
@click.argument("name", metavar="SUITE")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--as", "problem", default="", metavar="PROBLEM", help="What it is called; by default as its file.")
@click.pass_obj
def save(session: Session, name: str, file: Path, problem: str) -> None:
    """Put the problem in FILE into SUITE, one of your own; it takes the place of the problem of that name."""
    from core.evaluation import private

    folder = private.folder_of(session.workspace().suites, name)
    wanted = problem or file.stem
    kept = next((one for one in private.problems(folder) if one.name == wanted), None)
    text = _text(file)
    _parsed(file, text)
    made = private.save_text(folder, wanted, text, kept)
    what = "Changed" if kept is not None else "Added"
    session.answer(
        {"problem": f"{name}/{made.name}", "file": str(made.path), "new": kept is None}, f"{what} {name}/{made.name}."
    )


@click.command()
@click.argument("name", metavar="SUITE")
@click.argument("problem")
@click.argument("to", metavar="NAME")
@click.pass_obj
def rename(session: Session, name: str, problem: str, to: str) -> None:
    """Call PROBLEM of SUITE, one of your own, NAME."""
    from core.evaluation import private

    folder = private.folder_of(session.workspace().suites, name)
    kept = private.find(folder, problem)
    made = private.save_text(folder, to, kept.text, kept)
    session.answer({"problem": f"{name}/{made.name}", "file": str(made.path)}, f"{kept.name} is now {made.name}.")


@click.command()
@click.argument("name", metavar="SUITE")
@click.argument("problem")
@click.pass_obj
def remove(session: Session, name: str, problem: str) -> None:
    """Take PROBLEM out of SUITE, one of your own."""
    from core.evaluation import private

    folder = private.folder_of(session.workspace().suites, name)
    kept = private.find(folder, problem)
    private.remove(folder, kept)
    session.answer({"removed": f"{name}/{kept.name}"}, f"Removed {kept.path}.")


def _text(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        raise UserError(f"{file} is no text in UTF-8.", "Save it so and try again.") from error
    except OSError as error:
        raise UserError(f"{file} cannot be read: {error.strerror}.", "Name a problem, a Markdown file.") from error


def _parsed(file: Path, text: str) -> Problem:
    from core.evaluation import ours

    try:
        return ours.parse("draft", file.stem, text)
    except ours.Wrong as wrong:
        raise UserError(f"{file}:{wrong.line}: {wrong.reason}.", "See resources/suites/README.md.") from wrong


def _line(text: str, draft: Draft, complaint: Complaint) -> int:
    """The line of the file that a complaint means, 0 for none: the parts stand in it as they are."""
    at = text.replace("\r\n", "\n").find(str(getattr(draft, complaint.part)))
    return text.count("\n", 0, at) + complaint.line if complaint.line and at >= 0 else 0


COMMANDS = (new, copy, describe, try_, save, rename, remove)
