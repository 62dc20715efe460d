"""A teacher's plan as a form. It turns a plan into fields and back; what is wrong is said below the field it belongs to.

It knows no bounds of its own: `core.teacher.plan` judges. What it has no field for (other parameters of a request) it keeps as TOML.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFileDialog, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from app.teacher.quota_fields import QuotaFields
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.fields import Field, amount_field, choice_field, integer_field, text_field
from app.widgets.labels import label, section

OTHER = "parameters"
_ROWS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("", ("model", "base_url", "samples", "budget_usd")),
    ("Pace and limits", ("concurrency", "budget_tokens", "transport", "seed")),
    ("Each request", ("parameters.temperature", "parameters.max_tokens", OTHER)),
)
_EMPTY = {
    "budget_usd": "no limit", "budget_tokens": "no limit", "seed": "another each time", "parameters.temperature": "the endpoint's",
    "parameters.max_tokens": "the endpoint's", OTHER: "top_p = 0.9, …", "seeds.folder": "Go's own standard library",
}  # fmt: skip
"""Fields that may be left empty, and what that means."""


class PlanForm(QWidget):
    """Everything of a plan but its recipe. Signals: edited, whenever a person changed a value."""

    edited = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, Field] = {field.key: field for field in _fields()}
        for field in self.fields.values():
            field.edited.connect(self.edited)
            if field.key in _EMPTY and isinstance(field.editor, QLineEdit):
                field.editor.setPlaceholderText(_EMPTY[field.key])
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
        column.addLayout(self._grid(_ROWS[0][1]))
        column.addWidget(self._source_title)
        column.addWidget(self._folder)
        column.addWidget(self._query)
        for title, keys in _ROWS[1:]:
            column.addSpacing(4)
            column.addWidget(section(title))
            column.addLayout(self._grid(keys))
        column.addSpacing(4)
        column.addWidget(self._quota_title)
        column.addWidget(self._quota_note)
        column.addWidget(self.quotas)
        column.addStretch(1)
        self.set_source("none")

    def _grid(self, keys: Sequence[str]) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for place, key in enumerate(keys):
            span = 2 if key == OTHER else 1
            grid.addWidget(self.fields[key].cell(), place // 2, place % 2, 1, span, Qt.AlignmentFlag.AlignTop)
        return grid

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
        found: dict[str, Any] = {"parameters": {}, "seeds": {}}
        for key, field in self.fields.items():
            value = field.read()
            if key == OTHER:
                found["parameters"] = {**_inline(str(value)), **found["parameters"]}
                continue
            if value == "" and key in _EMPTY:
                if key.startswith("budget"):
                    found[key] = None
                continue
            section_, _, name = key.rpartition(".")
            (found[section_] if section_ else found)[name] = value
        return {**found, "quotas": self.quotas.values()}

    def set_values(self, plan: Mapping[str, Any]) -> None:
        """Fill the form from a plan's plain data."""
        parameters = dict(plan.get("parameters", {}))
        for key, field in self.fields.items():
            if key == OTHER:
                continue
            section_, _, name = key.rpartition(".")
            holder = parameters if section_ == "parameters" else plan.get(section_, {}) if section_ else plan
            value = holder.get(name)
            field.write("" if value is None else value)
        rest = {name: value for name, value in parameters.items() if f"parameters.{name}" not in self.fields}
        self.fields[OTHER].write(_outline(rest))
        self.quotas.set_values(plan.get("quotas", {}))

    def problems(self) -> dict[str, str]:
        """What the plan's own rules cannot know: other fields that are no TOML, parameters that are no numbers."""
        found = {}
        try:
            _parse(str(self.fields[OTHER].read()))
        except tomllib.TOMLDecodeError:
            found[OTHER] = 'Write it as in a TOML file: top_p = 0.9, stop = ["END"]'
        for key in ("parameters.temperature", "parameters.max_tokens"):
            if isinstance(value := self.fields[key].read(), str) and value:
                found[key] = "Must be a number, or empty."
        return found

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Say these beside their fields, and clear the others."""
        for key, field in self.fields.items():
            field.show_error(errors.get(key, ""))
        self.quotas.show_errors(
            {key.removeprefix("quotas."): text for key, text in errors.items() if key.startswith("quotas")}
        )

    def knows(self, key: str) -> bool:
        """Is there a field for this key?"""
        return key in self.fields or key.startswith("quotas")

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
    live = ("live", "At once"), ("batch", "As a batch (half the price, within a day)")
    return [
        text_field("model", "Model", "As the endpoint calls it"),
        text_field("base_url", "Endpoint", "Any OpenAI-compatible address. Keys do not belong here"),
        integer_field("samples", "Samples", "How many are drawn; what is refused or fails counts among them"),
        amount_field("budget_usd", "Budget in dollars", "Nothing more is sent when it is reached"),
        integer_field("concurrency", "Requests at a time", "The pace adapts to what the endpoint allows"),
        integer_field("budget_tokens", "Budget in tokens", "Read and written; nothing more is sent when it is reached"),
        choice_field("transport", "Transport", live, "A batch costs half and is done within a day"),
        integer_field("seed", "Seed", "The same seed draws the same samples"),
        amount_field("parameters.temperature", "Temperature", "1.0 is usual: samples shall differ"),
        integer_field(
            "parameters.max_tokens", "Longest answer (tokens)", "An answer that is cut off is a failed sample"
        ),
        text_field(OTHER, "Other fields of each request", "As in a TOML file, with commas between"),
        text_field(
            "seeds.folder", "Go source", "The folder that code is drawn from; empty for Go's own standard library"
        ),
        text_field("seeds.query", "Samples found by", "A search, as in the samples table"),
    ]


def _parse(text: str) -> dict[str, Any]:
    return dict(tomllib.loads(f"x = {{ {text.strip().rstrip(',')} }}")["x"]) if text.strip() else {}


def _inline(text: str) -> dict[str, Any]:
    try:
        return _parse(text)
    except tomllib.TOMLDecodeError:
        return {}


def _outline(values: Mapping[str, Any]) -> str:
    """What `_parse` reads: a line of TOML."""
    return ", ".join(
        f"{json.dumps(name) if not name.isidentifier() else name} = {_toml(value)}" for name, value in values.items()
    )


def _toml(value: Any) -> str:
    if isinstance(value, Mapping):
        return f"{{ {_outline(value)} }}"
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_toml, value))}]"
    return json.dumps(value, ensure_ascii=False)
