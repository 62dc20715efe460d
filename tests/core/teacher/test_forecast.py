"""What a plan is told to cost before anything is sent: counted from real prompts, and from real usage once there is some."""

from __future__ import annotations

from decimal import Decimal

import pytest

from core.errors import UserError
from core.teacher import recipes
from core.teacher.asking.prices import load_prices
from core.teacher.drawing import Seed
from core.teacher.forecast import forecast
from core.teacher.plan import plan_from
from core.teacher.provenance import Spent

PLAN = plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 100, "seed": 7})


PRICES = load_prices()


def test_three_examples_and_a_price() -> None:
    made = forecast(PLAN, recipes.find("topic-grid"), "1.27", prices=PRICES)
    assert [one.number for one in made.examples] == [0, 1, 2]
    assert all([role for role, _ in one.messages] == ["system", "user"] for one in made.examples)
    assert made.samples == 100
    assert 200 <= made.requests <= 250
    assert 100 * 1000 < made.prompt_tokens < 100 * 4000
    assert 100 * 1300 < made.completion_tokens < 100 * 2500
    assert made.cost_usd == (made.prompt_tokens * Decimal(2) + made.completion_tokens * Decimal(8)) / 1_000_000
    assert made.sentence.startswith("An estimate")


def test_a_batch_is_half_the_price() -> None:
    live = forecast(PLAN, recipes.find("topic-grid"), "1.27", prices=PRICES)
    batch = forecast(PLAN.model_copy(update={"transport": "batch"}), recipes.find("topic-grid"), "1.27", prices=PRICES)
    assert live.cost_usd is not None
    assert batch.cost_usd == live.cost_usd / 2


def test_five_answers_cost_about_five_times_as_much() -> None:
    one = forecast(PLAN, recipes.find("topic-grid"), "1.27", prices=PRICES)
    five = forecast(PLAN, recipes.find("self-consistency"), "1.27", prices=PRICES)
    assert one.cost_usd is not None
    assert five.cost_usd is not None
    assert 3 < five.cost_usd / one.cost_usd < 6


def test_real_usage_is_worth_more_than_the_estimate() -> None:
    made = forecast(PLAN, recipes.find("topic-grid"), "1.27", prices=PRICES, spent=Spent(40, 2.1, 1500.0, 700.0, 0.9))
    assert (made.requests, made.prompt_tokens, made.completion_tokens, made.measured) == (210, 150_000, 70_000, 40)
    assert made.sentence == "Calibrated with what 40 samples of this recipe and model have really taken."
    few = forecast(PLAN, recipes.find("topic-grid"), "1.27", prices=PRICES, spent=Spent(2, 2.1, 1500.0, 700.0, 0.9))
    assert few.measured == 0


def test_without_a_price_there_is_none() -> None:
    assert forecast(PLAN, recipes.find("topic-grid"), "1.27").cost_usd is None


def test_quotas_and_what_a_plan_starts_from_count() -> None:
    limited = PLAN.model_copy(update={"quotas": dict.fromkeys(recipes.find("topic-grid").file.topics(), 2)})
    assert forecast(limited, recipes.find("topic-grid"), "1.27").samples <= 24
    with pytest.raises(UserError, match="nothing to start from"):
        forecast(PLAN, recipes.find("test-writing"), "1.27")
    seed = Seed("function", "a.go:1", "package a\n\nfunc F() {}\n", "F", "a")
    made = forecast(PLAN, recipes.find("test-writing"), "1.27", pool=[seed])
    assert "func F() {}" in made.examples[0].messages[1][1]
    assert 100 <= made.requests <= 130
