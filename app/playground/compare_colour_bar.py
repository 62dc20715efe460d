"""The row below the columns: how tokens are coloured, what the colours mean, scrolling together, and differences between two answers."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QVBoxLayout, QWidget

from app.playground.compare_colours import TEACHER_TELLS_NONE, CompareColours
from app.playground.compare_columns import CompareColumns
from app.playground.compare_round import Asked
from app.playground.differences_dialog import DifferencesDialog
from app.playground.mode import Bench
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from app.playground.token_legend import TokenLegend
from app.widgets.buttons import Button
from app.widgets.calm_combo import CalmCombo
from app.widgets.flow import FlowLayout
from app.widgets.labels import ElidedLabel, label
from core.errors import UserError


class CompareColourBar(QWidget):
    """Attributes: by, against (the choices), colours (what does the work); dialog, of the differences, once it was opened."""

    def __init__(self, bench: Bench, columns: CompareColumns, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = bench.context.theme
        self._bench = bench
        self._columns = columns
        self._asked: Asked | None = None
        self.dialog: DifferencesDialog | None = None
        self.colours = CompareColours(bench, self)
        self.colours.failed.connect(bench.banner.problem)
        self.by = CalmCombo()
        self.by.setObjectName("compareColour")
        self.by.setAccessibleName("Colour tokens by")
        for text, kind in (("nothing", ""), ("probability", PROBABILITY), ("difference", DIFFERENCE)):
            self.by.addItem(text, kind)
        self.by.setMinimumContentsLength(9)
        self.by.currentIndexChanged.connect(lambda _place: self.recolour())
        self.against = CalmCombo()
        self.against.setObjectName("compareAgainst")
        self.against.setAccessibleName("Difference to")
        self.against.setMinimumContentsLength(12)
        self.against.currentIndexChanged.connect(lambda _place: self.recolour())
        self.against.hide()
        self._to = label("to", tone="dim")
        self._to.hide()
        together = QCheckBox("Scroll together")
        together.setObjectName("compareTogether")
        together.toggled.connect(columns.scroll_together)
        self._differences = Button("Differences…", theme, name="compareDifferences", tip="Two answers side by side")
        self._differences.clicked.connect(self.show_differences)
        self.legend = TokenLegend(theme, name="compareLegend")
        self._token = ElidedLabel(tone="dim")
        self._token.setObjectName("compareToken")
        row = FlowLayout(spacing=8)
        for group in (
            (label("Colour tokens by", tone="dim"), self.by, self._to, self.against),
            (together, self._differences),
        ):
            row.addWidget(_beside(*group))
        self._foot = QWidget()
        below = QVBoxLayout(self._foot)
        below.setContentsMargins(0, 0, 0, 0)
        below.setSpacing(0)
        below.addWidget(self.legend)
        below.addWidget(self._token)
        self._foot.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(20, 0, 14, 0)
        layout.setSpacing(2)
        layout.addLayout(row)
        layout.addWidget(self._foot)
        columns.pointed.connect(self._token.setText)
        columns.changed.connect(self._on_columns_changed)
        self._on_columns_changed()

    def begin(self, asked: Asked) -> None:
        """Another round: what was coloured is gone."""
        self._asked = asked
        self.colours.plain(self._columns.columns)

    def recolour(self) -> None:
        """Colour what stands in the columns as it is chosen."""
        kind = self.by.currentData()
        columns = self._columns.columns
        for widget in (self.against, self._to):
            widget.setVisible(kind == DIFFERENCE)
        self._foot.setVisible(bool(kind))
        self._token.setText("")
        if not kind or self._asked is None:
            self.colours.plain(columns)
            self.legend.show_kind(kind, "" if self._asked is not None else "Ask all first.")
            return
        if kind == PROBABILITY:
            unknown = any(one.answer and not one.tokens for one in columns)
            self.legend.show_kind(kind, TEACHER_TELLS_NONE if unknown else "")
            self.colours.by_probability(columns)
            return
        against = columns[max(0, min(self.against.currentIndex(), len(columns) - 1))]
        self.legend.show_kind(kind, f"nats · orange: less likely to {against.name} than to who wrote it")
        self.colours.by_difference(columns, against, self._asked)

    def show_differences(self) -> None:
        """Two answers side by side."""
        answers = [(one.name, one.answer) for one in self._columns.columns if one.answer]
        if len(answers) < 2:
            self._bench.banner.problem(UserError("There are no two answers to compare.", "Ask all first."))
            return
        self.dialog = DifferencesDialog(self._bench.context.theme, answers, self)
        self.dialog.open()

    def _on_columns_changed(self) -> None:
        chosen = self.against.currentIndex()
        with QSignalBlocker(self.against):
            self.against.clear()
            self.against.addItems([f"{place}. {one.name}" for place, one in enumerate(self._columns.columns, start=1)])
            self.against.setCurrentIndex(min(max(chosen, 0), self.against.count() - 1))


def _beside(*widgets: QWidget) -> QWidget:
    """Widgets that stay together when a row is broken."""
    box = QWidget()
    row = QHBoxLayout(box)
    row.setContentsMargins(0, 0, 0, 0)
    row.setSpacing(8)
    for widget in widgets:
        row.addWidget(widget)
    return box
