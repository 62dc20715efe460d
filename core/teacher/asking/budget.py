"""What may be spent: dollars and tokens that are reserved before anything is sent, and settled when the answer is there.

The reservation is an upper bound, so that any number of questions under way together stay within the budget. What may
have been billed without an answer counts as if it had been billed in full.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from core.errors import UserError
from core.teacher.asking.prices import PriceTable
from core.teacher.exchange import Question, Usage

_A_MESSAGE = 16
"""Tokens that an endpoint may add around a message, generously."""


@dataclass(frozen=True, slots=True)
class Budget:
    """The most that may be spent in all, None for no limit. tokens: prompt and completion together."""

    usd: Decimal | None = None
    tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Bound:
    """The most that sending a question once can cost. tokens, usd: None where it has no limit or no price. expected: tokens to pace by."""

    tokens: int | None
    usd: Decimal | None
    expected: int


def bound(question: Question, prices: PriceTable, day: date, *, batch: bool = False) -> Bound:
    """The most that `question` can cost: a token holds at least a byte, and an answer no more than max_tokens."""
    body = json.dumps(
        [[dict(one) for one in question.messages], dict(question.parameters)], ensure_ascii=False, separators=(",", ":")
    )
    size = len(body.encode())
    prompt = size + _A_MESSAGE * (len(question.messages) + 1)
    limit = question.parameters.get("max_completion_tokens", question.parameters.get("max_tokens"))
    answers = question.parameters.get("n", 1)
    if not isinstance(limit, int) or not isinstance(answers, int):
        return Bound(None, None, size // 4)
    completion = limit * answers
    price = prices.find(question.model, day)
    share = prices.batch if batch else Decimal(1)
    usd = None if price is None else price.cost(Usage(prompt, completion), share)
    return Bound(prompt + completion, usd, size // 4 + completion)


def check_budget(budget: Budget, question: Question, most: Bound) -> None:
    """Raises UserError when this budget cannot be kept with this question, because something has no known limit or price."""
    if budget.usd is None and budget.tokens is None:
        return
    if most.tokens is None:
        raise UserError("A budget needs a limit on the length of an answer.", "Set max_tokens.")
    if budget.usd is not None and most.usd is None:
        raise no_price(question.model)


def no_price(model: str) -> UserError:
    """Why dollars cannot be counted for a model."""
    return UserError(
        f"There is no price for the model {model}, so a budget in dollars cannot be kept.",
        "Add its price to prices.toml in the workspace, or set a budget in tokens.",
    )


class Spending:
    """What was spent and what is reserved, against a budget. Starts with what earlier attempts have spent."""

    def __init__(self, budget: Budget, usd: Decimal = Decimal(0), tokens: int = 0) -> None:
        self.budget = budget
        self.usd = usd
        self.tokens = tokens
        self.reserved_usd = Decimal(0)
        self.reserved_tokens = 0
        self.open = 0

    def fits(self, most: Bound) -> bool:
        """May a question that costs at most this be sent now, whatever becomes of those under way?"""
        usd, tokens = self.budget.usd, self.budget.tokens
        return (usd is None or self.usd + self.reserved_usd + (most.usd or 0) <= usd) and (
            tokens is None or self.tokens + self.reserved_tokens + (most.tokens or 0) <= tokens
        )

    def reserve(self, most: Bound) -> None:
        """Set aside what a question can cost."""
        self.reserved_usd += most.usd or 0
        self.reserved_tokens += most.tokens or 0
        self.open += 1

    def settle(self, most: Bound, usd: Decimal | None, tokens: int) -> None:
        """The question is over: what it cost takes the place of what was set aside."""
        self.reserved_usd -= most.usd or 0
        self.reserved_tokens -= most.tokens or 0
        self.open -= 1
        self.usd += usd or 0
        self.tokens += tokens

    def sentence(self, most: Bound) -> str:
        """Why a question that costs at most this is not sent."""
        usd, tokens = self.budget.usd, self.budget.tokens
        if usd is not None and self.usd + (most.usd or 0) > usd:
            return f"The budget of ${usd:.2f} is used up: ${self.usd:.4f} spent so far, and the next question may cost up to ${most.usd or 0:.4f}."
        return f"The budget of {tokens or 0:,} tokens is used up: {self.tokens:,} so far, and the next question may take up to {most.tokens or 0:,}."
