"""Asks the model what it would read, while a question is being typed: the newest text only, one request at a time.

Nothing is loaded for that: without a model that is up there is an estimate. What does not fit is followed by a second look, at how many of the first
questions would have to go.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, QTimer, Signal

from app.playground.model_servers import Served
from app.tasks import TaskRunner
from core.errors import UserError
from core.inference.rendering import Rendering, questions_to_drop, render_chat, render_text
from core.samples.conversation import estimate_tokens

PAUSE_MS = 250


@dataclass(frozen=True, slots=True)
class Prompt:
    """What would be sent: a text to go on from, or head (system prompt and examples) and turns. max_tokens: room that the answer wants."""

    text: str | None
    head: Sequence[Mapping[str, str]]
    turns: Sequence[Mapping[str, str]]
    max_tokens: int

    @property
    def empty(self) -> bool:
        """Is there nothing to read?"""
        return not self.text if self.text is not None else not self.turns

    @property
    def guess(self) -> int:
        """About how many tokens it has."""
        texts = [self.text] if self.text is not None else [turn["content"] for turn in (*self.head, *self.turns)]
        return sum(map(estimate_tokens, texts))


class PromptWatch(QObject):
    """Signals: guessed(tokens), nobody knows better; rendered(Rendering, max_tokens); refused(UserError); too_long(questions to drop, of)."""

    guessed = Signal(int)
    rendered = Signal(object, int)
    refused = Signal(object)
    too_long = Signal(int, int)

    def __init__(self, tasks: TaskRunner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self._next: tuple[Prompt, Served | None, bool] | None = None
        self._asking = False
        self.timer = QTimer(self, singleShot=True, interval=PAUSE_MS)
        self.timer.timeout.connect(self._ask)

    def look(self, prompt: Prompt, served: Served | None, *, told: bool) -> None:
        """Look at this soon. told: are the tokens wanted, or is their number enough?"""
        self._next = (prompt, served, told)
        if not self.timer.isActive():
            self.timer.start()

    def stop(self) -> None:
        """Look at nothing more until asked again."""
        self._next = None
        self.timer.stop()

    def _ask(self) -> None:
        if self._asking or self._next is None:
            return
        (prompt, served, told), self._next = self._next, None
        if served is None or prompt.empty:
            self.guessed.emit(0 if prompt.empty else prompt.guess)
            return
        self._asking = True

        def work() -> tuple[Rendering, int]:
            if prompt.text is not None:
                return render_text(served.address, prompt.text, told=told, model=served.name), 0
            seen = render_chat(served.address, [*prompt.head, *prompt.turns], told=told, model=served.name)
            if seen.count < seen.context:
                return seen, 0
            room = min(prompt.max_tokens, seen.context // 4)
            return seen, questions_to_drop(served.address, prompt.head, prompt.turns, room, model=served.name)

        self._tasks.run(work, lambda found: self._on_done(prompt, *found), self._on_failed, owner=self)

    def _on_done(self, prompt: Prompt, rendering: Rendering, drop: int) -> None:
        self._asking = False
        self.rendered.emit(rendering, prompt.max_tokens)
        self.too_long.emit(drop, sum(turn["role"] == "user" for turn in prompt.turns))
        self._again()

    def _on_failed(self, error: UserError) -> None:
        self._asking = False
        self.refused.emit(error)
        self._again()

    def _again(self) -> None:
        if self._next is not None:
            self.timer.start()
