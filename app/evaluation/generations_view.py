"""The student over the loops: a chart of its generations on one suite, the table of what each learnt, and the way to where it came from.

Derived anew from jobs, snapshots and provenance whenever one of them may have changed; it keeps nothing.
"""

from __future__ import annotations

import sqlite3
from functools import partial

from PySide6.QtCore import QItemSelection
from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.context import AppContext
from app.evaluation import words
from app.evaluation.generations_chart import GenerationsChart
from app.evaluation.generations_model import WIDTHS, GenerationsModel
from app.tasks import Task
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.empty import EmptyState
from app.widgets.labels import label
from app.widgets.plain_table import plain_table
from core.errors import UserError
from core.evaluation.starting import MODEL_KIND
from core.teacher import generations
from core.teacher.generations import Generations, Row
from core.teacher.lineage import RUN_KIND, Lineage, Taught
from core.teacher.starting import KIND as TEACHER_KIND
from core.workspace import Workspace

_KINDS = (MODEL_KIND, RUN_KIND, TEACHER_KIND)
_NOTHING = "No model was evaluated on a suite yet. Each one that is stands here with its generation and what it was trained on."
Measured = tuple[tuple[tuple[str, str], ...], Generations | None]


class GenerationsView(QWidget):
    """Attributes: suites (the choice), chart, table, model, found (what is shown, None before the first)."""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setAccessibleName("Generations of the student")
        self._context = context
        self._wanted: tuple[str, str] | None = None
        self._seen: object = None
        self._task: Task | None = None
        self.found: Generations | None = None
        theme = context.theme
        self.suites = CalmCombo()
        self.suites.setObjectName("generationsSuite")
        self.suites.setAccessibleName("Suite and mode")
        self.suites.activated.connect(self._on_chosen)
        self.chart = GenerationsChart(theme)
        self.model = GenerationsModel()
        self.table = QTableView()
        plain_table(
            self.table, self.model, theme, name="generationsTable", says="Generations of the student", widths=WIDTHS
        )
        self.table.setSelectionMode(QTableView.SelectionMode.SingleSelection)
        self.table.setMinimumHeight(110)
        self.table.selectionModel().selectionChanged.connect(self._on_selected)
        self.table.doubleClicked.connect(lambda _index: self._open_run())
        self.show_run = Button(
            "Show run", theme, icon="chart-line-up", name="generationsRun", tip="The run that made this student"
        )
        self.show_run.clicked.connect(self._open_run)
        self.show_samples = Button(
            "Show samples",
            theme,
            icon="table",
            name="generationsSamples",
            tip="The samples of its snapshot, in the table",
        )
        self.show_samples.clicked.connect(self._open_samples)
        self.show_teacher = Button(
            "Show teacher's job",
            theme,
            icon="chalkboard-teacher",
            name="generationsTeacher",
            tip="What wrote its new samples",
        )
        self.show_teacher.clicked.connect(self._open_teacher)
        self._detail = label(tone="dim", size=12, wrap=True, name="generationsDetail")
        self._notes = label(tone="dim", size=12, wrap=True, name="generationsNotes")
        empty = EmptyState(
            theme, "git-branch", _NOTHING, action=("Go to Training", lambda: context.page_wanted.emit("training")),
            name="generationsEmpty",
        )  # fmt: skip
        self._stack = QStackedWidget()
        self._stack.addWidget(empty)
        self._stack.addWidget(self._filled())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)
        context.jobs.updated.connect(self._look)
        self._offer()

    def _filled(self) -> QWidget:
        line = QHBoxLayout()
        line.setSpacing(8)
        self.suites.setMinimumWidth(150)
        line.addWidget(self.suites, 1)
        for button in (self.show_run, self.show_samples, self.show_teacher):
            line.addWidget(button)
        inner = QWidget()
        column = QVBoxLayout(inner)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(line)
        column.addWidget(self.chart, 3)
        column.addWidget(self.table, 2)
        column.addWidget(self._detail)
        column.addWidget(self._notes)
        return inner

    def show_suite(self, suite: str, mode: str) -> None:
        """Show the generations on this suite in this mode, if there are any."""
        self._wanted = (suite, mode)
        self.refresh()

    def refresh(self) -> None:
        """Derive everything anew, off the GUI thread."""
        if self._task is not None and not self._task.finished:
            self._task.cancel()
        workspace, wanted = self._context.workspace, self._wanted
        self._task = self._context.tasks.run_query(
            lambda connection: _derived(connection, workspace, wanted), self._show, owner=self
        )

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._look()

    def _look(self) -> None:
        """Derive anew if a job that matters has come, gone or ended, and somebody looks."""
        if not self.isVisible():
            return
        jobs = [job for job in self._context.jobs.jobs if job.kind in _KINDS]
        now = tuple((job.id, job.alive) for job in jobs)
        if now != self._seen:
            self._seen = now
            self.refresh()

    def _show(self, measured: Measured) -> None:
        offered, self.found = measured
        self._stack.setCurrentIndex(1 if self.found is not None else 0)
        if self.found is None:
            return
        chosen = self._row()
        self.suites.clear()
        for suite, mode in offered:
            self.suites.addItem(f"{suite}, mode {mode}", (suite, mode))
        self.suites.setCurrentIndex(offered.index((self.found.suite, self.found.mode)))
        rows = self.found.rows
        self.model.show_rows(rows)
        self.chart.show_rows(rows)
        notes = list(self.found.notes)
        self._notes.setText(" ".join(notes))
        self._notes.setVisible(bool(notes))
        paths = [one.path for one in rows]
        if rows:
            self.table.selectRow(
                paths.index(chosen.path) if chosen is not None and chosen.path in paths else len(rows) - 1
            )
        self._offer()

    def _row(self) -> Row | None:
        place = self.table.currentIndex().row()
        return self.model.rows[place] if 0 <= place < len(self.model.rows) else None

    def _on_chosen(self, place: int) -> None:
        suite, mode = self.suites.itemData(place)
        self.show_suite(suite, mode)

    def _on_selected(self, _now: QItemSelection, _before: QItemSelection) -> None:
        rows = self.table.selectionModel().selectedRows()
        self.chart.choose(rows[0].row() if rows else -1)
        self._offer()

    def _offer(self) -> None:
        row = self._row()
        run = row.run if row is not None else None
        self.show_run.setEnabled(run is not None and run.there)
        self.show_samples.setEnabled(run is not None and bool(run.samples))
        self.show_teacher.setEnabled(bool(self._teachers()))
        text = _told(row) if row is not None else ""
        self._detail.setText(text)
        self._detail.setVisible(bool(text))

    def _teachers(self) -> list[Taught]:
        """Jobs of the teacher behind the chosen row that can be shown."""
        row = self._row()
        return [one for one in row.run.taught if one.there] if row is not None and row.run is not None else []

    def _open_run(self) -> None:
        row = self._row()
        if row is not None and row.run is not None and row.run.there:
            self._context.to_run.make(row.run.id)

    def _open_samples(self) -> None:
        row = self._row()
        if row is not None and row.run is not None:
            self._context.to_samples.make(f"snapshot:{row.run.snapshot}")

    def _open_teacher(self) -> None:
        found = self._teachers()
        if len(found) == 1:
            self._context.to_teacher.make(found[0].job)
        elif found:
            menu = QMenu(self)
            menu.setAccessibleName("Jobs of the teacher")
            for one in found:
                action = menu.addAction(f"{one.job}: {words.counted(one.samples, 'sample')}")
                action.triggered.connect(partial(self._context.to_teacher.make, one.job))
            menu.aboutToHide.connect(menu.deleteLater)
            menu.popup(self.show_teacher.mapToGlobal(self.show_teacher.rect().bottomLeft()))


def _derived(connection: sqlite3.Connection, workspace: Workspace, wanted: tuple[str, str] | None) -> Measured:
    lineage = Lineage(workspace.jobs, workspace.snapshots, connection)
    offered = generations.measured(lineage)
    for suite, mode in [wanted] if wanted in offered and wanted is not None else offered:
        try:
            return tuple(offered), generations.generations(lineage, suite, mode)
        except UserError:
            continue  # none of its evaluations can be read
    return (), None


def _told(row: Row) -> str:
    """What there is to say of a row that its cells do not."""
    run = row.run
    if run is None:
        asked = "A base that no run of this workspace made."
    else:
        asked = f"Run {run.title}." if run.there else ""
        for one in run.taught:
            answers = f", which answers {one.evaluation}" if one.evaluation else ""
            gone = "" if one.there else " (its folder is gone)"
            asked += f" {one.samples:,} of its new samples are from {one.job}{gone}{answers}."
        others = (run.new or 0) - sum(one.samples for one in run.taught)
        if run.new is not None and others:
            asked += f" {others:,} are from elsewhere."
        asked += "".join(f" {note}" for note in run.notes)
    more = f" Measured {row.evaluations} times, the newest counts." if row.evaluations > 1 else ""
    gone = "" if row.there else " Its folder was deleted."
    return f"{asked}{gone}{more}".strip()
