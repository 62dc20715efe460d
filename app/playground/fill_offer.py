"""What one model would put into the gap: who it is, its text as it comes, what it took, and a way to take it."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QVBoxLayout, QWidget

from app.playground.compare_column import facts
from app.playground.mode import Bench
from app.playground.model_picker import ModelPicker
from app.theme import set_property
from app.widgets.buttons import Button
from app.widgets.code_view import CodeView
from app.widgets.labels import label
from core.errors import UserError
from core.inference import Finish


class FillOffer(QFrame):
    """Attributes: picker, view, text (what is offered, "" for nothing). Signals: taken()."""

    taken = Signal()

    def __init__(self, bench: Bench, words: str, key: str, parent: QWidget | None = None) -> None:
        """words: which of the two it is, for people. key: what takes it."""
        super().__init__(parent)
        theme = bench.context.theme
        self.text = ""
        self._full = False
        self.picker = ModelPicker(bench.models, name=f"fillModel{words}")
        self.picker.setAccessibleName(f"{words} model")
        self.picker.setMinimumWidth(120)
        self.view = CodeView(theme, name=f"fillOffer{words}", accessible_name=f"{words} offer")
        self._take = Button("Put in", theme, name=f"fillTake{words}", tip=f"Fill the gap with this ({key})")
        self._take.clicked.connect(self.taken)
        self._facts = label(tone="dim", size=12, wrap=True, name=f"fillFacts{words}")
        head = QHBoxLayout()
        head.setSpacing(6)
        head.addWidget(self.picker, 1)
        head.addWidget(self._take)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(4)
        layout.addLayout(head)
        layout.addWidget(self.view, 1)
        layout.addWidget(self._facts)
        self.clear()

    def clear(self, words: str = "") -> None:
        """Offer nothing. words: what is going on instead."""
        self.text = ""
        self._full = False
        self.view.set_code("")
        self._take.setEnabled(False)
        self._say(words)

    def append(self, text: str, most_lines: int) -> bool:
        """The offer goes on; False when it has as many lines as are wanted, and what is more is cut off."""
        if self._full:
            return False
        lines = (self.text + text).split("\n")
        self._full = len(lines) > most_lines
        self.text = "\n".join(lines[:most_lines])
        self.view.setPlainText(self.text)
        self._take.setEnabled(bool(self.text))
        self._say("Writing…")
        return not self._full

    def end(self, finish: Finish | None) -> None:
        """The offer is whole, or as much of it as was wanted."""
        if finish is not None:
            self._say(facts(finish) if self.text else "Nothing is missing, it says.")
        else:
            self._say("As far as the limits let it." if self.text else "Stopped")

    def fail(self, error: UserError) -> None:
        """There is no offer, or no whole one."""
        self._say(str(error), "bad")

    def _say(self, text: str, tone: str = "dim") -> None:
        self._facts.setText(text)
        set_property(self._facts, "tone", tone)
