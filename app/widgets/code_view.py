"""Go code as a reviewer wants to see it: line numbers, colours, no wrapping, no ligatures, complaints where they belong.

The same widget shows and edits. It knows nothing of samples; what is wrong comes in as `Mark`s.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QEvent, QPoint, QRect, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QHelpEvent,
    QKeyEvent,
    QPainter,
    QPaintEvent,
    QResizeEvent,
    QTextBlock,
    QTextCharFormat,
    QTextCursor,
    QTextFormat,
    QWheelEvent,
)
from PySide6.QtWidgets import QPlainTextEdit, QTextEdit, QToolTip, QWidget

from app import fonts
from app.theme import Theme, set_property
from app.widgets.go_syntax import Lexer, go_runs, utf16_length
from app.widgets.highlighter import Highlighter

_WORD = re.compile(r"\w+|.")
_FIT_LINES = 1_500
_NUMBER_PADDING = 10
_MARK_GAP = 28


@dataclass(frozen=True, slots=True)
class Mark:
    """A complaint about one place: line and column count from 1, the column in characters; column 0: the whole line."""

    line: int
    column: int
    text: str
    tone: str = "bad"


def utf16_column(line: str, column: int) -> int:
    """A column of ours (from 1, in characters) as Qt counts it (from 0, in UTF-16 units), never past the end of the line."""
    return utf16_length(line[: max(0, column - 1)])


class CodeView(QPlainTextEdit):
    """Code with a gutter.

    Signals: escaped, when Esc is pressed in an editable view.
    """

    escaped = Signal()

    def __init__(
        self,
        theme: Theme,
        *,
        name: str = "",
        accessible_name: str = "Code",
        editable: bool = False,
        fit: bool = False,
        lexer: Lexer = go_runs,
        parent: QWidget | None = None,
    ) -> None:
        """fit: be as tall as the code and leave scrolling to the parent."""
        super().__init__(parent)
        self._theme = theme
        self._marks: dict[int, list[Mark]] = {}
        self._fit = fit
        self.setObjectName(name)
        self.setAccessibleName(accessible_name)
        self.setProperty("kind", "code")
        self.setFont(fonts.code_font())
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.NoWrap)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.document().setDocumentMargin(4)
        self.setFrameShape(QPlainTextEdit.Shape.NoFrame)
        self._gutter = _Gutter(self)
        self._highlighter = Highlighter(self.document(), theme, lexer)
        self.set_editable(editable)
        if fit:
            self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.blockCountChanged.connect(self._on_block_count_changed)
        self.updateRequest.connect(self._on_update_request)
        theme.changed.connect(self._on_theme_changed)
        self._on_block_count_changed(1)

    def set_editable(self, editable: bool) -> None:
        """Type here, or read and select only. Tab indents in the first case and moves on in the second."""
        self.setReadOnly(not editable)
        self.setTabChangesFocus(not editable)
        self.setUndoRedoEnabled(editable)
        flags = Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        self.setTextInteractionFlags(Qt.TextInteractionFlag.TextEditorInteraction if editable else flags)
        set_property(self, "framed", editable)

    def set_lexer(self, lexer: Lexer) -> None:
        """Colour as another language."""
        self._highlighter.set_lexer(lexer)

    def set_code(self, code: str, marks: Sequence[Mark] = ()) -> None:
        """Show other code; the cursor goes to the top."""
        self.setPlainText(code)
        self._highlighter.restart()
        self.set_marks(marks)
        self._fit_height()

    def set_marks(self, marks: Sequence[Mark]) -> None:
        """Show these complaints and no others. One past the last line is shown on the last line."""
        self._marks = {}
        last = self.blockCount()
        for mark in marks:
            self._marks.setdefault(min(max(1, mark.line), last), []).append(mark)
        self._underline()
        self.viewport().update()
        self._gutter.update()

    @property
    def marks(self) -> list[Mark]:
        """The complaints on show, by line."""
        return [mark for line in sorted(self._marks) for mark in self._marks[line]]

    def go_to(self, mark: Mark) -> None:
        """Put the cursor where the complaint is and scroll it into view."""
        block = self.document().findBlockByNumber(min(mark.line, self.blockCount()) - 1)
        cursor = QTextCursor(block)
        cursor.setPosition(block.position() + min(utf16_column(block.text(), mark.column), block.length() - 1))
        self.setTextCursor(cursor)
        self.ensureCursorVisible()
        self.setFocus(Qt.FocusReason.OtherFocusReason)

    def line_rect(self, line: int) -> QRect:
        """Where a line (1-based) is drawn, in this widget's coordinates; for a parent that scrolls."""
        block = self.document().findBlockByNumber(line - 1)
        where = self.blockBoundingGeometry(block).translated(self.contentOffset())
        return where.toRect().translated(self.viewport().pos())

    def gutter_width(self) -> int:
        """Room for the highest line number."""
        digits = max(2, len(str(self.blockCount())))
        return digits * self.fontMetrics().horizontalAdvance("9") + 2 * _NUMBER_PADDING

    # --- marks -------------------------------------------------------------------------------------------------

    def _underline(self) -> None:
        tokens = self._theme.tokens
        selections = []
        for line, marks in self._marks.items():
            block = self.document().findBlockByNumber(line - 1)
            strong, soft = tokens.tone(marks[0].tone)
            whole = QTextEdit.ExtraSelection()
            whole.cursor = QTextCursor(block)
            whole.format = QTextCharFormat()
            whole.format.setBackground(QColor(soft))
            whole.format.setProperty(QTextFormat.Property.FullWidthSelection, True)
            selections.append(whole)
            for mark in marks:
                if mark.column < 1:
                    continue
                start = utf16_column(block.text(), mark.column)
                word = _WORD.match(block.text(), mark.column - 1)
                piece = QTextEdit.ExtraSelection()
                piece.cursor = QTextCursor(block)
                piece.cursor.setPosition(block.position() + min(start, block.length() - 1))
                length = utf16_length(word[0]) if word else 0
                piece.cursor.setPosition(
                    block.position() + min(start + length, block.length() - 1), QTextCursor.MoveMode.KeepAnchor
                )
                piece.format = QTextCharFormat()
                piece.format.setUnderlineStyle(QTextCharFormat.UnderlineStyle.WaveUnderline)
                piece.format.setUnderlineColor(QColor(strong))
                selections.append(piece)
        self.setExtraSelections(selections)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if not self._marks:
            return
        painter = QPainter(self.viewport())
        painter.setFont(fonts.ui_font(fonts.CAPTION_SIZE))
        for block, area in self._visible_blocks(event.rect()):
            marks = self._marks.get(block.blockNumber() + 1)
            if marks is None:
                continue
            strong, _ = self._theme.tokens.tone(marks[0].tone)
            painter.setPen(QColor(strong))
            layout = block.layout()
            width = round(layout.lineAt(0).naturalTextWidth()) if layout.lineCount() else 0
            left = area.left() + width + _MARK_GAP
            text = marks[0].text + (f"  (+{len(marks) - 1} more)" if len(marks) > 1 else "")
            room = QRect(left, area.top(), self.viewport().width() - left - 8, area.height())
            if room.width() > 40:
                shown = painter.fontMetrics().elidedText(text, Qt.TextElideMode.ElideRight, room.width())
                painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        painter.end()

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self._marks and isinstance(event, QHelpEvent):
            line = self.cursorForPosition(event.pos()).blockNumber() + 1
            text = "\n".join(mark.text for mark in self._marks.get(line, ()))
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    # --- layout ------------------------------------------------------------------------------------------------

    def _visible_blocks(self, area: QRect) -> list[tuple[QTextBlock, QRect]]:
        found = []
        block = self.firstVisibleBlock()
        offset = self.contentOffset()
        while block.isValid():
            where = self.blockBoundingGeometry(block).translated(offset).toRect()
            if where.top() > area.bottom():
                break
            if where.bottom() >= area.top():
                found.append((block, where))
            block = block.next()
        return found

    def paint_gutter(self, area: QRect) -> None:
        """Draw line numbers; a line with a complaint has its number in that colour and a dot before it."""
        tokens = self._theme.tokens
        painter = QPainter(self._gutter)
        painter.setFont(self.font())
        painter.fillRect(area, self.palette().color(self.backgroundRole()))
        painter.fillRect(area, QColor(tokens.surface))
        right = self._gutter.width() - _NUMBER_PADDING
        for block, where in self._visible_blocks(area):
            marks = self._marks.get(block.blockNumber() + 1)
            colour = QColor(tokens.tone(marks[0].tone)[0] if marks else tokens.faint)
            painter.setPen(colour)
            row = QRect(0, where.top(), right, where.height())
            painter.drawText(row, Qt.AlignmentFlag.AlignRight, str(block.blockNumber() + 1))
            if marks:
                painter.setBrush(colour)
                painter.setRenderHint(QPainter.RenderHint.Antialiasing)
                painter.drawEllipse(QPoint(4, where.center().y()), 2, 2)
        painter.end()

    def _on_block_count_changed(self, _count: int) -> None:
        self.setViewportMargins(self.gutter_width(), 0, 0, 0)
        self._fit_height()

    def _on_update_request(self, area: QRect, dy: int) -> None:
        if dy:
            self._gutter.scroll(0, dy)
        else:
            self._gutter.update(0, area.y(), self._gutter.width(), area.height())

    def _on_theme_changed(self) -> None:
        self._underline()
        self._gutter.update()

    def _fit_height(self) -> None:
        if not self._fit:
            return
        lines = min(self.blockCount(), _FIT_LINES)
        bar = self.horizontalScrollBar().sizeHint().height()
        frame = 2 * self.frameWidth()
        self.setFixedHeight(lines * self.fontMetrics().lineSpacing() + 8 + bar + frame)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        inside = self.contentsRect()
        self._gutter.setGeometry(inside.left(), inside.top(), self.gutter_width(), inside.height())

    def wheelEvent(self, event: QWheelEvent) -> None:
        sideways = abs(event.angleDelta().x()) > abs(event.angleDelta().y())
        if self._fit and not sideways and self.blockCount() <= _FIT_LINES:
            event.ignore()
            return
        super().wheelEvent(event)

    # --- typing ------------------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self.isReadOnly():
            super().keyPressEvent(event)
            return
        plain = event.modifiers() in (Qt.KeyboardModifier.NoModifier, Qt.KeyboardModifier.KeypadModifier)
        if event.key() == Qt.Key.Key_Escape:
            self.escaped.emit()
        elif event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain:
            self._new_line()
        else:
            super().keyPressEvent(event)

    def _new_line(self) -> None:
        """Break the line and keep its indentation, one deeper after an opening bracket."""
        cursor = self.textCursor()
        before = cursor.block().text()[: cursor.positionInBlock()]
        indent = before[: len(before) - len(before.lstrip())]
        deeper = "\t" if before.rstrip().endswith(("{", "(", "[")) else ""
        cursor.insertText("\n" + indent + deeper)
        self.setTextCursor(cursor)
        self.ensureCursorVisible()


class _Gutter(QWidget):
    """The strip of line numbers; the view does the drawing, because it knows where its lines are."""

    def __init__(self, view: CodeView) -> None:
        super().__init__(view)
        self._view = view

    def sizeHint(self) -> QSize:
        return QSize(self._view.gutter_width(), 0)

    def paintEvent(self, event: QPaintEvent) -> None:
        self._view.paint_gutter(event.rect())
