"""Every differentiable operation of kernels/ on a few small rows: a function of the tensors that want gradients, and their shapes."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from kernels.linear_cross_entropy import linear_cross_entropy
from kernels.lora import lora_linear
from kernels.lora_mlp import lora_mlp
from kernels.lora_qkv import lora_qkv
from kernels.reference import IGNORE, Adapted
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import swiglu
from tests.kernels.numerics import DEVICE, random

COS, SIN, *WEIGHTS = (
    value.to(DEVICE, torch.float32) for value in random((4, 8), (4, 8), (8, 8), (8, 8), (8, 8), seed=5)
)
ADAPTERS = [(2, 8), (8, 2)] * 3
TARGETS, KEPT = torch.tensor([1, IGNORE, 3, IGNORE], device=DEVICE), torch.tensor([0, 2], device=DEVICE)


def layers(halves: tuple[Tensor, ...]) -> list[Adapted]:
    """Three layers, each with its own weight and adapter."""
    return [Adapted(WEIGHTS[i], halves[2 * i], halves[2 * i + 1], 2.0) for i in range(3)]


OPERATIONS: dict[str, tuple[Callable[..., Tensor], list[tuple[int, ...]]]] = {
    "rms_norm": (lambda x, w: rms_norm(x, w, 1e-6), [(4, 8), (8,)]),
    "add_rms_norm": (lambda x, r, w: torch.stack(add_rms_norm(x, r, w, 1e-6)), [(4, 8), (4, 8), (8,)]),
    "rope": (lambda q, k: torch.cat(rope(q, k, COS, SIN), 1), [(4, 2, 8), (4, 1, 8)]),
    "swiglu": (swiglu, [(4, 8), (4, 8)]),
    "lora_linear": (lambda x, a, b: lora_linear(x, WEIGHTS[0], None, a, b, 2.0), [(4, 8), (2, 8), (8, 2)]),
    "lora_mlp": (lambda x, *halves: lora_mlp(x, *layers(halves)), [(4, 8), *ADAPTERS]),
    "lora_qkv": (lambda x, *halves: torch.cat(lora_qkv(x, *layers(halves)), 1), [(4, 8), *ADAPTERS]),
    "linear_cross_entropy": (lambda h, w: linear_cross_entropy(h, w, TARGETS, kept=KEPT), [(4, 8), (6, 8)]),
}
