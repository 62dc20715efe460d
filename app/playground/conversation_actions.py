"""What a person does with whole conversations: open, rename, delete, give away, by menu or key."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtWidgets import QFileDialog

from app.playground.mode import Bench
from app.widgets.name_question import NameQuestion
from core.errors import UserError
from core.files import write_whole
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.inference.conversation_files import Kept
from core.inference.transcript import as_json, as_markdown

if TYPE_CHECKING:
    from app.playground.chat_view import ChatView

_KINDS = "Markdown (*.md);;JSON (*.json)"


class ConversationActions(QObject):
    """Acts on the conversation that the view has open, and on its file."""

    def __init__(self, view: ChatView, bench: Bench) -> None:
        super().__init__(view)
        self._view = view
        self._bench = bench
        self._folder = bench.context.workspace.conversations
        commands, picker = bench.context.commands, view.conversations
        for name, run in (
            ("new", view.clear),
            ("rename", self.rename),
            ("export", self.export),
            ("delete", self.delete),
        ):
            action = commands.bind(f"playground.{name}", view, run)
            if name != "new":
                picker.menu.addAction(action)
        picker.chosen.connect(self._on_chosen)
        picker.failed.connect(bench.banner.problem)
        view.talk.keeper.failed.connect(self._on_not_kept)

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


def _plain_name(name: str) -> str:
    """A name that any file system takes."""
    plain = "".join(letter if letter.isalnum() or letter in " -_" else " " for letter in name)
    return " ".join(plain.split())[:60] or "conversation"
