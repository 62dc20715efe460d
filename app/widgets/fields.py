"""One editor for one key of what a person configures, told apart only by how it reads and writes its value.

A field holds what was typed, also when it is wrong: judging is the business of whoever reads it. Its message stands
below it until it is right.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from PySide6.QtCore import SignalInstance
from PySide6.QtWidgets import QCheckBox, QComboBox, QLabel, QLineEdit, QVBoxLayout, QWidget

from app.widgets.calm_combo import CalmCombo
from app.widgets.labels import label
from core.numbers import number_text


@dataclass(frozen=True, slots=True)
class Field:
    """key: the name of the value, such as `optimizer.learning_rate`. edited: emitted when a person changed the value."""

    key: str
    caption: str
    editor: QWidget
    read: Callable[[], object]
    write: Callable[[object], None]
    edited: SignalInstance
    note: QLabel

    def show_error(self, text: str) -> None:
        """Say what is wrong below the editor; an empty text takes it away."""
        self.note.setText(text)
        self.note.setVisible(bool(text))
        if self.editor.property("invalid") != bool(text):
            self.editor.setProperty("invalid", bool(text))
            self.editor.style().unpolish(self.editor)
            self.editor.style().polish(self.editor)

    def cell(self) -> QWidget:
        """Caption, editor and message, one above the other."""
        box = QWidget()
        caption = label(self.caption, tone="dim", size=12)
        caption.setBuddy(self.editor)
        layout = QVBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(3)
        layout.addWidget(caption)
        layout.addWidget(self.editor)
        layout.addWidget(self.note)
        return box


def _field(key: str, caption: str, tip: str, editor: QWidget, rest: tuple[object, object, SignalInstance]) -> Field:
    editor.setAccessibleName(caption)
    editor.setToolTip(tip)
    editor.setObjectName(f"field-{key}")  # a page may give it a name of its own
    note = label(tone="bad", size=12, wrap=True)
    note.hide()
    read, write, edited = rest
    return Field(key, caption, editor, read, write, edited, note)  # type: ignore[arg-type]


def text_field(key: str, caption: str, tip: str = "") -> Field:
    """Free text."""
    line = QLineEdit()
    return _field(key, caption, tip, line, (line.text, lambda value: line.setText(str(value)), line.textEdited))


def number_field(key: str, caption: str, tip: str = "") -> Field:
    """A real number as people write it: 2e-4, 0.03. What cannot be read stays text, so that the check names it."""
    line = QLineEdit()

    def read() -> object:
        try:
            return float(line.text())
        except ValueError:
            return line.text()

    return _field(key, caption, tip, line, (read, lambda value: line.setText(_number(value)), line.textEdited))


def integer_field(key: str, caption: str, tip: str = "") -> Field:
    """A whole number. What is none stays text, so that the check names it."""
    line = QLineEdit()

    def read() -> object:
        try:
            return int(line.text().replace(",", "").replace("_", ""))
        except ValueError:
            return line.text()

    return _field(key, caption, tip, line, (read, lambda value: line.setText(str(value)), line.textEdited))


def amount_field(key: str, caption: str, tip: str = "") -> Field:
    """A number that stays whole when it was typed whole: 3, 0.5, 2e-4. What is none stays text, so that the check names it."""
    line = QLineEdit()

    def read() -> object:
        text = line.text().replace(",", "").replace("_", "").strip()
        for kind in (int, float):
            try:
                return kind(text)
            except ValueError:
                continue
        return line.text()

    return _field(key, caption, tip, line, (read, lambda value: line.setText(_number(value)), line.textEdited))


def _number(value: object) -> str:
    return number_text(value) if isinstance(value, float) else str(value)


def names_field(key: str, caption: str, tip: str = "", *, every: str) -> Field:
    """Names or whole numbers with commas between them, read as a list; the word `every`, or nothing, is read as that word."""
    line = QLineEdit()
    line.setPlaceholderText(every)

    def read() -> object:
        names = [name.strip() for name in line.text().split(",") if name.strip()]
        return every if names in ([], [every]) else [int(name) if name.isdecimal() else name for name in names]

    def write(value: object) -> None:
        line.setText(", ".join(map(str, value)) if isinstance(value, list) else str(value))

    return _field(key, caption, tip, line, (read, write, line.textEdited))


def choice_field(key: str, caption: str, choices: Sequence[tuple[object, str]], tip: str = "") -> Field:
    """One of several: (value in the file, what people read)."""
    box = CalmCombo()
    for value, text in choices:
        box.addItem(text, value)
    return _field(key, caption, tip, box, (box.currentData, lambda v: _choose(box, v), box.currentIndexChanged))


def _choose(box: QComboBox, value: object) -> None:
    position = box.findData(value)
    if position < 0:
        box.addItem(str(value), value)
        position = box.count() - 1
    box.setCurrentIndex(position)


def switch_field(key: str, caption: str, tip: str = "") -> Field:
    """Yes or no."""
    box = QCheckBox("Yes")
    return _field(key, caption, tip, box, (box.isChecked, lambda value: box.setChecked(bool(value)), box.toggled))
