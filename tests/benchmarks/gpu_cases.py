"""What `gpu_kernels` measures: every operation of kernels/ at the widths of real models, beside torch's and Liger's way of doing the same."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from kernels import reference
from kernels.int8_linear import Int8, int8_linear, quantized
from kernels.linear_cross_entropy import linear_cross_entropy
from kernels.lora_mlp import lora_mlp
from kernels.lora_qkv import lora_qkv
from kernels.reference import Adapted
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import swiglu

RANK = 16
Operation = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Shape:
    """Widths of a model. keys: key-value heads."""

    name: str
    hidden: int
    intermediate: int
    heads: int
    keys: int
    head: int
    vocabulary: int


SHAPES = (
    Shape("7B", 3584, 18944, 28, 4, 128, 152064),
    Shape("8B", 4096, 14336, 32, 8, 128, 128256),
    Shape("1.5B", 1536, 8960, 12, 2, 128, 151936),
    Shape("0.5B", 896, 4864, 14, 2, 64, 151936),
)
TINY = Shape("tiny", 64, 96, 4, 2, 16, 128)
TOKENS = (8192, 2048, 32768, 512)


@dataclass(frozen=True, slots=True)
class Case:
    """One operation at one size. ours, plain: the functions. values: what is given, those that want a gradient first. wanted: how many want
    one. bytes, flops: what the formula must move or do, forward and backward; one of them is 0. liger: where Liger has the same, or why that
    cannot be compared."""

    name: str
    ours: Operation
    plain: Operation
    values: tuple[Tensor, ...]
    wanted: int
    bytes: int = 0
    flops: int = 0
    liger: Callable[[], Operation] | str | None = None


def cases(shape: Shape, tokens: int, device: torch.device, dtype: torch.dtype) -> list[Case]:
    """All operations for a model's widths and so many tokens."""
    generator = torch.Generator(device).manual_seed(0)

    def made(*size: int) -> Tensor:
        return torch.randn(size, generator=generator, device=device, dtype=dtype) / size[-1] ** 0.5

    hidden, wide, rows = shape.hidden, shape.intermediate, tokens
    x, residual, weight = made(rows, hidden), made(rows, hidden), torch.ones(hidden, device=device, dtype=dtype)
    q, k = made(rows, shape.heads, shape.head), made(rows, shape.keys, shape.head)
    cos, sin = made(rows, shape.head), made(rows, shape.head)
    gate, up = made(rows, wide), made(rows, wide)
    norm, turned = 2 * rows * hidden, 2 * rows * (shape.heads + shape.keys) * shape.head
    found = [
        Case("rms_norm", _norm, _plain_norm, (x, weight), 1, 5 * norm, liger=_liger_norm),
        Case("add_rms_norm", _sum, _plain_sum, (x, residual, weight), 2, 8 * norm, liger=_liger_sum),
        Case("rope", rope, reference.rope, (q, k, cos, sin), 2, 4 * turned, liger="writes over its inputs"),
        Case("swiglu", swiglu, reference.swiglu, (gate, up), 2, 8 * 2 * rows * wide, liger=_liger_swiglu),
    ]
    adapters = [
        made(*size)
        for size in ((RANK, hidden), (wide, RANK), (RANK, hidden), (wide, RANK), (RANK, wide), (hidden, RANK))
    ]
    weights = (made(wide, hidden), made(wide, hidden), made(hidden, wide))
    found.append(
        Case(
            "lora_mlp", _together(lora_mlp), _together(reference.lora_mlp), (x, *adapters, *weights), 7,
            flops=3 * 4 * rows * hidden * wide,
        )
    )  # fmt: skip
    outputs = (shape.heads * shape.head, shape.keys * shape.head, shape.keys * shape.head)
    halves = [made(*size) for out in outputs for size in ((RANK, hidden), (out, RANK))]
    projections = [made(out, hidden) for out in outputs]
    found.append(
        Case(
            "lora_qkv", _together(lora_qkv), _together(reference.lora_qkv), (x, *halves, *projections), 7,
            flops=4 * rows * hidden * sum(outputs),
        )
    )  # fmt: skip
    head = made(shape.vocabulary, hidden)
    targets = torch.randint(0, shape.vocabulary, (rows,), generator=generator, device=device)
    targets[::2] = reference.IGNORE  # as many questions as answers
    kept = torch.arange(1, rows, 2, device=device)
    found.append(
        Case(
            "linear_cross_entropy", _head(kept), _plain_head, (x, head, targets), 1,
            flops=4 * len(kept) * hidden * shape.vocabulary, liger=_liger_head,
        )
    )  # fmt: skip
    return found


def decode_cases(shape: Shape, device: torch.device, dtype: torch.dtype) -> list[Case]:
    """The products of a decode step, for its one row: weights of 8 bits beside the same in 16, which torch reads; forward alone."""
    found = []
    for name, outputs, inputs in (("gate", shape.intermediate, shape.hidden), ("head", shape.vocabulary, shape.hidden)):
        generator = torch.Generator(device).manual_seed(0)
        weight = torch.randn(outputs, inputs, generator=generator, device=device, dtype=dtype) / inputs**0.5
        row = torch.randn(1, inputs, generator=generator, device=device, dtype=dtype)
        found.append(
            Case(f"int8_linear, {name}", _int8(quantized(weight)), _plain_linear, (row, weight), 0, outputs * inputs)
        )
    return found


def adapter_sizes(shape: Shape, layers: int) -> list[tuple[int, int]]:
    """The shapes of all tensors of an adapter of rank 16 on all linear layers."""
    wide, keys = shape.intermediate, shape.keys * shape.head
    linears = [
        (shape.hidden, shape.heads * shape.head), (shape.hidden, keys), (shape.hidden, keys), (shape.heads * shape.head, shape.hidden),
        (shape.hidden, wide), (shape.hidden, wide), (wide, shape.hidden),
    ]  # fmt: skip
    return [size for inputs, outputs in linears for size in ((RANK, inputs), (outputs, RANK))] * layers


def _int8(layer: Int8) -> Operation:
    return lambda row, _weight: int8_linear(row, layer)


def _plain_linear(row: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.linear(row, weight)


def _norm(x: Tensor, weight: Tensor) -> Tensor:
    return rms_norm(x, weight, 1e-6)


def _plain_norm(x: Tensor, weight: Tensor) -> Tensor:
    return torch.nn.functional.rms_norm(x, weight.shape, weight, 1e-6)


def _sum(x: Tensor, residual: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    return add_rms_norm(x, residual, weight, 1e-6)


def _plain_sum(x: Tensor, residual: Tensor, weight: Tensor) -> tuple[Tensor, Tensor]:
    total = x + residual
    return _plain_norm(total, weight), total


def _together(operation: Operation) -> Operation:
    """With values in a row: x, six halves, three weights."""

    def run(x: Tensor, *rest: Tensor) -> Any:
        return operation(x, *(Adapted(rest[6 + i], rest[2 * i], rest[2 * i + 1], 2.0) for i in range(3)))

    return run


def _head(kept: Tensor) -> Operation:
    return lambda x, head, targets: linear_cross_entropy(x, head, targets, kept=kept, budget=512 << 20)


def _plain_head(x: Tensor, head: Tensor, targets: Tensor) -> Tensor:
    return torch.nn.functional.cross_entropy((x @ head.T).float(), targets, reduction="sum")


def _liger_norm() -> Operation:
    from liger_kernel.ops.rms_norm import LigerRMSNormFunction  # type: ignore[import-not-found]

    return lambda x, weight: LigerRMSNormFunction.apply(x, weight, 1e-6, 0.0, "llama", False)


def _liger_sum() -> Operation:
    from liger_kernel.ops.fused_add_rms_norm import LigerFusedAddRMSNormFunction  # type: ignore[import-not-found]

    return lambda x, residual, weight: LigerFusedAddRMSNormFunction.apply(
        x, residual, weight, 1e-6, 0.0, "llama", False
    )


def _liger_swiglu() -> Operation:
    from liger_kernel.ops.swiglu import LigerSiLUMulFunction  # type: ignore[import-not-found]

    return lambda gate, up: LigerSiLUMulFunction.apply(gate, up)


def _liger_head() -> Operation:
    from liger_kernel.transformers.functional import liger_fused_linear_cross_entropy  # type: ignore[import-not-found]

    return lambda x, head, targets: liger_fused_linear_cross_entropy(x, head, targets, reduction="sum")
