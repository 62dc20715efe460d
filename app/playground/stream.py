"""One answer on its way from the model's process to the screen.

A pool thread reads the pieces, a timer hands them on 30 times a second: the widget repaints as often as an eye can use,
not as often as the model speaks. Stopping closes the connection, which the model's process takes as the order to stop.
"""

from __future__ import annotations

from collections import deque

from PySide6.QtCore import QObject, QTimer, Signal

from app.tasks import TaskRunner
from core.errors import UserError
from core.inference import Answer, Finish, Likelihood

FRAME_MS = 33


class AnswerStream(QObject):
    """Reads one answer to its end, or until it is stopped, and then goes. tokens: those of it that have come, where they were asked for.

    Signals: text_arrived(str); finished(Finish or None), None after a stop; failed(UserError).
    """

    text_arrived = Signal(str)
    finished = Signal(object)
    failed = Signal(object)

    def __init__(self, tasks: TaskRunner, answer: Answer, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._answer = answer
        self._waiting: deque[str] = deque()
        self.tokens: list[Likelihood] = []
        self._frames = QTimer(self, interval=FRAME_MS)
        self._frames.timeout.connect(self._hand_on)
        self._frames.start()
        tasks.run(self._read, self._on_read, self._on_failed, owner=self)

    def stop(self) -> None:
        """Want no more. What has arrived stays; the model stops within a token."""
        self._answer.close()

    def abandon(self) -> None:
        """Want no more, and hear no more: nothing is emitted from here on."""
        self.blockSignals(True)
        self.stop()

    def _read(self) -> Finish | None:
        """Runs on a pool thread."""
        for piece in self._answer:
            if isinstance(piece, Finish):
                return piece
            self.tokens.extend(piece.tokens)
            self._waiting.append(piece.text)
        return None

    def _hand_on(self) -> None:
        text = []
        while self._waiting:
            text.append(self._waiting.popleft())
        if text:
            self.text_arrived.emit("".join(text))

    def _on_read(self, finish: Finish | None) -> None:
        self._frames.stop()
        self._hand_on()
        self.finished.emit(finish)
        self.deleteLater()

    def _on_failed(self, error: UserError) -> None:
        self._frames.stop()
        self._hand_on()
        self.failed.emit(error)
        self.deleteLater()
