"""A teacher's plan as a form. It turns a plan into fields and back; what is wrong is said below the field it belongs to.

It knows no bounds of its own: `core.teacher.plan` judges.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QVBoxLayout, QWidget

from app.teacher.quota_fields import QuotaFields
from app.teacher.terms_fields import REQUEST, TermsFields
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.fields import Field, integer_field, text_field
from app.widgets.labels import label, section
from core.errors import UserError

_FIRST = ("model", "base_url", "samples", "budget_usd")
_ROWS = (
    ("Pace and limits", ("concurrency", "budget_tokens", "transport", "seed")),
    ("Each request", REQUEST),
)
_EMPTY = {"seed": "another each time", "seeds.folder": "Go's own standard library"}


class PlanForm(QWidget):
    """Everything of a plan but its recipe. Signals: edited, whenever a person changed a value."""

    edited = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._terms = TermsFields(_fields(), _EMPTY, self)
        self._terms.edited.connect(self.edited)
        self.fields = self._terms.fields
        self.quotas = QuotaFields()
        self.quotas.edited.connect(self.edited)
        self._quota_title = section("At most, by topic")
        self._quota_note = label("Empty is no limit.", tone="dim", size=12)
        self._source_title = section("Starts from")
        browse = Button("Choose…", theme, name="seedsBrowse", tip="Choose a folder with Go source")
        browse.clicked.connect(self._on_browse)
        self._folder = QWidget()
        line = QHBoxLayout(self._folder)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self.fields["seeds.folder"].cell(), 1)
        line.addWidget(browse, 0, Qt.AlignmentFlag.AlignBottom)
        self._query = self.fields["seeds.query"].cell()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._terms.grid(_FIRST))
        column.addWidget(self._source_title)
        column.addWidget(self._folder)
        column.addWidget(self._query)
        for title, keys in _ROWS:
            column.addSpacing(4)
            column.addWidget(section(title))
            column.addLayout(self._terms.grid(keys))
        column.addSpacing(4)
        column.addWidget(self._quota_title)
        column.addWidget(self._quota_note)
        column.addWidget(self.quotas)
        column.addStretch(1)
        self.set_source("none")

    def set_source(self, source: str) -> None:
        """Show what belongs to a recipe that starts from nothing, from Go code, or from samples."""
        self._source_title.setVisible(source != "none")
        self._folder.setVisible(source in ("excerpt", "function"))
        self._query.setVisible(source == "sample")

    def set_topics(self, topics: Sequence[str]) -> None:
        """Offer quotas for these; those that are set already stay."""
        self.quotas.set_topics(topics)
        for widget in (self._quota_title, self._quota_note, self.quotas):
            widget.setVisible(bool(self.quotas.fields))

    def values(self) -> dict[str, Any]:
        """What stands in the form, nested as in the file; wrong values as they were typed, empty ones left out."""
        return {**self._terms.values(), "quotas": self.quotas.values()}

    def set_values(self, plan: Mapping[str, Any]) -> None:
        """Fill the form from a plan's plain data."""
        self._terms.set_values(plan)
        self.quotas.set_values(plan.get("quotas", {}))

    def problems(self) -> dict[str, str]:
        """What the plan's own rules cannot know."""
        return self._terms.problems()

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Say these beside their fields, and clear the others."""
        self._terms.show_errors(errors)
        self.quotas.show_errors(
            {key.removeprefix("quotas."): text for key, text in errors.items() if key.startswith("quotas")}
        )

    def blamed(self, error: UserError) -> str:
        """The key of the field that an error belongs to, "" for none."""
        key = str(error).split(maxsplit=1)[0]
        if key in self.fields or key.startswith("quotas"):
            return key
        return "seeds.query" if "nothing to start from" in str(error) else ""

    def caption(self, key: str) -> str:
        """What people read of a key."""
        field = self.fields.get(key) or self.quotas.fields.get(key.removeprefix("quotas."))
        return field.caption if field is not None else key

    def _on_browse(self) -> None:
        chosen = QFileDialog.getExistingDirectory(
            self, "A folder with Go source", str(self.fields["seeds.folder"].read())
        )
        if chosen:
            self.fields["seeds.folder"].write(chosen)
            self.edited.emit()


def _fields() -> list[Field]:
    return [
        integer_field("samples", "Samples", "How many are drawn; what is refused or fails counts among them"),
        integer_field("seed", "Seed", "The same seed draws the same samples"),
        text_field(
            "seeds.folder", "Go source", "The folder that code is drawn from; empty for Go's own standard library"
        ),
        text_field("seeds.query", "Samples found by", "A search, as in the samples table"),
    ]
