"""Training steps on one GPU, five ways, in eight minutes: PyTorch as transformers and PEFT leave it, with Liger's kernels, compiled
layer by layer, ours, and ours compiled. Random weights from a configuration, no download.

python -m tests.benchmarks.gpu_training [--minutes 8] [--tiny]

A LoRA of rank 16 on all linear layers, bf16, AdamW; rows of 2,048 tokens, each packed from documents of about 300; 1, 4 and 8 rows
a step; activations kept or computed again. Three steps warm up, the median of the next five counts. Figures: trained tokens a second, the
peak that torch reserved, and how far our forecast of it is off. What time or memory did not allow is listed, and nothing is guessed.
It needs torch, transformers and peft, and pydantic for the forecast alone; liger-kernel is left out, and said so, where it cannot be imported. --tiny tries every arm on a CPU
with a model of two small layers, for the tests.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import torch

from core.engine import attention, data, gradients, model, optim, sharding
from core.engine.compute import Compute, describe
from core.engine.documents import Document
from core.engine.parallel import Group
from core.models.shape import ModelShape, shape_of
from kernels.attach import attach_kernels
from tests.benchmarks.report import report

QWEN: dict[str, dict[str, Any]] = {
    "0.5B": {
        "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
        "num_key_value_heads": 2, "tie_word_embeddings": True, "vocab_size": 151936,
    },
    "1.5B": {
        "hidden_size": 1536, "intermediate_size": 8960, "num_hidden_layers": 28, "num_attention_heads": 12,
        "num_key_value_heads": 2, "tie_word_embeddings": True, "vocab_size": 151936,
    },
    "7B": {
        "hidden_size": 3584, "intermediate_size": 18944, "num_hidden_layers": 28, "num_attention_heads": 28,
        "num_key_value_heads": 4, "tie_word_embeddings": False, "vocab_size": 152064,
    },
}  # fmt: skip
TINY = {
    "hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "tie_word_embeddings": True, "vocab_size": 512,
}  # fmt: skip
PEERS = ("transformers + PEFT", "Liger", "compiled")
ARMS = ("ours", *PEERS, "ours compiled")
METHOD: Any = SimpleNamespace(targets="all-linear", rank=16, alpha=32, dropout=0.0, rslora=False, dora=False)
OPTIMIZER: Any = SimpleNamespace(name="adamw", learning_rate=2e-4, weight_decay=0.0)
DOCUMENT = 300
WARM, TIMED = 3, 5


@dataclass(frozen=True, slots=True)
class Case:
    """One measurement. rows of `length` tokens a step; again: activations are computed again."""

    size: str
    arm: str
    rows: int
    again: bool
    length: int

    @property
    def recomputed(self) -> str:
        """Which activations are."""
        return "full" if self.again else "none"

    @property
    def name(self) -> str:
        """For the table."""
        return f"{self.size}, {self.arm}, {self.rows} rows, {'recomputed' if self.again else 'kept'}"


class SkippedError(Exception):
    """This case cannot be measured here; says why."""


def cases(*, tiny: bool) -> list[Case]:
    """The most telling first, for time may end."""
    if tiny:
        return [Case("tiny", arm, 2, again, 64) for arm in ARMS for again in (False, True)]
    return [
        Case(size, arm, rows, again, 2048)
        for size in ("7B", "1.5B", "0.5B")
        for rows in (4, 1, 8)
        for again in (True, False)
        for arm in ARMS
    ]


def batch_of(case: Case, vocabulary: int) -> tuple[data.Sequences, list[int]]:
    """Rows packed from documents of equal length, a third of each a question that is not trained."""
    chance = np.random.default_rng(7)
    length = min(DOCUMENT, case.length // 2)
    documents, members = [], []
    for _ in range(case.rows):
        room, row = case.length, []
        while room > 1:
            size = min(length, room)
            row.append(len(documents))
            ids = chance.integers(5, vocabulary, size).astype(np.int32)
            documents.append(Document("s", 1, ids, np.arange(size) >= size // 3))
            room -= size
        members.append(tuple(row))
    return data.Sequences(documents, members, 0), list(range(case.rows))


def causal_of(case: Case, compute: Compute) -> Any:
    """A Qwen2 with random weights on the device."""
    from transformers import Qwen2Config, Qwen2ForCausalLM

    shape = TINY if case.size == "tiny" else QWEN[case.size]
    config = Qwen2Config(**shape, max_position_embeddings=32768)
    torch.manual_seed(0)
    before = torch.get_default_dtype()
    torch.set_default_dtype(compute.dtype)
    try:
        with torch.device(compute.device):
            causal = Qwen2ForCausalLM(config)
    finally:
        torch.set_default_dtype(before)
    causal.config.use_cache = False
    return causal


def forecast_off(case: Case, shape: ModelShape, peak: int) -> float | str:
    """By how much of the peak our forecast of such a run is above it."""
    try:
        from core.training import memory
        from core.training.config_file import from_mapping
    except ImportError as error:
        return f"not compared: {error.name} is not installed"
    config = from_mapping(
        {
            "model": {"base": "random"},
            "data": {"snapshot": "random", "max_length": case.length},
            "method": {"rank": METHOD.rank, "alpha": METHOD.alpha},
            "batch": {"micro": case.rows, "accumulation": 1},
            "parallel": {"activation_checkpointing": case.recomputed},
        }
    )
    load = memory.Load(rows=case.rows, width=case.length, packed=True, gpu=True, flat=True)
    return round(float(memory.parts(config, shape, load)["total"]) / peak - 1, 3)


def loss_function(
    case: Case, causal: Any, student: model.Student, compute: Compute
) -> Callable[[data.Batch], torch.Tensor]:
    """Summed loss of a batch, as this arm computes it."""
    if case.arm not in ("transformers + PEFT", "Liger"):
        return student.objective(compute)
    if case.arm == "Liger":
        try:
            from liger_kernel.transformers import apply_liger_kernel_to_qwen2  # type: ignore[import-not-found]
        except ImportError:
            raise SkippedError("liger-kernel is not installed") from None
        apply_liger_kernel_to_qwen2(model=causal)

    def plain(batch: data.Batch) -> torch.Tensor:
        with compute.autocast():
            labels = torch.cat([torch.full_like(batch.ids[:, :1], data.IGNORE), batch.targets[:, :-1]], dim=1)
            out = student.model(
                input_ids=batch.ids, position_ids=batch.positions, labels=labels, use_cache=False,
                num_items_in_batch=torch.ones((), device=compute.device),
            )  # fmt: skip
        loss: torch.Tensor = out.loss
        return loss

    return plain


def measure(case: Case, compute: Compute) -> dict[str, Any]:
    """Tokens a second and peak memory. Raises SkippedError."""
    gpu = compute.device.type == "cuda"
    causal = causal_of(case, compute)
    shape = shape_of({**causal.config.to_dict(), "architectures": ["Qwen2ForCausalLM"]}, {}, Path(case.size))
    wrapped = model.attach_lora(causal, base=Path("random"), method=METHOD)
    student = model.Student(wrapped, causal, None, "lora")
    loss = loss_function(case, causal, student, compute)
    rows, chosen = batch_of(case, causal.config.vocab_size)
    flat = case.arm == "ours"
    if flat:
        attention.attach(causal)
    if "ours" in case.arm:
        given = attention.for_a_trial(compute.device) if flat else {}
        attach_kernels(wrapped, dtype=compute.dtype, attention=given)
    sharding.recompute_activations(causal, case.recomputed)
    if "compiled" in case.arm:
        sharding.compile_layers(causal)
    batch = (rows.flatten(chosen) if flat else rows.collate(chosen, 0)).to(compute.device)
    parameters = [parameter for _, parameter in student.trainable()]
    optimizer = optim.make(student.trainable(), OPTIMIZER)
    trained = rows.targets(chosen)
    wrapped.train()
    seconds: list[float] = []
    losses: list[float] = []
    for _ in range(WARM + TIMED):
        began = time.perf_counter()
        mean = loss(batch) / trained
        mean.backward()  # type: ignore[no-untyped-call]
        losses.append(float(mean.detach()))
        length = gradients.norm(parameters, Group())
        gradients.scale(parameters, min(1.0, 1.0 / (length + 1e-6)))
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        if gpu:
            torch.cuda.synchronize()
        seconds.append(time.perf_counter() - began)
    speed = case.rows * case.length / statistics.median(seconds[WARM:])
    found: dict[str, Any] = {"tokens_per_second": round(speed), "loss": round(losses[-1], 4)}
    if gpu:
        peak = torch.cuda.max_memory_reserved()
        found["peak_gib"] = round(peak / 2**30, 2)
        if case.arm == "ours":
            found["forecast_off"] = forecast_off(case, shape, peak)
    return found


def tried(case: Case, compute: Compute) -> dict[str, Any]:
    """`measure`, or why it could not be done."""
    try:
        return measure(case, compute)
    except SkippedError as reason:
        return {"left_out": str(reason)}
    except torch.OutOfMemoryError:
        return {"left_out": "out of memory"}
    finally:
        gc.collect()
        if compute.device.type == "cuda":
            torch.cuda.empty_cache()
            torch.cuda.reset_peak_memory_stats()


def ratios(figures: Mapping[str, Any]) -> dict[str, dict[str, float]]:
    """Of each case of ours: tokens a second, and peak memory, to those of the quickest peer that was measured."""
    found = {}
    for name, ours in figures.items():
        if ", ours, " not in name or "tokens_per_second" not in ours:
            continue
        others = [figures.get(name.replace(", ours, ", f", {peer}, "), {}) for peer in PEERS]
        measured = [one for one in others if "tokens_per_second" in one]
        if measured:
            best = max(measured, key=lambda one: float(one["tokens_per_second"]))
            to_best = {"tokens_per_second": round(ours["tokens_per_second"] / best["tokens_per_second"], 2)}
            if "peak_gib" in best:
                to_best["peak"] = round(ours["peak_gib"] / best["peak_gib"], 2)
            found[f"{name}: to the best peer"] = to_best
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--tiny", action="store_true")
    given = parser.parse_args()
    if not given.tiny and not torch.cuda.is_available():
        raise SystemExit("This benchmark needs an NVIDIA GPU; --tiny tries its arms on a CPU.")
    compute = (
        Compute(torch.device("cpu"), torch.float32) if given.tiny else Compute(torch.device("cuda"), torch.bfloat16)
    )
    ends = time.monotonic() + 60 * given.minutes
    figures: dict[str, Any] = {"device": describe()}
    for case in cases(tiny=given.tiny):
        if time.monotonic() > ends:
            figures[case.name] = {"left_out": "no time was left"}
            continue
        figures[case.name] = tried(case, compute)
        print(case.name, figures[case.name], flush=True)
    figures.update(ratios(figures))
    if not given.tiny:
        report("gpu_training", figures)


if __name__ == "__main__":
    main()
