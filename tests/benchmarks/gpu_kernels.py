"""Every operation of kernels/ on one GPU, forward and backward, beside torch as it is, torch compiled, and Liger.

python -m tests.benchmarks.gpu_kernels [--minutes 8] [--tiny]

Shapes of Qwen2.5-Coder 0.5B, 1.5B and 7B and of Llama 3.1 8B, 512 to 32,768 tokens, bf16. Time is the median of CUDA events with the second-level
cache flushed before each call; "host" is what a call costs the processor when nobody waits for the GPU; the share is of the bandwidth that a
copy reaches on this GPU, or of the rate that a large product reaches, by the bytes or operations that the formula must move or do, never by
what an arm happens to. Arms give the same numbers to 2 percent, or the case is not listed. What time or memory did not allow, and what cannot be
imported, is said. It needs torch and triton. --tiny tries all arms on a CPU with small shapes, for the tests.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from core.engine.compute import describe
from kernels import reference
from kernels.linear_cross_entropy import linear_cross_entropy
from kernels.lora_mlp import lora_mlp
from kernels.lora_qkv import lora_qkv
from kernels.reference import Adapted
from kernels.rms_norm import add_rms_norm, rms_norm
from kernels.rope import rope
from kernels.swiglu import swiglu
from kernels.tile import FAILURES
from tests.benchmarks.report import report

CALLS, WARM = 20, 3
FLUSH = 256 << 20  # bytes, more than the second-level cache of any GPU
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
    one. bytes, flops: what the formula must move or do, forward and backward; one of them is 0. liger: where Liger has the same."""

    name: str
    ours: Operation
    plain: Operation
    values: tuple[Tensor, ...]
    wanted: int
    bytes: int = 0
    flops: int = 0
    liger: Callable[[], Operation] | None = None


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
        Case("rope", rope, reference.rope, (q, k, cos, sin), 2, 4 * turned),
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


def arms(case: Case, *, compiled: bool) -> dict[str, Operation | str]:
    """What is measured, by name; a sentence instead of what cannot be."""
    found: dict[str, Operation | str] = {"ours": case.ours, "torch": case.plain}
    if compiled:
        found["compiled"] = torch.compile(case.plain)
    if case.liger is not None:
        try:
            found["Liger"] = case.liger()
        except ImportError:
            found["Liger"] = "liger-kernel is not installed"
    return found


def call(operation: Operation, case: Case) -> list[Tensor]:
    """Forward and backward, under a gradient that is not one: outputs and gradients."""
    leaves = [value.detach().requires_grad_() for value in case.values[: case.wanted]]
    out = operation(*leaves, *case.values[case.wanted :])
    outs: Sequence[Tensor] = out if isinstance(out, tuple) else (out,)
    above = [torch.full((), 0.5, dtype=one.dtype, device=one.device).expand(one.shape) for one in outs]
    return [*(one.detach() for one in outs), *torch.autograd.grad(outs, leaves, above)]


def near(ours: Sequence[Tensor], others: Sequence[Tensor]) -> bool:
    """Whether two arms gave the same, to 2 percent of the largest number and of the whole."""
    return all(
        bool((a.float() - b.float()).norm() <= 0.02 * b.float().norm() + 1e-6)
        for a, b in zip(ours, others, strict=True)
    )


def timed(run: Callable[[], object], device: torch.device, *, calls: int) -> tuple[float, float]:
    """(median milliseconds on the device, microseconds of the host a call)."""
    for _ in range(WARM):
        run()
    if device.type != "cuda":
        took = []
        for _ in range(calls):
            began = time.perf_counter()
            run()
            took.append(time.perf_counter() - began)
        return 1e3 * statistics.median(took), 1e6 * statistics.median(took)
    flush = torch.empty(FLUSH, dtype=torch.int8, device=device)
    pairs = []
    for _ in range(calls):
        flush.zero_()
        begin, end = (torch.cuda.Event(enable_timing=True) for _ in range(2))
        begin.record()
        run()
        end.record()
        pairs.append((begin, end))
    torch.cuda.synchronize()
    began = time.perf_counter()
    for _ in range(5):
        run()
    host = (time.perf_counter() - began) / 5
    torch.cuda.synchronize()
    return statistics.median(begin.elapsed_time(end) for begin, end in pairs), 1e6 * host


def peaks(device: torch.device) -> tuple[float, float]:
    """Bytes a second that a copy moves (read and written), and operations a second of a large product."""
    large = torch.empty(256 << 20 if device.type == "cuda" else 1 << 20, dtype=torch.bfloat16, device=device)
    copy = torch.empty_like(large)
    copied, _ = timed(lambda: copy.copy_(large), device, calls=CALLS)
    side = 8192 if device.type == "cuda" else 128
    square = torch.randn(side, side, device=device).bfloat16()
    multiplied, _ = timed(lambda: square @ square, device, calls=CALLS)
    return 2 * large.nbytes / (copied / 1e3), 2 * side**3 / (multiplied / 1e3)


def measured(case: Case, device: torch.device, *, compiled: bool, calls: int) -> dict[str, Any]:
    """Figures of every arm of a case; a sentence for an arm that was left out."""
    found: dict[str, Any] = {}
    wanted = call(case.plain, case)
    for name, operation in arms(case, compiled=compiled).items():
        if isinstance(operation, str):
            found[name] = operation
            continue
        try:
            if not near(call(operation, case), wanted):
                found[name] = "gives other numbers than torch"
                continue
            if device.type == "cuda":
                torch.cuda.reset_peak_memory_stats()
            before = torch.cuda.memory_allocated() if device.type == "cuda" else 0
            milliseconds, host = timed(lambda run=operation: call(run, case), device, calls=calls)  # type: ignore[misc]
            figures = {"ms": round(milliseconds, 4), "host_us": round(host, 1)}
            if device.type == "cuda":
                figures["peak_mib"] = round((torch.cuda.max_memory_allocated() - before) / 2**20, 1)
            found[name] = figures
        except FAILURES as error:
            found[name] = (str(error).strip().splitlines() or [type(error).__name__])[0][:200]
    return found


def with_ratios(case: Case, found: dict[str, Any], copy: float, product: float) -> dict[str, Any]:
    """The same, with the share of what this GPU can do, and how much faster than the best other arm ours is."""
    for figures in found.values():
        if isinstance(figures, dict):
            reached = (case.bytes or case.flops) / (figures["ms"] / 1e3)
            figures["GB/s" if case.bytes else "TFLOP/s"] = round(reached / (1e9 if case.bytes else 1e12), 1)
            figures["share"] = round(reached / (copy if case.bytes else product), 3)
    others = [figures["ms"] for name, figures in found.items() if name != "ours" and isinstance(figures, dict)]
    if isinstance(found.get("ours"), dict) and others:
        found["faster than the best other"] = round(min(others) / found["ours"]["ms"], 2)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    gpu = torch.cuda.is_available()
    if not gpu and not given.tiny:
        raise SystemExit("This needs an NVIDIA GPU; --tiny tries it on a CPU.")
    device, ends = torch.device("cuda" if gpu else "cpu"), time.monotonic() + 60 * given.minutes
    copy, product = peaks(device)
    figures: dict[str, Any] = {
        "machine": describe(), "copy GB/s": round(copy / 1e9, 1), "product TFLOP/s": round(product / 1e12, 1)
    }  # fmt: skip
    dtype = torch.bfloat16 if gpu else torch.float32
    for tokens in (32,) if given.tiny else TOKENS:
        for shape in (TINY,) if given.tiny else SHAPES:
            try:
                todo = cases(shape, tokens, device, dtype)
            except torch.OutOfMemoryError as error:
                figures[f"{shape.name}, {tokens} tokens"] = str(error).splitlines()[0]
                continue
            for case in todo:
                name = f"{case.name}, {shape.name}, {tokens} tokens"
                if time.monotonic() > ends:
                    figures[name] = "no time was left"
                    continue
                found = measured(case, device, compiled=gpu, calls=CALLS if gpu else 2)
                figures[name] = with_ratios(case, found, copy, product)
            del todo
            gc.collect()
    if given.tiny:
        print(figures)
    else:
        report("gpu_kernels", figures)


if __name__ == "__main__":
    main()
