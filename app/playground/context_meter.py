"""How much of what a model can read is taken: prompt, room for the answer, the rest. A thin bar with numbers, and a sentence where it does not fit."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QSize, Signal
from PySide6.QtGui import QColor, QPainter, QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget

from app.theme import Theme, set_property
from app.widgets.buttons import Button
from app.widgets.labels import label
from core.inference.rendering import Rendering, fits


class ContextMeter(QWidget):
    """Signals: branch_wanted(questions), to go on without so many of the first questions."""

    branch_wanted = Signal(int)

    def __init__(self, theme: Theme, lead: Sequence[QWidget] = (), parent: QWidget | None = None) -> None:
        """lead: what stands before the bar in its line."""
        super().__init__(parent)
        self._drop = 0
        self._bar = _Bar(theme)
        self._numbers = label(tone="dim", size=12, name="contextNumbers")
        self._warning = label(tone="warn", size=12, wrap=True, name="contextWarning")
        self._branch = Button(
            "", theme, kind="link", name="contextBranch", tip="The long conversation stays as another branch"
        )
        self._branch.clicked.connect(lambda: self.branch_wanted.emit(self._drop))
        top = QHBoxLayout()
        top.setContentsMargins(0, 0, 0, 0)
        top.setSpacing(10)
        for widget in lead:
            top.addWidget(widget, 1 if widget.sizePolicy().horizontalPolicy() == QSizePolicy.Policy.Ignored else 0)
        top.addWidget(self._bar, 1)
        top.addWidget(self._numbers)
        foot = QHBoxLayout()
        foot.setContentsMargins(0, 0, 0, 0)
        foot.addWidget(self._warning, 1)
        foot.addWidget(self._branch)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(top)
        column.addLayout(foot)
        self.show_guess(0)

    @property
    def warning(self) -> str:
        """What does not fit, "" when all does."""
        return self._warning.text()

    def show_guess(self, tokens: int) -> None:
        """About so many tokens; nobody who knows can be asked."""
        self._bar.show_shares(0, 0)
        self._say(f"≈ {tokens:,} tokens" if tokens else "", "")

    def show_rendering(self, rendering: Rendering, max_tokens: int) -> None:
        """What the model itself counts."""
        context = max(1, rendering.context)
        room = max(0, min(max_tokens, rendering.context - rendering.count))
        self._bar.show_shares(min(1.0, rendering.count / context), min(1.0, (rendering.count + room) / context))
        self._say(f"{rendering.count:,} + {room:,} of {rendering.context:,} tokens", fits(rendering, max_tokens))

    def show_problem(self, sentence: str) -> None:
        """Why it cannot be counted."""
        self._bar.show_shares(0, 0)
        self._say("", sentence)

    def offer(self, questions: int, of: int) -> None:
        """Offer a branch without so many of the first questions, of so many in all; 0 offers nothing."""
        self._drop = questions
        self._branch.setVisible(0 < questions < of)
        words = "question" if questions == 1 else f"{questions:,} questions"
        self._branch.setText(f"Branch without the first {words}")
        self._branch.setAccessibleName(self._branch.text())

    def _say(self, numbers: str, warning: str) -> None:
        self._numbers.setText(numbers)
        self._numbers.setAccessibleName(f"Context: {numbers}" if numbers else "Context")
        self._warning.setText(warning)
        self._warning.setVisible(bool(warning))
        set_property(self._numbers, "tone", "warn" if warning else "dim")
        self._bar.warns = bool(warning)
        if not warning:
            self.offer(0, 0)
        elif not self._drop:
            self._branch.hide()


class _Bar(QWidget):
    """Prompt in the accent, the room for the answer in its tint."""

    def __init__(self, theme: Theme) -> None:
        super().__init__()
        self._theme = theme
        self._shares = (0.0, 0.0)
        self.warns = False
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(60, 4)

    def show_shares(self, prompt: float, whole: float) -> None:
        self._shares = (prompt, whole)
        self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        strong, soft = tokens.tone("warn" if self.warns else "info")
        painter = QPainter(self)
        painter.fillRect(self.rect(), QColor(tokens.border))
        for share, colour in ((self._shares[1], soft if tokens.dark else tokens.chart_raw), (self._shares[0], strong)):
            painter.fillRect(0, 0, round(self.width() * share), self.height(), QColor(colour))
        painter.end()
