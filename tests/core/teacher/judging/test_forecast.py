"""What judging will cost, told before anything is sent: counted from real prompts, and from real usage once there is some."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher.judging import rubrics
from core.teacher.judging.plan import plan_from
from core.teacher.judging.starting import Forecast, forecast
from tests.core.samples.judged import judged

Fill = Callable[..., tuple[int, ...]]


@pytest.fixture
def told(tmp_path: Path, connection: sqlite3.Connection) -> Callable[..., Forecast]:
    return lambda **fields: forecast(plan_from({"model": "gpt-4.1", "query": "", **fields}), tmp_path, connection)


def test_three_examples_and_a_price(fill: Fill, told: Callable[..., Forecast]) -> None:
    fill(100)
    made = told()
    assert (made.samples, made.known, made.measured) == (100, 0, 0)
    assert [[role for role, _ in messages] for messages in made.examples] == [["system", "user"]] * 3
    assert "Number 2: write F2." in made.examples[2][1][1]
    assert 100 * 800 < made.prompt_tokens < 100 * 2000
    assert made.completion_tokens == 100 * rubrics.find("go-sample").file.tokens
    assert made.cost_usd == (made.prompt_tokens * Decimal(2) + made.completion_tokens * Decimal(8)) / 1_000_000
    assert made.sentence.startswith("An estimate")
    assert told(transport="batch").cost_usd == made.cost_usd / 2
    assert told(most=7).samples == 7


def test_real_usage_is_worth_more_than_the_estimate(
    fill: Fill, told: Callable[..., Forecast], connection: sqlite3.Connection
) -> None:
    digest = rubrics.find("go-sample").digest
    keys = fill(10)
    for key in keys[:4]:
        judged(connection, key, 50, rubric_digest=digest, prompt_tokens=1000, completion_tokens=200)
    assert (told().samples, told().known, told().measured) == (6, 4, 0)
    judged(connection, keys[4], None, rubric_digest=digest, prompt_tokens=1500, completion_tokens=700)
    made = told()
    assert (made.samples, made.known, made.measured) == (6, 4, 5)
    assert (made.prompt_tokens, made.completion_tokens) == (6 * 1100, 6 * 300)
    assert made.sentence == "Calibrated with what 5 judgements by this rubric and model have really taken."
    assert told(again=True).samples == 10


def test_what_launching_refuses_is_refused_here_too(
    fill: Fill, told: Callable[..., Forecast], connection: sqlite3.Connection
) -> None:
    with pytest.raises(UserError, match="“tag:none” finds no sample to judge"):
        told(query="tag:none")
    (key,) = fill(1)
    judged(connection, key, 50, rubric_digest=rubrics.find("go-sample").digest)
    with pytest.raises(UserError, match=r"gpt-4.1 has scored all that “” finds \(1\) by this rubric"):
        told()
    with pytest.raises(UserError, match="no price for the model nobody-knows"):
        told(model="nobody-knows", budget_usd=1.0)
    assert told(model="nobody-knows").cost_usd is None
