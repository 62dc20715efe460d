"""Weights of 8 bits for answering, taken only where a decode step is measured to be quicker with them on this machine.

They halve what a step reads from memory, and cost 0.8 percent of every product's size. Training never sees them.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from typing import Any

import torch

from core.engine import forward
from core.engine.compute import Compute, wait
from core.engine.rows import Part
from kernels import tile
from kernels.int8_layers import fold_norms, to_int8

STEPS, WARM = 8, 2
PROMPT = 16
"""Tokens before the steps that are timed."""


def step_seconds(causal: Any, compute: Compute) -> float:
    """What a decode step takes: the median of `STEPS`, after `WARM` that do not count."""
    way = forward.choose(causal, compute)
    row: Any = way.memory()
    way.run([Part(row, [0] * PROMPT)])
    took = []
    for _ in range(WARM + STEPS):
        wait(compute)
        began = time.perf_counter()
        way.run([Part(row, [0])])
        wait(compute)
        took.append(time.perf_counter() - began)
    return statistics.median(took[WARM:])


def quicker_in_int8(causal: Any, compute: Compute, seconds: Callable[[Any, Compute], float] = step_seconds) -> str:
    """Leave the quickest of this model's forms in place, and say which: its own, 8 bits, or 8 bits that compute the norms too.

    seconds: what a decode step takes.
    """
    name = str(compute.dtype).removeprefix("torch.")
    own = seconds(causal, compute)
    undo = to_int8(causal)
    eight, folded = seconds(causal, compute), False
    if tile.runs_on(torch.empty(0, device=compute.device, dtype=compute.dtype)):
        unfold = fold_norms(causal, compute.dtype)
        with_norms = seconds(causal, compute)
        folded = with_norms < eight
        if folded and with_norms < own:
            eight = with_norms
        else:
            unfold()
    if eight >= own:
        undo()
        return f"{name}: int8 was no faster here ({1e3 * eight:.1f} beside {1e3 * own:.1f} ms a token)"
    return f"int8{' with norms' if folded else ''}: {own / eight:.2f} times as fast as {name}"
