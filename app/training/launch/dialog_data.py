"""What the launch dialog trains on: a snapshot that exists, or what a search finds, frozen for real only when the run starts.

Until then a draft of the snapshot stands in a temporary folder, so that forecast and preview speak of exactly these rows.
"""

from __future__ import annotations

import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.widgets.calm_combo import CalmCombo
from core.errors import UserError
from core.samples import snapshots
from core.samples.language import Query, parse

SHARE = 0.05


@dataclass(frozen=True, slots=True)
class Scope:
    """query: the text of a search whose samples are to be frozen; None to choose among the snapshots that exist.

    snapshot: the one to choose first; "" for the newest.
    """

    query: str | None
    snapshot: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """The rows a run would train on. name: of the snapshot. folder: where they stand now. new: not frozen yet."""

    name: str
    folder: Path
    train: int
    validation: int
    new: bool

    @property
    def sentence(self) -> str:
        """What will happen, for the foot of the dialog."""
        rows = f"{self.train:,} samples to train on, {self.validation:,} held back for validation"
        return f"{rows}; frozen as “{self.name}” when the run starts." if self.new else f"{rows}, from “{self.name}”."


class DataSource(QObject):
    """The picker of data and the draft that belongs to its choice.

    Signals: measured(), when another draft is ready; failed(UserError).
    """

    measured = Signal()
    failed = Signal(object)

    def __init__(self, context: AppContext, scope: Scope, parent: QObject) -> None:
        super().__init__(parent)
        self._context = context
        self._scope = scope
        self._temporary = Path(tempfile.mkdtemp(prefix="gosmith-draft-"))
        self._drafts: dict[str, Draft] = {}
        self.draft: Draft | None = None
        self.picker = CalmCombo()
        self.picker.setObjectName("snapshotPicker")
        self.picker.activated.connect(self._on_chosen)

    @property
    def new(self) -> bool:
        """Must something be frozen before the run can start?"""
        return self.draft is not None and self.draft.new

    @property
    def snapshot_name(self) -> str | None:
        """The name the configuration will carry."""
        return self.draft.name if self.draft is not None else None

    def load(self) -> None:
        """Freeze a draft of what the search finds, and list the snapshots."""
        folder, query = self._context.workspace.snapshots, self._scope.query
        if query is None:
            self._context.tasks.run(lambda: snapshots.list_snapshots(folder), self._on_listed, owner=self)
            return
        try:
            wanted = parse(query)
        except UserError as error:
            self.failed.emit(error)
            return
        name = _fresh_name(folder)
        self._context.tasks.run_query(
            lambda connection: self._make_draft(connection, wanted, name),
            self._on_drafted,
            self.failed.emit,
            owner=self,
        )

    def _make_draft(self, connection: sqlite3.Connection, query: Query, name: str) -> Draft:
        made = snapshots.create(self._temporary, connection, name, query, validation=SHARE)
        return Draft(name, made.folder, made.train, made.validation, new=True)

    def _on_drafted(self, draft: Draft) -> None:
        self._add(draft, f"New snapshot “{draft.name}” of {draft.train + draft.validation:,} samples")
        self._use(draft)
        folder = self._context.workspace.snapshots
        self._context.tasks.run(lambda: snapshots.list_snapshots(folder), self._on_listed, owner=self)

    def _on_listed(self, found: list[snapshots.Snapshot]) -> None:
        for item in found:
            draft = Draft(item.name, item.folder, item.train, item.validation, new=False)
            self._add(draft, f"{item.name} ({item.samples:,} samples)")
        wanted = self._scope.snapshot
        if self.choose(wanted):
            return
        if wanted:
            self.picker.setCurrentIndex(-1)
            self.failed.emit(UserError(f"The snapshot “{wanted}” is no longer there.", "Choose another one."))
        elif self.draft is None and found:
            self._use(self._drafts[found[0].name])
        elif self.draft is None:
            self.failed.emit(
                UserError(
                    "There is no snapshot to train on yet.", "Accept some samples, then press “Train on …” there."
                )
            )

    def _add(self, draft: Draft, text: str) -> None:
        self._drafts[draft.name] = draft
        self.picker.addItem(text, draft.name)

    def _on_chosen(self, place: int) -> None:
        self._use(self._drafts[self.picker.itemData(place)])

    def choose(self, name: str) -> bool:
        """Use the snapshot of this name; False when there is none."""
        if name not in self._drafts:
            return False
        self.picker.setCurrentIndex(self.picker.findData(name))
        self._use(self._drafts[name])
        return True

    def _use(self, draft: Draft) -> None:
        self.draft = draft
        self.measured.emit()

    def freeze(self, done: Callable[[Draft], object], failed: Callable[[UserError], object]) -> None:
        """Put the draft among the snapshots, as it is; `done` gets it at once when it is there already."""
        draft = self.draft
        if draft is None or not draft.new:
            if draft is not None:
                done(draft)
            return
        target = self._context.workspace.snapshots / draft.name

        def publish() -> Draft:
            snapshots.adopt(draft.folder, target)
            return Draft(draft.name, target, draft.train, draft.validation, new=False)

        def keep(frozen: Draft) -> None:
            self._drafts[frozen.name] = self.draft = frozen
            done(frozen)

        self._context.tasks.run(publish, keep, failed, owner=self)

    def close(self) -> None:
        """Remove drafts that nobody froze."""
        shutil.rmtree(self._temporary, ignore_errors=True)


def _fresh_name(folder: Path) -> str:
    """Such as `2026-11-21`, with a number when that is taken."""
    day = f"{datetime.now():%Y-%m-%d}"
    taken = {path.name for path in folder.iterdir()} if folder.is_dir() else set()
    return next(name for n in range(1, 10_000) if (name := day if n == 1 else f"{day}-{n}") not in taken)
