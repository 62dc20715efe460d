"""What gofmt would write instead, as a diff under the sample's facts, to be taken with one key.

Asked for only where the format check failed, from the helper that checks drafts. Whatever comes too late for the sample in front is passed over.
"""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.commands import key_of
from app.samples.drafts import DraftChecker
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.diff_view import DiffView
from app.widgets.diffing import unified
from app.widgets.labels import label
from core.golang.checker import CheckResult
from core.golang.extract import with_code
from core.samples.store import Sample

_SHARE = 4
"""At most one part in so many of the pane's height; the rest is scrolled."""


class Proposal(QFrame):
    """Hidden while there is nothing to propose. Attributes: diff, take (the button).

    Signals: wanted(), when the button is pressed.
    """

    wanted = Signal()

    def __init__(self, theme: Theme, checker: DraftChecker, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._checker = checker
        self._sample: Sample | None = None
        self._formatted: str | None = None
        self._verdict: CheckResult | None = None
        self.setObjectName("gofmtProposal")
        self.setProperty("kind", "surface")
        self.diff = DiffView(theme, name="proposalDiff", numbers=1)
        self.diff.setAccessibleName("What gofmt would change")
        self.diff.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        self.diff.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.take = Button(f"Take it ({key_of('review.take')})", theme, kind="quiet", name="takeProposal")
        self.take.clicked.connect(self.wanted)
        head = QHBoxLayout()
        head.setContentsMargins(16, 4, 12, 2)
        head.addWidget(label("gofmt would write", tone="dim"), 1)
        head.addWidget(self.take)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(head)
        column.addWidget(self.diff)
        self.hide()
        checker.checked.connect(self._on_checked)

    def show_sample(self, sample: Sample | None) -> None:
        """Ask what gofmt thinks of this sample; the answer comes later, if there is one."""
        if sample is not None and self._sample is not None and sample.version == self._sample.version:
            return
        self._sample, self._formatted, self._verdict = sample, None, None
        self.hide()
        if sample is not None and sample.verdict.format == "fail":
            self._checker.check(sample.code)

    def draft(self) -> tuple[Sample, str, CheckResult | None] | None:
        """The sample, the answer that taking it would save, and what Go says of that, if it has answered; None while nothing is proposed."""
        if self._sample is None or self._formatted is None:
            return None
        return self._sample, with_code(self._sample.response, self._formatted), self._verdict

    def _on_checked(self, code: str, result: CheckResult) -> None:
        if self._sample is None:
            return
        if code == self._formatted:
            self._verdict = result
        elif code == self._sample.code and result.formatted is not None:
            self._formatted = result.formatted
            self._checker.check(result.formatted)
            self._show(code, result.formatted)

    def _show(self, code: str, formatted: str) -> None:
        self.diff.show_lines(unified(code.rstrip("\n"), formatted.rstrip("\n"), context=1))
        line = self.diff.fontMetrics().lineSpacing()
        room = self.parentWidget().height() // _SHARE // line
        self.diff.setFixedHeight(max(2, min(self.diff.blockCount(), room)) * line + 14)
        self.show()
