"""Where a sample of a teacher's comes from, in a line, and below it when it is opened: how it was drawn, what was asked and answered.

Closed at first, and for each person who wants it open it stays open from sample to sample. It is told all that it shows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtGui import QColor, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QHBoxLayout, QPlainTextEdit, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import ElidedLabel

if TYPE_CHECKING:
    from core.teacher.provenance import Provenance

_LOWEST, _SHARE = 140, 0.3


class OriginPanel(QWidget):
    """Attributes: header (opens and closes), text. Hidden for a sample that no teacher wrote."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._origin: Provenance | None = None
        self._shown: Provenance | None = None
        self.setObjectName("sampleOrigin")
        self.header = Button(
            "Teacher", theme, icon="caret-right", kind="link", name="sampleOriginOpen",
            tip="Where this sample comes from, and its conversation with the teacher",
        )  # fmt: skip
        self.header.clicked.connect(self._on_clicked)
        self._facts = ElidedLabel(tone="dim")
        self._facts.setObjectName("sampleOriginFacts")
        self.text = QPlainTextEdit()
        self.text.setObjectName("sampleConversation")
        self.text.setAccessibleName("Conversation with the teacher")
        self.text.setReadOnly(True)
        self.text.setProperty("kind", "code")
        self.text.setProperty("framed", True)
        self.text.setFont(fonts.code_font())
        self.text.setTabStopDistance(4 * self.text.fontMetrics().horizontalAdvance(" "))
        self.text.hide()
        line = QHBoxLayout()
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(4)
        line.addWidget(self.header)
        line.addWidget(self._facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(4)
        column.addLayout(line)
        column.addWidget(self.text)
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self.hide()
        theme.changed.connect(self._retint)

    def show_origin(self, origin: Provenance | None) -> None:
        """Tell of this one; None hides it."""
        self._origin = origin
        self.setVisible(origin is not None)
        if origin is None:
            return
        self._facts.setText(_line(origin))
        self._fill()

    def _on_clicked(self) -> None:
        opened = self.text.isHidden()
        self.text.setFixedHeight(max(_LOWEST, round(_SHARE * self.window().height())))
        self.text.setVisible(opened)
        self.header.set_icon("caret-down" if opened else "caret-right")
        self.header.setAccessibleDescription("open" if opened else "closed")
        self._fill()

    def _retint(self) -> None:
        self._shown = None
        self._fill()

    def _fill(self) -> None:
        """Written only when it is open, and once a sample: a conversation may be long."""
        origin = self._origin
        if origin is None or self.text.isHidden() or origin is self._shown:
            return
        self._shown = origin
        tokens = self._theme.tokens
        head, dim, plain = QTextCharFormat(), QTextCharFormat(), QTextCharFormat()
        head.setForeground(QColor(tokens.accent))
        dim.setForeground(QColor(tokens.dim))
        plain.setForeground(QColor(tokens.text))
        self.text.clear()
        cursor = self.text.textCursor()
        cursor.beginEditBlock()
        cursor.insertText("\n".join(_details(origin)), dim)
        for turn in origin.conversation:
            for message in turn.messages:
                cursor.insertText(f"\n\n{turn.stage}, {message.role}\n", head)
                cursor.insertText(message.content, plain)
            cost = "" if turn.cost_usd is None else f", ${turn.cost_usd:.4f}"
            used = f"{turn.usage.prompt:,} tokens read, {turn.usage.completion:,} written{cost}, {turn.seconds:.1f} s"
            cursor.insertText(f"\n\n{turn.stage}, {turn.model}", head)
            cursor.insertText(f"  {used}\n", dim)
            cursor.insertText(turn.answer or turn.refusal or "(nothing)", plain)
        cursor.endEditBlock()
        self.text.moveCursor(QTextCursor.MoveOperation.Start)


def _line(origin: Provenance) -> str:
    requests = f"{origin.requests} request{'s' if origin.requests != 1 else ''}"
    parts = [origin.recipe, requests]
    parts.append("price unknown" if origin.cost_usd is None else f"${origin.cost_usd:.4f}")
    if origin.reason:
        parts.append(f"{origin.result}: {origin.reason}")
    return " · ".join(parts)


def _details(origin: Provenance) -> list[str]:
    drawn = ", ".join(f"{axis} = {value}" for axis, value in origin.draw.items())
    given = ", ".join(f"{name} = {value}" for name, value in origin.parameters.items())
    found = [
        f"job       {origin.job}, sample {origin.number} of seed {origin.seed}"
        + (", mended" if origin.kind == "fix" else ""),
        f"recipe    {origin.recipe} {origin.recipe_version} ({origin.recipe_digest[:12]})",
        f"drawn     {drawn}" if drawn else "",
        f"from      {origin.origin}" if origin.origin else "",
        f"asked     {origin.asked_model} at {origin.base_url}" + (f" with {given}" if given else ""),
        f"agreed    {origin.agreement} tests" if origin.agreement else "",
        f"result    {origin.result} {origin.reason}".rstrip(),
    ]
    return [line for line in found if line]
