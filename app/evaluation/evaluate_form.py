"""How a model is asked and its answers are judged, as a form. It turns what was typed into plain values; `core.evaluation.asking` judges them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from app.evaluation import words
from app.widgets.calm_combo import CalmCombo
from app.widgets.fields import Field, amount_field, choice_field, integer_field, switch_field, text_field
from core.evaluation.asking import LONGEST, SAMPLING, range_of
from core.evaluation.judging import LIMITS
from core.inference.sampling import Sampling

_ASKED = (("chat", "As a chat, in its template"), ("continue", "Goes on from the signature"))
_NAMES = {
    "k": "evaluateK", "seconds": "evaluateSeconds", "samples": "evaluateSamples", "temperature": "evaluateTemperature", "top_p": "evaluateTopP",
    "top_k": "evaluateTopK", "min_p": "evaluateMinP", "max_tokens": "evaluateMaxTokens", "seed": "evaluateSeed", "asked": "evaluateAsked",
    "int8": "evaluateInt8",
}  # fmt: skip
_EMPTY = {
    "temperature": "0; 0.8 for several", "top_p": f"{Sampling().top_p:g}", "top_k": "0, off", "min_p": "0, off",
    "max_tokens": f"{LONGEST:,}", "seed": "another each time",
}  # fmt: skip
_JUDGED = ("k", "seconds")
_ROWS = (
    ("mode", *_JUDGED),
    ("samples", "asked", "temperature", "max_tokens"),
    ("top_p", "top_k", "min_p", "seed"),
    ("int8",),
)
_WIDE = {"mode": 2, "int8": 2}
_COLUMNS = 4
"""Of the grid; _WIDE: those that a value takes, if not one."""


class EvaluateForm(QWidget):
    """Attributes: fields, mode (the choice of a mode). Signals: edited(), whenever a person changed a value."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields = {field.key: field for field in _fields()}
        for key, field in self.fields.items():
            field.editor.setObjectName(_NAMES[key])
            field.edited.connect(self.edited)
        for key, text in _EMPTY.items():
            self.fields[key].editor.setPlaceholderText(text)  # type: ignore[attr-defined]  # all of them are lines
        self.mode_field = choice_field(
            "mode", "Mode", [], "Numbers of different modes are never held against one another"
        )
        assert isinstance(self.mode_field.editor, CalmCombo)
        self.mode: CalmCombo = self.mode_field.editor
        self.mode.setObjectName("evaluateMode")
        self.mode.currentIndexChanged.connect(lambda _place: self._on_mode())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        cells = {key: field.cell() for key, field in {**self.fields, "mode": self.mode_field}.items()}
        self._asking = [cell for key, cell in cells.items() if key not in ("mode", *_JUDGED)]
        column.addLayout(_grid([[(cells[key], _WIDE.get(key, 1)) for key in row] for row in _ROWS]))
        self.set_values({"k": "1", "samples": 1, "seconds": LIMITS.seconds, "asked": "chat"})

    def set_asking(self, shown: bool) -> None:
        """Is there a model to be asked? Else only what is about judging is shown."""
        for cell in self._asking:
            cell.setVisible(shown)

    def set_modes(self, modes: Sequence[str]) -> None:
        """Offer those that the suite has; the chosen one stays if it is among them."""
        before = self.mode.currentData()
        self.mode.blockSignals(True)
        self.mode.clear()
        for mode in modes:
            self.mode.addItem(words.MODES[mode], mode)
        self.mode.setCurrentIndex(max(0, self.mode.findData(before)) if modes else -1)
        self.mode.blockSignals(False)
        self._on_mode()

    def set_values(self, values: Mapping[str, object]) -> None:
        """Fill in these; what is not named stays."""
        for key, value in values.items():
            if key == "mode":
                self.mode.setCurrentIndex(self.mode.findData(value))
            elif key in self.fields:
                self.fields[key].write("" if value is None else value)

    def values(self) -> dict[str, object]:
        """What stands in the form; wrong values as they were typed."""
        return {key: field.read() for key, field in self.fields.items()}

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Say these below their fields, and clear the others."""
        for key, field in self.fields.items():
            field.show_error(errors.get(key, ""))

    def _on_mode(self) -> None:
        """In the mode `paper` every model goes on from the signature."""
        self.fields["asked"].editor.setEnabled(self.mode.currentData() != "paper")
        self.edited.emit()


def _fields() -> list[Field]:
    tips = {key: f"Allowed: {range_of(key)}. Empty for the usual." for key in SAMPLING}
    return [
        text_field("k", "Which pass@k", "Whole numbers with commas between them, such as 1,10"),
        amount_field(
            "seconds", "Seconds for one to run", "The longest that one answer may run; what runs longer has failed"
        ),
        integer_field("samples", "Samples of each problem", "How often each problem is answered"),
        choice_field("asked", "Asked", _ASKED, "Bases that were not taught to chat go on from the signature"),
        amount_field("temperature", "Temperature", tips["temperature"]),
        integer_field("max_tokens", "Longest answer (tokens)", tips["max_tokens"]),
        amount_field("top_p", "Top-p", tips["top_p"]),
        integer_field("top_k", "Top-k", tips["top_k"]),
        amount_field("min_p", "Min-p", tips["min_p"]),
        integer_field("seed", "Seed", tips["seed"]),
        switch_field("int8", "Weights in 8 bits", "Half the memory, a little less exact"),
    ]


def _grid(rows: Sequence[Sequence[tuple[QWidget, int]]]) -> QGridLayout:
    """Cells with the columns that each takes."""
    grid = QGridLayout()
    grid.setHorizontalSpacing(14)
    grid.setVerticalSpacing(8)
    for place, row in enumerate(rows):
        column = 0
        for cell, columns in row:
            grid.addWidget(cell, place, column, 1, columns, Qt.AlignmentFlag.AlignTop)
            column += columns
    for column in range(_COLUMNS):
        grid.setColumnStretch(column, 1)
    return grid
