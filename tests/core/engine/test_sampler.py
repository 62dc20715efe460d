"""The samplers mean what transformers means by the same names, in the same order, and draw from their own generator."""

from __future__ import annotations

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


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(
    ("ours", "processors"),
    [
        ({"temperature": 0.3}, [TemperatureLogitsWarper(0.3)]),
        ({"top_k": 7}, [TopKLogitsWarper(7)]),
        ({"top_p": 0.6}, [TopPLogitsWarper(0.6)]),
        ({"min_p": 0.1}, [MinPLogitsWarper(0.1)]),
        (
            {"temperature": 1.4, "top_k": 30, "top_p": 0.8, "min_p": 0.05},
            [TemperatureLogitsWarper(1.4), TopKLogitsWarper(30), TopPLogitsWarper(0.8), MinPLogitsWarper(0.05)],
        ),
    ],
)
def test_each_sampler_and_all_in_order_give_transformers_distribution(
    seed: int, ours: dict[str, float], processors: list[LogitsProcessor]
) -> None:
    got = sampler.distribution(logits(seed), Sampling(**{**NEUTRAL, **ours}))
    torch.testing.assert_close(got, theirs(logits(seed), *processors), rtol=1e-4, atol=1e-6)
    assert got.sum() == pytest.approx(1.0, abs=1e-5)


def test_the_penalty_counts_every_seen_token_once() -> None:
    expected = RepetitionPenaltyLogitsProcessor(1.3)(torch.tensor([[1, 5, 5, 9]]), logits()[None].clone())[0]
    torch.testing.assert_close(sampler.penalise(logits(), torch.tensor([1, 5, 9]), 1.3), expected)
    assert sampler.penalise(logits(), torch.tensor([1]), 1.0).equal(logits())


def test_the_likeliest_token_always_stays() -> None:
    for sampling in (Sampling(temperature=1.0, top_p=1e-9), Sampling(temperature=1.0, top_p=1.0, min_p=0.5, top_k=1)):
        got = sampler.distribution(logits(), sampling)
        assert got.argmax() == logits().argmax()
        assert got.max() == 1


def test_temperature_zero_takes_the_likeliest_after_the_penalty() -> None:
    scores = torch.tensor([1.0, 3.0, 2.9])
    zero = Sampling(temperature=0.0, repetition_penalty=1.5)
    generator = torch.Generator()
    assert sampler.next_token(scores, torch.tensor([], dtype=torch.long), zero, generator) == 1
    assert sampler.next_token(scores, torch.tensor([1]), zero, generator) == 2


def test_a_draw_depends_on_its_own_generator_alone() -> None:
    def draws() -> list[int]:
        generator = torch.Generator().manual_seed(5)
        return [sampler.next_token(logits(), torch.tensor([0]), Sampling(), generator) for _ in range(20)]

    first = draws()
    torch.rand(1000)
    assert draws() == first
    assert len(set(first)) > 1
