"""What a plan will take, and three of its prompts as they would be sent: the right half of the plan dialog."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from app.teacher import words
from app.teacher.examples_view import ExamplesView
from app.theme import Theme, set_property
from app.widgets.labels import label, section
from core.teacher.forecast import Forecast
from core.teacher.plan import TeacherPlan

ROWS = (("samples", "Samples"), ("requests", "Requests"), ("tokens", "Tokens"), ("cost", "Cost"))


class PlanSide(QWidget):
    """Shows what it is given; it computes and asks nothing."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        names = {"cost": "teacherCost"}
        self.values = {key: label(wrap=True, name=names.get(key, f"plan-{key}")) for key, _ in ROWS}
        self._sentence = label(tone="dim", size=12, wrap=True, name="forecastSentence")
        self._warning = label(tone="warn", size=12, wrap=True, name="forecastWarning")
        card = QFrame()
        card.setProperty("kind", "card")
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (key, caption) in enumerate(ROWS):
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

    def show_forecast(self, found: Forecast, plan: TeacherPlan) -> None:
        """Show this one."""
        self.values["samples"].setText(f"{found.samples:,}" + (f" of {plan.samples:,}: quotas allow no more" if found.samples < plan.samples else ""))  # fmt: skip
        self.values["requests"].setText(f"About {found.requests:,}")
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
        self.examples.show_examples(found.examples)


def _warning(found: Forecast, plan: TeacherPlan, cost: float | None) -> str:
    if cost is not None and plan.budget_usd is not None and cost > plan.budget_usd:
        return f"The budget is reached after about {words.samples(int(found.samples * plan.budget_usd / cost))}."
    total = found.prompt_tokens + found.completion_tokens
    if plan.budget_tokens is not None and total > plan.budget_tokens:
        return f"The budget is reached after about {words.samples(int(found.samples * plan.budget_tokens / total))}."
    if plan.budget_usd is None and plan.budget_tokens is None:
        return "Without a budget nothing stops it before all samples are asked for."
    return ""
