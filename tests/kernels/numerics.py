"""The rule by which a fused operation is judged: it may be as wrong as torch's own in the same number format, twice over, and no more."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence

import torch
from torch import Tensor

Operation = Callable[..., Tensor]
DEVICE = torch.device("cuda" if os.environ.get("GOSMITH_TEST_GPU") else "cpu")


def outcome(operation: Operation, values: Sequence[Tensor]) -> list[Tensor]:
    """What an operation gives, and its gradients for all values, under a gradient from above that is not one everywhere."""
    leaves = [value.detach().requires_grad_() for value in values]
    out = operation(*leaves)
    above = torch.linspace(-1.3, 0.7, out.numel(), dtype=torch.float64).view_as(out)
    return [out.detach(), *torch.autograd.grad(out, leaves, above.to(out))]


def assert_no_worse(fused: Operation, plain: Operation, values: Sequence[Tensor], dtype: torch.dtype) -> None:
    """Result and gradients of `fused` in `dtype` are off by at most twice what those of `plain` are, and one unit in the last place.

    values: fp64, from which the truth is computed after they were rounded to `dtype`.
    """
    rounded = [value.to(DEVICE, dtype) for value in values]
    truth = outcome(plain, [value.double() for value in rounded])
    ours, theirs = outcome(fused, rounded), outcome(plain, rounded)
    for number, (got, own, exact) in enumerate(zip(ours, theirs, truth, strict=True)):
        assert got.dtype == own.dtype, number
        unit = torch.finfo(dtype).eps * exact.abs().max()
        allowed = 2 * (own.double() - exact).abs().max() + unit
        assert (got.double() - exact).abs().max() <= allowed, f"output {number}"


def random(*shapes: tuple[int, ...], seed: int = 0) -> list[Tensor]:
    """fp64 tensors of the size of activations and weights."""
    generator = torch.Generator().manual_seed(seed)
    return [
        torch.randn(shape, generator=generator, dtype=torch.float64) / max(1, shape[-1]) ** 0.25 for shape in shapes
    ]
