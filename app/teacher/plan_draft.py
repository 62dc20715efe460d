"""What stands in the dialog of a plan: checked while it is typed, told what it will take, and started as it stands.

It knows no widget and no kind of plan: how one is read, forecast and launched, it is told. Only the newest question counts, and whatever
takes long is off the GUI thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Mapping
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.tasks import Task
from core.errors import UserError
from core.jobs import JobFolder, start
from core.teacher.terms import Terms

CHECK_MS = 150

P = TypeVar("P", bound=Terms)
F = TypeVar("F")


@dataclass(frozen=True, slots=True)
class Told(Generic[P, F]):
    """plan: what was asked about. key: what is missing to ask this endpoint, None for nothing."""

    plan: P
    forecast: F
    key: UserError | None


@dataclass(frozen=True, slots=True)
class PlanKind(Generic[P, F]):
    """problems: what is wrong with plain data, a sentence a key. read: a plan of data without problems. look: its forecast; slow.
    launch: its job folder; slow. The last two raise UserError."""

    problems: Callable[[dict[str, Any]], dict[str, str]]
    read: Callable[[dict[str, Any]], P]
    look: Callable[[P], Told[P, F]]
    launch: Callable[[P, Path, sqlite3.Connection], JobFolder]


class PlanDraft(QObject):
    """Attributes: plan, what would be started; None while something is wrong with it. starting: Start was pressed.

    Signals:
    checked(errors)      key -> sentence; empty where the rules find nothing wrong, and then a forecast follows
    told(Told)           the forecast
    refused(UserError)   what only a look at folders and samples can tell is wrong
    started(job id)
    failed(UserError)    it could not be started
    """

    checked = Signal(object)
    told = Signal(object)
    refused = Signal(object)
    started = Signal(str)
    failed = Signal(object)

    def __init__(self, context: AppContext, kind: PlanKind[Any, Any], parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._kind = kind
        self._values: Callable[[], Mapping[str, Any]] = dict
        self._unread: Callable[[], Mapping[str, str]] = dict
        self._task: Task | None = None
        self._timer = QTimer(self, singleShot=True, interval=CHECK_MS)
        self._timer.timeout.connect(self._check)
        self.plan: Terms | None = None
        self.starting = False

    @property
    def settled(self) -> bool:
        """Was all that is typed checked?"""
        return not self._timer.isActive()

    def read_from(self, values: Callable[[], Mapping[str, Any]], unread: Callable[[], Mapping[str, str]]) -> None:
        """values: the plan as it is typed, as plain data; unread: what of it could not be read, key -> sentence."""
        self._values, self._unread = values, unread

    def touch(self) -> None:
        """Something was typed: check in a moment."""
        self._timer.start()

    def start(self) -> None:
        """Make the job of the plan and start it; `started` or `failed` follows."""
        plan, workspace, launch = self.plan, self._context.workspace, self._kind.launch
        if plan is None or self.starting:
            return
        self.starting = True

        def begin() -> JobFolder:
            with closing(workspace.connect(readonly=True)) as connection:
                folder = launch(plan, workspace.root, connection)
            start(folder)
            return folder

        self._context.tasks.run(begin, lambda folder: self.started.emit(folder.id), self._on_failed, owner=self)

    def close(self) -> None:
        """Want nothing any more."""
        self._timer.stop()
        self._drop()

    def _check(self) -> None:
        values = dict(self._values())
        wrong = {key: without_key(key, text) for key, text in self._kind.problems(values).items()}
        errors = {**wrong, **self._unread()}
        self._drop()
        self.plan = None if errors else self._kind.read(values)
        self.checked.emit(errors)
        if (plan := self.plan) is not None:
            self._task = self._context.tasks.run(
                lambda: self._kind.look(plan), self.told.emit, self._on_refused, owner=self
            )

    def _drop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            self._task = None

    def _on_refused(self, error: UserError) -> None:
        self.plan = None
        self.refused.emit(error)

    def _on_failed(self, error: UserError) -> None:
        self.starting = False
        self.failed.emit(error)


def without_key(key: str, text: str) -> str:
    """A sentence that stands below its field need not begin with the key."""
    rest = text.removeprefix(f"{key} ")
    return rest[:1].upper() + rest[1:]
