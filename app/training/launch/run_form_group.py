"""A group of settings behind a heading: closed it takes one line, open it shows two settings side by side."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.training.launch.run_form_cell import SettingCell
from app.widgets.buttons import Button
from app.widgets.labels import label


class SettingGroup(QWidget):
    """Lays out the cells it is told to show and says how many are changed. It knows no setting by name.

    Signals: opened(), before the settings are shown, for whoever has not filled it yet.
    """

    opened = Signal()

    def __init__(self, title: str, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.title = title
        self.cells: dict[str, SettingCell] = {}
        self._open = False
        self._searched = False
        self._shown: tuple[str, ...] = ()
        self.header = Button(title, theme, icon="caret-right", kind="quiet", name=f"group-{title}")
        self.header.clicked.connect(self._on_header_clicked)
        self._count = label(tone="dim", size=12)
        self._body = QWidget()
        self._body.hide()
        self._grid = two_columns(self._body)
        self._grid.setContentsMargins(0, 2, 0, 8)
        head = QHBoxLayout()
        head.setContentsMargins(0, 0, 0, 0)
        head.addWidget(self.header)
        head.addStretch(1)
        head.addWidget(self._count)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self._body)
        self._say()

    def fill(self, cells: Sequence[SettingCell]) -> None:
        """Take these cells; `arrange` shows them."""
        self.cells = {cell.field.key: cell for cell in cells}
        for cell in cells:
            cell.setParent(self._body)

    def _on_header_clicked(self) -> None:
        self.set_open(self._body.isHidden())

    def set_open(self, wanted: bool) -> None:
        """Show the settings, or only the heading."""
        if wanted:
            self.opened.emit()
        self._open = wanted
        self._say()

    def arrange(self, keys: Collection[str], *, searched: bool) -> None:
        """Show the cells of these keys. searched: they were looked for, so the group is open if there are any, else gone."""
        shown = tuple(key for key in self.cells if key in keys)
        self._searched = searched
        if shown != self._shown:
            self._shown = shown
            for cell in self.cells.values():
                self._grid.removeWidget(cell)
            place = 0
            for before, key in zip(("", *shown), shown, strict=False):
                if place % 2 and self.cells[key].is_switch != self.cells[before].is_switch:
                    place += 1  # switches, being lower, stand in rows of their own
                self._grid.addWidget(self.cells[key], place // 2, place % 2, Qt.AlignmentFlag.AlignTop)
                place += 1
            for key, cell in self.cells.items():
                cell.setVisible(key in shown)
        self.setVisible(bool(shown))
        self._say()

    def _say(self) -> None:
        is_open = self._open or self._searched
        if self._body.isHidden() == is_open:
            self._body.setVisible(is_open)
            self.header.set_icon("caret-down" if is_open else "caret-right")
        changed = sum(cell.changed for cell in self.cells.values())
        self._count.setText(f"{changed} changed" if changed else "")
        state = "open" if is_open else "closed"
        self.header.setAccessibleDescription(f"{state}, {changed} changed" if changed else state)


def two_columns(box: QWidget) -> QGridLayout:
    """The grid of settings: two columns of one width."""
    grid = QGridLayout(box)
    grid.setContentsMargins(0, 0, 0, 0)
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(8)
    grid.setColumnStretch(0, 1)
    grid.setColumnStretch(1, 1)
    grid.setColumnMinimumWidth(0, 80)
    grid.setColumnMinimumWidth(1, 80)
    return grid
