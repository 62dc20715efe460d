"""Models of 8-bit weights: nearly the same answers, everything undone again, and norms computed by the layers after them."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor, nn

from kernels.int8_layers import Int8Linear, fold_norms, to_int8
from tests.kernels.test_attach import model_of

IDS = torch.arange(9)[None]
NORMS = {"llama": 4, "qwen2": 4, "qwen3": 4, "gemma": 4, "gemma2": 0, "starcoder2": 0}
"""How many norms of two layers the layers after them can compute."""


def plain(family: str) -> Any:
    model = model_of(family, plain=True).eval()
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.add_(0.1 * torch.randn(parameter.shape, generator=torch.Generator().manual_seed(1)))
    return model


@torch.no_grad()
def logits(model: Any) -> Tensor:
    found: Tensor = model(input_ids=IDS).logits
    return found


def off(a: Tensor, b: Tensor) -> float:
    return float((a - b).norm() / b.norm())


@pytest.mark.parametrize("family", NORMS)
def test_eight_bits_change_logits_by_a_percent_or_two_and_can_be_undone(family: str) -> None:
    model = plain(family)
    before = logits(model)
    undo = to_int8(model)
    assert not any(type(part) is nn.Linear for part in model.modules())
    assert 0 < off(logits(model), before) < 0.03
    undo()
    assert torch.equal(logits(model), before)


@pytest.mark.parametrize(("family", "norms"), NORMS.items())
def test_norms_that_only_such_layers_read_are_computed_by_them(family: str, norms: int) -> None:
    model = plain(family)
    to_int8(model)
    before = logits(model)
    undo = fold_norms(model, torch.float32)
    assert sum(isinstance(part, nn.Identity) for part in model.modules()) == norms
    assert sum(isinstance(part, Int8Linear) and part.norm is not None for part in model.modules()) == norms // 2 * 5
    assert off(logits(model), before) < 1e-5
    undo()
    assert torch.equal(logits(model), before)


@pytest.mark.usefixtures("by_triton")
def test_a_decode_step_through_the_gpu_program_is_that_of_plain_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    model = plain("llama")
    to_int8(model)
    fold_norms(model, torch.float32)
    one = IDS[:, :1]
    with torch.no_grad():
        by_program = model(input_ids=one).logits
        monkeypatch.undo()
        torch.testing.assert_close(by_program, model(input_ids=one).logits, rtol=1e-4, atol=1e-5)
