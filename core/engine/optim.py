"""The optimizer and its learning rate as a function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from core.engine.sharding import set_values, whole
from core.errors import UserError
from core.training.sections import OptimizerSection

MOMENTUM = 0.9
"""Of SGD."""


def make(named: Iterable[tuple[str, nn.Parameter]], section: OptimizerSection) -> torch.optim.Optimizer:
    """The optimizer of a configuration over what is trainable, in the order of `named`. Raises UserError when a package is missing.

    Vectors (norms, biases) are not decayed. Adafactor scales its rate by the size of a weight (Shazeer and Stern 2018).
    """
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for _, parameter in named:
        if parameter.requires_grad:
            (matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": matrices, "weight_decay": section.weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    rate = section.learning_rate
    match section.name:
        case "adamw":
            return torch.optim.AdamW(groups, lr=rate, fused=True)
        case "sgd":
            return torch.optim.SGD(groups, lr=rate, momentum=MOMENTUM)
        case "rmsprop":
            return torch.optim.RMSprop(groups, lr=rate)
        case "adafactor":
            return torch.optim.Adafactor(groups, lr=rate)
        case "adamw8bit":
            return _eight_bit(groups, rate)


def _eight_bit(groups: list[dict[str, Any]], rate: float) -> torch.optim.Optimizer:
    """AdamW with its moments in 8 bits a number (Dettmers et al. 2022)."""
    if not torch.cuda.is_available():
        raise UserError('optimizer.name = "adamw8bit" needs an NVIDIA GPU, and this machine has none.', 'Use "adamw".')
    try:
        from bitsandbytes.optim import AdamW8bit  # type: ignore[import-not-found]
    except ImportError:
        raise UserError(
            'optimizer.name = "adamw8bit" needs the package bitsandbytes, which is not installed.',
            'Run `.venv/bin/pip install bitsandbytes`, or use "adamw".',
        ) from None
    eight: torch.optim.Optimizer = AdamW8bit(groups, lr=rate)
    return eight


def factor(step: int, steps: int, section: OptimizerSection) -> float:
    """What the learning rate is multiplied by at `step` (0 .. steps-1).

    A linear rise, then: "constant"; "linear" down to 0; half a "cosine" down to 0 (Loshchilov and Hutter 2017, without
    restarts); or "wsd", constant until a linear fall to 0 over the last `decay_steps` (Hu et al. 2024).
    """
    rise = section.warmup_steps(steps)
    if step < rise:
        return (step + 1) / rise
    if section.schedule == "constant":
        return 1.0
    if section.schedule == "wsd":
        fall = section.decay_steps(steps)
        return 1.0 if step < steps - fall else (steps - step) / (fall + 1)
    done = (step - rise) / max(1, steps - rise)
    if section.schedule == "linear":
        return 1.0 - done
    return 0.5 * (1.0 + math.cos(math.pi * done))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """For all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def state_tensors(optimizer: torch.optim.Optimizer, *, keep: bool = True) -> Iterator[tuple[str, Tensor]]:
    """Everything the optimizer remembers, whole and on the CPU, as tensors named "<number>.<what>", one at a time.

    Every process of a sharded run must call it; only those with `keep` get values.
    """
    for number, values in optimizer.state_dict()["state"].items():
        for what, value in values.items():
            if value is not None:
                yield f"{number}.{what}", whole(value if isinstance(value, Tensor) else torch.tensor(value), keep=keep)


def load_state_tensors(optimizer: torch.optim.Optimizer, tensors: Iterable[tuple[str, Tensor]]) -> None:
    """The counterpart of `state_tensors`, for an optimizer over the same parameters, sharded or not. Raises ValueError."""
    parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors:
        number, what = name.split(".", 1)
        parameter = parameters[int(number)]
        if isinstance(parameter, DTensor) and value.shape == parameter.shape:
            piece = torch.empty_like(parameter, dtype=value.dtype)
            set_values(piece, value)
            value = piece
        state.setdefault(int(number), {})[what] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
