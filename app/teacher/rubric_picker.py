"""The choice of a rubric: its title in a list, and below it what it is for and the criteria that a judge scores by."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app import fonts
from app.teacher import words
from app.teacher.named_picker import NamedPicker
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
    """Attributes: choice. Signals: chosen(name), also when the program chose."""

    chosen = Signal(str)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.choice = NamedPicker("Rubric", name="judgeRubric", about="rubricAbout")
        self.choice.chosen.connect(self._on_chosen)
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
        column.addWidget(self.choice)
        column.addWidget(self._criteria)

    def _on_chosen(self, entry: RubricEntry) -> None:
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
