"""What a step cost: tokens a second, memory, and how much of the GPU was used.

Numbers for people to watch; nothing in a run depends on them. What a machine cannot tell is left out, never guessed.
"""

from __future__ import annotations

import resource
from pathlib import Path
from typing import Any, Final

import torch

from core.engine.compute import Compute
from core.models import inspect
from core.training.config import RunConfig
from core.training.memory import flops_per_token

PEAK_FLOPS: Final = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12, "L4": 121e12}
"""Dense bf16 operations a second, from NVIDIA's data sheets; by a part of the GPU's name, the longest names first."""


class Meter:
    """Measures the steps of a run. base: the folder of its base. context: tokens that a token attends to, on average."""

    def __init__(self, config: RunConfig, base: Path, compute: Compute, processes: int, context: float) -> None:
        self._compute = compute
        self._gpu = compute.device.type == "cuda"
        self._flops = self._peak = None
        if self._gpu:
            peak = peak_flops(torch.cuda.get_device_name(compute.device))
            self._peak = None if peak is None else peak * processes
            self._flops = flops_per_token(config, inspect(base), context)

    def measure(self, tokens: int, trained: int, seconds: float) -> dict[str, Any]:
        """Fields for a step's event: tokens and trained tokens, each with its rate; memory in bytes at the peak so far; on a GPU
        its use in percent and the share of its peak rate, by operations that the gradient needs (4 N for a frozen base)."""
        told: dict[str, Any] = {
            "tokens": tokens,
            "trained": trained,
            "tokens_per_second": round(tokens / seconds, 1),
            "trained_per_second": round(trained / seconds, 1),
            "memory": self._memory(),
        }
        if self._gpu:
            use = _utilisation(self._compute.device)
            if use is not None:
                told["gpu"] = use
            if self._peak is not None and self._flops is not None:
                told["mfu"] = round(tokens * self._flops / seconds / self._peak, 4)
        return told

    def _memory(self) -> int:
        if self._gpu:
            return int(torch.cuda.max_memory_reserved(self._compute.device))
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss << 10


def peak_flops(name: str) -> float | None:
    """Of a GPU, by its name; None for one that is not in the table."""
    return next((value for part, value in PEAK_FLOPS.items() if part in name), None)


def _utilisation(device: torch.device) -> int | None:
    """Percent of the time in which the GPU was busy, as the driver says; None without its Python package."""
    try:
        return int(torch.cuda.utilization(device))
    except (ModuleNotFoundError, RuntimeError):
        return None
