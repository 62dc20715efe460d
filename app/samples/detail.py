"""The pane at the right: one sample, read or edited, with its facts at the top and the decision at its foot."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLineEdit, QStackedWidget, QVBoxLayout, QWidget

from app import fonts
from app.commands import key_of
from app.samples import judged, origin
from app.samples.columns import STATUS_TONES, STATUS_WORDS, states
from app.samples.deciding import ReasonPanel, ReviewBar, TagPanel
from app.samples.drafts import DraftChecker
from app.samples.editing import EditPane
from app.samples.folded import FoldedText
from app.samples.proposal import Proposal
from app.samples.run_links import RunLinks
from app.samples.uses import Used
from app.theme import Theme, set_property
from app.widgets.empty import EmptyState
from app.widgets.labels import ElidedLabel, hairline, label
from app.widgets.rating import Rating
from app.widgets.samples.complaint import Complaint
from app.widgets.samples.glyphs import GLYPHS
from app.widgets.samples.reading import SampleView
from core.golang.checker import CHECKS, Diagnostic
from core.samples.store import Sample

_COMPLAINTS_SHOWN = 3


class DetailPane(QWidget):
    """Attributes: view, edit, proposal, bar, reasons, tags, runs, origin, answered, judged (its parts), sample (on show, None for none).

    Signals: rated(0 to 5), noted(text), run_wanted(job id), edit_ended()
    """

    rated = Signal(int)
    run_wanted = Signal(str)
    noted = Signal(str)
    edit_ended = Signal()

    def __init__(self, theme: Theme, checker: DraftChecker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._place = -1
        self.sample: Sample | None = None
        self.setAccessibleName("Sample in detail")
        self.setMinimumWidth(400)
        self.view = SampleView(theme)
        self.edit = EditPane(theme, checker)
        self.proposal = Proposal(theme, checker)
        self.bar = ReviewBar(theme)
        self.reasons = ReasonPanel(theme)
        self.tags = TagPanel(theme)
        self._empty = EmptyState(theme, "cursor", "Choose a sample to read it.", name="noSample")
        self._stack = QStackedWidget()
        self._stack.addWidget(self._empty)
        self._stack.addWidget(self._build_reader())
        self._stack.addWidget(self.edit)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self._stack)

    def _build_reader(self) -> QWidget:
        self._title = ElidedLabel()
        self._title.setObjectName("sampleTitle")
        self._title.setFont(fonts.section_font())
        self._status = label(name="sampleStatus")
        self._facts = ElidedLabel(tone="dim")
        self._facts.setObjectName("sampleFacts")
        self._verdict = ElidedLabel(tone="dim")
        self._verdict.setObjectName("sampleVerdict")
        self._used = ElidedLabel(tone="dim")
        self._used.setObjectName("sampleUsedIn")
        self._used.hide()
        self.runs = RunLinks(self._theme)
        self.runs.chosen.connect(self.run_wanted)
        self.origin = FoldedText(
            self._theme, "Teacher", name="sampleOrigin", text_name="sampleConversation", says="Conversation with the teacher",
            tip="Where this sample comes from, and its conversation with the teacher",
        )  # fmt: skip
        self.answered = FoldedText(
            self._theme, "Playground", name="sampleAnswered", text_name="sampleAnswer", says="Where this answer comes from",
            tip="Which model gave this answer in the playground, with which settings",
        )  # fmt: skip
        self.judged = FoldedText(
            self._theme, "Judge", name="sampleJudged", text_name="sampleJudgement", says="What the judge says",
            tip="How a judge has scored this text by a rubric, and why",
        )  # fmt: skip
        self.rating = Rating(self._theme)
        self.rating.chosen.connect(self.rated)
        self._note = QLineEdit()
        self._note.setObjectName("sampleNote")
        self._note.setAccessibleName("Note")
        self._note.setPlaceholderText(f"Add a note ({key_of('review.note')})")
        self._note.setProperty("kind", "flat")
        self._note.editingFinished.connect(self._on_note)
        self._complaints = QWidget()
        self._complaint_column = QVBoxLayout(self._complaints)
        self._complaint_column.setContentsMargins(0, 2, 0, 0)
        self._complaint_column.setSpacing(0)
        self._complaint_lines: list[Complaint] = []
        first = QHBoxLayout()
        first.setSpacing(8)
        first.addWidget(self._status)
        first.addWidget(self._facts, 1)
        first.addWidget(self.rating)
        head = QFrame()
        head.setProperty("kind", "surface")
        inside = QVBoxLayout(head)
        inside.setContentsMargins(10, 12, 12, 6)
        inside.setSpacing(2)
        # The note's frame shows only while it is used and a link's never: six pixels align their text with the rest.
        inside.addLayout(_row(6, self._title))
        first.setContentsMargins(6, 0, 0, 0)
        inside.addLayout(first)
        inside.addLayout(_row(6, self._verdict))
        inside.addLayout(_row(6, self._used))
        inside.addLayout(_row(6, self.runs))
        inside.addLayout(_row(1, self.origin))
        inside.addLayout(_row(1, self.answered))
        inside.addLayout(_row(1, self.judged))
        inside.addLayout(_row(0, self._note))
        inside.addLayout(_row(1, self._complaints))
        reader = QWidget()
        reader.setProperty("kind", "surface")
        column = QVBoxLayout(reader)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in (head, self.proposal, hairline(), self.view, self.reasons, self.tags, self.bar):
            column.addWidget(widget, 1 if widget is self.view else 0)
        return reader

    # --- what is on show ---------------------------------------------------------------------------------------

    @property
    def editing(self) -> bool:
        """Is the editor open?"""
        return self._stack.currentWidget() is self.edit

    def show_sample(self, sample: Sample | None) -> None:
        """Show another sample, or the same one with news; None when there is none."""
        same = sample is not None and self.sample is not None and sample.id == self.sample.id
        if self.sample is not None and sample is not None and sample.version != self.sample.version:
            self.judged.show_folded(None)  # another text, which nobody has judged yet
        self.sample = sample
        if sample is None:
            self._stack.setCurrentWidget(self._empty)
            self.proposal.show_sample(None)
            return
        if not same:
            self.reasons.setVisible(False)
            self.tags.setVisible(False)
            self._used.hide()
            self.runs.show_runs(())
            self.origin.show_folded(None)
            self.answered.show_folded(None)
            self.judged.show_folded(None)
            self._place = -1
        self._title.setText(_title(sample))
        self._status.setText(STATUS_WORDS[sample.status])
        set_property(self._status, "tone", STATUS_TONES[sample.status])
        self._facts.setText(_facts(sample))
        words = "  ".join(
            f"{check} {GLYPHS[state]}" for check, state in zip(CHECKS, states(sample.verdict), strict=True)
        )
        self._verdict.setText("Go: " + (words if any(states(sample.verdict)) else "unchecked"))
        self.rating.set_value(sample.rating)
        if not (same and self._note.hasFocus()):
            self._note.setText(sample.note)
        self._show_complaints((*sample.diagnostics, *sample.policy))
        self.proposal.show_sample(sample)
        self.view.show_sample(sample, keep_place=same)
        if not self.editing:
            self._stack.setCurrentIndex(1)

    def show_uses(self, sample_id: int, used: Used) -> None:
        """Say where the sample in front was used; another one's uses, found too late, are passed over."""
        if self.sample is not None and self.sample.id == sample_id:
            self._used.setText(used.words)
            self._used.setVisible(bool(used.words))
            self.runs.show_runs(used.runs)
            self.origin.show_folded(origin.folded(used.origin))
            self.answered.show_folded(origin.folded_answer(used.answered))
            self.judged.show_folded(judged.folded(used.judgements))

    def focus_note(self) -> None:
        """Write a note."""
        self._note.setFocus(Qt.FocusReason.OtherFocusReason)

    def next_mark(self) -> None:
        """Go to the next complaint, and after the last one to the first."""
        marks = self.view.code.marks
        if marks:
            self._place = (self._place + 1) % len(marks)
            self.view.go_to(marks[self._place])

    def begin_edit(self) -> None:
        """Open the editor on the sample on show."""
        if self.sample is not None:
            self._stack.setCurrentWidget(self.edit)
            self.edit.begin(self.sample)

    def end_edit(self) -> None:
        """Close the editor; what was not saved is gone."""
        self.edit.end()
        self._stack.setCurrentIndex(1 if self.sample is not None else 0)
        self.edit_ended.emit()

    def _show_complaints(self, diagnostics: tuple[Diagnostic, ...]) -> None:
        shown = diagnostics[:_COMPLAINTS_SHOWN]
        while len(self._complaint_lines) < len(shown):
            line = Complaint(self._theme, tip="Go to this complaint (F8)")
            line.chosen.connect(self.view.go_to)
            self._complaint_lines.append(line)
            self._complaint_column.addWidget(line)
        for place, line in enumerate(self._complaint_lines):
            line.setVisible(place < len(shown))
            if place < len(shown):
                rest = len(diagnostics) - len(shown) if place == len(shown) - 1 else 0
                line.show_diagnostic(shown[place], rest)
        self._complaints.setVisible(bool(shown))

    def _on_note(self) -> None:
        if self.sample is not None and self._note.text() != self.sample.note:
            self.noted.emit(self._note.text())


def _row(indent: int, widget: QWidget) -> QHBoxLayout:
    row = QHBoxLayout()
    row.setContentsMargins(indent, 0, 0, 0)
    row.addWidget(widget)
    return row


def _title(sample: Sample) -> str:
    first = next((line for line in sample.prompt.splitlines() if line.strip()), "Untitled")
    return first if len(first) <= 160 else first[:157] + "…"


def _facts(sample: Sample) -> str:
    parts = [f"#{sample.id:,}", sample.source, sample.topic]
    if sample.author not in ("", "import"):
        parts.append(f"by {sample.author}")
    parts.append(datetime.fromtimestamp(sample.updated).strftime("%Y-%m-%d"))
    parts += [f"#{name}" for name in sample.tags]
    if sample.reasons:
        parts.append("because: " + ", ".join(sample.reasons))
    return " · ".join(part for part in parts if part)
