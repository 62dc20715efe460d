"""Number formats and learning rates: decided once, said aloud, a function of the step."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

import pytest
import torch

from core.engine import compute, optim
from core.errors import UserError
from core.training.sections import OptimizerSection


def test_fp32_is_taken_as_asked() -> None:
    assert compute.choose("fp32").dtype == torch.float32
    assert not compute.choose("fp32").note


def test_bf16_without_units_becomes_fp32_and_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(compute, "cpu_has_bf16", lambda: False)
    chosen = compute.choose("bf16")
    assert chosen.dtype == torch.float32
    assert "fp32 is used instead of bf16" in chosen.note
    monkeypatch.setattr(compute, "cpu_has_bf16", lambda: True)
    assert compute.choose("bf16").dtype == torch.bfloat16


def test_a_cpu_likes_even_shapes_in_half_precision_only() -> None:
    cpu = torch.device("cpu")
    formats = (torch.bfloat16, torch.float16, torch.float32)
    assert [compute.Compute(cpu, dtype).likes_even_shapes for dtype in formats] == [True, True, False]
    assert not compute.Compute(torch.device("cuda"), torch.bfloat16).likes_even_shapes


def test_what_is_no_format_is_refused() -> None:
    with pytest.raises(UserError):
        compute.choose("int8")


def test_an_older_library_is_named_with_the_version_it_takes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compute, "version", lambda name: {"torch": "2.9.1+cpu"}.get(name, "5.23.0"))
    with pytest.raises(UserError, match=r"torch 2.9.1\+cpu is installed, and the engine needs 2.11"):
        compute.check_versions()


def rates(schedule: str, rise: int, steps: int = 10, **more: Any) -> list[float]:
    section = OptimizerSection.model_validate({"schedule": schedule, "warmup": rise, **more})
    return [optim.factor(step, steps, section) for step in range(steps)]


def test_the_rate_rises_over_the_warm_up_and_then_follows_its_schedule() -> None:
    assert rates("constant", 4)[:5] == [0.25, 0.5, 0.75, 1.0, 1.0]
    assert rates("linear", 0) == pytest.approx([1 - step / 10 for step in range(10)])
    cosine = rates("cosine", 2)
    assert cosine[:3] == [0.5, 1.0, 1.0]
    assert cosine[6] == pytest.approx(0.5 * (1 + math.cos(math.pi / 2)))
    assert all(a > b for a, b in pairwise(cosine[2:]))
    assert all(0 < rate <= 1 for rate in cosine)


def test_a_run_that_is_all_warm_up_never_divides_by_zero() -> None:
    assert rates("cosine", 10)[-1] == 1.0


def test_norms_and_biases_are_not_decayed() -> None:
    layer = torch.nn.Linear(3, 3)
    optimizer = optim.make(layer.named_parameters(), OptimizerSection(learning_rate=0.1, weight_decay=0.5))
    decays = {
        parameter.ndim: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]
    }
    assert decays == {2: 0.5, 1: 0.0}


def test_the_optimizer_remembers_through_tensors_alone() -> None:
    def make() -> tuple[torch.nn.Linear, torch.optim.Optimizer]:
        torch.manual_seed(0)
        layer = torch.nn.Linear(4, 4)
        return layer, optim.make(layer.named_parameters(), OptimizerSection(learning_rate=0.1, weight_decay=0.1))

    def step(layer: torch.nn.Linear, optimizer: torch.optim.Optimizer) -> None:
        layer(torch.ones(2, 4)).square().sum().backward()
        optimizer.step()
        optimizer.zero_grad()

    whole, first = make()
    cut, second = make()
    step(whole, first)
    step(cut, second)
    third = optim.make(cut.named_parameters(), OptimizerSection(learning_rate=0.1, weight_decay=0.1))
    optim.load_state_tensors(third, cut.named_parameters(), optim.state_tensors(second, cut.named_parameters()))
    step(whole, first)
    step(cut, third)
    assert torch.equal(whole.weight, cut.weight)
