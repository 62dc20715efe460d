"""Choosing the runs to compare with: a list of all runs with a box each, narrowed by typing. Every tick is seen in the charts at once."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QModelIndex, QPersistentModelIndex, QSortFilterProxyModel, Qt, Signal
from PySide6.QtGui import QStandardItem, QStandardItemModel
from PySide6.QtWidgets import QDialog, QHBoxLayout, QLineEdit, QListView, QVBoxLayout, QWidget

from app.theme import Theme
from app.training.charts import run_colours
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.jobs import JobInfo

_IdRole = Qt.ItemDataRole.UserRole
MOST = run_colours.MOST - 1


class RunChooser(QDialog):
    """Shows these runs, those of `chosen` ticked.

    Signals: chosen(tuple of ids), after every tick, in the order of the ticks.
    """

    chosen = Signal(object)

    def __init__(self, runs: Sequence[JobInfo], chosen: Sequence[str], theme: Theme, parent: QWidget) -> None:
        super().__init__(parent)
        self.setWindowTitle("Compare with")
        self.setObjectName("runChooser")
        self.resize(420, 420)
        self._ids = [one for one in chosen if any(run.id == one for run in runs)]
        self._model = QStandardItemModel(self)
        for run in runs:
            item = QStandardItem(f"{run.title}  ·  {run.state}" + (f", step {run.step:,}" if run.step else ""))
            item.setToolTip(run.id)
            item.setData(run.id, _IdRole)
            item.setEditable(False)
            item.setCheckable(True)
            item.setCheckState(Qt.CheckState.Checked if run.id in self._ids else Qt.CheckState.Unchecked)
            self._model.appendRow(item)
        self._model.itemChanged.connect(self._on_item_changed)
        found = QSortFilterProxyModel(self)
        found.setSourceModel(self._model)
        found.setFilterCaseSensitivity(Qt.CaseSensitivity.CaseInsensitive)
        self.filter = QLineEdit()
        self.filter.setObjectName("runChooserFilter")
        self.filter.setAccessibleName("Find runs")
        self.filter.setPlaceholderText("Find runs by name or state")
        self.filter.textChanged.connect(found.setFilterFixedString)
        self.list = QListView()
        self.list.setObjectName("runChooserList")
        self.list.setAccessibleName("Runs to compare with")
        self.list.setUniformItemSizes(True)
        self.list.setSpacing(3)
        self.list.setModel(found)
        self.list.activated.connect(self._on_activated)
        found.rowsInserted.connect(self._point_at_first)
        found.rowsRemoved.connect(self._point_at_first)
        self._note = label(tone="dim", wrap=True)
        none = Button("None", theme, name="runChooserNone", tip="Compare with no other run")
        none.clicked.connect(self._on_none)
        close = Button("Close", theme, name="runChooserClose")
        close.clicked.connect(self.accept)
        row = QHBoxLayout()
        row.addWidget(self._note, 1)
        row.addWidget(none)
        row.addWidget(close)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 16, 16, 14)
        column.setSpacing(10)
        column.addWidget(self.filter)
        column.addWidget(self.list, 1)
        column.addLayout(row)
        self._point_at_first()
        self._say()

    def _point_at_first(self) -> None:
        model = self.list.model()
        if model.rowCount() and not self.list.currentIndex().isValid():
            self.list.setCurrentIndex(model.index(0, 0))

    def _on_activated(self, index: QModelIndex | QPersistentModelIndex) -> None:
        """Enter ticks as Space does."""
        ticked = index.data(Qt.ItemDataRole.CheckStateRole) == Qt.CheckState.Checked.value
        state = Qt.CheckState.Unchecked if ticked else Qt.CheckState.Checked
        self.list.model().setData(index, state, Qt.ItemDataRole.CheckStateRole)

    def _on_item_changed(self, item: QStandardItem) -> None:
        job_id, ticked = item.data(_IdRole), item.checkState() == Qt.CheckState.Checked
        if ticked == (job_id in self._ids):
            return
        if ticked and len(self._ids) >= MOST:
            item.setCheckState(Qt.CheckState.Unchecked)
            return
        self._ids = [*self._ids, job_id] if ticked else [one for one in self._ids if one != job_id]
        self._say()
        self.chosen.emit(tuple(self._ids))

    def _on_none(self) -> None:
        for row in range(self._model.rowCount()):
            self._model.item(row).setCheckState(Qt.CheckState.Unchecked)

    def _say(self) -> None:
        if not self._model.rowCount():
            self._note.setText("There is no other run yet.")
        elif len(self._ids) >= MOST:
            self._note.setText(f"{MOST} chosen; more could not be told apart.")
        else:
            self._note.setText(f"{len(self._ids)} chosen")
