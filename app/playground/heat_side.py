"""Beside a coloured file: what it costs each model altogether, and the lines that cost most; a click or Enter goes there."""

from __future__ import annotations

import math

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QListWidget, QListWidgetItem, QVBoxLayout, QWidget

from app import fonts
from app.playground.heat_run import Scored
from app.theme import Theme
from app.widgets.labels import label, section
from core.inference.stretches import Total

_LEAST = 0.05
"""Nats that a line must cost to be listed: less would read as nothing."""


class HeatSide(QWidget):
    """Attributes: lines (the list). Signals: line_chosen(int), from 1."""

    line_chosen = Signal(int)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setMinimumWidth(200)
        self._totals = label(tone="dim", size=12, wrap=True, name="heatTotals")
        self._totals.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        self._heading = section("Worst lines")
        self._empty = label("Nothing is coloured yet.", tone="dim", size=12, wrap=True)
        self.lines = QListWidget()
        self.lines.setObjectName("heatLines")
        self.lines.setAccessibleName("Worst lines")
        self.lines.setFont(fonts.code_font(12))
        self.lines.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.lines.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.lines.itemClicked.connect(self._on_chosen)
        self.lines.itemActivated.connect(self._on_chosen)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 4, 14, 4)
        layout.setSpacing(8)
        layout.addWidget(section("Altogether"))
        layout.addWidget(self._totals)
        layout.addWidget(self._heading)
        layout.addWidget(self._empty)
        layout.addWidget(self.lines, 100)
        layout.addStretch(1)
        self.clear()

    def clear(self) -> None:
        """Nothing is coloured."""
        self._totals.setText("Mean negative log-likelihood and perplexity of the text stand here.")
        self.lines.clear()
        self.lines.hide()
        self._empty.setText("Nothing is coloured yet.")
        self._empty.show()

    def show_scored(self, scored: Scored) -> None:
        """Totals of each model, and the lines with the most nats, or those that cost the second model most more."""
        words = [f"{model.name}: {_words(of)}" for model, of in zip(scored.models, scored.totals, strict=True)]
        self._totals.setText("\n".join(words))
        two = len(scored.models) == 2
        self._heading.setText("Lines that got worse" if two else "Worst lines")
        self.lines.clear()
        shown = [line for line in scored.worst if line.nats >= _LEAST]
        for line in shown:
            item = QListWidgetItem(f"{line.number:>4}  {line.nats:{'+' if two else ''}6.1f}  {line.text.strip()}")
            item.setData(Qt.ItemDataRole.UserRole, line.number)
            item.setToolTip(f"Line {line.number}: {line.nats:.2f} nats{' more' if two else ''}")
            self.lines.addItem(item)
        self.lines.setVisible(bool(shown))
        self._empty.setVisible(not shown)
        self._empty.setText(
            f"No line is less likely to {scored.models[-1].name}." if two else "No line has a likelihood."
        )

    def _on_chosen(self, item: QListWidgetItem) -> None:
        self.line_chosen.emit(int(item.data(Qt.ItemDataRole.UserRole)))


def _words(of: Total) -> str:
    if of.per_token is None or of.per_byte is None:
        return "nothing to predict"
    perplexity = math.exp(min(of.per_token, 700.0))
    return (
        f"{of.tokens:,} tokens, {of.per_token:.3f} nats a token, {of.per_byte:.3f} a byte, perplexity {perplexity:,.2f}"
    )
