"""What a person does with turns and with whole conversations, by button, menu or key; the view only says which turn it is about."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication, QFileDialog

from app.playground.mode import Bench
from app.playground.save_sample import SaveSampleDialog
from app.playground.turns import EXAMPLES
from app.widgets.name_question import NameQuestion
from core.errors import UserError
from core.files import write_whole
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.inference import presets
from core.inference.conversation import Conversation, Message
from core.inference.conversation_files import Kept
from core.inference.presets import Preset
from core.inference.transcript import as_json, as_markdown
from core.samples.answered import Answered
from core.samples.conversation import Message as SampleMessage

if TYPE_CHECKING:
    from app.playground.chat_view import ChatView

_KINDS = "Markdown (*.md);;JSON (*.json)"


class ChatActions(QObject):
    """Attributes: unfolded (are the examples shown in full?), dialog (the one that is open, None for none)."""

    def __init__(self, view: ChatView, bench: Bench) -> None:
        super().__init__(view)
        self._view = view
        self._bench = bench
        self._folder = bench.context.workspace.conversations
        self.unfolded = False
        self.dialog: SaveSampleDialog | None = None
        self._bind()

    def _bind(self) -> None:
        view, turns, talk = self._view, self._view.turns, self._view.talk
        commands = self._bench.context.commands
        for name, run in (
            ("new", view.clear), ("again", self.again), ("earlier", partial(self.turn, -1)), ("later", partial(self.turn, 1)),
            ("previous", partial(self.step, -1)), ("next", partial(self.step, 1)), ("copy", self.copy), ("check", turns.verdict.check),
            ("save", self.save), ("rename", self.rename), ("delete", self.delete), ("export", self.export),
        ):  # fmt: skip
            commands.bind(f"playground.{name}", view, run)
        for name in ("rename", "export", "delete"):
            view.conversations.menu.addAction(commands.action(f"playground.{name}"))
        view.conversations.menu.addSeparator()
        self._fold = view.conversations.menu.addAction("Show the examples in full")
        self._fold.setCheckable(True)
        self._fold.toggled.connect(self._on_folded)
        view.conversations.menu.aboutToShow.connect(self._on_menu)
        view.conversations.chosen.connect(self._on_chosen)
        view.conversations.failed.connect(self._bench.banner.problem)
        view.prompt.last_wanted.connect(self._on_last_wanted)
        view.examples.changed.connect(self._on_examples)
        view.examples.prompt_wanted.connect(self._on_prompt_wanted)
        view.meter.branch_wanted.connect(self.shorten)
        view.panel.presets.deleted.connect(self._on_preset_deleted)
        talk.keeper.failed.connect(self._on_not_kept)
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

    # --- conversations -----------------------------------------------------------------------------------------

    def open(self, kept: Kept | None) -> None:
        """Read this conversation, or begin a new one."""
        talk = self._view.talk
        talk.put_away()
        talk.keeper.follow(kept)
        talk.open(tree.begin() if kept is None else kept.conversation)
        if kept is not None:
            self._view.panel.system.setPlainText(kept.conversation.system)
        self._view.conversations.refresh()

    def restore(self, id: str) -> None:
        """Read what was read last, if it is still there and nobody has begun anything else meanwhile."""
        if id and (self._folder / f"{id}.json").exists():
            self._load(id, only_if_untouched=True)

    def rename(self) -> None:
        """Ask for a title."""
        talk = self._view.talk
        if not talk.conversation.messages:
            return
        question = NameQuestion(
            self._bench.context.theme, "Rename the conversation", "", text=talk.conversation.name[:60], key="conversation", parent=self._view
        )  # fmt: skip
        question.accepted.connect(lambda: self._retitle(" ".join(question.name.text().split())))
        question.open()

    def _retitle(self, title: str) -> None:
        talk = self._view.talk
        if not self._view.busy:
            talk.conversation = replace(talk.conversation, title=title)
            talk.keeper.keep(talk.conversation, self._view.conversations.refresh)

    def delete(self) -> None:
        """Delete the whole conversation; the toast puts it back."""
        id, name = self._view.talk.conversation.id, self._view.talk.conversation.name
        if not self._view.talk.conversation.messages:
            return
        folder, context = self._folder, self._bench.context
        self.open(None)

        def put_back(data: bytes) -> None:
            context.tasks.run(
                lambda: files.put_back(folder, id, data), lambda _none: self._load(id), self._bench.banner.problem, owner=self
            )  # fmt: skip

        def gone(data: bytes) -> None:
            self._view.conversations.refresh()
            context.notice(f"Deleted “{name}”.", "Undo", lambda: put_back(data))

        context.tasks.run(lambda: files.remove(folder, id), gone, self._bench.banner.problem, owner=self)

    def export(self) -> None:
        """Write what is read as Markdown or JSON."""
        conversation = self._view.talk.conversation
        if not conversation.messages:
            self._bench.context.notice("There is nothing to export yet.")
            return
        usual = Path.home() / f"{_plain_name(conversation.name)}.md"
        name, kind = QFileDialog.getSaveFileName(self._view, "Export the conversation", str(usual), _KINDS)
        if name:
            self.export_to(Path(name), as_json(conversation) if kind.startswith("JSON") or name.endswith(".json") else as_markdown(conversation))  # fmt: skip

    def export_to(self, path: Path, text: str) -> None:
        """Write this text; a sentence says where it is, or why not."""

        def write() -> None:
            try:
                write_whole(path, text)
            except OSError as error:
                raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error

        notice = self._bench.context.notice
        self._bench.context.tasks.run(
            write, lambda _none: notice(f"Exported to {path}."), self._bench.banner.problem, owner=self
        )

    def _on_chosen(self, id: str) -> None:
        if id:
            self._load(id)
        else:
            self._view.clear()

    def _load(self, id: str, *, only_if_untouched: bool = False) -> None:
        folder, view = self._folder, self._view

        def show(kept: Kept) -> None:
            if not only_if_untouched or not (view.talk.conversation.messages or view.busy):
                self.open(kept)

        def failed(error: UserError) -> None:
            view.conversations.mark(view.talk.conversation.id)
            self._bench.banner.problem(error)

        view.talk.put_away()
        self._bench.context.tasks.run(lambda: files.load(folder, id), show, failed, owner=self)

    def _on_not_kept(self, error: UserError) -> None:
        talk = self._view.talk
        self._bench.banner.problem(error, [("Try again", lambda: talk.keeper.keep(talk.conversation))])

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


def _plain_name(name: str) -> str:
    """A name that any file system takes."""
    plain = "".join(letter if letter.isalnum() or letter in " -_" else " " for letter in name)
    return " ".join(plain.split())[:60] or "conversation"
