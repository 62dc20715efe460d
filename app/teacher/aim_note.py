"""What a plan aims at besides its fields: the evaluation whose failures it answers, and how often the values of an axis are drawn.

They come from an evaluation or a file, not from typing; here they are read, and dropped with one press.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label


class AimNote(QWidget):
    """Hidden while there is nothing to say. Attributes: drop (its button). Signals: edited(), when it was dropped."""

    edited = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._evaluation = ""
        self._shares: Mapping[str, Mapping[str, float]] = {}
        self._axes: Sequence[str] | None = None
        self._text = label(tone="dim", size=12, wrap=True, name="planAim")
        self.drop = Button("Drop", theme, kind="quiet", name="planAimDrop", tip="Answer no evaluation, draw evenly")
        self.drop.clicked.connect(self._on_drop)
        line = QHBoxLayout(self)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(8)
        line.addWidget(self._text, 1)
        line.addWidget(self.drop)
        self._show()

    @property
    def text(self) -> str:
        """What it says, "" for nothing."""
        return self._text.text()

    def set_values(self, plan: Mapping[str, Any]) -> None:
        """Take over what a plan's plain data says."""
        self._evaluation = str(plan.get("evaluation", ""))
        self._shares = plan.get("shares", {})
        self._show()

    def set_axes(self, axes: Sequence[str]) -> None:
        """The axes of the chosen recipe: shares of others are set aside until a recipe has them."""
        self._axes = axes
        self._show()

    def values(self) -> dict[str, Any]:
        """The plan's part of it."""
        shares = {axis: dict(weights) for axis, weights in self._shares.items() if self._has(axis)}
        return {"evaluation": self._evaluation, "shares": shares}

    def _has(self, axis: str) -> bool:
        return self._axes is None or axis in self._axes

    def _show(self) -> None:
        parts = [f"Answers what failed in {self._evaluation}."] if self._evaluation else []
        for axis, weights in self._shares.items():
            if self._has(axis):
                whole = sum(weights.values()) or 1.0
                drawn = ", ".join(f"{value} {100 * weight / whole:.0f} %" for value, weight in weights.items())
                parts.append(f"Draws {axis}: {drawn}.")
            else:
                parts.append(f"This recipe has no {axis} to steer.")
        self._text.setText(" ".join(parts))
        self.setVisible(bool(parts))

    def _on_drop(self) -> None:
        self._evaluation, self._shares = "", {}
        self._show()
        self.edited.emit()
