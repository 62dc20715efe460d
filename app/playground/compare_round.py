"""One prompt to several models and teachers, with the same settings and the same seed: all stream at once, each into a column of its own.

A column that fails says so in its place, and the others go on. A column is told apart by its key, which whoever asks makes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from PySide6.QtCore import QObject, Signal

from app.playground.gathering import Gathering
from app.playground.mode import Bench
from app.playground.model_servers import Served
from app.playground.stream import AnswerStream
from core.errors import UserError
from core.inference import Answer, Finish, Sampling, stream_chat, stream_completion
from core.models import Model
from core.teacher.speaking import Teacher, stream_teacher

ALTERNATIVES = 5
Contestant = Model | Teacher


@dataclass(frozen=True, slots=True)
class Asked:
    """What all are asked. chat: as a turn of a chat, not as the start of a text. suffix: of a completion, what stands behind the gap."""

    text: str
    sampling: Sampling
    system: str = ""
    chat: bool = True
    suffix: str | None = None

    @property
    def messages(self) -> list[dict[str, str]]:
        """The turns of a chat up to the answer."""
        head = [{"role": "system", "content": self.system}] if self.system else []
        return [*head, {"role": "user", "content": self.text}]


class Round(QObject):
    """Signals: began(key), the answer is asked for; text_arrived(key, str); finished(key, Finish or None, list[Likelihood]), None after a
    stop; failed(key, UserError); over(), nobody is expected to say anything any more."""

    began = Signal(int)
    text_arrived = Signal(int, str)
    finished = Signal(int, object, object)
    failed = Signal(int, object)
    over = Signal()

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._gathering = Gathering(bench, self)
        self._gathering.ready.connect(self._on_ready)
        self._gathering.failed.connect(self._on_not_up)
        self._open: dict[int, Contestant] = {}
        self._streams: dict[int, AnswerStream] = {}
        self._asked = Asked("", Sampling())

    @property
    def busy(self) -> bool:
        """Is anybody still expected to say something?"""
        return bool(self._open)

    def start(self, contestants: Mapping[int, Contestant], asked: Asked) -> None:
        """Ask them all, each under its key. Models that do not fit into memory together are asked one after the other, if a person says so."""
        self._open, self._asked = dict(contestants), asked
        models = [one for one in contestants.values() if isinstance(one, Model)]
        self._gathering.weigh(models, lambda turn: self._begin(contestants, asked, in_turn=turn), self._not_now)

    def stop(self) -> None:
        """End all answers; what has arrived stays."""
        self._gathering.forget()
        for key in [key for key in self._open if key not in self._streams]:
            self._end(key)
            self.finished.emit(key, None, [])
        for stream in list(self._streams.values()):
            stream.stop()
        self._look()

    def stop_one(self, key: int) -> None:
        """End one answer; what has arrived stays."""
        if key in self._streams:
            self._streams[key].stop()

    def abandon(self) -> None:
        """End all answers, and say nothing more of them."""
        self._gathering.forget()
        for stream in self._streams.values():
            stream.abandon()
        self._open, self._streams = {}, {}

    def _not_now(self) -> None:
        self._open = {}
        self.over.emit()

    def _begin(self, contestants: Mapping[int, Contestant], asked: Asked, *, in_turn: bool) -> None:
        self._open, self._asked = dict(contestants), asked
        for key, one in contestants.items():
            if isinstance(one, Teacher):
                self._ask_teacher(key, one)
        models = [one for one in contestants.values() if isinstance(one, Model)]
        if models:
            self._gathering.start(models, in_turn=in_turn)

    def _on_ready(self, model: Model, served: Served) -> None:
        asked = self._asked
        for key in [key for key, one in self._open.items() if one == model and key not in self._streams]:
            if asked.chat:
                answer = stream_chat(
                    served.address, asked.messages, asked.sampling, alternatives=ALTERNATIVES, model=served.name
                )
            else:
                answer = stream_completion(
                    served.address,
                    asked.text,
                    asked.sampling,
                    suffix=asked.suffix,
                    alternatives=ALTERNATIVES,
                    model=served.name,
                )
            self._listen(key, answer)

    def _ask_teacher(self, key: int, teacher: Teacher) -> None:
        """Finding its key may ask the system's keyring, so that is no work for this thread."""
        if not self._asked.chat:
            self._fail(key, UserError("A teacher answers chats only.", "Choose Chat in the settings at the right."))
            return
        asked = self._asked
        self._bench.context.tasks.run(
            lambda: stream_teacher(teacher, asked.messages, asked.sampling),
            lambda answer: self._listen(key, answer) if self._expects(key, teacher, asked) else answer.close(),
            lambda error: self._fail(key, error) if self._expects(key, teacher, asked) else None,
            owner=self,
        )

    def _expects(self, key: int, one: Contestant, asked: Asked) -> bool:
        return self._open.get(key) is one and self._asked is asked

    def _listen(self, key: int, answer: Answer) -> None:
        stream = self._streams[key] = AnswerStream(self._bench.context.tasks, answer, self)
        stream.text_arrived.connect(lambda text: self.text_arrived.emit(key, text))
        stream.finished.connect(lambda finish: self._on_finished(key, finish, stream))
        stream.failed.connect(lambda error: self._fail(key, error))
        self.began.emit(key)

    def _on_finished(self, key: int, finish: Finish | None, stream: AnswerStream) -> None:
        self._end(key)
        self.finished.emit(key, finish, list(stream.tokens))
        self._look()

    def _on_not_up(self, model: Model, error: UserError) -> None:
        for key in [key for key, one in self._open.items() if one == model and key not in self._streams]:
            self._fail(key, error)

    def _fail(self, key: int, error: UserError) -> None:
        self._end(key)
        self.failed.emit(key, error)
        self._look()

    def _end(self, key: int) -> None:
        one = self._open.pop(key, None)
        self._streams.pop(key, None)
        if isinstance(one, Model) and one not in self._open.values():
            self._gathering.done(one)

    def _look(self) -> None:
        if not self._open:
            self.over.emit()


def with_seed(sampling: Sampling, seed: int) -> Sampling:
    """The same settings with a seed that all share, where they name none."""
    return sampling if sampling.seed is not None else replace(sampling, seed=seed)
