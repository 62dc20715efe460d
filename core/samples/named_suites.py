"""Every suite that has a name, whoever keeps it: those that come along, those in the workspace's folder, those added to its database.

One answer for window and command line. Files and folders without a name are `core.evaluation.finding`'s.
"""

from __future__ import annotations

import sqlite3
from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.evaluation import finding, ours
from core.evaluation.assembling import modes
from core.evaluation.finding import NamedSuite
from core.evaluation.suites import BadRow
from core.samples import contamination


@dataclass(frozen=True, slots=True)
class Listed:
    """A suite as a list shows it. origin: bundled, private or added. contaminated: samples that give problems of it away. bad: rows
    that are no problems. modes: in which it can be evaluated. problem: why it cannot be used, "" when it can."""

    name: str
    origin: str
    format: str
    problems: int
    contaminated: int = 0
    bad: tuple[BadRow, ...] = ()
    modes: tuple[str, ...] = ()
    folder: Path | None = None
    problem: str = ""


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


def _of_folder(name: str, origin: str, folder: Path) -> Listed:
    try:
        suite = ours.read(folder)
    except UserError as error:
        return Listed(name, origin, "", 0, folder=folder, problem=str(error))
    return Listed(
        name, origin, suite.format, len(suite.problems), bad=suite.bad, modes=modes(suite.format), folder=folder
    )


def _unusable(suite_format: str) -> str:
    return "" if modes(suite_format) else "Its problems are in Python, so Go cannot be measured on them."
