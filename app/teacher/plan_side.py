"""What a plan will take, and three of its prompts as they would be sent: the right half of the dialog of a plan."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Protocol

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from app.teacher import words
from app.teacher.examples_view import ExamplesView, Prompt
from app.theme import Theme, set_property
from app.widgets.labels import label, section
from core.teacher.terms import Terms, with_budget

_LAST = (("tokens", "Tokens"), ("cost", "Cost"))


class Projected(Protocol):
    """What the forecasts of all kinds of plans tell; `cost_usd` is None where no price is known."""

    @property
    def samples(self) -> int: ...
    @property
    def prompt_tokens(self) -> int: ...
    @property
    def completion_tokens(self) -> int: ...
    @property
    def cost_usd(self) -> Decimal | None: ...
    @property
    def sentence(self) -> str: ...


class PlanSide(QWidget):
    """Shows what it is given; it computes and asks nothing."""

    def __init__(
        self, theme: Theme, rows: Sequence[tuple[str, str]], *, cost: str, parent: QWidget | None = None
    ) -> None:
        """rows: key and caption of the counts above tokens and cost. cost: the objectName of its value."""
        super().__init__(parent)
        rows = (*rows, *_LAST)
        self.values = {key: label(wrap=True, name=cost if key == "cost" else f"plan-{key}") for key, _ in rows}
        self._sentence = label(tone="dim", size=12, wrap=True, name="forecastSentence")
        self._warning = label(tone="warn", size=12, wrap=True, name="forecastWarning")
        card = QFrame()
        card.setProperty("kind", "card")
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (key, caption) in enumerate(rows):
            grid.addWidget(label(caption, tone="dim"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self.values[key], row, 1)
        inside = QVBoxLayout(card)
        inside.setContentsMargins(14, 10, 14, 10)
        inside.setSpacing(6)
        inside.addWidget(section("Forecast"))
        inside.addLayout(grid)
        inside.addWidget(self._sentence)
        inside.addWidget(self._warning)
        self.examples = ExamplesView(theme)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 14, 20, 8)
        column.setSpacing(8)
        column.addWidget(card)
        column.addWidget(self.examples, 1)
        self.clear()

    def clear(self, why: str = "") -> None:
        """There is nothing to tell; why: a sentence."""
        for value in self.values.values():
            value.setText("—")
        self._sentence.setText(why)
        self._sentence.setVisible(bool(why))
        self._warning.hide()

    def set_stale(self) -> None:
        """What is on show is about to change."""
        self._sentence.setText("Counting …")
        self._sentence.show()

    def show_forecast(
        self, found: Projected, plan: Terms, counts: Mapping[str, str], prompts: Sequence[Prompt]
    ) -> None:
        """Show this one. counts: texts of the rows above tokens and cost."""
        for key, text in counts.items():
            self.values[key].setText(text)
        self.values["tokens"].setText(
            f"About {words.tokens(found.prompt_tokens)} read, {words.tokens(found.completion_tokens)} written"
        )
        cost = None if found.cost_usd is None else float(found.cost_usd)
        self.values["cost"].setText(
            "Unknown: there is no price for this model" if cost is None else f"About {words.dollars(cost)}"
        )
        set_property(self.values["cost"], "tone", "" if cost is not None else "dim")
        self._sentence.setText(found.sentence)
        self._sentence.show()
        self._warning.setText(_warning(found, plan, cost))
        self._warning.setVisible(bool(self._warning.text()))
        self.examples.show_prompts(prompts)


def _warning(found: Projected, plan: Terms, cost: float | None) -> str:
    plan = with_budget(plan, priced=cost is not None)
    if cost is not None and plan.budget_usd is not None and cost > plan.budget_usd:
        return f"The budget is reached after about {words.samples(int(found.samples * plan.budget_usd / cost))}."
    total = found.prompt_tokens + found.completion_tokens
    if plan.budget_tokens is not None and total > plan.budget_tokens:
        return f"The budget is reached after about {words.samples(int(found.samples * plan.budget_tokens / total))}."
    if plan.budget_usd is None and plan.budget_tokens is None:
        return "Without a budget nothing stops it before all samples are asked for."
    return ""
