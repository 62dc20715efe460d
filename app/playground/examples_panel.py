"""Samples to show the model before the conversation: found by a search or by what the prompt is about, ticked, put in order.

What is chosen is copied into the conversation, so that it stays what the model saw when a sample is edited or deleted later.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app.tasks import Task, TaskRunner
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import hairline, label, section
from core.errors import UserError
from core.inference.conversation import Shot
from core.samples import neighbours, query, store
from core.samples.conversation import title_of

MOST_FOUND = 30


class ExamplesPanel(QWidget):
    """Attributes: shots (chosen, in order). Signals: changed(), when others are chosen; prompt_wanted(), to be told what the prompt is about."""

    changed = Signal()
    prompt_wanted = Signal()

    def __init__(self, theme: Theme, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "surface")
        self._tasks = tasks
        self._task: Task | None = None
        self._found: list[Shot] = []
        self.shots: tuple[Shot, ...] = ()
        self.search = QLineEdit("status:accepted")
        self.search.setObjectName("examplesSearch")
        self.search.setAccessibleName("Search for examples")
        self.search.setPlaceholderText("Search as in Samples")
        self.search.returnPressed.connect(self.look)
        near = Button("Nearest to the prompt", theme, kind="link", name="examplesNearest", tip="Samples of this search whose words are most like the prompt's")  # fmt: skip
        near.clicked.connect(self.prompt_wanted)
        self._note = label(tone="dim", size=12, wrap=True, name="examplesNote")
        self.found = QListWidget()
        self.found.setObjectName("examplesFound")
        self.found.setAccessibleName("Samples found")
        self.found.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.found.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.found.itemChanged.connect(self._on_ticked)
        self.chosen = QListWidget()
        self.chosen.setObjectName("examplesChosen")
        self.chosen.setAccessibleName("Examples, in order")
        self.chosen.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.chosen.setMaximumHeight(120)
        self.chosen.currentRowChanged.connect(lambda _row: self._show_buttons())
        self._up = Button("", theme, icon="caret-up", kind="quiet", name="examplesUp", tip="Earlier")
        self._down = Button("", theme, icon="caret-down", kind="quiet", name="examplesDown", tip="Later")
        self._remove = Button("", theme, icon="x", kind="quiet", name="examplesRemove", tip="Leave this example out")
        self._up.clicked.connect(lambda: self._move(-1))
        self._down.clicked.connect(lambda: self._move(1))
        self._remove.clicked.connect(self._on_remove)
        buttons = QHBoxLayout()
        buttons.setSpacing(2)
        buttons.addWidget(section("Shown to the model"), 1)
        for button in (self._up, self._down, self._remove):
            buttons.addWidget(button)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 4, 14, 10)
        layout.setSpacing(6)
        layout.addWidget(self.search)
        layout.addWidget(near, 0, Qt.AlignmentFlag.AlignLeft)
        layout.addWidget(self._note)
        layout.addWidget(self.found, 1)
        layout.addWidget(hairline())
        layout.addLayout(buttons)
        layout.addWidget(self.chosen)
        self._say("Search, or take those that are nearest to the prompt.")
        self._show_buttons()

    def set_shots(self, shots: Sequence[Shot]) -> None:
        """Show those of another conversation, without a word about it."""
        self.shots = tuple(shots)
        self._fill()

    def look(self, near: str = "") -> None:
        """Search; near: a text whose nearest neighbours are wanted, "" for what the search finds first."""
        try:
            wanted = query.parse(self.search.text())
        except UserError as error:
            self._say(str(error))
            return

        def work(connection: sqlite3.Connection) -> list[Shot]:
            ids = (
                neighbours.nearest(connection, near, MOST_FOUND, wanted)
                if near
                else query.first(connection, wanted, MOST_FOUND)
            )
            return [_shot(store.sample(connection, key)) for key in ids]

        if self._task is not None:
            self._task.cancel()
        self._task = self._tasks.run_query(work, self._on_found, lambda error: self._say(str(error)), owner=self)

    def _on_found(self, found: list[Shot]) -> None:
        self._found = found
        self._say("" if found else "Nothing is like this. Search for something else.")
        self._fill()

    def _fill(self) -> None:
        """Both lists as they should be; nothing is told."""
        row = self.chosen.currentRow()
        self.found.blockSignals(True)
        self.chosen.blockSignals(True)
        self.found.clear()
        self.chosen.clear()
        chosen = {shot.version for shot in self.shots}
        for shot in self._found:
            item = QListWidgetItem(_words(shot))
            item.setToolTip(shot.prompt[:600])
            item.setCheckState(Qt.CheckState.Checked if shot.version in chosen else Qt.CheckState.Unchecked)
            self.found.addItem(item)
        for shot in self.shots:
            item = QListWidgetItem(_words(shot))
            item.setToolTip(shot.prompt[:600])
            self.chosen.addItem(item)
        self.chosen.setCurrentRow(min(row, len(self.shots) - 1))
        self.found.blockSignals(False)
        self.chosen.blockSignals(False)
        self._show_buttons()

    def _show_buttons(self) -> None:
        row = self.chosen.currentRow()
        self._up.setEnabled(row > 0)
        self._down.setEnabled(0 <= row < len(self.shots) - 1)
        self._remove.setEnabled(row >= 0)

    def _on_ticked(self, item: QListWidgetItem) -> None:
        shot = self._found[self.found.row(item)]
        others = tuple(one for one in self.shots if one.version != shot.version)
        self._choose((*others, shot) if item.checkState() == Qt.CheckState.Checked else others)

    def _move(self, by: int) -> None:
        row = self.chosen.currentRow()
        shots = list(self.shots)
        shots[row], shots[row + by] = shots[row + by], shots[row]
        self.chosen.setCurrentRow(row + by)
        self._choose(tuple(shots))

    def _on_remove(self) -> None:
        row = self.chosen.currentRow()
        self._choose(self.shots[:row] + self.shots[row + 1 :])

    def _choose(self, shots: tuple[Shot, ...]) -> None:
        self.shots = shots
        self._fill()
        self.changed.emit()

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(bool(text))


def _shot(sample: store.Sample) -> Shot:
    return Shot(sample.id, sample.version, sample.prompt, sample.response)


def _words(shot: Shot) -> str:
    return f"#{shot.sample:,}  {title_of(shot.prompt)}"
