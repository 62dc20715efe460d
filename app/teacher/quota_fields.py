"""How many samples a plan may draw for each topic: a small field a topic, two beside each other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QGridLayout, QLineEdit, QWidget

from app.widgets.fields import Field, integer_field
from app.widgets.labels import label

_COLUMNS = 3


class QuotaFields(QWidget):
    """Attributes: fields (by topic). Signals: edited()."""

    edited = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.fields: dict[str, Field] = {}
        self._note = label(tone="bad", size=12, wrap=True)
        self._note.hide()
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setHorizontalSpacing(14)
        self._grid.setVerticalSpacing(8)
        for column in range(_COLUMNS):
            self._grid.setColumnStretch(column, 1)
        self._cells: list[QWidget] = []

    def set_topics(self, topics: Sequence[str]) -> None:
        """A field for each of these and for each that is set; typed numbers stay."""
        kept = self.values()
        wanted = list(dict.fromkeys([*topics, *kept]))
        if wanted == list(self.fields):
            return
        for cell in self._cells:
            self._grid.removeWidget(cell)
            cell.hide()
            cell.deleteLater()
        self._grid.removeWidget(self._note)
        self.fields = {}
        self._cells = []
        for place, topic in enumerate(wanted):
            field = integer_field(f"quotas.{topic}", topic.replace("_", " "))
            if isinstance(field.editor, QLineEdit):
                field.editor.setPlaceholderText("no limit")
            if topic in kept:
                field.write(kept[topic])
            field.edited.connect(self.edited)
            self.fields[topic] = field
            cell = field.cell()
            self._cells.append(cell)
            self._grid.addWidget(cell, place // _COLUMNS, place % _COLUMNS)
        self._grid.addWidget(self._note, len(wanted) // _COLUMNS + 1, 0, 1, _COLUMNS)

    def values(self) -> dict[str, object]:
        """Topic -> what was typed; empty ones are left out."""
        return {topic: value for topic, field in self.fields.items() if (value := field.read()) != ""}

    def set_values(self, quotas: Mapping[str, object]) -> None:
        """Fill in these and clear the others; topics that have no field get one."""
        for field in self.fields.values():
            field.write("")
        self.set_topics([*self.fields, *quotas])
        for topic, most in quotas.items():
            self.fields[topic].write(most)

    def show_errors(self, errors: Mapping[str, str]) -> None:
        """Topic -> sentence; what belongs to none of them stands below all."""
        for topic, field in self.fields.items():
            field.show_error(errors.get(topic, ""))
        rest = next((text for topic, text in errors.items() if topic not in self.fields), "")
        self._note.setText(rest)
        self._note.setVisible(bool(rest))
