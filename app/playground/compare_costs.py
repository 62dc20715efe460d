"""What asking teachers costs: said and agreed to once in a session for each of them, before anything is sent; and the price of what came."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from decimal import Decimal

from PySide6.QtCore import QObject

from app.playground.compare_round import Asked
from app.playground.mode import Bench
from core.inference import Finish
from core.teacher import speaking
from core.teacher.asking.prices import PriceTable, load_prices
from core.teacher.speaking import Teacher


class CompareCosts(QObject):
    """What was agreed to is forgotten with the window."""

    def __init__(self, bench: Bench, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._bench = bench
        self._agreed: set[Teacher] = set()
        self._prices: PriceTable | None = None
        self._number = 0

    def agree(self, teachers: Sequence[Teacher], asked: Asked, go: Callable[[bool], object]) -> None:
        """Call go(True) where teachers may be asked, go(False) where only the others may: at once, or when a person has answered."""
        self._number += 1
        number = self._number
        if not teachers:
            go(False)
            return
        root = self._bench.context.workspace.root

        def told(prices: PriceTable) -> None:
            if number != self._number:
                return
            self._prices = prices
            new = [one for one in teachers if one not in self._agreed]
            if not new:
                go(True)
                return
            self._bench.banner.say(
                sentence(new, asked, prices),
                "warn",
                [("Ask it", lambda: self._on_agreed(new, go)), ("Only the models", lambda: go(False))],
            )

        self._bench.context.tasks.run(lambda: load_prices(root), told, self._bench.banner.problem, owner=self)

    def forget(self) -> None:
        """Nobody waits for an answer any more."""
        self._number += 1

    def price(self, teacher: Teacher, finish: Finish) -> Decimal | None:
        """Dollars that an answer has cost; None where the model has no price."""
        if self._prices is None:
            return None
        return speaking.cost(teacher, finish.prompt_tokens, finish.tokens, self._prices)

    def _on_agreed(self, teachers: Sequence[Teacher], go: Callable[[bool], object]) -> None:
        self._agreed.update(teachers)
        go(True)


def sentence(teachers: Sequence[Teacher], asked: Asked, prices: PriceTable) -> str:
    """What one question may cost, in words."""
    names = " and ".join(dict.fromkeys(one.model for one in teachers))
    costs = [speaking.most(one, asked.messages, asked.sampling, prices) for one in teachers]
    known = [one for one in costs if one is not None]
    if len(known) < len(costs):
        price = "has no price in the table, so nobody can tell what it costs"
    else:
        price = f"costs at most ${sum(known):.4f} for this answer"
    return f"Asking {names} sends the prompt to {teachers[0].base_url} and {price}. This is asked once in a session."
