"""A list of samples with what there is to say of each; Enter or a double click opens one in the samples table, the button opens all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QObject, Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QLabel, QStackedWidget, QTableView, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label
from app.widgets.plain_table import Index, ToneRole, aligned, plain_table

_ROW, _MOST_SHOWN = 32, 8
_NARROW = 720


@dataclass(frozen=True, slots=True)
class Heading:
    """width: in pixels; 0 for the one column that takes what is left. extra: left out where there is little room."""

    text: str
    width: int
    numeric: bool = False
    extra: bool = False


@dataclass(frozen=True, slots=True)
class Entry:
    """A row: what stands below each heading. tones: of some columns, by place, as in `Tokens.tone`."""

    sample: int
    texts: tuple[str, ...]
    tones: tuple[tuple[int, str], ...] = ()


class SampleListModel(QAbstractTableModel):
    """Rows by position."""

    def __init__(self, headings: Sequence[Heading], parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._headings = headings
        self.entries: tuple[Entry, ...] = ()

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these. The same ones again lose no selection."""
        if tuple(entries) != self.entries:
            self.beginResetModel()
            self.entries = tuple(entries)
            self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008  Qt's signature
        return 0 if parent.isValid() else len(self.entries)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._headings)

    def headerData(self, place: int, way: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if way != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self._headings[place].text
        return aligned(numeric=self._headings[place].numeric) if role == Qt.ItemDataRole.TextAlignmentRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        entry, column = self.entries[index.row()], index.column()
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return entry.texts[column]
        if role == ToneRole:
            return dict(entry.tones).get(column, "")
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=self._headings[column].numeric)
        return None


class SampleList(QWidget):
    """Attributes: table, model. Signals: samples_wanted(search), for one sample or for all."""

    samples_wanted = Signal(str)

    def __init__(
        self, theme: Theme, headings: Sequence[Heading], *, name: str, title: QLabel, nothing: str, fit: bool = False,
        parent: QWidget | None = None,
    ) -> None:  # fmt: skip
        """title: what the list is headed with. nothing: what stands there while there is no row. fit: as tall as its rows."""
        super().__init__(parent)
        self._fit = fit
        self._headings = headings
        self.model = SampleListModel(headings, self)
        self.table = QTableView()
        widths = tuple(heading.width for heading in headings)
        plain_table(self.table, self.model, theme, name=name, says=title.text(), widths=widths)
        self.table.setToolTip("Enter or a double click opens the sample in the table")
        self.table.activated.connect(lambda index: self._open([self.model.entries[index.row()]]))
        self._all = Button(
            "Show in the table", theme, icon="table", name=f"{name}Show", tip="Those selected, else all of them"
        )
        self._all.clicked.connect(self.show_samples)
        self._nothing = label(nothing, tone="dim", wrap=True, name=f"{name}Nothing")
        self._nothing.setAlignment(Qt.AlignmentFlag.AlignTop)
        self._stack = QStackedWidget()
        self._stack.addWidget(self.table)
        self._stack.addWidget(self._nothing)
        head = QHBoxLayout()
        head.addWidget(title)
        head.addStretch(1)
        head.addWidget(self._all)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(6)
        column.addLayout(head)
        column.addWidget(self._stack, 1)
        self.show_entries(())

    def show_entries(self, entries: Sequence[Entry]) -> None:
        """Show these rows."""
        self.model.show_entries(entries)
        self._stack.setCurrentWidget(self.table if entries else self._nothing)
        self._all.setVisible(bool(entries))
        if self._fit:
            rows = min(len(entries), _MOST_SHOWN)
            self._stack.setFixedHeight((rows + 1) * _ROW + 4 if entries else 2 * _ROW)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        for place, heading in enumerate(self._headings):
            self.table.setColumnHidden(place, heading.extra and self.width() < _NARROW)

    def show_samples(self) -> None:
        """Ask for the selected ones in the table, else for all."""
        rows = sorted({index.row() for index in self.table.selectionModel().selectedRows()})
        self._open([self.model.entries[row] for row in rows] or self.model.entries)

    def _open(self, entries: Sequence[Entry]) -> None:
        self.samples_wanted.emit("id:" + ",".join(str(entry.sample) for entry in entries))
