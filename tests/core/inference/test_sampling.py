"""Sampling settings: at their limits they hold, beyond them a sentence names the field and its range."""

from __future__ import annotations

import pytest

from core.errors import UserError
from core.inference import sampling
from core.inference.sampling import RANGES, Sampling, validate


@pytest.mark.parametrize("name", sorted(RANGES))
def test_the_limits_belong_to_the_range_unless_said_otherwise(name: str) -> None:
    allowed = RANGES[name]
    low = allowed.low if not allowed.open_low else allowed.low + (allowed.high - allowed.low) / 1000
    for value in (low, allowed.high):
        value = int(value) if allowed.whole else value
        assert getattr(validate(**{name: value}), name) == value


@pytest.mark.parametrize("name", sorted(RANGES))
@pytest.mark.parametrize("wrong", ["below", "above", "text", "true", "nan"])
def test_beyond_the_limits_the_field_and_its_range_are_named(name: str, wrong: str) -> None:
    allowed = RANGES[name]
    value = {"below": allowed.low - 1, "above": allowed.high + 1, "text": "much", "true": True, "nan": float("nan")}[
        wrong
    ]
    with pytest.raises(UserError) as caught:
        validate(**{name: value})
    assert name in caught.value.message
    assert caught.value.hint


def test_a_misspelt_setting_is_refused_with_the_nearest_one() -> None:
    with pytest.raises(UserError, match="temperature"):
        validate(temprature=1.0)


@pytest.mark.parametrize("stop", [[""], ["a"] * 0 + [""], [1], ["x" * 10_000], [str(n) for n in range(20)]])
def test_stop_strings_must_be_few_and_not_empty(stop: list[object]) -> None:
    with pytest.raises(UserError, match="stop"):
        validate(stop=stop)


def test_at_temperature_zero_nothing_else_has_an_effect_and_that_is_said() -> None:
    used = sampling.effective(Sampling(temperature=0.0, top_p=0.5, top_k=7, min_p=0.1, seed=3))
    assert (used.top_p, used.top_k, used.min_p, used.seed) == (1.0, 0, 0.0, None)


def test_an_answer_never_runs_past_the_context() -> None:
    assert sampling.fit(Sampling(max_tokens=500), prompt_tokens=90, context=100).max_tokens == 10
    with pytest.raises(UserError, match="100"):
        sampling.fit(Sampling(), prompt_tokens=100, context=100)


def test_plain_data_goes_round() -> None:
    wanted = Sampling(temperature=0.3, stop=("\n}", "END"), seed=5)
    assert sampling.from_dict(sampling.as_dict(wanted)) == wanted
