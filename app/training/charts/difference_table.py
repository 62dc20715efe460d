"""What the compared runs were asked to do differently: a row for each key that is not the same in all, a column for each run."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent, QKeySequence
from PySide6.QtWidgets import QApplication, QHeaderView, QTableWidget, QTableWidgetItem, QVBoxLayout, QWidget

from app.theme import Theme
from app.training.charts import run_colours
from app.widgets.labels import label
from core.training.compare import differences


class DifferenceTable(QWidget):
    """Shows the differences of the runs it was given last; Ctrl+C copies the selected cells as lines of tabs."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runs: tuple[tuple[str, int, Mapping[str, Any]], ...] = ()
        self._sentence = label(tone="dim", wrap=True)
        self.table = _Table()
        self.table.setObjectName("differenceTable")
        self.table.setAccessibleName("Differences of the runs' settings")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 4, 0, 0)
        layout.addWidget(self._sentence)
        layout.addWidget(self.table, 1)
        theme.changed.connect(self._fill)

    def set_runs(self, runs: Sequence[tuple[str, int, Mapping[str, Any]]]) -> None:
        """Compare these: title, slot of its colour, configuration."""
        if tuple(runs) != self._runs:
            self._runs = tuple(runs)
            self._fill()

    def _fill(self) -> None:
        rows = differences([config for _, _, config in self._runs])
        count = len(self._runs)
        self._sentence.setText(
            f"The settings of these {count} runs are the same; only chance and the code differ."
            if not rows
            else f"{len(rows)} setting{'s differ' if len(rows) != 1 else ' differs'} among these {count} runs; all others are the same."
        )
        self.table.setVisible(bool(rows))
        self.table.clear()
        self.table.setRowCount(len(rows))
        self.table.setColumnCount(count + 1)
        self.table.setHorizontalHeaderItem(0, QTableWidgetItem("Setting"))
        for column, (title, slot, _) in enumerate(self._runs):
            head = QTableWidgetItem(run_colours.swatch(slot, self._theme.tokens), title)
            head.setToolTip(title)
            self.table.setHorizontalHeaderItem(column + 1, head)
        for number, row in enumerate(rows):
            for column, text in enumerate((row.key, *row.values)):
                cell = QTableWidgetItem(text)
                cell.setToolTip(text)
                self.table.setItem(number, column, cell)
        self.table.resizeColumnsToContents()
        for column in range(count + 1):
            self.table.setColumnWidth(column, self.table.columnWidth(column) + 16)


class _Table(QTableWidget):
    def __init__(self) -> None:
        super().__init__()
        self.setEditTriggers(QTableWidget.EditTrigger.NoEditTriggers)
        self.setTabKeyNavigation(False)
        self.setShowGrid(False)
        self.verticalHeader().hide()
        head = self.horizontalHeader()
        head.setDefaultAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        head.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        head.setMaximumSectionSize(320)
        head.setHighlightSections(False)
        head.setStretchLastSection(True)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Copy):
            rows: dict[int, list[str]] = {}
            for index in sorted(self.selectedIndexes(), key=lambda one: (one.row(), one.column())):
                rows.setdefault(index.row(), []).append(str(index.data()))
            QApplication.clipboard().setText("\n".join("\t".join(cells) for cells in rows.values()))
            return
        super().keyPressEvent(event)
