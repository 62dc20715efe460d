"""A judge's plan as a form. It turns a plan into fields and back; what is wrong is said below the field it belongs to.

It knows no bounds of its own: `core.teacher.judging.plan` judges.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.teacher.rubric_picker import RubricPicker
from app.teacher.terms_fields import REQUEST, TermsFields
from app.widgets.fields import Field, integer_field, switch_field, text_field
from app.widgets.labels import label, section
from core.errors import UserError
from core.samples.language import parse

_ROWS = (
    ("", ("model", "base_url", "budget_usd", "budget_tokens")),
    ("Pace", ("concurrency", "transport")),
    ("Each request", REQUEST),
)


class JudgeForm(QWidget):
    """Everything of a judge's plan. Attributes: fields, picker (of rubrics). Signals: edited, whenever a person changed a value."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._terms = TermsFields(_fields(), {"most": "no limit"}, self)
        self._terms.edited.connect(self.edited)
        self.fields = self._terms.fields
        self.fields["query"].editor.setObjectName("judgeQuery")
        self.fields["model"].editor.setObjectName("judgeModel")
        self.picker = RubricPicker()
        self.picker.chosen.connect(lambda _name: self.edited.emit())
        self._found = label(tone="dim", size=12, wrap=True, name="judgeFound")
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self.fields["query"].cell())
        column.addWidget(self._found)
        column.addLayout(self._terms.grid(("most", "again")))
        column.addWidget(self.picker)
        for title, keys in _ROWS:
            column.addSpacing(4)
            if title:
                column.addWidget(section(title))
            column.addLayout(self._terms.grid(keys))
        column.addStretch(1)

    def say_found(self, text: str) -> None:
        """Say below the search what it finds."""
        self._found.setText(text)
        self._found.setVisible(bool(text))

    def values(self) -> dict[str, Any]:
        """What stands in the form, as in the file; wrong values as they were typed, empty ones left out."""
        return {**self._terms.values(), "rubric": self.picker.choice.name}

    def set_values(self, plan: Mapping[str, Any]) -> None:
        """Fill the form from a plan's plain data, but for its rubric: `picker.choice.choose` does that."""
        self._terms.set_values(plan)

    def problems(self) -> dict[str, str]:
        """What the plan's own rules cannot know: a search that is none, among other things."""
        found = self._terms.problems()
        try:
            parse(str(self.fields["query"].read()))
        except UserError as error:
            found["query"] = str(error)
        return found

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Say these beside their fields, and clear the others."""
        self._terms.show_errors(errors)

    def caption(self, key: str) -> str:
        """What people read of a key."""
        if key == "rubric":
            return "Rubric"
        return self.fields[key].caption if key in self.fields else key

    def blamed(self, error: UserError) -> str:
        """The key of the field that an error belongs to, "" for none."""
        key = str(error).split(maxsplit=1)[0]
        if key in self.fields:
            return key
        return "query" if f"“{self.fields['query'].read()}”" in str(error) else ""


def _fields() -> list[Field]:
    return [
        text_field("query", "Samples found by", "A search, as in the samples table; empty for all samples"),
        integer_field("most", "At most", "The first that come in the order of the search"),
        switch_field(
            "again",
            "Also those already judged",
            "By this model and this rubric; else they are left out, and cost nothing",
        ),
    ]
