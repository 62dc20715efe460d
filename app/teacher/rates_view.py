"""Which recipes are worth their money: the share of samples that pass, by recipe, over all jobs of the workspace."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.teacher import words
from app.theme import Theme
from app.widgets.bars import Bar, BarCard
from core.teacher.statistics import RecipeRate


class RatesView(QWidget):
    """Signals: recipe_chosen(name), when a bar was pressed."""

    recipe_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.card = BarCard("Pass rate by recipe, all jobs", theme, name="recipeRates")
        self.card.chosen.connect(self.recipe_chosen)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.card)

    def show_rates(self, rates: Sequence[RecipeRate]) -> None:
        """One bar a recipe; the note says what the value means."""
        bars = [Bar(one.recipe, _title(one), one.rate, words.percent(one.verified, one.asked), "good") for one in rates]
        note = "Verified samples of all that were asked for, those that were refused or failed included. Press one to see its samples."
        self.card.show_bars(bars, note if bars else "No samples yet.")


def _title(one: RecipeRate) -> str:
    parts = [f"{one.recipe}: {one.verified:,} of {one.asked:,}"]
    if one.accepted:
        parts.append(f"{one.accepted:,} accepted")
    if one.cost_usd is not None and one.verified:
        parts.append(f"{words.dollars(one.cost_usd / one.verified)} each")
    return " · ".join(parts)
