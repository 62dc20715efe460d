"""Costs are exact, traceable to a table that people edit, and never guessed."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.paths import resources
from core.teacher.asking.prices import load_prices, read_prices
from core.teacher.exchange import Usage

DAY = date(2026, 6, 1)
ONE = """
version = "mine"
[[price]]
models = ["small-*"]
from = 2025-01-01
seen = 2025-01-01
prompt = 1
completion = 2.5
[[price]]
models = ["small-*"]
from = 2026-01-01
seen = 2026-01-01
prompt = 0.1
cached = 0.01
completion = 0.3
[[price]]
models = ["small-x"]
from = 2025-06-01
seen = 2025-06-01
prompt = 7
completion = 7
"""


@pytest.mark.parametrize(
    ("model", "prompt", "cached", "completion"),
    [
        ("gpt-4.1", "2.00", "0.50", "8.00"), ("gpt-4.1-2025-04-14", "2.00", "0.50", "8.00"), ("gpt-4.1-mini", "0.40", "0.10", "1.60"),
        ("gpt-4o", "2.50", "1.25", "10.00"), ("gpt-4o-mini-2024-07-18", "0.15", "0.075", "0.60"),
    ],
)  # fmt: skip
def test_the_table_that_ships_knows_the_list_prices(model: str, prompt: str, cached: str, completion: str) -> None:
    price = load_prices().find(model, DAY)
    assert price is not None
    assert (price.prompt, price.cached, price.completion) == (Decimal(prompt), Decimal(cached), Decimal(completion))


@pytest.mark.parametrize("model", ["gpt-4.1-turbo", "gpt-4.10", "my-gpt-4o", "gpt-4o-audio-preview", "gpt-4-32k", ""])
def test_a_model_it_does_not_know_has_no_price(model: str) -> None:
    assert load_prices().find(model, DAY) is None


def test_the_table_that_ships_says_that_it_must_be_checked_and_when_it_was() -> None:
    assert "CHECK THEM" in (resources() / "prices.toml").read_text()
    table = load_prices()
    assert all(price.seen >= price.since for price in table.prices)
    assert table.batch == Decimal("0.5")


def test_costs_are_exact_to_the_last_digit() -> None:
    price = load_prices().find("gpt-4o-mini", DAY)
    assert price is not None
    assert price.cost(Usage(1, 0, cached=1)) == Decimal("0.000000075")
    assert price.cost(Usage(1_000_000, 1_000_000)) == Decimal("0.75")
    assert price.cost(Usage(10, 0, cached=99)) == price.cost(Usage(10, 0, cached=10)), (
        "more cannot be cached than was sent"
    )
    assert sum((price.cost(Usage(3, 7)) for _ in range(10_000)), Decimal(0)) == Decimal("0.0465")
    assert price.cost(Usage(1000, 1000), Decimal("0.5")) == Decimal("0.000375")


def test_a_copy_in_the_workspace_comes_first_and_its_version_is_its_content(tmp_path: Path) -> None:
    assert load_prices(tmp_path).version == load_prices().version
    (tmp_path / "prices.toml").write_text(ONE)
    mine = load_prices(tmp_path)
    assert mine.version.startswith("mine ")
    (tmp_path / "prices.toml").write_text(ONE.replace("2.5", "2.6"))
    assert load_prices(tmp_path).version != mine.version


def test_the_latest_price_that_has_begun_counts_and_a_name_comes_before_a_pattern(tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(ONE)
    table = load_prices(tmp_path)
    prompts = [(price := table.find("small-y", date(year, 5, 1))) and price.prompt for year in (2024, 2025, 2026)]
    assert prompts == [None, Decimal(1), Decimal("0.1")]
    named = table.find("small-x", DAY)
    assert named is not None
    assert named.prompt == 7
    assert named.cached == 7, "no discount that nobody wrote down"
    assert table.find_for("small-y", "unknown", DAY) == table.find("small-y", DAY)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("prompt = 1\n", "", "prompt is missing"), ("prompt = 1\n", 'prompt = "1"\n', "prompt is no price"), ("prompt = 1\n", "prompt = -1\n", "prompt is no price"),
        ("prompt = 1\n", "prompt = nan\n", "prompt is no price"), ("from = 2025-01-01", 'from = "2025"', "from of small-* is no date"),
        ('models = ["small-*"]', 'models = "small"', "models is no list"), ("prompt = 1\n", "prompt = 1\nimages = 3\n", "no field images"), ('version = "mine"', "", "version is missing"),
        ("[[price]]", "[[price", "line"),
    ],
)  # fmt: skip
def test_a_table_with_a_mistake_is_refused_with_its_name(old: str, new: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "prices.toml").write_text(ONE.replace(old, new, 1))
    with pytest.raises(UserError) as caught:
        load_prices(tmp_path)
    assert words in caught.value.message
    assert "prices.toml" in caught.value.message


def test_a_table_that_is_not_there_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserError, match="cannot be read"):
        read_prices(tmp_path / "none.toml")
