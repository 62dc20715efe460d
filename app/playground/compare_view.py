"""Compare: one prompt, several models and the teacher beside each other, with the same settings and the same seed.

Each answer is looked at by Go, and by a test where the prompt has one. What a teacher may cost is asked once in a session, before
anything is sent. Nothing here is kept but which models, and the prompt.
"""

from __future__ import annotations

import json
import secrets
from decimal import Decimal

from PySide6.QtCore import QEvent, QObject, QSettings, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QScrollArea, QSplitter, QVBoxLayout, QWidget

from app.playground.compare_bar import CompareBar
from app.playground.compare_colour_bar import CompareColourBar
from app.playground.compare_column import CompareColumn
from app.playground.compare_columns import CompareColumns
from app.playground.compare_costs import CompareCosts
from app.playground.compare_round import Asked, Contestant, Round, with_seed
from app.playground.compare_tests import CompareTests
from app.playground.mode import Bench
from app.playground.sampling_panel import SamplingPanel
from app.playground.task_picker import TaskPicker
from app.state import window_state
from app.widgets.buttons import Button
from core.errors import UserError
from core.evaluation.tasks import Task
from core.inference import Finish
from core.models.choosing import newest_run, of_run
from core.teacher.speaking import Teacher, last_used

NO_SETTING = UserError("A sampling setting is wrong.", "It is marked in the panel at the right.")


class CompareView(QWidget):
    """Attributes: bar, columns, colours, prompt, panel, round (who answers now), tests, costs; task, None where the prompt has no test."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = bench.context.theme
        self._bench = bench
        self._keys: dict[int, CompareColumn] = {}
        self._last_key = 0
        self.task: Task | None = None
        self.picker: TaskPicker | None = None
        self.bar = CompareBar(theme)
        self.bar.model_wanted.connect(lambda: self._add())
        self.bar.teacher_wanted.connect(self.add_teacher)
        self.bar.run_wanted.connect(self.show_run)
        self.bar.task_wanted.connect(self.pick_task)
        self.bar.task_dropped.connect(lambda: self.set_task(None))
        self.columns = CompareColumns(bench)
        self.colours = CompareColourBar(bench, self.columns)
        self.prompt = QPlainTextEdit()
        self.prompt.setObjectName("comparePrompt")
        self.prompt.setAccessibleName("Prompt for all columns")
        self.prompt.setPlaceholderText("Write a prompt for all. Enter sends, Shift+Enter breaks the line.")
        self.prompt.setFixedHeight(60)
        self.prompt.setTabChangesFocus(True)
        self.prompt.installEventFilter(self)
        self._ask = Button("Ask all", theme, icon="paper-plane-right", kind="primary", name="compareAsk")
        self._ask.clicked.connect(self.ask)
        self._stop = Button("Stop", theme, icon="stop", name="compareStop")
        self._stop.clicked.connect(self.stop)
        self._stop.setEnabled(False)
        self.panel = SamplingPanel(theme)
        self.costs = CompareCosts(bench, self)
        self.round = Round(bench, self)
        self.round.began.connect(lambda key: self._keys[key].begin() if key in self._keys else None)
        self.round.text_arrived.connect(lambda key, text: self._keys[key].append(text) if key in self._keys else None)
        self.round.finished.connect(self._on_finished)
        self.round.failed.connect(self._on_failed)
        self.round.over.connect(self._on_over)
        self.tests = CompareTests(bench.context, self)
        self.tests.waiting.connect(lambda key: self._show_judged(key, None, waiting=True))
        self.tests.judged.connect(self._show_judged)
        self.tests.failed.connect(
            lambda key, error: self._keys[key].show_test_problem(error) if key in self._keys else None
        )
        self._lay_out()
        self._restore(window_state())

    def _lay_out(self) -> None:
        foot = QHBoxLayout()
        foot.setContentsMargins(20, 4, 14, 10)
        foot.setSpacing(8)
        buttons = QVBoxLayout()
        buttons.setSpacing(4)
        buttons.addWidget(self._ask)
        buttons.addWidget(self._stop)
        foot.addWidget(self.prompt, 1)
        foot.addLayout(buttons)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addWidget(self.bar)
        column.addWidget(self.columns, 1)
        column.addWidget(self.colours)
        column.addLayout(foot)
        scroll = QScrollArea()
        scroll.setProperty("kind", "surface")
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setWidget(self.panel)
        scroll.setMinimumWidth(260)
        scroll.setAccessibleName("Settings of all columns")
        scroll.setVisible(False)
        self.bar.settings_shown.connect(scroll.setVisible)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(left)
        splitter.addWidget(scroll)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([760, 290])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(splitter)

    # --- as a mode ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Come to the front; models load with the first question."""
        self.prompt.setFocus()

    def leave(self) -> None:
        """Give way to another mode."""
        self.stop()
        self.tests.clear()
        for column in self.columns.columns:
            column.verdict.cancel()

    def use_model(self, path: str) -> None:
        """Have the model in this folder answer, too."""
        shown = [one.picker.model for one in self.columns.columns if one.picker is not None]
        if path not in [str(model.path) for model in shown if model is not None]:
            self._add(path)

    def save_state(self, state: QSettings) -> None:
        paths = [str(one.picker.currentData() or "") for one in self.columns.columns if one.picker is not None]
        state.setValue("playground/compareModels", json.dumps(paths))
        state.setValue("playground/comparePanel", self.panel.state())
        state.setValue("playground/comparePrompt", self.prompt.toPlainText() if self.task is None else "")

    def _restore(self, state: QSettings) -> None:
        self.panel.restore(str(state.value("playground/comparePanel", "")))
        self.prompt.setPlainText(str(state.value("playground/comparePrompt", "")))
        try:
            paths = [str(path) for path in json.loads(str(state.value("playground/compareModels", "")))]
        except (ValueError, TypeError):
            paths = []
        for path in [*paths[:6], "", ""][: max(2, min(6, len(paths)))]:
            self.columns.add(model=path)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.prompt and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            enter = event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter)
            if enter and not event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                self.ask()
                return True
            if event.key() == Qt.Key.Key_Escape and self.round.busy:
                self.stop()
                return True
        return super().eventFilter(watched, event)

    # --- columns and tasks -------------------------------------------------------------------------------------

    def _add(self, path: str = "", teacher: Teacher | None = None) -> None:
        try:
            self.columns.add(model=path, teacher=teacher)
        except UserError as error:
            self._bench.banner.problem(error)

    def add_teacher(self) -> None:
        """A column for the teacher that was asked last."""
        jobs = self._bench.context.workspace.jobs
        self._bench.context.tasks.run(
            lambda: last_used(jobs), lambda teacher: self._add(teacher=teacher), self._bench.banner.problem, owner=self
        )

    def show_run(self) -> None:
        """The base and the checkpoints of the run that the first column's model is of, or of the newest one."""
        models = self._bench.models.models
        chosen = [one.picker.model for one in self.columns.columns if one.picker is not None]
        run = next((model.run for model in chosen if model is not None and model.run), None) or newest_run(models)
        if run is None:
            self._bench.banner.problem(
                UserError("No run has saved a checkpoint yet.", "Train first; they appear here.")
            )
            return
        self.stop()
        teachers = sum(one.fields is not None for one in self.columns.columns)
        self.columns.show_models(of_run(models, run, 6 - teachers))

    def pick_task(self) -> None:
        """Let a person take a problem with a test."""
        self.picker = TaskPicker(self._bench.context, self)
        self.picker.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.picker.chosen.connect(self.set_task)
        self.picker.open()

    def set_task(self, task: Task | None) -> None:
        """Ask this from now on, and judge answers by its test; None for a prompt without a test."""
        self.task = task
        self.bar.show_task(task.title if task is not None else "")
        if task is not None:
            self.prompt.setPlainText(task.prompt)
            self.prompt.setFocus()

    # --- asking ------------------------------------------------------------------------------------------------

    def ask(self) -> None:
        """Ask all; a teacher only after a word about its price."""
        text, sampling = self.prompt.toPlainText(), self.panel.sampling()
        if self.round.busy or not text.strip():
            return
        if sampling is None:
            self._bench.banner.problem(NO_SETTING)
            return
        self._bench.banner.clear()
        seeded = with_seed(sampling, secrets.randbelow(2**31))
        asked = Asked(text, seeded, self.panel.system.toPlainText().strip(), self.panel.chat)
        contestants: dict[CompareColumn, Contestant] = {}
        for column in self.columns.columns:
            column.clear()
            try:
                contestants[column] = column.contestant()
            except UserError as error:
                column.fail(error)
        teachers = [one for one in contestants.values() if isinstance(one, Teacher)]
        self.costs.agree(teachers, asked, lambda agreed: self._begin(asked, contestants, teachers_too=agreed))

    def _begin(self, asked: Asked, contestants: dict[CompareColumn, Contestant], *, teachers_too: bool) -> None:
        self.tests.clear()
        self._keys = {}
        wanted: dict[int, Contestant] = {}
        for column, one in contestants.items():
            if column not in self.columns.columns:
                continue
            if isinstance(one, Teacher) and not teachers_too:
                column.fail(UserError("Not asked.", "Its cost was not agreed to."))
                continue
            self._last_key += 1
            self._keys[self._last_key] = column
            wanted[self._last_key] = one
            column.wait(one)
        self.colours.begin(asked)
        if wanted:
            self._show_busy(busy=True)
            self.round.start(wanted, asked)

    def stop(self) -> None:
        """End all answers; what has arrived stays."""
        self.costs.forget()
        self.round.stop()

    def _on_finished(self, key: int, finish: Finish | None, tokens: list[object]) -> None:
        column = self._keys.get(key)
        if column is None:
            return
        column.end(finish, tokens, self._price(column, finish))
        if finish is not None:
            self.panel.show_finish(finish)
        if self.task is not None and self.prompt.toPlainText() == self.task.prompt and column.answer.strip():
            self.tests.add(key, self.task, column.answer)

    def _price(self, column: CompareColumn, finish: Finish | None) -> Decimal | None:
        if not isinstance(column.asked, Teacher) or finish is None:
            return None
        return self.costs.price(column.asked, finish)

    def _on_failed(self, key: int, error: UserError) -> None:
        if key in self._keys:
            self._keys[key].fail(error)

    def _on_over(self) -> None:
        for column in self._keys.values():
            if column.waits:
                column.clear()
            column.check()
        self._show_busy(busy=False)
        self.colours.recolour()

    def _show_judged(self, key: int, judged: object, *, waiting: bool = False) -> None:
        if key in self._keys:
            self._keys[key].show_judged(judged, waiting)

    def _show_busy(self, *, busy: bool) -> None:
        self._ask.setEnabled(not busy)
        self._stop.setEnabled(busy)
