"""What the model would read if the question were sent as it stands: counted and shown while it is typed."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from app.playground.mode import Bench
from app.playground.prompt_watch import Prompt, PromptWatch
from core.errors import UserError
from core.inference import conversation as tree
from core.inference.rendering import Rendering

if TYPE_CHECKING:
    from app.playground.chat_view import ChatView


class LookAhead(QObject):
    """Attributes: watch (a PromptWatch)."""

    def __init__(self, view: ChatView, bench: Bench) -> None:
        super().__init__(view)
        self._view = view
        self._bench = bench
        self.watch = PromptWatch(bench.context.tasks, self)
        self.watch.guessed.connect(self._on_guessed)
        self.watch.rendered.connect(self.show_rendering)
        self.watch.refused.connect(self._on_refused)
        self.watch.too_long.connect(view.meter.offer)
        view.prompt.textChanged.connect(self.look)
        view.panel.edited.connect(self.look)
        view.side.shown.connect(lambda _part: self.look())

    def look(self) -> None:
        """Have the prompt counted as it would be sent now."""
        view = self._view
        sampling = view.panel.sampling()
        if sampling is None or view.talk.busy or not view.isVisible():
            return
        text = view.prompt.toPlainText()
        conversation = view.talk.conversation
        told = view.side.part == "Prompt"
        served = None if view.model is None else self._bench.servers.served(view.model)
        if not view.panel.chat:
            self.watch.look(Prompt(text, (), (), sampling.max_tokens), served, told=told)
            return
        system = view.panel.system.toPlainText().strip()
        head = [{"role": "system", "content": system}] if system else []
        head += tree.chat(replace(conversation, messages=(), leaf=""))
        before = conversation.message(view.editing).parent if view.editing else conversation.leaf
        turns = tree.chat(replace(conversation, shots=(), leaf=before))
        turns += [{"role": tree.USER, "content": text}] if text.strip() else []
        self.watch.look(Prompt(None, head, turns, sampling.max_tokens), served, told=told)

    def _on_guessed(self, tokens: int) -> None:
        self._view.meter.show_guess(tokens)
        self._view.prompt_view.say("The model says what it reads as soon as it is loaded." if tokens else "There is nothing to read yet.")  # fmt: skip

    def show_rendering(self, rendering: Rendering, max_tokens: int) -> None:
        """Show what the model has said of it."""
        self._view.meter.show_rendering(rendering, max_tokens)
        if rendering.tokens:
            self._view.prompt_view.show_rendering(rendering)

    def _on_refused(self, error: UserError) -> None:
        self._view.meter.show_problem(error.message)
        self._view.prompt_view.say(str(error))
