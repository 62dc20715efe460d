"""All suites in a table: whose each is, what it holds, and what of it is not as it should be."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal
from PySide6.QtWidgets import QAbstractItemView, QTableView, QWidget

from app.evaluation.suites.standing import Standing
from app.theme import Theme
from app.widgets.plain_table import ToneRole, aligned, plain_table

Index = QModelIndex | QPersistentModelIndex
_HEADINGS = ("Suite", "Whose", "Format", "Problems", "Rejected", "Sound", "Leaked samples")
_WIDTHS = (0, 92, 112, 84, 84, 148, 120)
_NUMERIC = (3, 4, 6)
ORIGINS = {"bundled": "Gosmith's", "private": "Yours", "added": "Added"}


class SuitesModel(QAbstractTableModel):
    """A row a suite."""

    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.rows: list[Standing] = []

    def set_rows(self, rows: Sequence[Standing]) -> None:
        """Show these and no others."""
        self.beginResetModel()
        self.rows = list(rows)
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.rows)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(_HEADINGS)

    def headerData(self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if orientation != Qt.Orientation.Horizontal:
            return None
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=section in _NUMERIC)
        return _HEADINGS[section] if role == Qt.ItemDataRole.DisplayRole else None

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        text, tone = _cell(self.rows[index.row()], index.column())
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.ToolTipRole):
            return text
        if role == Qt.ItemDataRole.TextAlignmentRole:
            return aligned(numeric=index.column() in _NUMERIC)
        return tone if role == ToneRole else None


class SuitesTable(QTableView):
    """Signals: chosen(Standing), also when the program chose; opened(Standing), by Enter or a double click."""

    chosen = Signal(object)
    opened = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.rows = SuitesModel(self)
        plain_table(self, self.rows, theme, name="suitesTable", says="Suites", widths=_WIDTHS)
        self.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.setMinimumHeight(112)
        self._wanted = ""
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.activated.connect(lambda _index: self._open())

    @property
    def current(self) -> Standing | None:
        """The chosen suite."""
        row = self.currentIndex().row()
        return self.rows.rows[row] if 0 <= row < len(self.rows.rows) else None

    def set_rows(self, rows: Sequence[Standing]) -> None:
        """Show these and keep the chosen one chosen; at first, or when it is gone, the topmost."""
        wanted = self._wanted
        self.rows.set_rows(rows)
        if rows:
            self.setCurrentIndex(
                self.rows.index(next((at for at, one in enumerate(rows) if one.suite.name == wanted), 0), 0)
            )

    def choose(self, name: str) -> None:
        """Choose a suite, now or as soon as it is there."""
        self._wanted = name
        for at, one in enumerate(self.rows.rows):
            if one.suite.name == name:
                self.setCurrentIndex(self.rows.index(at, 0))

    def _on_current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid():
            standing = self.rows.rows[current.row()]
            self._wanted = standing.suite.name
            self.chosen.emit(standing)

    def _open(self) -> None:
        if self.current is not None:
            self.opened.emit(self.current)


def _cell(standing: Standing, column: int) -> tuple[str, str]:
    """Text and tone."""
    suite = standing.suite
    if column == 0:
        return suite.name, ""
    if column == 1:
        return ORIGINS[suite.origin], "dim"
    if column == 2:
        return {"gosmith": "Markdown"}.get(
            suite.format, suite.format
        ) or "Cannot be read", "dim" if suite.format else "bad"
    if column == 3:
        return f"{suite.problems:,}", ""
    if column == 4:
        return f"{len(suite.bad):,}" if suite.bad else "", "bad"
    if column == 5:
        return soundness_in_words(standing)
    return f"{suite.contaminated:,}" if suite.contaminated else "", "warn"


def soundness_in_words(standing: Standing) -> tuple[str, str]:
    """How many problems are sound, and the tone of that."""
    problems, checked = standing.suite.problems, standing.checked
    wrong = len({name for name, _ in standing.unsound})
    if not problems:
        return "", ""
    if not checked:
        return "Not checked", "dim"
    if wrong:
        return f"{wrong:,} not sound", "warn"
    return ("All sound", "good") if checked == problems else (f"{checked:,} of {problems:,} checked", "dim")
