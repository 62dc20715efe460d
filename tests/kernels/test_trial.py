"""Whether an operation does here what torch does is tried before it is relied on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from kernels import trial
from kernels.reference import PLAIN, Terms
from tests.kernels.numerics import DEVICE

EVERYTHING = Terms(smoothing=0.1, z_loss=0.01, softcap=5.0)
BROKEN = "kernels.cross_entropy._launch"


@pytest.mark.usefixtures("by_triton")
@pytest.mark.parametrize("terms", [PLAIN, EVERYTHING], ids=["plain", "all terms"])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16])
def test_a_head_that_does_what_torch_does_is_taken(dtype: torch.dtype, terms: Terms) -> None:
    assert trial.head_difference(100, dtype, DEVICE, terms) == ""


@pytest.mark.usefixtures("by_triton")
def test_a_head_that_gives_other_numbers_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def forgetful(logits: Tensor, *_others: Any) -> Tensor:
        return logits.logsumexp(-1)  # and writes no gradient

    monkeypatch.setattr(BROKEN, forgetful)
    assert trial.head_difference(100, torch.float32, DEVICE, PLAIN) == "it gives other numbers than torch"


@pytest.mark.usefixtures("by_triton")
def test_a_head_that_cannot_be_compiled_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_args: Any) -> Tensor:
        raise RuntimeError("at 12:4:\nout of resource: shared memory")

    monkeypatch.setattr(BROKEN, broken)
    why = trial.head_difference(100, torch.float32, DEVICE, PLAIN)
    assert why == "it cannot be computed here: out of resource: shared memory"


def test_where_no_program_computes_there_is_nothing_to_try() -> None:
    assert trial.head_difference(100, torch.float64, DEVICE, PLAIN) == ""
