"""A unified diff in one read-only editor: both line numbers at the left, changed words stronger than changed lines."""

from __future__ import annotations

from PySide6.QtCore import QRect, Qt
from PySide6.QtGui import QColor, QPainter, QPaintEvent, QResizeEvent, QTextCharFormat, QTextCursor, QTextFormat
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.diffing import DiffLine, unified
from app.widgets.go_syntax import utf16_length

_SIGNS = {"added": "+", "removed": "−"}


class DiffView(QPlainTextEdit):
    """Shows what `show_diff` was given; "No changes yet." when both sides are equal."""

    def __init__(
        self, theme: Theme, *, name: str = "diffView", numbers: int = 2, parent: QWidget | None = None
    ) -> None:
        """numbers: columns of line numbers, 2 for old and new, 1 for one side alone."""
        super().__init__(parent)
        self._theme = theme
        self._numbers = numbers
        self._lines: list[DiffLine] = []
        self.setObjectName(name)
        self.setAccessibleName("Changes against the original")
        self.setProperty("kind", "code")
        self.setReadOnly(True)
        self.setTabChangesFocus(True)
        self.setFont(fonts.code_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setPlaceholderText("No changes yet.")
        self._gutter = _Gutter(self)
        self.updateRequest.connect(self._on_update_request)
        theme.changed.connect(self._paint_lines)

    @property
    def changed_lines(self) -> tuple[int, int]:
        """How many lines were added and removed."""
        added = sum(line.kind == "added" for line in self._lines)
        return added, sum(line.kind == "removed" for line in self._lines)

    def show_diff(self, before: str, after: str) -> None:
        """Compare two texts and show the result from the top."""
        self.show_lines(unified(before, after))

    def show_lines(self, lines: list[DiffLine]) -> None:
        """Show lines of a diff that was made elsewhere."""
        self._lines = lines
        self.setPlainText("\n".join(_shown(line) for line in self._lines))
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)
        self._paint_lines()

    def gutter_width(self) -> int:
        """Room for the line numbers and a sign."""
        highest = max((line.old or line.new or 0 for line in self._lines), default=0)
        digits = max(2, len(str(highest)))
        return (self._numbers * digits + 4) * self.fontMetrics().horizontalAdvance("9")

    def _paint_lines(self) -> None:
        tokens = self._theme.tokens
        backgrounds = {"added": tokens.added, "removed": tokens.removed, "gap": tokens.hover, "blank": tokens.hover}
        strong = {"added": tokens.added_strong, "removed": tokens.removed_strong}
        selections = []
        block = self.document().begin()
        for line in self._lines:
            if line.kind in backgrounds:
                whole = QTextEdit.ExtraSelection()
                whole.cursor = QTextCursor(block)
                whole.format = QTextCharFormat()
                whole.format.setBackground(QColor(backgrounds[line.kind]))
                whole.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
                if line.kind == "gap":
                    whole.format.setForeground(QColor(tokens.dim))
                selections.append(whole)
            for start, end in line.spans:
                piece = QTextEdit.ExtraSelection()
                piece.cursor = QTextCursor(block)
                piece.cursor.setPosition(block.position() + utf16_length(line.text[:start]))
                piece.cursor.setPosition(
                    block.position() + utf16_length(line.text[:end]), QTextCursor.MoveMode.KeepAnchor
                )
                piece.format = QTextCharFormat()
                piece.format.setBackground(QColor(strong[line.kind]))
                selections.append(piece)
            block = block.next()
        self.setExtraSelections(selections)
        self._gutter.update()

    def _on_update_request(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inside = self.contentsRect()
        self._gutter.setGeometry(inside.left(), inside.top(), self.gutter_width(), inside.height())

    def paint_gutter(self, area: QRect) -> None:
        """Draw old number, new number and sign of each visible line."""
        tokens = self._theme.tokens
        painter = QPainter(self._gutter)
        painter.setFont(self.font())
        painter.fillRect(area, QColor(tokens.surface))
        digit = self.fontMetrics().horizontalAdvance("9")
        column = (self._gutter.width() - 4 * digit) // self._numbers
        backgrounds = {"added": tokens.added, "removed": tokens.removed, "gap": tokens.hover, "blank": tokens.hover}
        signs = {"added": tokens.good, "removed": tokens.bad}
        block = self.firstVisibleBlock()
        while block.isValid() and block.blockNumber() < len(self._lines):
            where = self.blockBoundingGeometry(block).translated(self.contentOffset()).toRect()
            if where.top() > area.bottom():
                break
            line = self._lines[block.blockNumber()]
            if line.kind in backgrounds:
                painter.fillRect(0, where.top(), self._gutter.width(), where.height(), QColor(backgrounds[line.kind]))
            painter.setPen(QColor(tokens.dim))
            numbers = (line.old, line.new) if self._numbers == 2 else (line.old or line.new,)
            for place, number in enumerate(numbers):
                if number is not None:
                    cell = QRect(digit // 2 + place * (column + digit // 2), where.top(), column, where.height())
                    painter.drawText(cell, Qt.AlignmentFlag.AlignRight, str(number))
            painter.setPen(QColor(signs.get(line.kind, tokens.dim)))
            sign = QRect(self._gutter.width() - 2 * digit, where.top(), digit, where.height())
            painter.drawText(sign, Qt.AlignmentFlag.AlignCenter, _SIGNS.get(line.kind, ""))
            block = block.next()
        painter.end()


class _Gutter(QWidget):
    """Numbers and signs; the view does the drawing."""

    def __init__(self, view: DiffView) -> None:
        super().__init__(view)
        self._view = view

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_gutter(event.rect())


def _shown(line: DiffLine) -> str:
    if line.kind != "gap":
        return line.text
    return f"… {line.text} unchanged line{'s' if line.text != '1' else ''}"
