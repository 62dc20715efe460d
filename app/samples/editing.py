"""Mend a sample: its code, its test or its whole answer, with the changes against the original below and Go's opinion beside.

The draft is text until it is saved; saving makes a new version. Leaving with unsaved changes is the page's business: it asks `dirty`.
"""

from __future__ import annotations

from typing import Literal

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.commands import key_of
from app.samples.drafts import DraftChecker
from app.theme import Theme, set_property
from app.widgets.buttons import Button
from app.widgets.code_view import CodeView
from app.widgets.diff_view import DiffView
from app.widgets.go_syntax import go_runs, markdown_runs
from app.widgets.labels import ElidedLabel, section
from app.widgets.samples.reading import marks_of
from core.golang import extract
from core.golang.checker import CheckResult
from core.samples.store import Sample

_DIFF_MS = 120
_CHECK_MS = 300
Part = Literal["code", "answer"]


class EditPane(QWidget):
    """Signals:
    save_wanted()
    cancel_wanted()
    """

    save_wanted = Signal()
    cancel_wanted = Signal()

    def __init__(self, theme: Theme, checker: DraftChecker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._sample: Sample | None = None
        self._part: Part = "code"
        self._answer = ""
        self._checker = checker
        self._verdict: tuple[str, CheckResult] | None = None
        self.setProperty("kind", "surface")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self._title = section("")
        self._group = QButtonGroup(self)
        self._parts: dict[Part, Button] = {
            "code": Button("Code", theme, kind="segment", name="editCode", tip="Edit the code alone"),
            "answer": Button("Whole answer", theme, kind="segment", name="editAnswer", tip="Edit prose, code and test"),
        }
        self.editor = CodeView(theme, name="sampleEditor", accessible_name="Draft", editable=True)
        self.editor.escaped.connect(self.cancel_wanted)
        self.diff = DiffView(theme, name="sampleDiff")
        self._opinion = ElidedLabel(tone="dim")
        self._opinion.setObjectName("draftOpinion")
        self._format = Button("Format", theme, kind="quiet", name="editFormat", tip="Write the code as gofmt does")
        self._format.setEnabled(False)
        self._format.clicked.connect(self._on_format)
        self.save = Button("Save", theme, name="editSave", tip=f"Save ({key_of('edit.save')})")
        self.save.clicked.connect(self.save_wanted)
        self.cancel = Button(
            "Cancel", theme, kind="quiet", name="editCancel", tip=f"Leave the edit ({key_of('edit.cancel')})"
        )
        self.cancel.clicked.connect(self.cancel_wanted)
        self._arrange()
        self._diff_timer = self._timer(_DIFF_MS, self._show_diff)
        self._check_timer = self._timer(_CHECK_MS, self._ask_go)
        self.editor.textChanged.connect(self._on_text_changed)
        checker.checked.connect(self._on_checked)
        checker.unavailable.connect(lambda error: self._say(error.message, "warn"))

    def _arrange(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(16, 12, 16, 4)
        top.setSpacing(4)
        top.addWidget(self._title)
        top.addStretch(1)
        for part, button in self._parts.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, part=part: self._on_part(part))
            self._group.addButton(button)
            top.addWidget(button)
        self._splitter = QSplitter(Qt.Orientation.Vertical)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(self.editor)
        self._splitter.addWidget(self.diff)
        self._splitter.setSizes([320, 180])
        self._splitter.setStretchFactor(0, 2)
        self._splitter.setStretchFactor(1, 1)
        self.editor.setMinimumHeight(120)
        self.diff.setMinimumHeight(60)
        foot = QHBoxLayout()
        foot.setContentsMargins(16, 8, 16, 10)
        foot.setSpacing(8)
        foot.addWidget(self._opinion, 1)
        for button in (self._format, self.cancel, self.save):
            foot.addWidget(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addWidget(self._splitter, 1)
        column.addLayout(foot)

    def _timer(self, milliseconds: int, run: object) -> QTimer:
        timer = QTimer(self)
        timer.setSingleShot(True)
        timer.setInterval(milliseconds)
        timer.timeout.connect(run)
        return timer

    # --- the draft ---------------------------------------------------------------------------------------------

    @property
    def sample(self) -> Sample | None:
        """What is being edited; None when nothing is."""
        return self._sample

    @property
    def response(self) -> str:
        """The whole answer as the draft would have it."""
        text = self.editor.toPlainText()
        if self._part == "answer":
            return text
        if text.rstrip("\n") == self._code(self._answer):
            return self._answer
        return extract.with_code(self._answer, text)

    @property
    def dirty(self) -> bool:
        """Does the draft differ from the sample?"""
        return self._sample is not None and self.response != self._sample.response

    @property
    def verdict(self) -> CheckResult | None:
        """What Go said of exactly the code that the draft holds now; None when it has not said anything yet."""
        if self._verdict is None or self._verdict[0] != extract.from_answer(self.response).code:
            return None
        return self._verdict[1]

    def begin(self, sample: Sample) -> None:
        """Start with this sample's code, or with its answer when there is no code in it."""
        self._sample = sample
        self._answer = sample.response
        self._verdict = None
        self._title.setText(f"Edit #{sample.id:,}")
        self._opinion.setText("")
        self._parts["code"].setEnabled(bool(sample.code))
        self._show_part("code" if sample.code else "answer")
        self.editor.set_marks(marks_of(sample.diagnostics) if self._part == "code" else ())
        first = marks_of(sample.diagnostics)
        if first and self._part == "code":
            self.editor.go_to(first[0])
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        self._ask_go()

    def end(self) -> None:
        """Forget the draft."""
        self._sample = None
        self._diff_timer.stop()
        self._check_timer.stop()

    def _code(self, answer: str) -> str:
        return extract.from_answer(answer).code.rstrip("\n")

    def _show_part(self, part: Part) -> None:
        self._part = part
        self._parts[part].setChecked(True)
        self.editor.set_lexer(go_runs if part == "code" else markdown_runs)
        self.editor.set_code(self._code(self._answer) if part == "code" else self._answer)
        self._show_diff()

    def _on_part(self, part: Part) -> None:
        if part != self._part:
            self._answer = self.response
            self._show_part(part)
            self._ask_go()
            self.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def _on_text_changed(self) -> None:
        if self._sample is not None:
            self._diff_timer.start()
            self._check_timer.start()

    def _show_diff(self) -> None:
        if self._sample is None:
            return
        if self._part == "code":
            self.diff.show_diff(self._sample.code.rstrip("\n"), self.editor.toPlainText().rstrip("\n"))
        else:
            self.diff.show_diff(self._sample.response, self.editor.toPlainText())
        self.diff.setVisible(self.diff.changed_lines != (0, 0))  # until then the editor has all the room

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.cancel_wanted.emit()
            return
        super().keyPressEvent(event)

    # --- what Go says ------------------------------------------------------------------------------------------

    def _ask_go(self) -> None:
        if self._sample is None:
            return
        code = extract.from_answer(self.response).code
        if code.strip():
            if not self._opinion.text():
                self._say("Go is looking …", "dim")
            self._checker.check(code)
        else:
            self._say("There is no Go code in this answer.", "warn")

    def _on_checked(self, code: str, result: CheckResult) -> None:
        if self._sample is None or code != extract.from_answer(self.response).code:
            return
        self._verdict = (code, result)
        failed = [check for check, state in result.states.items() if state == "fail"]
        self._format.setEnabled(result.formatted is not None and self._part == "code")
        if self._part == "code":
            self.editor.set_marks(marks_of(result.diagnostics))
        if not failed:
            self._say("✓ Go has no complaint.", "good")
            return
        first = result.diagnostics[0] if result.diagnostics else None
        where = f" in line {first.line}" if first and first.line else ""
        more = f" (+{len(result.diagnostics) - 1} more)" if len(result.diagnostics) > 1 else ""
        self._say(f"✕ {failed[0]}{where}: {first.message if first else 'fails'}{more}", "bad")

    def _say(self, text: str, tone: str) -> None:
        self._opinion.setText(text.splitlines()[0])
        set_property(self._opinion, "tone", tone)

    def _on_format(self) -> None:
        if self._verdict is None or self._verdict[1].formatted is None:
            return
        cursor = self.editor.textCursor()
        place = cursor.blockNumber()
        cursor.select(cursor.SelectionType.Document)
        cursor.insertText(self._verdict[1].formatted.rstrip("\n"))
        cursor.setPosition(self.editor.document().findBlockByNumber(place).position())
        self.editor.setTextCursor(cursor)
        self._format.setEnabled(False)
