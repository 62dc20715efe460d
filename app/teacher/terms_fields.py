"""The fields of `core.teacher.terms.Terms`, which every plan has, and those that a plan has besides: turned into plain data and back.

It knows no bounds of its own: the plan's own rules judge. What it has no field for (other parameters of a request) it keeps as TOML. It lays
nothing out but rows of two; where they stand is the form's business.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit

from app.widgets.fields import Field, amount_field, choice_field, integer_field, text_field
from core.teacher.terms import DEFAULT_BUDGET_USD

OTHER = "parameters"
REQUEST = ("parameters.temperature", "parameters.max_tokens", OTHER)
"""Keys of what every request is given."""
_EMPTY = {
    "budget_usd": f"${DEFAULT_BUDGET_USD:g} if there is no other", "budget_tokens": "no limit", "parameters.temperature": "the endpoint's",
    "parameters.max_tokens": "the endpoint's", OTHER: "top_p = 0.9, …",
}  # fmt: skip


class TermsFields(QObject):
    """Attributes: fields (by key). Signals: edited(), whenever a person changed a value."""

    edited = Signal()

    def __init__(self, more: Sequence[Field], empty: Mapping[str, str], parent: QObject) -> None:
        """more: fields of the plan besides those of its terms. empty: which of them may be left empty, and what that means."""
        super().__init__(parent)
        self.fields: dict[str, Field] = {field.key: field for field in (*_fields(), *more)}
        self._empty = {**_EMPTY, **empty}
        for field in self.fields.values():
            field.edited.connect(self.edited)
            if field.key in self._empty and isinstance(field.editor, QLineEdit):
                field.editor.setPlaceholderText(self._empty[field.key])

    def grid(self, keys: Sequence[str]) -> QGridLayout:
        """These fields, two a row."""
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        for place, key in enumerate(keys):
            span = 2 if key == OTHER else 1
            grid.addWidget(self.fields[key].cell(), place // 2, place % 2, 1, span, Qt.AlignmentFlag.AlignTop)
        return grid

    def values(self) -> dict[str, Any]:
        """What stands in the fields, nested as in the file; wrong values as they were typed, empty ones left out."""
        found: dict[str, Any] = {"parameters": {}}
        for key, field in self.fields.items():
            value = field.read()
            if key == OTHER:
                found["parameters"] = {**_inline(str(value)), **found["parameters"]}
                continue
            if value == "" and key in self._empty:
                if key.startswith("budget"):
                    found[key] = None
                continue
            section, _, name = key.rpartition(".")
            (found.setdefault(section, {}) if section else found)[name] = value
        return found

    def set_values(self, plan: Mapping[str, Any]) -> None:
        """Fill the fields from a plan's plain data."""
        parameters = dict(plan.get("parameters", {}))
        for key, field in self.fields.items():
            if key == OTHER:
                continue
            section, _, name = key.rpartition(".")
            value = (plan.get(section, {}) if section else plan).get(name)
            field.write("" if value is None else value)
        rest = {name: value for name, value in parameters.items() if f"parameters.{name}" not in self.fields}
        self.fields[OTHER].write(_outline(rest))

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


def _fields() -> list[Field]:
    live = ("live", "At once"), ("batch", "As a batch (half the price, within a day)")
    return [
        text_field("model", "Model", "As the endpoint calls it"),
        text_field("base_url", "Endpoint", "Any OpenAI-compatible address. Keys do not belong here"),
        amount_field(
            "budget_usd",
            "Budget in dollars",
            "Nothing more is sent when it is reached; kept where the model has a price",
        ),
        integer_field("concurrency", "Requests at a time", "The pace adapts to what the endpoint allows"),
        integer_field("budget_tokens", "Budget in tokens", "Read and written; nothing more is sent when it is reached"),
        choice_field("transport", "Transport", live, "A batch costs half and is done within a day"),
        amount_field(
            "parameters.temperature", "Temperature", "0 says the same again and again, 1 is usual for writing"
        ),
        integer_field("parameters.max_tokens", "Longest answer (tokens)", "An answer that is cut off is a failed one"),
        text_field(OTHER, "Other fields of each request", "As in a TOML file, with commas between"),
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
