"""The colours of compared answers: by how likely each token was to who wrote it, or by what another column's model makes of it.

For the latter both models read the answer in its conversation (`core.inference.scoring`), off the GUI thread: so both see the tokens that
its text is cut into, and not those that one of them happened to say it with. The column that the others are held against stays plain.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QObject, Signal

from app.playground.compare_column import CompareColumn
from app.playground.compare_round import Asked
from app.playground.mode import Bench
from app.playground.model_servers import Served
from app.playground.token_colours import DIFFERENCE, PROBABILITY
from app.playground.token_heat import Heat, heat_of
from core.errors import UserError
from core.inference import Likelihood
from core.inference.scoring import score_answer, score_continuation
from core.inference.stretches import difference, fitted, stretches
from core.models import Model

TEACHER_TELLS_NONE = "The teacher tells no probabilities; its answer stays as it is."


class CompareColours(QObject):
    """Signals: failed(UserError); ended(), whatever was asked for is coloured, or cannot be."""

    failed = Signal(object)
    ended = Signal()

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._cancel = threading.Event()
        self._left = 0
        self.destroyed.connect(self._cancel.set)

    def plain(self, columns: Sequence[CompareColumn]) -> None:
        """Colour nothing."""
        self._stop()
        for column in columns:
            column.view.show_heat(None)

    def by_probability(self, columns: Sequence[CompareColumn]) -> None:
        """Colour each answer by its own model's probabilities."""
        self.plain(columns)
        for column in columns:
            if column.tokens:
                tokens, text, name = column.tokens, column.view.toPlainText(), column.name
                self._work(column, partial(_probability, text, tokens, name))

    def by_difference(self, columns: Sequence[CompareColumn], against: CompareColumn, asked: Asked) -> None:
        """Colour the other columns' answers by how much less likely they are to this column's model."""
        self.plain(columns)
        other = against.asked
        if other is None:
            self.failed.emit(
                UserError("The column to hold the answers against has none.", "Ask all again, then colour.")
            )
            return
        if not isinstance(other, Model):
            self.failed.emit(UserError(TEACHER_TELLS_NONE, "Hold the answers against a model's column."))
            return
        served = self._bench.servers.served(other)
        if served is None:
            self.failed.emit(UserError(f"{other.name} is not loaded.", "Ask all again, then colour."))
            return
        for column in columns:
            if column is not against and column.tokens:
                names = (column.name, other.name)
                writer = column.asked
                own = self._bench.servers.served(writer) if isinstance(writer, Model) else None
                text = column.view.toPlainText()
                self._work(column, partial(_difference, text, column.tokens, names, own, served, asked, self._cancel))

    def _work(self, column: CompareColumn, make: partial[Heat | None]) -> None:
        cancel = self._cancel
        self._left += 1

        def show(heat: Heat | None) -> None:
            if not cancel.is_set():
                if heat is not None:
                    column.view.show_heat(heat)
                self._one_less()

        def fail(error: UserError) -> None:
            if not cancel.is_set():
                self.failed.emit(error)
                self._one_less()

        self._bench.context.tasks.run(make, show, fail, owner=column)

    def _one_less(self) -> None:
        self._left -= 1
        if not self._left:
            self.ended.emit()

    def _stop(self) -> None:
        self._cancel.set()
        self._cancel = threading.Event()
        self._left = 0


def _probability(text: str, tokens: Sequence[Likelihood], name: str) -> Heat:
    return heat_of(PROBABILITY, text, stretches(tokens), tokens, (name,))


def _difference(
    text: str,
    tokens: Sequence[Likelihood],
    names: tuple[str, str],
    own: Served | None,
    other: Served,
    asked: Asked,
    cancel: threading.Event,
) -> Heat | None:
    """Runs on a pool thread; None when nobody wants it any more. own: None where who wrote it is up no more; then it counts as it was said."""
    said = b"".join(
        token.spelt for token in tokens
    ).decode()  # the answer, but for a character that was cut in its middle
    mine = tuple(tokens) if own is None else _scored(own, asked, said, cancel)
    theirs = _scored(other, asked, said, cancel)
    if cancel.is_set():
        return None
    return heat_of(DIFFERENCE, text, difference(mine, theirs), names=names)


def _scored(served: Served, asked: Asked, said: str, cancel: threading.Event) -> tuple[Likelihood, ...]:
    if asked.chat:
        found = score_answer(served.address, asked.messages, said, model=served.name, cancelled=cancel.is_set)
    else:
        found = score_continuation(served.address, asked.text, said, model=served.name)
    return fitted(found, said) if not cancel.is_set() else ()
