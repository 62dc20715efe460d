"""The settings of a run as a form: what matters first, the rest behind "More settings".

It turns a nested configuration into fields and back and marks the fields that a check complains of. It knows no
defaults of its own: they come from the configuration and its presets.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.fields import Field, choice_field, integer_field, number_field, switch_field, text_field
from app.widgets.labels import section

Values = dict[str, Any]


class RunForm(QWidget):
    """Edits everything of a run configuration but its base and its snapshot, which the dialog asks for.

    Signals: edited, whenever a person changed a value.
    """

    edited = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._budget = choice_field("budget.unit", "Train for", [("steps", "Steps"), ("epochs", "Epochs")])
        self._amount = integer_field("budget.steps", "How many", "Optimizer steps, or passes over the data.")
        self.fields: dict[str, Field] = {}
        basic = self._grid(
            [
                text_field("name", "Name", "How the run is called in lists."),
                choice_field("method.kind", "Method", [("lora", "LoRA adapter"), ("full", "Full fine-tuning")]),
                self._budget,
                self._amount,
                number_field("optimizer.learning_rate", "Learning rate", "LoRA 1e-4 to 3e-4, full 1e-5 to 5e-5."),
                integer_field("data.max_length", "Longest row (tokens)", "Longer rows are cut at the end."),
                integer_field("method.rank", "LoRA rank"),
                number_field("method.alpha", "LoRA alpha", "Scale of the adapter; one to two times the rank."),
                integer_field("batch.micro", "Rows at a time", "Micro-batch of one process."),
                integer_field("batch.accumulation", "Accumulate", "Micro-batches per optimizer step."),
            ]
        )
        self._more = self._grid(
            [
                choice_field(
                    "data.objective", "Objective", [("sft", "Answers only (sft)"), ("text", "All text (text)")]
                ),
                switch_field("data.packing", "Pack rows", "Several short rows in one, kept apart from each other."),
                number_field("method.dropout", "LoRA dropout"),
                choice_field(
                    "optimizer.schedule",
                    "Schedule",
                    [("cosine", "Cosine"), ("linear", "Linear"), ("constant", "Constant")],
                ),
                number_field("optimizer.warmup", "Warm-up", "Share of all steps."),
                number_field("optimizer.weight_decay", "Weight decay"),
                number_field("optimizer.clip", "Clip gradients at", "Largest norm; 1 is usual."),
                choice_field("precision.dtype", "Precision", [("bf16", "bf16"), ("fp16", "fp16"), ("fp32", "fp32")]),
                integer_field("parallel.processes", "Processes"),
                integer_field("checkpoints.every", "Save every (steps, 0: only the last)"),
                integer_field("checkpoints.keep", "Keep checkpoints"),
                integer_field("validation.every", "Validate every (steps, 0: never)"),
                integer_field("seed", "Seed"),
                choice_field(
                    "kernels", "Kernels", [("auto", "Where they help"), ("off", "Off"), ("on", "On, or fail")]
                ),
            ]
        )
        self._toggle = Button("More settings", theme, icon="caret-right", kind="quiet", name="moreSettings")
        self._toggle.clicked.connect(self._on_more_toggled)
        self._more.hide()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(10)
        layout.addWidget(section("Settings"))
        layout.addWidget(basic)
        layout.addWidget(self._toggle)
        layout.addWidget(self._more)
        layout.addStretch(1)

    def _grid(self, fields: list[Field]) -> QWidget:
        box = QWidget()
        grid = QGridLayout(box)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(12)
        grid.setVerticalSpacing(10)
        for place, field in enumerate(fields):
            self.fields[field.key] = field
            field.edited.connect(self._on_edited)
            grid.addWidget(field.cell(), place // 2, place % 2)
        grid.setColumnStretch(0, 1)
        grid.setColumnStretch(1, 1)
        return box

    def _on_edited(self) -> None:
        lora = self.fields["method.kind"].read() == "lora"
        for key in ("method.rank", "method.alpha", "method.dropout"):
            self.fields[key].editor.setEnabled(lora)
        self.edited.emit()

    def _on_more_toggled(self) -> None:
        self._more.setVisible(self._more.isHidden())
        self._toggle.set_icon("caret-right" if self._more.isHidden() else "caret-down")

    def values(self) -> Values:
        """What stands in the form, nested as in the file; wrong values as they were typed."""
        found: Values = {}
        for key, field in self.fields.items():
            if not key.startswith("budget."):
                _put(found, key, field.read())
        found["budget"] = {str(self._budget.read()): self._amount.read()}
        return found

    def set_values(self, values: Mapping[str, Any]) -> None:
        """Fill the form; keys it does not show are passed over."""
        self.blockSignals(True)
        budget = values.get("budget", {})
        unit = "epochs" if budget.get("epochs") is not None else "steps"
        for key, value in _flat(values):
            if key in self.fields and value is not None and not key.startswith("budget."):
                self.fields[key].write(value)
        if budget.get(unit) is not None:
            self._budget.write(unit)
            self._amount.write(round(budget[unit]))
        self.blockSignals(False)
        self._on_edited()

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Mark the fields of these keys with a sentence, clear the others, and open what hides a wrong one."""
        for key, field in self.fields.items():
            shown = errors.get(key, "")
            if key == "budget.steps":
                shown = next((text for name, text in errors.items() if name.startswith("budget")), "")
            field.show_error(shown)
            if shown and self._more.isAncestorOf(field.editor) and self._more.isHidden():
                self._on_more_toggled()


def _put(target: Values, key: str, value: object) -> None:
    *parents, last = key.split(".")
    for name in parents:
        target = target.setdefault(name, {})
    target[last] = value


def _flat(values: Mapping[str, Any], prefix: str = "") -> list[tuple[str, Any]]:
    flat: list[tuple[str, Any]] = []
    for name, value in values.items():
        if isinstance(value, Mapping):
            flat += _flat(value, f"{prefix}{name}.")
        else:
            flat.append((prefix + name, value))
    return flat
