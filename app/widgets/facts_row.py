"""Where a job stands, as a row of numbers with a caption each; they wrap where there is no room."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtGui import QFont
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.widgets.flow import FlowLayout
from app.widgets.labels import label

_NARROWEST = 472


@dataclass(frozen=True, slots=True)
class Fact:
    """A number and what it means. tip: in a sentence."""

    name: str
    caption: str
    tip: str


class FactsRow(QWidget):
    """Shows what it is given. Attributes: cells, by name."""

    def __init__(
        self, facts: Sequence[Fact], *, name: str, says: str, narrowest: int = _NARROWEST, parent: QWidget | None = None
    ) -> None:
        """says: the accessible name of the whole row. narrowest: pixels that it never gets less of."""
        super().__init__(parent)
        self.setObjectName(name)
        self.setAccessibleName(says)
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        layout = FlowLayout(self, spacing=8, narrowest=narrowest)
        self.cells = {fact.name: _FactCell(fact) for fact in facts}
        for cell in self.cells.values():
            layout.addWidget(cell)

    def show_facts(self, facts: Mapping[str, tuple[str, str] | None]) -> None:
        """By name: the number, and a dim word beside it; None hides it. What is not named stays as it is."""
        for name, shown in facts.items():
            self.cells[name].setVisible(shown is not None)
            if shown is not None:
                self.cells[name].set_value(*shown)

    def texts(self) -> dict[str, str]:
        """What is on show, by name."""
        return {name: cell.text for name, cell in self.cells.items() if not cell.isHidden()}


class _FactCell(QFrame):
    """A number below its caption, with a dim word beside it."""

    def __init__(self, fact: Fact) -> None:
        super().__init__()
        self.setProperty("kind", "card")
        self.setObjectName(f"fact-{fact.name}")
        self.setToolTip(fact.tip)
        self._caption = fact.caption
        self._value = label("—")
        self._value.setFont(fonts.ui_font(15, QFont.Weight.DemiBold))
        self._more = label(tone="dim", size=fonts.CAPTION_SIZE)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 7, 12, 8)
        column.setSpacing(1)
        column.addWidget(label(fact.caption, tone="dim", size=fonts.CAPTION_SIZE))
        line = QHBoxLayout()
        line.setSpacing(6)
        line.addWidget(self._value)
        line.addWidget(self._more, 1, Qt.AlignmentFlag.AlignBottom)
        column.addLayout(line)
        self._more.hide()

    @property
    def text(self) -> str:
        return self._value.text()

    def set_value(self, value: str, more: str) -> None:
        self._value.setText(f"{value}")
        self._more.setText(more)
        self._more.setVisible(bool(more))
        self.setAccessibleName(f"{self._caption}: {value} {more}".strip())
