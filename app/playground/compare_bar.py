"""The row above the columns: more of them, a problem to ask, and the settings that all share."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel


class CompareBar(QWidget):
    """Signals: model_wanted(); teacher_wanted(); run_wanted(), all checkpoints of a run; task_wanted(); task_dropped();
    settings_shown(bool)."""

    model_wanted = Signal()
    teacher_wanted = Signal()
    run_wanted = Signal()
    task_wanted = Signal()
    task_dropped = Signal()
    settings_shown = Signal(bool)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        add = Button("Add", theme, icon="caret-down", name="compareAdd", tip="Add a column")
        add.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        menu = QMenu(add)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # not the button's
        for text, name, signal in (
            ("A model", "compareAddModel", self.model_wanted),
            ("The teacher", "compareAddTeacher", self.teacher_wanted),
        ):
            action = menu.addAction(text)
            action.setObjectName(name)
            action.triggered.connect(lambda _checked, signal=signal: signal.emit())
        add.setMenu(menu)
        run = Button(
            "All checkpoints of this run", theme, name="compareRun", tip="A column for the base and each checkpoint"
        )
        run.clicked.connect(self.run_wanted)
        task = Button(
            "Take a problem…", theme, name="compareTask", tip="A prompt with a test that the answers are judged by"
        )
        task.clicked.connect(self.task_wanted)
        self._task = ElidedLabel(tone="dim")
        self._task.setObjectName("compareTaskName")
        self._drop = Button(
            "", theme, icon="x", kind="quiet", name="compareTaskDrop", tip="Forget the problem and its test"
        )
        self._drop.clicked.connect(self.task_dropped)
        self._drop.hide()
        settings = Button(
            "Settings", theme, kind="segment", name="compareSettings", tip="Sampling, seed and system prompt of all"
        )
        settings.setCheckable(True)
        settings.toggled.connect(self.settings_shown)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 4, 14, 4)
        row.setSpacing(8)
        row.addWidget(add)
        row.addWidget(run)
        row.addWidget(task)
        row.addWidget(self._task, 1)
        row.addWidget(self._drop)
        row.addWidget(settings)

    def show_task(self, title: str) -> None:
        """Which problem is asked, "" for none."""
        self._task.setText(title)
        self._drop.setVisible(bool(title))
