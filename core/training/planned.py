"""What a plan says. `core.training.plan` makes it; dialog, command line and remarks read it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from core.training.memory import Load


@dataclass(frozen=True, slots=True)
class Plan:
    """memory: bytes a process by part, and their total; low, high: the range it is expected in. measured: earlier runs behind it;
    closed: the total without them.

    tokens, flops: of the whole run; pf_days: the same flops in days of 10^15 a second. seconds: None until one was measured.
    mode: single, ddp or fsdp, as the engine will do it, and why, in one sentence ("" where the configuration says it). parallel: the
    settings that "auto" has chosen. trainable: parameters that change. tokens_per_parameter: of all parameters.
    fits: None when the machine's free memory is unknown. free: bytes of it, a GPU or of main memory. main_memory: bytes of
    that which the whole run takes besides GPUs. validation_bytes: total of a process while it measures validation losses, 0
    for none. checkpoint_bytes: one checkpoint with what resuming needs. load: what a process holds at once. warnings:
    sentences, the gravest first.
    """

    memory: Mapping[str, int]
    low: int
    high: int
    measured: int
    closed: int
    tokens: int
    flops: float
    pf_days: float
    tokens_per_parameter: float
    steps: int
    epochs: float
    trainable: int
    seconds: float | None
    mode: str
    why: str
    parallel: Mapping[str, Any]
    fits: bool | None
    free: int
    main_memory: int
    validation_bytes: int
    checkpoint_bytes: int
    device: str
    load: Load
    warnings: tuple[str, ...]

    @property
    def compute_sentence(self) -> str:
        """Tokens a parameter, and what to make of Chinchilla's twenty (Hoffmann et al. 2022)."""
        return (
            f"{self.tokens_per_parameter:.3g} tokens a parameter; Chinchilla's 20 are for pre-training from scratch, "
            "a fine-tuning needs far fewer."
        )


def compute_text(flops: float, pf_days: float) -> str:
    """Operations as people say them: "8.3 TFLOP (under 0.001 petaflop/s-days)"."""
    power = min(21, max(9, 3 * int(math.log10(max(flops, 1.0)) // 3)))
    unit = {9: "GFLOP", 12: "TFLOP", 15: "PFLOP", 18: "EFLOP", 21: "ZFLOP"}[power]
    days = "under 0.001" if pf_days < 0.001 else f"{pf_days:,.3g}"
    return f"{flops / 10**power:,.3g} {unit} ({days} petaflop/s-days)"
