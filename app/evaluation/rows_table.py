"""A table of rows that are sorted by a press on a heading; it leaves out columns where there is little room, and keeps what was chosen."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from app.evaluation.rows_model import Column, Row, RowsModel
from app.theme import Theme
from app.widgets.plain_table import plain_table


class RowsTable(QTableView):
    """Attributes: rows (its model).

    Signals: row_chosen(key), another row is the current one, "" for none; row_opened(key), by Enter or a double click.
    """

    row_chosen = Signal(str)
    row_opened = Signal(str)

    def __init__(
        self,
        theme: Theme,
        columns: Sequence[Column],
        *,
        name: str,
        says: str,
        sort_by: tuple[int, Qt.SortOrder] | None = None,
        several: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        """name: objectName. says: what it lists. sort_by: at first; else as the rows are given. several: more than one can be selected."""
        super().__init__(parent)
        self.rows = RowsModel(columns, self)
        self._chosen = ""
        self._showing = False
        plain_table(self, self.rows, theme, name=name, says=says, widths=tuple(one.width for one in columns))
        if not several:
            self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        header = self.horizontalHeader()
        header.setSectionsClickable(True)
        by, order = sort_by or (-1, Qt.SortOrder.AscendingOrder)
        header.setSortIndicator(by, order)
        self.setSortingEnabled(True)
        header.setSortIndicatorShown(
            False
        )  # it would cover headings at the right of their columns; the model writes an arrow
        self.setMinimumHeight(96)
        self.selectionModel().currentRowChanged.connect(lambda now, _before: self._on_current(now.row()))
        self.activated.connect(lambda index: self.row_opened.emit(self.rows.row(index.row()).key))

    @property
    def chosen(self) -> str:
        """The key of the current row, "" for none."""
        return self._chosen

    @property
    def selected(self) -> list[str]:
        """Keys of the selected rows, topmost first."""
        return [self.rows.row(row).key for row in sorted({one.row() for one in self.selectionModel().selectedRows()})]

    def show_rows(self, rows: Sequence[Row]) -> None:
        """Show these. The chosen row stays chosen as long as it is among them."""
        wanted = self._chosen
        self._showing = True
        try:
            if not self.rows.show_rows(rows):
                return
            position = self.rows.position(wanted) if wanted else None
            if position is not None:
                self.selectRow(position)
        finally:
            self._showing = False
        if position is None and wanted:
            self._on_current(-1)

    def choose(self, key: str) -> bool:
        """Make this the current row; False when it is not here."""
        position = self.rows.position(key)
        if position is None:
            return False
        self.selectRow(position)
        return True

    def _on_current(self, position: int) -> None:
        if self._showing:
            return
        self._chosen = self.rows.row(position).key if position >= 0 else ""
        self.row_chosen.emit(self._chosen)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for place, column in enumerate(self.rows.columns):
            self.setColumnHidden(place, self.width() < column.wide)
