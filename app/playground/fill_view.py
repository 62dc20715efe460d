"""Fill: code with a gap, and what two models would put into it, such as a student and its base.

A student that was tuned on chats alone often forgets how to fill gaps; beside its base one sees it. Both answer greedily, so what they
say is what they think. The cursor is the gap, or what is selected is.
"""

from __future__ import annotations

from PySide6.QtCore import QSettings, QTimer
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from app.playground.compare_round import Asked, Round
from app.playground.fill_editor import FillEditor
from app.playground.fill_offer import FillOffer
from app.playground.mode import Bench
from app.state import window_state
from app.widgets.buttons import Button
from app.widgets.fields import Field, integer_field
from app.widgets.labels import label
from core.errors import UserError
from core.inference import Finish, Sampling
from core.models import Model

MOST_TOKENS = 512
LINES, SECONDS = (1, 12, 200), (1, 30, 600)
"""Fewest, usual and most."""
NO_MARKERS = "no tokens for filling a gap"


class FillView(QWidget):
    """Attributes: editor, first, second (the offers), round (who answers now), lines, seconds (the limits)."""

    def __init__(self, bench: Bench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = bench.context.theme
        self._bench = bench
        self._most_lines, self._wait = LINES[1], SECONDS[1]
        self._text = ""
        self.editor = FillEditor(theme)
        self.editor.setPlaceholderText("Paste Go code, put the cursor into its gap, and press Ctrl+Space.")
        self.editor.wanted.connect(self.fill)
        self.editor.taken.connect(lambda place: self.take(self._offers[place]))
        self.editor.escaped.connect(self.discard)
        self.editor.textChanged.connect(self._on_text_changed)
        self.first = FillOffer(bench, "First", "Tab")
        self.second = FillOffer(bench, "Second", "Shift+Tab")
        self._offers = (self.first, self.second)
        for offer in self._offers:
            offer.taken.connect(lambda offer=offer: self.take(offer))
        self.lines = integer_field("lines", "Lines", "Longest offer")
        self.seconds = integer_field("seconds", "Seconds", "Longest wait for offers")
        self._fill = Button("Fill", theme, kind="primary", name="fillFill", tip="Ask for what is missing (Ctrl+Space)")
        self._fill.clicked.connect(self.fill)
        self._stop = Button("Stop", theme, icon="stop", name="fillStop")
        self._stop.clicked.connect(self.stop)
        self._stop.setEnabled(False)
        self._late = QTimer(self, singleShot=True)
        self._late.timeout.connect(self.stop)
        self.round = Round(bench, self)
        self.round.began.connect(self._on_began)
        self.round.text_arrived.connect(self._on_text)
        self.round.finished.connect(self._on_finished)
        self.round.failed.connect(self._on_failed)
        self.round.over.connect(self._on_over)
        self._lay_out()
        state = window_state()
        self.lines.write(state.value("playground/fillLines", LINES[1]))
        self.seconds.write(state.value("playground/fillSeconds", SECONDS[1]))
        self.first.picker.remember(str(state.value("playground/fillFirst", "")))
        self.second.picker.remember(str(state.value("playground/fillSecond", "")))

    def _lay_out(self) -> None:
        top = QHBoxLayout()
        top.setContentsMargins(20, 4, 14, 8)
        top.setSpacing(8)
        hint = label(
            "Tab puts the first offer in, Shift+Tab the second, Esc throws both away.", tone="dim", size=12, wrap=True
        )
        top.addWidget(hint, 1)
        for field, name in ((self.lines, "fillLines"), (self.seconds, "fillSeconds")):
            field.editor.setObjectName(name)
            field.editor.setFixedWidth(56)
            top.addWidget(label(field.caption, tone="dim"))
            top.addWidget(field.editor)
        top.addWidget(self._stop)
        top.addWidget(self._fill)
        offers = QWidget()
        column = QVBoxLayout(offers)
        column.setContentsMargins(10, 0, 14, 10)
        column.setSpacing(10)
        column.addWidget(self.first, 1)
        column.addWidget(self.second, 1)
        splitter = QSplitter()
        splitter.setHandleWidth(1)
        splitter.setChildrenCollapsible(False)
        splitter.addWidget(self.editor)
        splitter.addWidget(offers)
        splitter.setStretchFactor(0, 1)
        splitter.setSizes([480, 340])
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addLayout(top)
        layout.addWidget(splitter, 1)

    # --- as a mode ---------------------------------------------------------------------------------------------

    def enter(self) -> None:
        """Come to the front; models load with the first gap."""
        self.editor.setFocus()

    def leave(self) -> None:
        """Give way to another mode."""
        self.stop()

    def use_model(self, path: str) -> None:
        """Choose the model in this folder."""
        self.first.picker.choose(path)

    def save_state(self, state: QSettings) -> None:
        for key, offer in (("fillFirst", self.first), ("fillSecond", self.second)):
            state.setValue(f"playground/{key}", str(offer.picker.currentData() or ""))
        for key, field, (low, usual, high) in (
            ("fillLines", self.lines, LINES),
            ("fillSeconds", self.seconds, SECONDS),
        ):
            value = field.read()
            state.setValue(f"playground/{key}", value if isinstance(value, int) and low <= value <= high else usual)

    # --- filling -----------------------------------------------------------------------------------------------

    def fill(self) -> None:
        """Ask both models for what is missing where the cursor stands."""
        if self.round.busy:
            return
        before, behind = self.editor.around()
        lines, seconds = self._limit(self.lines, LINES), self._limit(self.seconds, SECONDS)
        models: dict[int, Model] = {}
        for place, offer in enumerate(self._offers):
            model = offer.picker.model
            if model is not None and model not in models.values():
                models[place] = model
        problem = None
        if not (before + behind).strip():
            problem = UserError(
                "There is no code around the gap.", "Paste some Go, and put the cursor where something is missing."
            )
        elif lines is None or seconds is None:
            problem = UserError(
                "A limit is wrong.",
                f"Lines are {LINES[0]} to {LINES[2]}, seconds {SECONDS[0]} to {SECONDS[2]}, in whole numbers.",
            )
        elif not models:
            problem = UserError("There is no model to ask.", "Put a base model into the workspace's models folder.")
        if problem is not None or lines is None or seconds is None:
            if problem is not None:
                self._bench.banner.problem(problem)
            return
        self._bench.banner.clear()
        self._most_lines, self._wait = lines, seconds
        self._text = self.editor.toPlainText()
        self._offer_nothing()
        for place, offer in enumerate(self._offers):
            offer.clear("Loading…" if place in models else "The same model; choose another to compare.")
        self._fill.setEnabled(False)
        self._stop.setEnabled(True)
        sampling = Sampling(temperature=0.0, max_tokens=MOST_TOKENS)
        self.round.start(models, Asked(before, sampling, chat=False, suffix=behind))

    def take(self, offer: FillOffer) -> None:
        """Put an offer into the gap."""
        text = offer.text
        if not text:
            return
        self.discard()
        self.editor.put_in(text)

    def discard(self) -> None:
        """Throw away what is offered, and what is still on its way."""
        self.round.abandon()
        self._on_over()
        self._offer_nothing()

    def stop(self) -> None:
        """Wait no longer; what has arrived stays on offer."""
        self.round.stop()

    def _limit(self, field: Field, allowed: tuple[int, int, int]) -> int | None:
        value = field.read()
        return value if isinstance(value, int) and allowed[0] <= value <= allowed[2] else None

    def _offer_nothing(self) -> None:
        self.editor.offered = False
        for offer in self._offers:
            offer.clear()

    def _on_began(self, key: int) -> None:
        self._offers[key].clear("Reading…")
        if not self._late.isActive():  # loading a model is no part of the wait
            self._late.start(1000 * self._wait)

    def _on_text(self, key: int, text: str) -> None:
        if not self._offers[key].append(text, self._most_lines):
            self.round.stop_one(key)
        self.editor.offered = any(offer.text for offer in self._offers)

    def _on_finished(self, key: int, finish: Finish | None, _tokens: object) -> None:
        self._offers[key].end(finish)

    def _on_failed(self, key: int, error: UserError) -> None:
        if NO_MARKERS in error.message:
            name = self._offers[key].picker.currentText()
            error = UserError(
                f"{name} cannot fill gaps: its tokenizer has no tokens for that.",
                "Choose a base that has them, such as Qwen2.5-Coder.",
            )
        self._offers[key].fail(error)

    def _on_over(self) -> None:
        self._late.stop()
        self._fill.setEnabled(True)
        self._stop.setEnabled(False)

    def _on_text_changed(self) -> None:
        """What is offered is for the text as it was; colours of the syntax are said to be a change as well."""
        if (self.editor.offered or self.round.busy) and self.editor.toPlainText() != self._text:
            self.discard()
