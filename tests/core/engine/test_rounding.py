"""What counts as rounding: as much as a number format loses, never what a mistake changes."""

from __future__ import annotations

import pytest
import torch

from core.engine.rounding import only_rounding


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16, torch.float32])
def test_the_same_product_in_another_order_is_rounding_and_another_one_is_not(dtype: torch.dtype) -> None:
    generator = torch.Generator().manual_seed(0)
    states = torch.randn(4, 512, generator=generator).to(dtype)
    weight = torch.randn(512, 4096, generator=generator).to(dtype) / 512**0.5
    one = states @ weight
    other = sum(states[:, at : at + 64] @ weight[at : at + 64] for at in range(0, 512, 64))
    assert isinstance(other, torch.Tensor)
    assert only_rounding(other, one)
    assert not only_rounding(one.roll(1, 0), one), "another row's logits"
    assert not only_rounding(states.roll(1, 1) @ weight, one)
    assert not only_rounding(one * 1.1, one)


def test_what_is_no_number_is_not_rounding() -> None:
    logits = torch.randn(2, 100, generator=torch.Generator().manual_seed(1))
    for dtype in (torch.float32, torch.bfloat16):
        broken = logits.to(dtype)
        broken[0, 0] = torch.nan
        assert not only_rounding(broken, logits.to(dtype))
