"""How the processes of a run share the model when its configuration leaves that open ("auto"): the fastest way that fits.

From the fastest: one process holds everything; each process holds a copy (DDP, one message of gradients a step); the model is sharded and
stays gathered for a step (ZeRO-2); it is gathered anew for each pass (ZeRO-3); and besides the shards lie in main memory. It
answers for the plan and for `launch`, so that the engine does what the dialog said. What a person has set is never changed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from core.training.config import RunConfig
from core.training.config_file import from_mapping, to_mapping

WHOLE_MATRICES = ("adafactor", "adamw8bit")
"""Optimizers that look at whole matrices and so cannot be sharded."""


@dataclass(frozen=True, slots=True)
class Choice:
    """config: the configuration with the mode written out. why: the sentence that says so."""

    config: RunConfig
    why: str


def choose(config: RunConfig, fits: Callable[[RunConfig], bool | None]) -> Choice:
    """Write out mode "auto". fits: whether a configuration fits into memory, None when that is unknown."""
    parallel = config.parallel
    if parallel.mode != "auto":
        return Choice(config, "")
    if parallel.world == 1:
        return Choice(_with(config, mode="single", offload=False), "One process holds everything.")
    copies = _with(config, mode="ddp", offload=False)
    if parallel.offload and config.optimizer.name not in WHOLE_MATRICES:
        return Choice(
            _with(config, mode="fsdp"), "The model is sharded, for its shards are to lie in main memory (offload)."
        )
    found = fits(copies)
    if found is None:
        return Choice(copies, "Each process holds a copy of the model (DDP): how much memory is free is not known.")
    if found:
        return Choice(copies, "Each process holds a copy of the model (DDP): it fits, and nothing is faster.")
    if config.optimizer.name in WHOLE_MATRICES:
        return Choice(
            copies,
            f"Each process holds a copy of the model (DDP): that does not fit, but {config.optimizer.name} cannot be sharded.",
        )
    for changes, sentence in (
        (
            {"reshard": False},
            "Gradients and optimizer are sharded (FSDP as ZeRO-2): a copy on each process does not fit.",
        ),
        ({"reshard": True}, "Everything is sharded (FSDP as ZeRO-3): with gathered weights it does not fit."),
        (
            {"reshard": True, "offload": True},
            "Everything is sharded and the shards lie in main memory: slow, but nothing else fits.",
        ),
    ):
        sharded = _with(config, mode="fsdp", **changes)
        if fits(sharded):
            return Choice(sharded, sentence)
    least = _with(config, mode="fsdp", reshard=True, offload=True)
    return Choice(least, "Everything is sharded and the shards lie in main memory: nothing fits, and this takes least.")


def _with(config: RunConfig, **changes: Any) -> RunConfig:
    """The configuration with other values in its section "parallel", checked anew."""
    values = to_mapping(config)
    return from_mapping({**values, "parallel": {**values["parallel"], **changes}})
