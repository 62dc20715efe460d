"""Tensors of more than 2^31 numbers: the last rows lie where a 32-bit offset does not reach. Only on a GPU, by `make test-gpu`."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.cross_entropy import cross_entropy
from kernels.rms_norm import rms_norm
from kernels.rope import rope
from kernels.swiglu import swiglu
from tests.kernels.numerics import DEVICE

pytestmark = pytest.mark.skipif(DEVICE.type == "cpu", reason="needs a GPU: make test-gpu")
WIDTH = 4096
ROWS = 2**31 // WIDTH + 3


def large() -> Tensor:
    return torch.randn(ROWS, WIDTH, device=DEVICE, dtype=torch.bfloat16)


def norm(x: Tensor) -> Tensor:
    return rms_norm(x, torch.ones(WIDTH, device=DEVICE, dtype=x.dtype), 1e-6)


def turned(x: Tensor) -> Tensor:
    angles = torch.ones(len(x), 128, device=DEVICE, dtype=x.dtype)
    return rope(x.view(-1, 32, 128), x[:, :128].reshape(-1, 1, 128), angles, angles)[0].flatten(1)


@pytest.mark.parametrize("operation", [norm, turned, lambda x: swiglu(x, x)], ids=["rms_norm", "rope", "swiglu"])
def test_the_last_rows_are_those_of_a_small_tensor(operation: Callable[[Tensor], Tensor]) -> None:
    x = large().requires_grad_()
    out = operation(x)
    out.backward(torch.ones((), device=DEVICE, dtype=out.dtype).expand(out.shape))
    few = x.detach()[-3:].clone().requires_grad_()
    alone = operation(few)
    alone.backward(torch.ones_like(alone))
    assert torch.equal(out[-3:], alone)
    assert x.grad is not None
    assert few.grad is not None
    assert torch.equal(x.grad[-3:], few.grad)


def test_the_last_rows_of_logits_are_those_of_a_few() -> None:
    logits = large()
    targets = torch.zeros(ROWS, dtype=torch.int64, device=DEVICE)
    few = logits[-3:].clone()
    _, gradient = cross_entropy(logits, targets, reference.PLAIN, wants_gradient=True)
    _, alone = cross_entropy(few, targets[:3], reference.PLAIN, wants_gradient=True)
    assert gradient is not None
    assert alone is not None
    assert torch.equal(gradient[-3:], alone)
