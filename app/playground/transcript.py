"""The conversation as it is read: turns with who speaks, prose, Go code in colour, and how an answer came to be; the last one grows.

While an answer streams, text is only appended, so that a frame costs the same after twenty thousand characters as after twenty. When another
branch is shown, what both have in common stays. Colours come from a highlighter that looks at one line at a time.
"""

from __future__ import annotations

import time
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QColor, QFont, QPainter, QPaintEvent, QSyntaxHighlighter, QTextCharFormat, QTextCursor
from PySide6.QtWidgets import QPlainTextEdit, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.go_syntax import go_runs
from app.widgets.highlighter import colours

IN_FENCE = 1
ROLE_MARK = "\u2063"
"""Invisible separator at the start of a line that names a speaker, so that no answer can look like one."""
FACTS_MARK = "\u2064"
"""The same for the line of facts below an answer."""
AT_ONCE = 60
"""Lines that are coloured on the spot; of more, the last are coloured first, a few milliseconds at a time."""
SLICE = 0.006
"""Seconds of colouring between two looks at the keyboard."""


@dataclass(frozen=True, slots=True)
class Turn:
    """id: the caller's. speaker: with the place among its branches. facts: "" while there are none."""

    id: str
    speaker: str
    text: str
    facts: str = ""


class Transcript(QPlainTextEdit):
    """Read-only; the keyboard moves through it, and the turn with the cursor is marked.

    Signals: turn_entered(id), when the cursor comes into another turn.
    """

    turn_entered = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._turns: list[Turn] = []
        self._starts: list[int] = []
        self._current = ""
        self.setObjectName("transcript")
        self.setAccessibleName("Conversation")
        self.setReadOnly(True)
        self.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        self.setTabChangesFocus(True)
        self.setProperty("kind", "code")
        self.setFont(fonts.code_font(13))
        self.setLineWrapMode(QPlainTextEdit.LineWrapMode.WidgetWidth)
        self.setTabStopDistance(4 * self.fontMetrics().horizontalAdvance(" "))
        self.setUndoRedoEnabled(False)
        self.document().setDocumentMargin(20)
        self._highlighter = _Highlighter(theme, self)
        theme.changed.connect(self._highlighter.retint)
        self.cursorPositionChanged.connect(self._on_cursor_moved)

    @property
    def current(self) -> str:
        """The id of the turn with the cursor, "" where there is none."""
        return self._current if any(turn.id == self._current for turn in self._turns) else ""

    def show_turns(self, turns: Sequence[Turn]) -> None:
        """Show exactly these; those at the beginning that stand there already are not touched. The last one has the cursor."""
        same = 0
        while same < min(len(turns), len(self._turns)) and turns[same] == self._turns[same]:
            same += 1
        if same == len(self._turns) - 1 and same < len(turns) and self._grown(turns[same]):
            same += 1
        if same == len(turns) == len(self._turns):
            return
        self._cut(same)
        self._begin(turns[same:])
        if turns:
            self.enter(turns[-1].id)
        else:
            self._note("")
        bar = self.verticalScrollBar()
        bar.setValue(bar.maximum())

    def append(self, text: str) -> None:
        """Go on with the last turn. Stays at the bottom if the reader was there."""
        if self._turns:
            last = self._turns[-1]
            self._turns[-1] = replace(last, text=last.text + text)
            self._write(_clean(text))

    def end(self, facts: str) -> None:
        """The last turn is over; this is how it came to be."""
        if self._turns and facts:
            self._turns[-1] = replace(self._turns[-1], facts=facts)
            self._write(f"\n{FACTS_MARK}{facts}")

    def enter(self, id: str) -> None:
        """Put the cursor into this turn, and show its beginning where it is out of sight."""
        for place, turn in enumerate(self._turns):
            if turn.id == id:
                self.setTextCursor(QTextCursor(self.document().findBlockByNumber(self._starts[place])))
                self._note(id)
                return

    def go_to_line(self, id: str, line: int) -> None:
        """Put the cursor on a line of a turn's text, from 1."""
        for place, turn in enumerate(self._turns):
            if turn.id == id:
                self.setTextCursor(QTextCursor(self.document().findBlockByNumber(self._starts[place] + line)))
                self.ensureCursorVisible()
                self.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def _grown(self, wanted: Turn) -> bool:
        """The last turn has only got its facts."""
        last = self._turns[-1]
        if last.facts or replace(wanted, facts="") != last:
            return False
        self.end(wanted.facts)
        return True

    def _cut(self, count: int) -> None:
        """Leave the first so many turns."""
        if count >= len(self._turns):
            return
        cursor = QTextCursor(self.document().findBlockByNumber(self._starts[count]))
        if count:
            cursor.movePosition(QTextCursor.MoveOperation.PreviousCharacter)
        cursor.movePosition(QTextCursor.MoveOperation.End, QTextCursor.MoveMode.KeepAnchor)
        cursor.removeSelectedText()
        del self._turns[count:], self._starts[count:]
        while count and not self.document().lastBlock().text() and self.document().blockCount() > 1:
            end = QTextCursor(self.document())
            end.movePosition(QTextCursor.MoveOperation.End)
            end.deletePreviousChar()

    def _begin(self, turns: Sequence[Turn]) -> None:
        """Write turns in one go; their colours follow where there are many lines."""
        parts: list[str] = []
        line = self.document().lastBlock().blockNumber()
        for turn in turns:
            facts = f"\n{FACTS_MARK}{turn.facts}" if turn.facts else ""
            gap = "\n\n" if self._turns else ""
            self._turns.append(turn)
            self._starts.append(line + len(gap))
            parts.append(f"{gap}{ROLE_MARK}{turn.speaker}\n{_clean(turn.text)}{facts}")
            line += parts[-1].count("\n")
        text = "".join(parts)
        with self._highlighter.patient(text.count("\n") > AT_ONCE):
            self._write(text)

    def _write(self, text: str) -> None:
        bar = self.verticalScrollBar()
        at_bottom = bar.value() >= bar.maximum() - 8
        cursor = QTextCursor(self.document())
        cursor.movePosition(QTextCursor.MoveOperation.End)
        cursor.insertText(text)
        if at_bottom:
            bar.setValue(bar.maximum())

    def _on_cursor_moved(self) -> None:
        place = bisect_right(self._starts, self.textCursor().blockNumber()) - 1
        if 0 <= place < len(self._turns):
            self._note(self._turns[place].id)

    def _note(self, id: str) -> None:
        if id != self._current:
            self._current = id
            self.viewport().update()
            self.turn_entered.emit(id)

    def paintEvent(self, event: QPaintEvent) -> None:
        """A bar at the left of the turn with the cursor."""
        super().paintEvent(event)
        place = next((place for place, turn in enumerate(self._turns) if turn.id == self._current), None)
        if place is None or len(self._turns) < 2:
            return
        last = self._starts[place + 1] - 2 if place + 1 < len(self._starts) else self.blockCount()
        block, offset, bottom = self.firstVisibleBlock(), self.contentOffset(), self.viewport().height()
        top = low = None
        while block.isValid() and block.blockNumber() <= last:  # blocks out of sight have no place yet
            area = self.blockBoundingGeometry(block).translated(offset)
            if area.top() > bottom:
                break
            if block.blockNumber() >= self._starts[place]:
                top, low = (area.top() if top is None else top), area.bottom()
            block = block.next()
        if top is not None and low is not None:
            painter = QPainter(self.viewport())
            painter.fillRect(8, round(top), 2, round(min(low, bottom) - top), QColor(self._theme.tokens.accent))
            painter.end()


def _clean(text: str) -> str:
    return text.replace(ROLE_MARK, "").replace(FACTS_MARK, "")


class _Highlighter(QSyntaxHighlighter):
    """Go inside ``` fences, names of speakers, facts, and nothing else."""

    def __init__(self, theme: Theme, editor: QPlainTextEdit) -> None:
        super().__init__(editor.document())
        self._theme = theme
        self._patient = False
        self._pending: list[int] = []
        self._timer = QTimer(self, singleShot=True, interval=0)
        self._timer.timeout.connect(self._go_on)
        self._formats: dict[str, QTextCharFormat] = {}
        self._make_formats()

    def retint(self) -> None:
        """Use the theme's colours from now on."""
        self._make_formats()
        self._pending.clear()
        with self.patient(self.document().blockCount() > AT_ONCE):
            self.rehighlight()

    @contextmanager
    def patient(self, many: bool) -> Iterator[None]:
        """With many lines inside, they are only read for where fences stand, and coloured afterwards."""
        self._patient = many
        try:
            yield
        finally:
            self._patient = False
            if self._pending:
                self._timer.start()

    def _go_on(self) -> None:
        end = time.monotonic() + SLICE
        while self._pending and time.monotonic() < end:
            block = self.document().findBlockByNumber(self._pending.pop())
            if block.isValid():
                self.rehighlightBlock(block)
        if self._pending:
            self._timer.start()

    def _make_formats(self) -> None:
        tokens = self._theme.tokens
        speaker = QTextCharFormat()
        speaker.setFontWeight(QFont.Weight.DemiBold)
        speaker.setForeground(QColor(tokens.accent))
        faint = QTextCharFormat()
        faint.setForeground(QColor(tokens.faint))
        self._formats = {"speaker": speaker, "fence": faint, "facts": faint}
        for kind, colour in colours(tokens).items():
            style = QTextCharFormat()
            style.setForeground(QColor(colour))
            self._formats[kind] = style

    def highlightBlock(self, text: str) -> None:
        inside = self.previousBlockState() == IN_FENCE
        if text.startswith(ROLE_MARK):
            self.setFormat(0, len(text), self._formats["speaker"])
            inside = False
        elif text.startswith(FACTS_MARK):
            self.setFormat(0, len(text), self._formats["facts"])
            inside = False
        elif text.lstrip().startswith("```"):
            self.setFormat(0, len(text), self._formats["fence"])
            inside = not inside
        elif inside and self._patient:
            self._pending.append(self.currentBlock().blockNumber())
        elif inside:
            for start, length, kind in next(go_runs(text)):
                self.setFormat(start, length, self._formats[kind])
        self.setCurrentBlockState(IN_FENCE if inside else 0)
