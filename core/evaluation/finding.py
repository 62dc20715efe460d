"""Which suites there are, and one of them by what somebody calls it: a file, a folder, or a name.

Names: the bundled suites, then those of the workspace's folder `suites`. Nothing is written.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from core.errors import UserError
from core.evaluation import ours, suites
from core.evaluation.suites import Problem, Suite
from core.paths import resources


@dataclass(frozen=True, slots=True)
class NamedSuite:
    """A suite with what it is called, and where it comes from: "bundled", "private", "added" to the workspace, or "file".
    reference: what finds it again."""

    name: str
    origin: str
    suite: Suite
    reference: str


def open_suite(reference: str, private: Path | None) -> NamedSuite:
    """The suite that is called so: a path that exists, or a name. private: the workspace's folder of suites, None for none.

    Raises UserError when there is none, or when it holds no problem.
    """
    for origin, folder in _folders(private):
        if reference and "/" not in reference and (folder / reference).is_dir():
            return NamedSuite(reference, origin, ours.read(folder / reference), reference)
    path = Path(reference).expanduser()
    if path.is_dir():
        return NamedSuite(path.resolve().name, "file", ours.read(path), str(path.resolve()))
    if path.is_file():
        return NamedSuite(path.name.split(".")[0], "file", suites.read(path), str(path.resolve()))
    known = ", ".join(name for name, _, _ in available(private))
    raise UserError(
        f"There is no suite “{reference}”.",
        (f"There are: {known}. Or give a file" if known else "Give a file") + " of problems, or a folder of them.",
    )


def available(private: Path | None) -> list[tuple[str, str, Path]]:
    """Name, origin and folder of each suite that has a name."""
    return [
        (folder.name, origin, folder)
        for origin, parent in _folders(private)
        if parent.is_dir()
        for folder in sorted(parent.iterdir())
        if folder.is_dir() and not folder.name.startswith(".")
    ]


def problem_of(suite: Suite, task: str) -> Problem:
    """The problem of that name; its own part of the name is enough. Raises UserError when there is none."""
    for one in suite.problems:
        if task in (one.task, one.task.rpartition("/")[2]):
            return one
    raise UserError(f"The suite has no problem “{task}”.", f"Its first is “{suite.problems[0].task}”.")


def _folders(private: Path | None) -> list[tuple[str, Path]]:
    return [("bundled", resources() / "suites"), *([("private", private)] if private is not None else [])]
