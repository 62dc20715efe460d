"""Questions to the Go helper, many under way at once, answers in order; a question that kills the helper is found out.

Knows nothing of what is asked. One Pipeline is for one thread at a time.
"""

from __future__ import annotations

import collections
import json
import threading
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from core.errors import UserError
from core.golang.helper import prepare
from core.golang.process import HelperGoneError, HelperProcess
from core.golang.toolchain import Toolchain, find

WINDOW = 256  # questions sent ahead: enough that neither side waits for the other
WINDOW_BYTES = 4 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class GivenUp:
    """A question that killed the helper twice, the second time alone. reason: "time", "memory", or how the helper ended;
    check: the check it was in."""

    reason: str
    check: str


@dataclass(frozen=True, slots=True)
class _Sent(Generic[T]):
    number: int
    subject: T
    line: bytes


class Pipeline:
    """A helper that starts with the first question and is started again when it dies."""

    def __init__(self, toolchain: Toolchain | None, *, workers: int, seconds: float) -> None:
        self._toolchain = toolchain
        self._workers = workers
        self._seconds = seconds
        self._process: HelperProcess | None = None
        self._number = 0
        self._lock = threading.Lock()  # between an asking thread and one that closes
        self._asking = False
        self._closed = False

    @property
    def pid(self) -> int | None:
        """The helper's process, None while it is not running."""
        return self._process.pid if self._process is not None else None

    def start(self) -> HelperProcess:
        """The running helper, built and started where need be. Raises UserError."""
        if self._process is None:
            self._toolchain = self._toolchain or find()
            self._process = HelperProcess(prepare(self._toolchain), workers=self._workers, seconds=self._seconds)
        return self._process

    def close(self) -> None:
        """End the helper, from any thread. Questions under way end with a UserError in the thread that asks; later ones
        start another helper."""
        with self._lock:
            self._closed = True
            if self._asking and self._process is not None:
                self._process.kill()  # the asking thread cleans up
            else:
                self._drop()

    def ask(self, questions: Iterable[tuple[T, Mapping[str, Any]]]) -> Iterator[tuple[T, dict[str, Any] | GivenUp]]:
        """The answer to each question with the subject that it came with, in order.

        Questions are drawn in the caller's thread, up to WINDOW ahead of the answers. Stopping half-way is fine.
        Raises UserError when the helper cannot be started.
        """
        with self._lock:
            self._asking, self._closed = True, False
        try:
            yield from self._ask(questions)
        finally:
            with self._lock:
                self._asking = False
                if self._closed:
                    self._drop()

    def _ask(self, questions: Iterable[tuple[T, Mapping[str, Any]]]) -> Iterator[tuple[T, dict[str, Any] | GivenUp]]:
        waiting = iter(questions)
        sent: collections.deque[_Sent[T]] = collections.deque()
        ahead, exhausted = 0, False
        while True:
            while not exhausted and len(sent) < WINDOW and ahead < WINDOW_BYTES:
                question = next(waiting, None)
                if question is None:
                    exhausted = True
                    break
                sent.append(self._send(*question))
                ahead += len(sent[-1].line)
            if not sent:
                return
            try:
                answer = self._receive(sent[0].number)
            except HelperGoneError:
                self._replace()
                suspects = list(sent)
                sent.clear()
                ahead = 0
                for one in suspects:
                    yield one.subject, self._alone(one)
                continue
            done = sent.popleft()
            ahead -= len(done.line)
            yield done.subject, answer

    def _alone(self, suspect: _Sent[T]) -> dict[str, Any] | GivenUp:
        """The helper died: ask again, with nothing else under way, so that a killer dies alone."""
        self.start().send(suspect.line)
        try:
            return self._receive(suspect.number)
        except HelperGoneError as gone:
            self._replace()
            return GivenUp(gone.reason, gone.suspects.get(suspect.number, "parse"))

    def _replace(self) -> None:
        """Drop a dead helper; the next question starts another. Raises UserError when it is dead because of `close`."""
        with self._lock:
            if self._closed:
                raise UserError("The check was stopped before it was done.")
            self._drop()

    def _drop(self) -> None:
        if self._process is not None:
            self._process.close()
            self._process = None

    def _send(self, subject: T, question: Mapping[str, Any]) -> _Sent[T]:
        self._number += 1
        line = json.dumps({"n": self._number, **question}).encode() + b"\n"
        self.start().send(line)
        return _Sent(self._number, subject, line)

    def _receive(self, number: int) -> dict[str, Any]:
        """The answer with this number; older ones belong to a run of questions that was abandoned."""
        while True:
            answer = self.start().receive()
            if answer["n"] == number:
                return answer
