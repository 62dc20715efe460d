"""Every suite that has a name, whoever keeps it: those that come along, those in the workspace's folder, those added to its database.

One answer for window and command line, and one name for one suite: what is made, copied or added here takes no name that another has.
Files and folders without a name are `core.evaluation.finding`'s.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.evaluation import finding, ours
from core.evaluation import private as own
from core.evaluation.assembling import modes
from core.evaluation.finding import NamedSuite
from core.evaluation.suites import BadRow, Suite
from core.samples import contamination


@dataclass(frozen=True, slots=True)
class Listed:
    """A suite as a list shows it. origin: bundled, private, added or file. contaminated: samples that give problems of it away. bad: rows
    that are no problems. modes: in which it can be evaluated. problem: why it cannot be used, "" when it can. title, about: in its
    author's words, "" where nothing says it."""

    name: str
    origin: str
    format: str
    problems: int
    contaminated: int = 0
    bad: tuple[BadRow, ...] = ()
    modes: tuple[str, ...] = ()
    folder: Path | None = None
    problem: str = ""
    title: str = ""
    about: str = ""

    @property
    def reference(self) -> str:
        """What finds it again: its name, or the path of a file that nobody keeps."""
        return str(self.folder) if self.origin == "file" else self.name


def open_suite(connection: sqlite3.Connection, reference: str, private: Path | None) -> NamedSuite:
    """The suite of that name, file or folder; one that was added comes first. Raises UserError when there is none."""
    added = contamination.stored_suite(connection, reference)
    if added is not None:
        return NamedSuite(reference, "added", added, reference)
    return finding.open_suite(reference, private)


def list_suites(connection: sqlite3.Connection, private: Path | None) -> list[Listed]:
    """All suites with a name: bundled, private, added. One that cannot be read is listed with the reason."""
    found = [_of_folder(*one) for one in finding.available(private)]
    for one in contamination.list_suites(connection):
        found.append(
            Listed(one.name, "added", one.format, one.problems, one.contaminated, modes=modes(one.format), problem=_unusable(one.format))
        )  # fmt: skip
    return found


def from_file(path: Path) -> Listed:
    """A suite that has no name here: a file or a folder of problems. Raises UserError when it is none."""
    found = finding.open_suite(str(path), None)
    suite, kind = found.suite, found.suite.format
    return Listed(found.name, "file", kind, len(suite.problems), 0, suite.bad, modes(kind), path, _unusable(kind))


def create(connection: sqlite3.Connection, private: Path, name: str, title: str = "", about: str = "") -> Path:
    """Make an empty suite of the workspace's own; returns its folder. Raises UserError for a name that is taken or none."""
    _check_free(connection, name)
    return own.create(private, name, title, about)


def copy(connection: sqlite3.Connection, private: Path, source: str, name: str) -> Path:
    """Make a suite of the workspace's own from another that is a folder; returns its folder. Raises UserError as `create`, or when there is no
    such suite, or one of others."""
    named = {one: folder for one, _, folder in reversed(finding.available(private))}
    folder = named.get(source)
    if folder is None:
        found = open_suite(connection, source, private)
        folder = Path(found.reference)
        if found.origin == "added" or not folder.is_dir():
            raise UserError(
                f"“{source}” is a file of others, and only suites that are folders of Markdown can be copied to be edited.",
                "Make an empty suite and write problems of your own into it.",
            )
    _check_free(connection, name)
    return own.copy(folder, private, name)


def add(connection: sqlite3.Connection, private: Path, path: Path, name: str = "") -> tuple[str, Suite]:
    """Add the problems of a file under a name, that of the file by default. Raises UserError when the name is taken or the file holds none."""
    wanted = name.strip() or path.name.split(".")[0]
    if any(wanted == folder for folder, _, _ in finding.available(private)):
        raise UserError(f"There is a suite “{wanted}” already.", "Choose another name for this one.")
    return contamination.add_suite(connection, path, wanted)


def delete(connection: sqlite3.Connection, private: Path, name: str) -> str:
    """Delete a suite that was added, or one of the workspace's own with its problems; returns its origin. Raises UserError for any other."""
    if any(one.name == name for one in contamination.list_suites(connection)):
        contamination.delete_suite(connection, name)
        return "added"
    own.delete(private, name)
    return "private"


def _check_free(connection: sqlite3.Connection, name: str) -> None:
    if any(one.name == name for one in contamination.list_suites(connection)):
        raise UserError(f"There is a suite “{name}” already.", "Choose another name.")


def _of_folder(name: str, origin: str, folder: Path) -> Listed:
    try:
        suite = ours.load(folder)
    except UserError as error:
        return Listed(name, origin, "", 0, folder=folder, problem=str(error))
    return Listed(
        name, origin, suite.format, len(suite.problems), bad=suite.bad, modes=modes(suite.format), folder=folder,
        problem="" if suite.problems else "It holds no problem yet.", title=suite.title, about=suite.about,
    )  # fmt: skip


def _unusable(suite_format: str) -> str:
    return "" if modes(suite_format) else "Its problems are in Python, so Go cannot be measured on them."
