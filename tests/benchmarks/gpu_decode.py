"""Tokens a second of one answer on one GPU, ours and transformers', as a share of what reading the weights once a token allows; and of 32 answers at once.

python -m tests.benchmarks.gpu_decode [--minutes 8] [--tiny]

Random weights from a configuration, no download; bf16, greedy, 256 new tokens after a prompt of 16, the best of three rounds after one that does not count.
Ours with weights of 16 bits and of 8, `generate` with its usual cache and with a static one. The bound: bytes of the weights that a token reads (all, but for
input embeddings of their own) over the bandwidth in the maker's data sheet, and over that of a copy measured in the same run. Goals: 60 percent for 0.5B,
85 for 7B. --tiny tries every arm on a CPU, for the tests.
"""

from __future__ import annotations

import argparse
import gc
import time
from collections.abc import Callable
from typing import Any

import torch

from core.engine import model
from core.engine.compute import Compute, describe, wait
from core.engine.generate import Chatter
from core.engine.quantize import quicker_in_int8
from core.paths import resources
from tests.benchmarks.bench_decode import ours, ours_together, prompts, theirs, theirs_together
from tests.benchmarks.gpu_training import QWEN, TINY
from tests.benchmarks.report import report

SHEET = {"H200": 4.8e12, "H100 PCIe": 2.0e12, "H100": 3.35e12, "A100": 2.04e12, "4090": 1.008e12, "3090": 0.936e12}
"""Bytes a second by the maker's data sheet, by a part of the device's name; the first that fits counts."""
ROUNDS = 3
SIZES = ("0.5B", "7B", "1.5B")

Arm = Callable[[Chatter, list[int], int], None]


def chatter_of(size: str, compute: Compute) -> Chatter:
    """A Qwen2 with random weights on the device, and the starter's tokenizer, whose tokens it has."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = {**TINY, "vocab_size": 4096} if size == "tiny" else QWEN[size]
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(compute.dtype)
    try:
        with torch.device(compute.device):
            causal = Qwen2ForCausalLM(Qwen2Config(**shape, max_position_embeddings=4096)).eval()
    finally:
        torch.set_default_dtype(before)
    return Chatter(causal, model.load_tokenizer(resources() / "starter"), compute)


def read_bytes(causal: Any) -> int:
    """Bytes of weights that a decode step reads: a table of input embeddings gives one row, unless it is the head as well."""
    inputs, head = causal.get_input_embeddings().weight, causal.get_output_embeddings().weight
    weights = {tensor.data_ptr(): tensor.numel() * tensor.itemsize for tensor in causal.parameters()}
    if inputs.data_ptr() != head.data_ptr():
        del weights[inputs.data_ptr()]
    return sum(weights.values())


def sheet_bandwidth(name: str) -> float | None:
    """Bytes a second, None for a device that is not in the table."""
    return next((value for part, value in SHEET.items() if part in name), None)


def copy_bandwidth(compute: Compute, size: int = 2**31) -> float:
    """Bytes a second, read and written, of a copy between two buffers of `size` bytes."""
    one, other = (torch.zeros(size, dtype=torch.uint8, device=compute.device) for _ in range(2))
    best = 0.0
    for _ in range(5):
        wait(compute)
        began = time.perf_counter()
        other.copy_(one)
        wait(compute)
        best = max(best, 2 * size / (time.perf_counter() - began))
    return best


def static_cache(chatter: Chatter, ids: list[int], tokens: int) -> None:
    """Greedy, by transformers with a static cache, which it compiles."""
    batch = torch.tensor([ids], device=chatter.compute.device)
    out = chatter.causal.generate(
        batch, attention_mask=torch.ones_like(batch), do_sample=False, max_new_tokens=tokens, min_new_tokens=tokens,
        cache_implementation="static",
    )  # fmt: skip
    assert out.shape[1] == len(ids) + tokens


def speed(run: Arm, chatter: Chatter, ids: list[int], tokens: int) -> float:
    """New tokens a second, the prompt included in the time; the first round, which records and compiles, does not count."""
    best = 0.0
    for number in range(1 + ROUNDS):
        wait(chatter.compute)
        began = time.perf_counter()
        run(chatter, ids, tokens)
        wait(chatter.compute)
        if number:
            best = max(best, tokens / (time.perf_counter() - began))
    return best


def together(run: Callable[[Chatter, list[list[int]], int], None], chatter: Chatter, tokens: int) -> float:
    """New tokens a second of 32 prompts, the best round after one that does not count."""
    asked = prompts(chatter)
    best = 0.0
    for number in range(1 + ROUNDS):
        began = time.perf_counter()
        run(chatter, asked, tokens)
        wait(chatter.compute)
        if number:
            best = max(best, tokens * len(asked) / (time.perf_counter() - began))
    return best


def tried(measure: Callable[[], float]) -> float | str:
    """A figure, or why there is none."""
    try:
        return round(measure(), 1)
    except torch.OutOfMemoryError:
        return "left out: out of memory"
    except (RuntimeError, ImportError, ValueError, TypeError) as error:
        return f"left out: {str(error).splitlines()[0][:160]}"
    finally:
        gc.collect()
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def measured(size: str, compute: Compute, tokens: int, over: Callable[[], bool], bandwidths: dict[str, float]) -> dict[str, Any]:  # fmt: skip
    """All figures of one size. over: is the time up? bandwidths: bytes a second by the name under which shares of them are given."""
    chatter = chatter_of(size, compute)
    ids = chatter.text_ids("package main\n\nfunc main() {\n")
    bytes_read = read_bytes(chatter.causal)
    figures: dict[str, Any] = {
        f"{size}, bytes of weights a token": bytes_read,
        f"{size}, way": chatter.decoder.way.name,
    }

    def add(name: str, measure: Callable[[], float], read: int) -> None:
        figures[f"{size}, {name}, tokens/s"] = found = "left out: no time" if over() else tried(measure)
        if isinstance(found, float) and read:
            for which, bandwidth in bandwidths.items():
                figures[f"{size}, {name}, share of {which}"] = round(found * read / bandwidth, 3)
        print(size, name, found, flush=True)

    add("ours", lambda: speed(ours, chatter, ids, tokens), bytes_read)
    add("generate", lambda: speed(theirs, chatter, ids, tokens), bytes_read)
    add("generate, static cache", lambda: speed(static_cache, chatter, ids, tokens), bytes_read)
    add("32 prompts, ours", lambda: together(ours_together, chatter, tokens // 4), 0)
    add("32 prompts, continuous batching", lambda: together(theirs_together, chatter, tokens // 4), 0)
    if not over():
        figures[f"{size}, weights of 8 bits"] = said = quicker_in_int8(chatter.causal, compute)
        if said.startswith("int8"):
            eight = Chatter(chatter.causal, chatter.tokenizer, compute)
            add("ours with 8 bits", lambda: speed(ours, eight, ids, tokens), 0)
    return figures


def main() -> None:
    """Measure and report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        raise SystemExit("This benchmark needs an NVIDIA GPU; --tiny tries its arms on a CPU.")
    ends = time.monotonic() + 60 * given.minutes
    if given.tiny:
        compute = Compute(torch.device("cpu"), torch.float32)
        measured("tiny", compute, 8, lambda: time.monotonic() > ends, {"a copy": copy_bandwidth(compute, 2**20)})
        return
    compute = Compute(torch.device("cuda"), torch.bfloat16)
    device = describe()
    bandwidths = {"a copy": copy_bandwidth(compute)}
    sheet = sheet_bandwidth(torch.cuda.get_device_name())
    if sheet is not None:
        bandwidths["the data sheet"] = sheet
    figures: dict[str, Any] = {"device": device, "bytes a second": bandwidths}
    for size in SIZES:
        figures |= measured(size, compute, 256, lambda: time.monotonic() > ends, bandwidths)
        gc.collect()
        torch.cuda.empty_cache()
    report("gpu_decode", figures)


if __name__ == "__main__":
    main()
