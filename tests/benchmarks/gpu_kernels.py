"""Every operation of kernels/ on one GPU, forward and backward, beside torch as it is, torch compiled, and Liger.

python -m tests.benchmarks.gpu_kernels [--minutes 8] [--tiny]

Shapes of Qwen2.5-Coder 0.5B, 1.5B and 7B and of Llama 3.1 8B, 512 to 32,768 tokens, bf16. Time is the median of CUDA events with the second-level
cache flushed before each call; "host" is what a call costs the processor when nobody waits for the GPU; the share is of the bandwidth that a
copy reaches on this GPU, or of the rate that a large product reaches, by the bytes or operations that the formula must move or do, never by
what an arm happens to. Arms give the same numbers to 2 percent, or the case is not listed. What time or memory did not allow, and what cannot be
imported, is said. Beside them: the products of a decode step with weights of 8 bits, and AdamW over the tensors of a 7B's adapter as they lie and as one
flat tensor, torch's own both times: what lies between the two is all that a program of ours could win. It needs torch and triton. --tiny tries all arms on a CPU with small shapes, for the tests.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor

from core.engine.compute import describe
from kernels.tile import FAILURES
from tests.benchmarks.gpu_cases import SHAPES, TINY, TOKENS, Case, Operation, Shape, adapter_sizes, cases, decode_cases
from tests.benchmarks.report import report

CALLS, WARM = 20, 3
LAYERS = 28
"""Of the 7B."""
FLUSH = 256 << 20  # bytes, more than the second-level cache of any GPU


def arms(case: Case, *, compiled: bool) -> dict[str, Operation | str]:
    """What is measured, by name; a sentence instead of what cannot be."""
    found: dict[str, Operation | str] = {"ours": case.ours, "torch": case.plain}
    if compiled:
        found["compiled"] = torch.compile(case.plain)
    if isinstance(case.liger, str):
        found["Liger"] = case.liger
    elif case.liger is not None:
        try:
            found["Liger"] = case.liger()
        except ImportError:
            found["Liger"] = "liger-kernel is not installed"
    return found


def call(operation: Operation, case: Case) -> list[Tensor]:
    """Forward and backward, under a gradient that is not one: outputs and gradients. Forward alone where nothing wants a gradient."""
    leaves = [value.detach().requires_grad_() for value in case.values[: case.wanted]]
    out = operation(*leaves, *case.values[case.wanted :])
    outs: Sequence[Tensor] = out if isinstance(out, tuple) else (out,)
    if not leaves:
        return list(outs)
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


def adamw(shape: Shape, layers: int, device: torch.device, copy: float, *, calls: int) -> dict[str, Any]:
    """Torch's fused AdamW over an adapter's tensors and over as many numbers in one; share: of 28 bytes a number at a copy's rate."""
    sizes = adapter_sizes(shape, layers)
    numbers = sum(rows * columns for rows, columns in sizes)
    found: dict[str, Any] = {"numbers": numbers}
    for name, chosen in (("as they lie", sizes), ("flat", [(numbers, 1)])):
        tensors = [torch.zeros(size, device=device, requires_grad=True) for size in chosen]
        for tensor in tensors:
            tensor.grad = torch.full_like(tensor, 1e-3)
        optimizer = torch.optim.AdamW(tensors, lr=1e-4, fused=True)
        milliseconds, host = timed(optimizer.step, device, calls=calls)
        share = round(28 * numbers / (milliseconds / 1e3) / copy, 3)
        found[name] = {"ms": round(milliseconds, 4), "host_us": round(host, 1), "share": share}
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
    for shape in (TINY,) if given.tiny else SHAPES:
        for case in decode_cases(shape, device, dtype):
            found = measured(case, device, compiled=False, calls=CALLS if gpu else 2)
            figures[f"{case.name}, {shape.name}"] = with_ratios(case, found, copy, product)
    layers = 2 if given.tiny else LAYERS
    figures["adamw, adapter of 7B"] = adamw(
        TINY if given.tiny else SHAPES[0], layers, device, copy, calls=CALLS if gpu else 2
    )
    if given.tiny:
        print(figures)
    else:
        report("gpu_kernels", figures)


if __name__ == "__main__":
    main()
