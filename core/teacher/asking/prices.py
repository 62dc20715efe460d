"""What tokens cost: a table with dates that people edit, and exact arithmetic on it.

A model that is not in the table has no price. Nothing is guessed: a cost is then unknown, and a budget in dollars is refused.
"""

from __future__ import annotations

import hashlib
import tomllib
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.paths import resources
from core.teacher.exchange import Usage

MILLION = Decimal(1_000_000)
NAME = "prices.toml"


@dataclass(frozen=True, slots=True)
class Price:
    """Dollars per million tokens of the models whose names match one of the patterns, from a day on. seen: when somebody last checked it."""

    models: tuple[str, ...]
    since: date
    seen: date
    prompt: Decimal
    cached: Decimal
    completion: Decimal

    def cost(self, usage: Usage, share: Decimal = Decimal(1)) -> Decimal:
        """Dollars for so many tokens, exactly. share: 1, or that of a batch."""
        cached = min(usage.cached, usage.prompt)
        fresh = usage.prompt - cached
        return (fresh * self.prompt + cached * self.cached + usage.completion * self.completion) * share / MILLION


@dataclass(frozen=True, slots=True)
class PriceTable:
    """All prices. version: that of the file and the beginning of its hash, so that a cost can be traced to what was written there."""

    version: str
    batch: Decimal
    prices: tuple[Price, ...]

    def find(self, model: str, day: date) -> Price | None:
        """The price of a model on a day; None when the table does not know it. A name comes before a pattern, then the latest date."""
        found = [
            price
            for price in self.prices
            if price.since <= day and any(fnmatchcase(model, pattern) for pattern in price.models)
        ]
        return max(found, key=lambda price: (model in price.models, price.since), default=None)

    def cost(self, model: str, usage: Usage, day: date, *, batch: bool = False) -> Decimal | None:
        """Dollars for so many tokens of a model on a day; None where it has no price."""
        price = self.find(model, day)
        return None if price is None else price.cost(usage, self.batch if batch else Decimal(1))

    def find_for(self, asked: str, answered: str, day: date) -> Price | None:
        """The price of what answered, or where that has none, of what was asked for."""
        return self.find(answered, day) or self.find(asked, day)


def load_prices(workspace: Path | None = None) -> PriceTable:
    """The table in the workspace's prices.toml, else the one that ships. Raises UserError, with the file's name, when it cannot be read."""
    path = workspace / NAME if workspace is not None else None
    return read_prices(path if path is not None and path.exists() else resources() / NAME)


def read_prices(path: Path) -> PriceTable:
    """The table in a file. Raises UserError when it cannot be read or a price is not as it should be."""
    try:
        raw = path.read_bytes()
        table = tomllib.loads(raw.decode(), parse_float=Decimal)
        prices = tuple(_price(entry) for entry in table["price"])
        batch = _number(table.get("batch", Decimal("0.5")), "batch")
        version = f"{table['version']} {hashlib.sha256(raw).hexdigest()[:8]}"
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.", "Check the file's permissions.") from error
    except KeyError as error:
        raise UserError(f"{path}: {error.args[0]} is missing.", "Take the file that ships as a pattern.") from error
    except (ValueError, TypeError, AttributeError) as error:
        raise UserError(f"{path}: {error}.", "Take the file that ships as a pattern.") from error
    return PriceTable(version, batch, prices)


def _price(entry: dict[str, Any]) -> Price:
    models = entry["models"]
    if not isinstance(models, list) or not all(isinstance(model, str) for model in models):
        raise ValueError("models is no list of names")
    unknown = entry.keys() - {"models", "from", "seen", "prompt", "cached", "completion"}
    if unknown:
        raise ValueError(f"there is no field {sorted(unknown)[0]} in a price")
    for field in ("from", "seen"):
        if type(entry[field]) is not date:
            raise ValueError(f"{field} of {models[0]} is no date such as 2025-04-14")
    prompt = _number(entry["prompt"], "prompt")
    return Price(
        models=tuple(models),
        since=entry["from"],
        seen=entry["seen"],
        prompt=prompt,
        cached=_number(entry.get("cached", prompt), "cached"),
        completion=_number(entry["completion"], "completion"),
    )


def _number(value: object, name: str) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not Decimal(value).is_finite() or value < 0:
        raise ValueError(f"{name} is no price: {value}")
    return Decimal(value)
