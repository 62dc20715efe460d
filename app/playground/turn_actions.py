"""What a person does with the turns of a conversation, by button, menu or key: with the one that the cursor is in."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication

from app.playground.mode import Bench
from app.playground.save_sample import SaveSampleDialog
from app.playground.turns import EXAMPLES
from core.inference import conversation as tree
from core.inference import presets
from core.inference.conversation import Conversation, Message
from core.inference.presets import Preset
from core.samples.answered import Answered
from core.samples.conversation import Message as SampleMessage

if TYPE_CHECKING:
    from app.playground.chat_view import ChatView


class TurnActions(QObject):
    """Attributes: unfolded (are the examples shown in full?), dialog (the one that is open, None for none)."""

    def __init__(self, view: ChatView, bench: Bench) -> None:
        super().__init__(view)
        self._view = view
        self._bench = bench
        self.unfolded = False
        self.dialog: SaveSampleDialog | None = None
        self._bind()

    def _bind(self) -> None:
        view, turns = self._view, self._view.turns
        commands = self._bench.context.commands
        for name, run in (
            ("again", self.again), ("earlier", partial(self.turn, -1)), ("later", partial(self.turn, 1)),
            ("previous", partial(self.step, -1)), ("next", partial(self.step, 1)), ("copy", self.copy), ("check", turns.verdict.check),
            ("save", self.save),
        ):  # fmt: skip
            commands.bind(f"playground.{name}", view, run)
        view.conversations.menu.addSeparator()
        self._fold = view.conversations.menu.addAction("Show the examples in full")
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._on_folded)
        view.conversations.menu.aboutToShow.connect(self._on_menu)
        view.prompt.last_wanted.connect(self._on_last_wanted)
        view.examples.changed.connect(self._on_examples)
        view.examples.prompt_wanted.connect(self._on_prompt_wanted)
        view.meter.branch_wanted.connect(self.shorten)
        view.panel.presets.deleted.connect(self._on_preset_deleted)
        turns.edit_wanted.connect(self.edit)
        turns.again_wanted.connect(self.again)
        turns.copy_wanted.connect(self.copy)
        turns.save_wanted.connect(self.save)
        turns.delete_wanted.connect(self.delete_turn)
        turns.branch_wanted.connect(self.turn)
        turns.verdict.line_wanted.connect(self._on_line)

    @property
    def message(self) -> Message | None:
        """The turn that the cursor is in; None where there is none, and for the examples."""
        id = self._view.transcript.current
        messages = self._view.talk.conversation.messages
        return next((message for message in messages if message.id == id), None)

    # --- turns -------------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Ask the question of this turn anew."""
        message = self.message
        if message is not None and not self._view.busy:
            question = self._view.talk.conversation.message(message.parent) if message.answers else message
            self._view.edit(question)

    def again(self) -> None:
        """Answer this turn's question once more."""
        if self.message is not None and not self._view.busy:
            self._view.answer_again(self.message)

    def copy(self) -> None:
        """Put the turn's text on the clipboard."""
        if self.message is not None:
            QApplication.clipboard().setText(self.message.text)
            self._bench.context.notice("Copied.")

    def turn(self, by: int) -> None:
        """Read the branch before or after, at this turn; where it has no other, at the last turn before it that has."""
        talk = self._view.talk
        if self.message is None or self._view.busy:
            return
        conversation = talk.conversation
        branch = tree.path(conversation, self.message.id)
        at = next((one for one in reversed(branch) if len(tree.siblings(conversation, one.id)) > 1), None)
        if at is None:
            return
        others = tree.siblings(conversation, at.id)
        place = others.index(at.id) + by
        if 0 <= place < len(others):
            talk.change(tree.show(conversation, others[place]))
            self._view.transcript.enter(others[place])

    def step(self, by: int) -> None:
        """Go to the turn before or after."""
        branch = [message.id for message in tree.path(self._view.talk.conversation)]
        id = self._view.transcript.current
        place = branch.index(id) + by if id in branch else 0
        if 0 <= place < len(branch):
            self._view.transcript.enter(branch[place])

    def delete_turn(self) -> None:
        """Delete this turn and what follows it; the toast takes it back."""
        talk, message = self._view.talk, self.message
        if message is None or self._view.busy:
            return
        before = talk.conversation
        talk.change(tree.delete(before, message.id))
        count = len(before.messages) - len(talk.conversation.messages)
        self._bench.context.notice(
            f"Deleted {count} turn{'s' if count != 1 else ''}.", "Undo", lambda: self._bring_back(before)
        )

    def _bring_back(self, before: Conversation) -> None:
        talk = self._view.talk
        if talk.conversation.id == before.id and not self._view.busy:
            there = {message.id for message in before.messages}
            since = [message for message in talk.conversation.messages if message.id not in there]
            talk.change(replace(before, messages=(*before.messages, *since)))

    def shorten(self, questions: int) -> None:
        """Go on in a branch without so many of the first questions."""
        if not self._view.busy:
            self._view.talk.change(tree.without_first(self._view.talk.conversation, questions))

    def save(self) -> None:
        """Open the dialog that makes a sample of this answer."""
        talk, message = self._view.talk, self.message
        if message is None or message.facts is None or message.role != tree.ASSISTANT or self._view.busy:
            return
        facts = message.facts
        turns = tree.chat(replace(talk.conversation, shots=()), message.id)
        head = [SampleMessage("system", facts.system)] if facts.system else []
        messages = [*head, *(SampleMessage(turn["role"], turn["content"]) for turn in turns)]
        origin = Answered(
            facts.model, facts.path, facts.run, facts.step, talk.conversation.id, message.id, dict(facts.settings)
        )
        self.dialog = SaveSampleDialog(self._bench.context, messages, origin, self._view)
        self.dialog.finished.connect(self._on_dialog_finished)
        self.dialog.open()

    def _on_dialog_finished(self) -> None:
        if self.dialog is not None:
            self.dialog.deleteLater()
            self.dialog = None
        self._view.prompt.setFocus()

    def _on_line(self, line: int) -> None:
        if self.message is not None:
            self._view.transcript.go_to_line(self.message.id, line)

    def _on_last_wanted(self) -> None:
        asked = [message for message in tree.path(self._view.talk.conversation) if not message.answers]
        if asked and not self._view.busy:
            self._view.edit(asked[-1])

    # --- examples, presets -------------------------------------------------------------------------------------

    def _on_examples(self) -> None:
        talk = self._view.talk
        if not self._view.busy:
            talk.change(replace(talk.conversation, shots=self._view.examples.shots))
        else:
            self._view.examples.set_shots(talk.conversation.shots)

    def _on_prompt_wanted(self) -> None:
        asked = [message.text for message in tree.path(self._view.talk.conversation) if not message.answers]
        self._view.examples.look(near=self._view.prompt.toPlainText().strip() or (asked[-1] if asked else ""))

    def _on_menu(self) -> None:
        self._fold.setEnabled(bool(self._view.talk.conversation.shots))

    def _on_folded(self, shown: bool) -> None:
        self.unfolded = shown
        self._view.show_conversation()
        if shown:
            self._view.transcript.enter(EXAMPLES)

    def _on_preset_deleted(self, preset: Preset) -> None:
        def put_back() -> None:
            presets.save(preset)
            self._view.panel.presets.refresh(preset.name)

        self._bench.context.notice(f"Deleted the preset “{preset.name}”.", "Undo", put_back)
