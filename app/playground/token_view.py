"""Text whose tokens have the colour of their likelihood: a heat map of a file, or of an answer while one reads it.

Only what is on the screen is painted, behind the text, so twenty thousand characters scroll as quickly as twenty. Colours lie on whole
characters (`core.inference.stretches`). While text is coloured, the colours of the Go syntax are off: both together can be read by nobody.
"""

from __future__ import annotations

from PySide6.QtCore import QEvent, QRect, Signal
from PySide6.QtGui import QColor, QHelpEvent, QPainter, QPaintEvent, QResizeEvent, QTextBlock, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QToolTip, QWidget

from app.playground import token_colours
from app.playground.token_heat import Heat
from app.theme import Theme
from app.widgets.code_view import CodeView
from app.widgets.go_syntax import Lexer, go_runs
from app.widgets.plain_syntax import plain_runs


class TokenView(CodeView):
    """Attributes: heat, None while nothing is coloured. Signals: pointed(str), what is known of the token under the cursor, "" for none."""

    pointed = Signal(str)

    def __init__(
        self,
        theme: Theme,
        *,
        name: str,
        accessible_name: str,
        lexer: Lexer = go_runs,
        editable: bool = False,
        wrap: bool = False,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(
            theme, name=name, accessible_name=accessible_name, editable=editable, lexer=lexer, parent=parent
        )
        self.heat: Heat | None = None
        self._lexer = lexer
        self._boxes: dict[int, list[tuple[QRect, int]]] = {}
        self._colours: dict[int, QColor] = {}
        if wrap:
            self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.cursorPositionChanged.connect(self._on_cursor_moved)
        self.document().contentsChange.connect(self._on_contents_change)
        theme.changed.connect(self._mix)
        self._mix()

    def append(self, text: str) -> None:
        """Go on at the end, and stay there if the reader was there."""
        bar = self.verticalScrollBar()
        at_bottom = bar.value() >= bar.maximum() - 2
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if at_bottom:
            bar.setValue(bar.maximum())

    def show_heat(self, heat: Heat | None) -> None:
        """Colour the text that stands here, or none of it; heat of another text is passed over."""
        if heat is not None and heat.text != self.toPlainText():
            return
        coloured = self.heat is not None
        self.heat = heat
        self._boxes = {}
        if coloured != (heat is not None):
            self.set_lexer(self._lexer if heat is None else plain_runs)
        self.viewport().update()
        self._on_cursor_moved()

    def told(self, position: int) -> str:
        """What is known of the token at a place of the document, in words; "" where nothing is."""
        block = self.document().findBlock(position)
        return "" if self.heat is None else self.heat.told(block.blockNumber(), position - block.position())

    def go_to_line(self, number: int) -> None:
        """Put the cursor into a line, from 1, and the line in the middle."""
        self.setTextCursor(QTextCursor(self.document().findBlockByNumber(number - 1)))
        self.centerCursor()
        self.setFocus()

    def paintEvent(self, event: QPaintEvent) -> None:
        if self.heat is not None:
            painter = QPainter(self.viewport())
            for block, area in self._visible_blocks(event.rect()):
                number = block.blockNumber()
                if number < len(self.heat.grounds) and self.heat.grounds[number]:
                    boxes = self._boxes.get(number) or self._boxes.setdefault(number, self._measured(block))
                    for box, level in boxes:
                        painter.fillRect(box.translated(area.left(), area.top()), self._colours[level])
            painter.end()
        super().paintEvent(event)

    def _measured(self, block: QTextBlock) -> list[tuple[QRect, int]]:
        """What is filled behind a line, from its top left corner on. A line's end is two pixels wide."""
        assert self.heat is not None
        layout = block.layout()
        found = []
        for line in (layout.lineAt(number) for number in range(layout.lineCount())):
            first, last = line.textStart(), line.textStart() + line.textLength()
            for start, end, level in self.heat.grounds[block.blockNumber()]:
                if (start < last and first < end) or start == end == last:
                    left = round(_edge(line.cursorToX(max(start, first))))
                    right = round(_edge(line.cursorToX(min(end, last))))
                    found.append((QRect(left, round(line.y()), max(2, right - left), round(line.height())), level))
        return found

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._boxes = {}

    def viewportEvent(self, event: QEvent) -> bool:
        if event.type() == QEvent.Type.ToolTip and self.heat is not None and isinstance(event, QHelpEvent):
            text = self.told(self.cursorForPosition(event.pos()).position())
            QToolTip.showText(event.globalPos(), text, self) if text else QToolTip.hideText()
            return True
        return super().viewportEvent(event)

    def _on_cursor_moved(self) -> None:
        self.pointed.emit(self.told(self.textCursor().position()) if self.heat is not None else "")

    def _on_contents_change(self, _position: int, _removed: int, _added: int) -> None:
        """Another text has other tokens; colours of the syntax are said to be a change as well."""
        if self.heat is not None and self.toPlainText() != self.heat.text:
            self.show_heat(None)

    def _mix(self) -> None:
        most = len(token_colours.SHADES) - 1
        mixed = {at: token_colours.colour(self._theme.tokens, at) for at in range(-most, most + 1)}
        self._colours = {at: QColor(one) for at, one in mixed.items() if one is not None}
        self.viewport().update()


def _edge(found: object) -> float:
    """PySide gives cursorToX with the place it took for the cursor."""
    return float(found[0] if isinstance(found, tuple) else found)  # type: ignore[arg-type]
