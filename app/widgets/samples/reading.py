"""A sample to read: prompt, prose, code with its complaints, test, from top to bottom in one scroll.

Text is shown as it is written, never rendered: a reviewer must see what the student would learn. Widgets are kept and filled again,
so that going to the next sample costs a few milliseconds.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from app import fonts
from app.theme import Theme
from app.widgets.code_view import CodeView, Mark
from app.widgets.go_syntax import go_runs
from app.widgets.labels import label
from app.widgets.plain_syntax import plain_runs
from app.widgets.samples.segments import Segment, segments
from core.golang.checker import Diagnostic
from core.samples.store import Sample

_LONGEST_TEXT = 20_000
_GO = ("go", "golang", "")


def marks_of(diagnostics: Sequence[Diagnostic]) -> list[Mark]:
    """Complaints with a line, for the code."""
    return [
        Mark(one.line, one.column, f"{one.check}: {one.message.splitlines()[0] if one.message else ''}", "bad")
        for one in diagnostics
        if one.line > 0
    ]


class SampleView(QScrollArea):
    """Attributes: code (objectName sampleCode), test (sampleTest); hidden when the sample has none."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._texts: list[QLabel] = []
        self._captions: list[QLabel] = []
        self._blocks: list[CodeView] = []
        self.code = CodeView(theme, name="sampleCode", accessible_name="Code", fit=True)
        self.test = CodeView(theme, name="sampleTest", accessible_name="Test", fit=True)
        self.setProperty("kind", "surface")
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setAccessibleName("Sample")
        self.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._inside = QWidget()
        self._inside.setProperty("kind", "surface")
        self._inside.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._column = QVBoxLayout(self._inside)
        self._column.setContentsMargins(16, 4, 16, 16)
        self._column.setSpacing(6)
        self.setWidget(self._inside)

    def show_sample(self, sample: Sample, *, keep_place: bool = False) -> None:
        """Fill the view. keep_place: it is the same sample as before, so stay where the reader is."""
        self.show_segments(segments(sample), marks_of(sample.diagnostics), keep_place=keep_place)

    def show_segments(self, parts: Sequence[Segment], marks: Sequence[Mark] = (), *, keep_place: bool = False) -> None:
        """Fill the view with these; the marks belong to the code."""
        place = self.verticalScrollBar().value() if keep_place else 0
        self.setUpdatesEnabled(False)
        while (item := self._column.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
        texts, captions, blocks = iter(list(self._texts)), iter(list(self._captions)), iter(list(self._blocks))
        for segment in parts:
            if segment.caption:
                caption = next(captions, None) or self._new_caption()
                caption.setText(segment.caption)
                self._add(caption)
            if segment.kind == "text":
                text = next(texts, None) or self._new_text()
                text.setText(_shortened(segment.text))
                self._add(text)
            else:
                self._add(self._code_view(segment, marks, blocks))
        self._column.addStretch(1)
        self.setUpdatesEnabled(True)
        self.verticalScrollBar().setValue(place)

    def go_to(self, mark: Mark) -> None:
        """Scroll to a complaint in the code and put the cursor there."""
        self.code.go_to(mark)
        where = self.code.line_rect(mark.line)
        self.ensureVisible(0, self.code.y() + where.center().y(), 0, 80)

    def _code_view(self, segment: Segment, marks: Sequence[Mark], spare: Iterator[CodeView]) -> CodeView:
        if segment.kind == "code":
            self.code.set_code(segment.text, marks)
            return self.code
        if segment.kind == "test":
            self.test.set_code(segment.text)
            return self.test
        view = next(spare, None) or self._new_block()
        view.setAccessibleName(f"{segment.caption} block")
        view.set_lexer(go_runs if segment.language in _GO else plain_runs)
        view.set_code(segment.text)
        return view

    def _add(self, widget: QWidget) -> None:
        self._column.addWidget(widget)
        widget.show()

    def _new_caption(self) -> QLabel:
        caption = label(tone="faint", size=fonts.CAPTION_SIZE)
        self._captions.append(caption)
        return caption

    def _new_text(self) -> QLabel:
        text = label(wrap=True)
        text.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        text.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        text.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Minimum)
        self._texts.append(text)
        return text

    def _new_block(self) -> CodeView:
        view = CodeView(self._theme, accessible_name="Block", fit=True)
        self._blocks.append(view)
        return view


def _shortened(text: str) -> str:
    """A label lays its whole text out at once; beyond this a prompt is a pasted file."""
    if len(text) <= _LONGEST_TEXT:
        return text
    return f"{text[:_LONGEST_TEXT]}\n… {len(text) - _LONGEST_TEXT:,} more characters; press E to see the whole answer."
