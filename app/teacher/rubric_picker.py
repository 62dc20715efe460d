"""The choice of a rubric: its title in a list, and below it what it is for and the criteria that a judge scores by."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app import fonts
from app.teacher import words
from app.widgets.calm_combo import CalmCombo
from app.widgets.labels import ElidedLabel, label
from core.errors import UserError
from core.teacher.judging import rubrics


@dataclass(frozen=True, slots=True)
class RubricEntry:
    """A rubric as lists show it. criteria: title, share of the weight, question. problem: why it cannot be used, "" when it can."""

    name: str
    title: str
    about: str = ""
    own: bool = False
    criteria: tuple[tuple[str, float, str], ...] = ()
    problem: str = ""


def listed(workspace: Path) -> list[RubricEntry]:
    """All rubrics; a broken one is among them and says so."""
    found = []
    for name in rubrics.names(workspace):
        try:
            one = rubrics.find(name, workspace)
        except UserError as error:
            found.append(RubricEntry(name, name, own=True, problem=str(error)))
            continue
        whole = sum(criterion.weight for criterion in one.file.criteria)
        criteria = tuple((each.title, each.weight / whole, each.question) for each in one.file.criteria)
        found.append(RubricEntry(name, f"{one.file.title} {one.file.version}", one.file.about, one.own, criteria))
    return sorted(found, key=lambda entry: entry.title.casefold())


class RubricPicker(QWidget):
    """Signals: chosen(name), also when the program chose."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._entries: list[RubricEntry] = []
        self.box = CalmCombo()
        self.box.setObjectName("judgeRubric")
        self.box.setAccessibleName("Rubric")
        self.box.activated.connect(self._on_activated)
        caption = label("Rubric", tone="dim", size=12)
        caption.setBuddy(self.box)
        self.about = label(tone="dim", size=12, wrap=True, name="rubricAbout")
        self._criteria = QWidget()
        self._criteria.setAccessibleName("Criteria")
        self._grid = QGridLayout(self._criteria)
        self._grid.setContentsMargins(0, 2, 0, 0)
        self._grid.setHorizontalSpacing(10)
        self._grid.setVerticalSpacing(2)
        self._grid.setColumnStretch(2, 1)
        self._cells: list[QWidget] = []
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(3)
        column.addWidget(caption)
        column.addWidget(self.box)
        column.addWidget(self.about)
        column.addWidget(self._criteria)

    @property
    def rubric(self) -> str:
        """The name of the chosen one, "" for none."""
        place = self.box.currentIndex()
        return self._entries[place].name if 0 <= place < len(self._entries) else ""

    def set_rubrics(self, entries: Sequence[RubricEntry], wanted: str) -> None:
        """Offer these and choose one."""
        self._entries = list(entries)
        self.box.clear()
        for entry in entries:
            self.box.addItem(f"{entry.title}, your copy" if entry.own else entry.title, entry.name)
        if not self.choose(wanted) and entries:
            self.choose(entries[0].name)

    def choose(self, name: str) -> bool:
        """Choose this one; False when there is none."""
        place = self.box.findData(name)
        if place < 0:
            return False
        self.box.setCurrentIndex(place)
        self._on_activated(place)
        return True

    def _on_activated(self, place: int) -> None:
        entry = self._entries[place]
        self.about.setText(entry.problem or entry.about)
        for cell in self._cells:
            self._grid.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        self._cells = []
        for row, (title, share, question) in enumerate(entry.criteria):
            asked = ElidedLabel(question, tone="dim")
            asked.setFont(fonts.ui_font(12))
            for column, cell in enumerate(
                (label(title, size=12), label(words.percent(share, 1), tone="dim", size=12), asked)
            ):
                cell.setToolTip(question)
                self._grid.addWidget(cell, row, column)
                self._cells.append(cell)
        self.chosen.emit(entry.name)
