"""A conversation that goes on: what is asked, what streams in, which branch is read. No widget; the view shows what it tells.

A question and the place of its answer are on disk before the model is asked, what streams in is written every second, and an answer is on disk
before the next question may be asked. A question that got not one word in return is taken back, so that it can be sent again.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, QTimer, Signal

from app.playground.keeper import Keeper
from app.playground.model_servers import Served
from app.playground.stream import AnswerStream
from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import Answer, Finish, Sampling, stream_chat, stream_completion
from core.inference import conversation as tree
from core.inference.conversation import Conversation, Facts
from core.inference.sampling import as_dict
from core.models import Model

KEEP_MS = 1000


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be asked. text: of the question. instead_of: the question that it replaces, "" for the next one. again: the question that
    is to be answered once more, "" for none; then text says nothing. chat: a turn, not a text to go on from."""

    text: str
    sampling: Sampling
    system: str
    chat: bool = True
    instead_of: str = ""
    again: str = ""


class Talk(QObject):
    """Attributes: conversation (as it is now), keeper, room (may a question go back to where it was written? else it stays in the tree).

    Signals: changed(), another branch or another conversation is read; text_arrived(str), the last answer goes on; ended(Finish or None, UserError
    or None), it is over and on disk as far as that is possible: with a finish, stopped (both None), or broken off; taken_back(str), a question
    that got no answer, to be asked again.
    """

    changed = Signal()
    text_arrived = Signal(str)
    ended = Signal(object, object)
    taken_back = Signal(str)

    def __init__(self, tasks: TaskRunner, keeper: Keeper, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._tasks = tasks
        self.keeper = keeper
        self.conversation = tree.begin()
        self.room: Callable[[], bool] = lambda: True
        self._before: Conversation | None = None
        self._answer = ""
        self._id = ""
        self._stream: AnswerStream | None = None
        self._question = ""
        self._pause = QTimer(self, singleShot=True, interval=KEEP_MS)
        self._pause.timeout.connect(self._keep_so_far)
        keeper.joined.connect(self._on_joined)

    @property
    def busy(self) -> bool:
        """Is something asked, or an answer on its way to the disk?"""
        return bool(self._id)

    @property
    def streaming(self) -> bool:
        """Is an answer coming in?"""
        return self._stream is not None

    def open(self, conversation: Conversation) -> None:
        """Read another conversation; an answer that is being written stays in the old one as far as it came."""
        self.put_away()
        self.conversation = conversation
        self.changed.emit()

    def change(self, conversation: Conversation) -> None:
        """The same conversation with another branch, title or without some messages; on disk soon. Not while it is busy."""
        self.conversation = conversation
        if conversation.messages or conversation.dropped:
            self.keeper.keep(conversation)
        self.changed.emit()

    def ask(self, wish: Wish, model: Model, served: Served) -> None:
        """Ask this model. Not while it is busy."""
        self._before = before = self.conversation
        asked, self._question = self._with_question(replace(before, system=wish.system), wish)
        facts = Facts(
            model.name, str(model.path), model.run or "", model.step, wish.system if wish.chat else "", as_dict(wish.sampling)
        )  # fmt: skip
        role = tree.ASSISTANT if wish.chat else tree.CONTINUATION
        now = tree.add(asked, role, "", parent=self._question, facts=facts)
        self.conversation, self._id, self._answer = now, now.leaf, ""
        self.changed.emit()
        messages = tree.chat(now, self._question)
        text = now.message(self._question).text

        def begin() -> None:
            head = [{"role": "system", "content": wish.system}] if wish.system else []
            said = (
                stream_chat(served.address, [*head, *messages], wish.sampling, model=served.name)
                if wish.chat
                else stream_completion(served.address, text, wish.sampling, model=served.name)
            )
            self._begin(now.leaf, said)

        self.keeper.keep(now, begin, lambda: self._take_back(keep=False))

    def stop(self) -> None:
        """End the answer that is being written; what has arrived stays."""
        if self._stream is not None:
            self._stream.stop()

    def put_away(self) -> None:
        """Hear no more of the answer that is being written, and have everything on disk now."""
        self._pause.stop()
        if self._stream is not None:
            self._stream.abandon()
            self._stream = None
        if self._id:
            if self._answer:
                self._settle("stopped")
                self.keeper.keep(self.conversation)
            else:
                self._take_back()
            self._id = ""
        self.keeper.flush()

    def _with_question(self, conversation: Conversation, wish: Wish) -> tuple[Conversation, str]:
        if wish.again:
            return conversation, wish.again
        if wish.instead_of:
            made = tree.ask_anew(conversation, wish.instead_of, wish.text)
        else:
            made = tree.add(conversation, tree.USER if wish.chat else tree.PROMPT, wish.text)
        return made, made.leaf

    def _begin(self, id: str, said: Answer) -> None:
        if id != self._id:
            return  # stopped, or another conversation is read by now
        self._stream = AnswerStream(self._tasks, said, self)
        self._stream.text_arrived.connect(self._on_text)
        self._stream.finished.connect(self._on_finished)
        self._stream.failed.connect(self._on_failed)

    def _on_text(self, text: str) -> None:
        self._answer += text
        self.text_arrived.emit(text)
        if not self._pause.isActive():
            self._pause.start()

    def _keep_so_far(self) -> None:
        if self._stream is not None:
            self.conversation = tree.written(self.conversation, self._id, self._answer)
            self.keeper.keep(self.conversation)

    def _on_finished(self, finish: Finish | None) -> None:
        self._over("stopped" if finish is None else finish.reason, finish, None)

    def _on_failed(self, error: UserError) -> None:
        self._over("broken", None, error)

    def _over(self, reason: str, finish: Finish | None, error: UserError | None) -> None:
        self._stream = None
        self._pause.stop()
        if not self._answer:
            self._take_back()
            self._id = ""
            self.ended.emit(finish, error)
            return
        self._settle(reason, finish)

        def done() -> None:
            self._id = ""
            self.ended.emit(finish, error)

        self.keeper.keep(self.conversation, done, done)

    def _settle(self, reason: str, finish: Finish | None = None) -> None:
        """The answer as it will stay."""
        facts = self.conversation.message(self._id).facts
        assert facts is not None
        facts = replace(facts, reason=reason)
        if finish is not None:
            facts = replace(
                facts, tokens=finish.tokens, tokens_per_second=finish.tokens_per_second, time_to_first_token=finish.time_to_first_token,
                settings={**finish.settings} or facts.settings,
            )  # fmt: skip
        self.conversation = tree.written(self.conversation, self._id, self._answer, facts)

    def _take_back(self, *, keep: bool = True) -> None:
        """Without a word of an answer there is no turn; the question goes back to be asked again, if it was a new one."""
        before, self._before = self._before, None
        if before is None:
            return
        question = self.conversation.message(self._question)
        back = all(message.id != question.id for message in before.messages) and self.room()
        if keep:
            left = tree.delete(self.conversation, question.id if back else self._id)
            self.conversation = replace(left, leaf=before.leaf if back else question.id)
            self.keeper.keep(self.conversation)
        else:
            self.conversation, self._id = before, ""
        self.changed.emit()
        if back or not keep:
            self.taken_back.emit(question.text)
        if not keep:
            self.ended.emit(None, None)

    def _on_joined(self, conversation: Conversation) -> None:
        if conversation.id == self.conversation.id:
            self.conversation = tree.merged(self.conversation, conversation)
            if self._stream is None:
                self.changed.emit()
