"""Where one checkpoint comes from, to be read and compared: data, model, code, machine, and the command that makes it again."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QGuiApplication, QTextOption
from PySide6.QtWidgets import (
    QFrame,
    QGridLayout,
    QHBoxLayout,
    QLabel,
    QPlainTextEdit,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from core.training.origin import Origin

_DIGITS = 12
_COMMAND_LINES = 4


class OriginPanel(QFrame):
    """Signals: copied(words), when the command was put into the clipboard."""

    copied = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self.setObjectName("originPanel")
        self._origin: Origin | None = None
        self._rows: list[tuple[QLabel, QLabel]] = []
        self._title = section("")
        self._grid = QGridLayout()
        self._grid.setHorizontalSpacing(24)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self._copy = Button("Copy", theme, icon="copy", name="copyCommand", tip="Copy the command")
        self._copy.setAccessibleName("Copy the command that makes this checkpoint again")
        self._copy.clicked.connect(self._on_copy)
        self._command = _command_field()
        self._caption = label("Command", tone="dim")
        line = QHBoxLayout()
        line.setSpacing(10)
        line.addWidget(self._caption)
        line.addStretch(1)
        line.addWidget(self._copy)
        column = QVBoxLayout(self)
        column.setContentsMargins(14, 10, 14, 12)
        column.setSpacing(6)
        column.addWidget(self._title)
        column.addLayout(self._grid)
        column.addLayout(line)
        column.addWidget(self._command)

    def show_origin(self, origin: Origin) -> None:
        """Tell of this checkpoint."""
        self._origin = origin
        self._title.setText(f"Where {origin.path.name} comes from")
        self.setAccessibleName(self._title.text())
        told = facts(origin)
        while len(self._rows) < len(told):
            row = (label(tone="dim"), _value())
            self._grid.addWidget(row[0], len(self._rows), 0, Qt.AlignmentFlag.AlignTop)
            self._grid.addWidget(row[1], len(self._rows), 1)
            self._rows.append(row)
        for place, (name, value) in enumerate(self._rows):
            name.setVisible(place < len(told))
            value.setVisible(place < len(told))
            if place < len(told):
                name.setText(told[place][0])
                value.setText(told[place][1])
                value.setToolTip(told[place][2])
        self._command.setPlainText(origin.command_line)
        for widget in (self._caption, self._copy, self._command):
            widget.setVisible(bool(origin.command))

    def _on_copy(self) -> None:
        if self._origin is not None:
            QGuiApplication.clipboard().setText(self._origin.command_line)
            self.copied.emit(f"The command of {self._origin.path.name} is in the clipboard.")


def facts(origin: Origin) -> list[tuple[str, str, str]]:
    """Name, value and the whole of a shortened value; what the checkpoint does not tell is left out."""
    validation = _number(origin.validation_loss)
    best = " (the best of those kept)" if origin.best else ""
    commit = origin.commit.removesuffix("+")
    changed = ", with changed files" if commit != origin.commit else ""
    told = [
        ("Step", f"{origin.step:,}", ""),
        ("Loss", _number(origin.loss), ""),
        ("Validation loss", f"{validation}{best}" if validation else "not measured", ""),
        ("Snapshot", _with_hash(origin.snapshot, origin.snapshot_hash), origin.snapshot_hash),
        ("Base", _with_hash(Path(origin.base).name, origin.base_hash), f"{origin.base}\n{origin.base_hash}"),
    ]
    if origin.start and origin.start != origin.base:
        name = "/".join(Path(origin.start).parts[-3:])
        told.append(("Went on from", _with_hash(name, origin.start_hash), f"{origin.start}\n{origin.start_hash}"))
    told += [
        ("Chat template", origin.template_hash[:_DIGITS], origin.template_hash),
        ("Gosmith", " · ".join(part for part in (origin.version, f"commit {commit}{changed}" if commit else "") if part), ""),
        ("Packages", " · ".join(f"{name} {version}" for name, version in origin.packages), ""),
        ("Hardware", origin.hardware, ""),
        ("Seed", "" if origin.seed is None else str(origin.seed), ""),
    ]  # fmt: skip
    return [(name, value, whole) for name, value, whole in told if value]


def _with_hash(name: str, digits: str) -> str:
    return " · ".join(part for part in (name, digits[:_DIGITS]) if part)


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4f}"


def _command_field() -> QPlainTextEdit:
    """No label: paths are longer than its lines and must be broken anywhere, without a character that would be copied."""
    made = QPlainTextEdit()
    made.setObjectName("originCommand")
    made.setAccessibleName("Command that makes this checkpoint again")
    made.setReadOnly(True)
    made.setTabChangesFocus(True)
    made.setProperty("kind", "code")
    made.setProperty("framed", True)
    made.setFont(fonts.code_font())
    made.setWordWrapMode(QTextOption.WrapMode.WrapAtWordBoundaryOrAnywhere)
    made.setFixedHeight(_COMMAND_LINES * made.fontMetrics().lineSpacing() + 20)
    return made


def _value() -> QLabel:
    made = label(wrap=True)
    made.setTextInteractionFlags(
        Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
    )
    made.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
    return made
