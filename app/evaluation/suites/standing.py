"""What the window knows of a suite and of its problems: read off the GUI thread, as plain values."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass

from core.errors import UserError
from core.evaluation import ours, private, soundness
from core.evaluation.checking import Soundness
from core.evaluation.drafting import Draft, as_problem, draft_of
from core.evaluation.private import Kept
from core.evaluation.suites import Problem
from core.samples import contamination, named_suites
from core.samples.named_suites import Listed
from core.workspace import Workspace

Findings = dict[str, Soundness]


@dataclass(frozen=True, slots=True)
class Standing:
    """A suite in the list. checked: how many of its problems. unsound: (problem, what is wrong with it)."""

    suite: Listed
    checked: int = 0
    unsound: tuple[tuple[str, str], ...] = ()

    @property
    def own(self) -> bool:
        """Can it be edited?"""
        return self.suite.origin == "private"


@dataclass(frozen=True, slots=True)
class Item:
    """A problem in the list of its suite. kept: its file, None for what a file of others holds. found: None where nobody has checked it."""

    name: str
    draft: Draft
    kept: Kept | None
    digest: str
    found: Soundness | None

    @property
    def key(self) -> str:
        """What tells it from the others, even from one of the same name."""
        return str(self.kept.path) if self.kept is not None else self.name

    @property
    def state(self) -> tuple[str, str]:
        """In words, and their tone."""
        if self.kept is not None and self.kept.complaint:
            return "No problem", "bad"
        if self.found is None:
            return "Not checked", "dim"
        return ("Not sound", "warn") if self.found.complaints else ("Sound", "good")


def standings(workspace: Workspace, tried: Findings) -> list[Standing]:
    """All suites. tried: what drafts have been found to be since the window opened. Raises UserError."""
    found = {**soundness.found(workspace.jobs), **tried}
    with closing(workspace.connect(readonly=True)) as connection:
        listed = named_suites.list_suites(connection, workspace.suites)
        read = {one.name: _problems(workspace, one) for one in listed}
    return [_standing(one, read[one.name], found) for one in listed]


def items(workspace: Workspace, suite: Listed, tried: Findings) -> list[Item]:
    """The problems of a suite, good and bad. Raises UserError when it cannot be read."""
    found = {**soundness.found(workspace.jobs), **tried}
    if suite.folder is None:
        return [_item(one.task, draft_of(one), None, one, suite, found) for one in _problems(workspace, suite)]
    return [
        _item(one.name, one.draft, one, None if one.complaint else as_problem(suite.name, one.draft), suite, found)
        for one in private.problems(suite.folder)
    ]


def _item(name: str, draft: Draft, kept: Kept | None, problem: Problem | None, suite: Listed, found: Findings) -> Item:
    digest = soundness.digest(problem, suite.format) if problem is not None else ""
    return Item(name, draft, kept, digest, found.get(digest))


def _standing(suite: Listed, problems: tuple[Problem, ...], found: Findings) -> Standing:
    said = [(one, found.get(soundness.digest(one, suite.format))) for one in problems]
    unsound = [(one.task, line) for one, known in said if known is not None for line in known.complaints]
    return Standing(suite, sum(known is not None for _, known in said), tuple(unsound))


def _problems(workspace: Workspace, suite: Listed) -> tuple[Problem, ...]:
    if suite.folder is not None:
        try:
            return ours.load(suite.folder).problems
        except UserError:
            return ()  # the list says why
    with closing(workspace.connect(readonly=True)) as connection:
        stored = contamination.stored_suite(connection, suite.name)
    return stored.problems if stored is not None else ()
