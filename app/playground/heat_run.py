"""One text scored by one model or two, and made into what is shown of it; all off the GUI thread."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import QObject, Signal

from app.playground.gathering import Gathering
from app.playground.mode import Bench
from app.playground.model_servers import Served
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from app.playground.token_heat import Heat, heat_of
from core.errors import UserError
from core.inference import Likelihood
from core.inference.scoring import score_text
from core.inference.stretches import Line, Total, difference, fitted, stretches, total, worst_lines
from core.models import Model

ALTERNATIVES = 5
WORST = 20


@dataclass(frozen=True, slots=True)
class Scored:
    """heat: of one model, or of the difference of the second to the first. totals: one a model, in order."""

    models: tuple[Model, ...]
    heat: Heat
    totals: tuple[Total, ...]
    worst: tuple[Line, ...]


class HeatRun(QObject):
    """Signals: progressed(done, of), in tokens of all models; finished(Scored); failed(UserError); ended(), after either and after a stop."""

    progressed = Signal(int, int)
    finished = Signal(object)
    failed = Signal(object)
    ended = Signal()

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._gathering = Gathering(bench, self)
        self._gathering.ready.connect(self._on_ready)
        self._gathering.failed.connect(lambda _model, error: self._on_failed(error))
        self._text = ""
        self._models: tuple[Model, ...] = ()
        self._found: dict[str, tuple[Likelihood, ...]] = {}
        self._done: dict[str, tuple[int, int]] = {}
        self._cancel = threading.Event()
        self.busy = False

    def start(self, text: str, models: Sequence[Model]) -> None:
        """Score this text; what was under way is stopped."""
        self._cancel.set()
        self._cancel = threading.Event()
        self._text, self._models = text, tuple(models)
        self._found, self._done = {}, {}
        self.busy = True
        self._gathering.weigh(models, lambda turn: self._gather(in_turn=turn), self.ended.emit)

    def stop(self) -> None:
        """Want no more; nothing is said of it but `ended`."""
        self._cancel.set()
        self._gathering.forget()
        self._end()

    def _gather(self, *, in_turn: bool) -> None:
        self.busy = True
        self._gathering.start(self._models, in_turn=in_turn)

    def _on_ready(self, model: Model, served: Served) -> None:
        text, cancel, path = self._text, self._cancel, str(model.path)
        tell = self._bench.context.tasks.relay(lambda done, of: self._on_told(cancel, path, done, of), owner=self)

        def score() -> tuple[Likelihood, ...]:
            found = score_text(
                served.address, text, alternatives=ALTERNATIVES, model=served.name, told=tell, cancelled=cancel.is_set
            )
            return fitted(found, text) if found else ()

        self._bench.context.tasks.run(
            score,
            lambda tokens: self._on_scored(cancel, model, tokens),
            lambda error: self._on_failed(error) if not cancel.is_set() else None,
            owner=self,
        )

    def _on_told(self, cancel: threading.Event, path: str, done: int, of: int) -> None:
        if cancel.is_set():
            return
        self._done[path] = (done, of)
        waiting = of * (len(self._models) - len(self._done))  # taken to be as many as those that are known
        self.progressed.emit(
            sum(one for one, _ in self._done.values()), sum(all_of for _, all_of in self._done.values()) + waiting
        )

    def _on_scored(self, cancel: threading.Event, model: Model, tokens: tuple[Likelihood, ...]) -> None:
        if cancel.is_set():
            return
        self._found[str(model.path)] = tokens
        self._gathering.done(model)
        if len(self._found) < len(self._models):
            return
        text, models = self._text, self._models
        each = [self._found[str(one.path)] for one in models]

        def show(scored: Scored) -> None:
            if not cancel.is_set():
                self.finished.emit(scored)
                self._end()

        self._bench.context.tasks.run(lambda: made(text, models, each), show, owner=self)

    def _on_failed(self, error: UserError) -> None:
        self._cancel.set()
        self._gathering.forget()
        self.failed.emit(error)
        self._end()

    def _end(self) -> None:
        if self.busy:
            self.busy = False
            self.ended.emit()


def made(text: str, models: tuple[Model, ...], each: Sequence[tuple[Likelihood, ...]]) -> Scored:
    """What is shown of a text: of one model, or of the difference of two."""
    names = [model.name for model in models]
    if len(each) == 1:
        found = stretches(each[0])
        heat = heat_of(PROBABILITY, text, found, each[0], names)
    else:
        found = difference(each[0], each[1])
        heat = heat_of(DIFFERENCE, text, found, names=names)
    return Scored(models, heat, tuple(map(total, each)), worst_lines(text, found, WORST))
