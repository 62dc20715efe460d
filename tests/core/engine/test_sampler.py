"""The samplers mean what transformers means by the same names, in the same order, and draw from their own generator."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from transformers.generation.logits_process import (
    LogitsProcessor,
    MinPLogitsWarper,
    RepetitionPenaltyLogitsProcessor,
    TemperatureLogitsWarper,
    TopKLogitsWarper,
    TopPLogitsWarper,
)

from core.engine import sampler
from core.engine.sampler import Draw
from core.inference.sampling import Sampling

NEUTRAL = {"temperature": 1.0, "top_p": 1.0}


def logits(seed: int = 0, size: int = 200) -> torch.Tensor:
    return torch.randn(size, generator=torch.Generator().manual_seed(seed)) * 3


def theirs(scores: torch.Tensor, *processors: LogitsProcessor) -> torch.Tensor:
    ids = torch.tensor([[1, 5, 5, 9]])
    row = scores[None].clone()
    for processor in processors:
        row = processor(ids, row)
    return row[0].softmax(-1)


def ours_alone(scores: torch.Tensor, sampling: Sampling) -> torch.Tensor:
    """What is drawn from, in the order of the vocabulary."""
    shares, places = sampler.distributions(scores[None], [sampling])
    return torch.zeros_like(scores).scatter(0, places[0], shares[0])


def draw(seed: int = 5, seen: list[int] | None = None, size: int = 200, **settings: Any) -> Draw:
    mask = None
    if seen is not None:
        mask = torch.zeros(size, dtype=torch.bool)
        mask[seen] = True
    return Draw(Sampling(**settings), torch.Generator().manual_seed(seed), mask)


CASES = [
    ({"temperature": 0.3, "top_p": 0.999}, [TemperatureLogitsWarper(0.3), TopPLogitsWarper(0.999)]),
    ({"top_k": 7}, [TopKLogitsWarper(7)]),
    ({"top_k": 64}, [TopKLogitsWarper(64)]),
    ({"top_k": 200}, [TopKLogitsWarper(200)]),
    ({"top_p": 0.6}, [TopPLogitsWarper(0.6)]),
    ({"min_p": 0.1}, [MinPLogitsWarper(0.1)]),
    (
        {"temperature": 1.4, "top_k": 30, "top_p": 0.8, "min_p": 0.05},
        [TemperatureLogitsWarper(1.4), TopKLogitsWarper(30), TopPLogitsWarper(0.8), MinPLogitsWarper(0.05)],
    ),
    ({"temperature": 2.0, "top_p": 0.98}, [TemperatureLogitsWarper(2.0), TopPLogitsWarper(0.98)]),
]


@pytest.mark.parametrize("size", [50, 200, 3000])
@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize(("ours", "processors"), CASES)
def test_each_sampler_and_all_in_order_give_transformers_distribution(
    seed: int, size: int, ours: dict[str, float], processors: list[LogitsProcessor]
) -> None:
    got = ours_alone(logits(seed, size), Sampling(**{**NEUTRAL, **ours}))
    torch.testing.assert_close(got, theirs(logits(seed, size), *processors), rtol=1e-4, atol=1e-6)
    assert got.sum() == pytest.approx(1.0, abs=1e-5)


def test_tokens_as_likely_as_the_last_of_top_k_stay_too() -> None:
    scores = torch.tensor([3.0, 1.0, 2.0, 1.0, 1.0, 0.0])
    got = ours_alone(scores, Sampling(temperature=1.0, top_p=1.0, top_k=3))
    assert (got > 0).tolist() == [True, True, True, True, True, False]
    torch.testing.assert_close(got, theirs(scores, TopKLogitsWarper(3)))


def test_rows_with_settings_of_their_own_are_drawn_as_each_is_alone() -> None:
    kinds: list[dict[str, Any]] = [
        {"temperature": 0.0}, {"temperature": 1.0, "top_p": 1.0}, {"top_k": 5}, {"top_p": 0.3, "temperature": 1.5},
        {"min_p": 0.2}, {"repetition_penalty": 1.7, "seen": [1, 5, 9]}, {"temperature": 0.0, "repetition_penalty": 2.0, "seen": [3]},
    ]  # fmt: skip
    scores = torch.stack([logits(seed) for seed in range(len(kinds))])
    together, alone = [draw(**kind) for kind in kinds], [draw(**kind) for kind in kinds]
    for _ in range(5):
        expected = [sampler.next_tokens(row[None], [one])[0] for row, one in zip(scores, alone, strict=True)]
        assert sampler.next_tokens(scores, together) == expected


@pytest.mark.parametrize("settings", [{}, {"top_k": 3}, {"top_p": 0.7}])
def test_tokens_are_drawn_as_often_as_they_are_likely(settings: dict[str, float]) -> None:
    scores = logits(2, 12) / 2
    one = draw(**{**NEUTRAL, **settings})
    drawn = torch.tensor([sampler.next_tokens(scores[None], [one])[0] for _ in range(4000)])
    expected = ours_alone(scores, one.sampling)
    found = torch.bincount(drawn, minlength=12) / len(drawn)
    assert (found - expected).abs().max() < 0.035  # four standard deviations of a share of one half
    assert (found[expected == 0] == 0).all()


def test_the_penalty_counts_every_seen_token_once() -> None:
    expected = RepetitionPenaltyLogitsProcessor(1.3)(torch.tensor([[1, 5, 5, 9]]), logits()[None].clone())
    torch.testing.assert_close(
        sampler.penalise(logits()[None], [draw(seen=[1, 5, 9], repetition_penalty=1.3)]), expected
    )
    assert sampler.penalise(logits()[None], [draw(seen=[1])])[0].equal(logits())


def test_the_likeliest_token_always_stays() -> None:
    for sampling in (Sampling(temperature=1.0, top_p=1e-9), Sampling(temperature=1.0, top_p=1.0, min_p=0.5, top_k=1)):
        got = ours_alone(logits(), sampling)
        assert got.argmax() == logits().argmax()
        assert got.max() == 1


def test_temperature_zero_takes_the_likeliest_after_the_penalty() -> None:
    scores = torch.tensor([[1.0, 3.0, 2.9]])
    zero = {"temperature": 0.0, "repetition_penalty": 1.5, "size": 3}
    assert sampler.next_tokens(scores, [draw(seen=[], **zero)]) == [1]
    assert sampler.next_tokens(scores, [draw(seen=[1], **zero)]) == [2]


def test_a_draw_depends_on_its_own_generator_alone() -> None:
    def draws() -> list[int]:
        one = draw(temperature=2.0)
        return [sampler.next_tokens(logits()[None], [one])[0] for _ in range(20)]

    first = draws()
    torch.rand(1000)
    assert draws() == first
    assert len(set(first)) > 1
