"""What a run was asked to do, key by key, and the checkpoints it saved, each one click from being tried."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QScrollArea, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel, label, section


class DetailsView(QScrollArea):
    """Settings and checkpoints of one run.

    Signals: checkpoint_chosen(path), when the user wants to try a checkpoint.
    """

    checkpoint_chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[object, ...] = ()
        self.setWidgetResizable(True)
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setAccessibleName("Settings and checkpoints")

    def show_run(self, request: dict[str, Any], checkpoints: Sequence[Path]) -> None:
        """Show these; nothing happens when they are shown already."""
        config = request.get("config", {})
        shown = (repr(config), tuple(checkpoints))
        if shown == self._shown:
            return
        self._shown = shown
        body = QWidget()
        body.setProperty("kind", "page")
        layout = QVBoxLayout(body)
        layout.setContentsMargins(0, 4, 12, 4)
        layout.setSpacing(8)
        layout.addWidget(section("Checkpoints"))
        if not checkpoints:
            layout.addWidget(label("None saved yet.", tone="dim"))
        for path in checkpoints:
            layout.addLayout(self._checkpoint_row(path))
        layout.addSpacing(8)
        layout.addWidget(section("Settings"))
        layout.addLayout(_settings_grid(config))
        layout.addStretch(1)
        self.setWidget(body)

    def _checkpoint_row(self, path: Path) -> QHBoxLayout:
        row = QHBoxLayout()
        row.addWidget(label(path.name))
        where = ElidedLabel(str(path), tone="faint")
        where.setToolTip(str(path))
        row.addWidget(where, 1)
        button = Button("Try in playground", self._theme, kind="link", name=f"try-{path.name}")
        button.setAccessibleName(f"Try {path.name} in the playground")
        button.clicked.connect(lambda _checked=False, chosen=str(path): self.checkpoint_chosen.emit(chosen))
        row.addWidget(button)
        return row


def _settings_grid(config: dict[str, Any]) -> QGridLayout:
    grid = QGridLayout()
    grid.setHorizontalSpacing(24)
    grid.setVerticalSpacing(4)
    flat = [(name, value) for name, value in config.items() if not isinstance(value, dict)]
    for name, inner in config.items():
        if isinstance(inner, dict):
            flat += [(f"{name}.{key}", value) for key, value in inner.items()]
    for row, (key, value) in enumerate(flat):
        grid.addWidget(label(key, tone="dim"), row, 0)
        shown = label(str(value))
        shown.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        grid.addWidget(shown, row, 1)
    grid.setColumnStretch(1, 1)
    return grid
