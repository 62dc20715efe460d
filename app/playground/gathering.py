"""Models brought up for one piece of work each: all at once where they fit into memory, else one after the other, if a person says so.

What the work is, whoever asks knows: it hears `ready`, and says `done` when it is over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Signal

from app.playground.mode import Bench
from app.playground.model_servers import Served
from core.errors import UserError
from core.models import Model


class Gathering(QObject):
    """Signals: ready(Model, Served); failed(Model, UserError), it did not come up; then its work is over as well."""

    ready = Signal(object, object)
    failed = Signal(object, object)

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._expected: dict[str, Model] = {}
        self._later: list[Model] = []
        self._in_turn = False
        self._number = 0
        bench.servers.ready.connect(self._on_ready)
        bench.servers.failed.connect(self._on_failed)

    def weigh(self, models: Sequence[Model], go: Callable[[bool], object], not_now: Callable[[], object]) -> None:
        """Call go(in_turn) at once where they fit, or when a person has chosen; until then `not_now` is called."""
        self._number += 1
        number = self._number

        def told(error: UserError | None) -> None:
            if number != self._number:
                return
            if error is None:
                go(False)
                return
            not_now()
            self._bench.banner.problem(
                error, [("One after the other", lambda: go(True)), ("Try together", lambda: go(False))]
            )

        if len({model.path for model in models}) < 2:
            told(None)
        else:
            self._bench.servers.weigh(models, told)

    def start(self, models: Sequence[Model], *, in_turn: bool = False) -> None:
        """Bring these up; `ready` follows for each. Whatever was under way is forgotten."""
        self.forget()
        different = list({model.path: model for model in models}.values())
        self._in_turn = in_turn
        self._later = different[1:] if in_turn else []
        self._bring(different[:1] if in_turn else different)

    def done(self, model: Model) -> None:
        """The work with this model is over: where they come in turn, the next one is brought up."""
        self._expected.pop(str(model.path), None)
        if self._in_turn and not self._expected and self._later:
            self._bring([self._later.pop(0)])

    def forget(self) -> None:
        """Wait for nothing any more."""
        self._number += 1
        self._expected, self._later = {}, []

    def _bring(self, models: Sequence[Model]) -> None:
        self._expected = {str(model.path): model for model in models}
        self._bench.servers.want(models)

    def _on_ready(self, path: str, served: Served) -> None:
        model = self._expected.pop(path, None) if not self._in_turn else self._expected.get(path)
        if model is not None:
            self.ready.emit(model, served)

    def _on_failed(self, path: str, error: UserError) -> None:
        model = self._expected.get(path)
        if model is not None:
            self.failed.emit(model, error)
            self.done(model)
