"""The optimizer and its learning rate as a function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch
from torch import Tensor, nn


def adamw(named: Iterable[tuple[str, nn.Parameter]], *, learning_rate: float, weight_decay: float) -> torch.optim.AdamW:
    """AdamW over what is trainable, in the order of `named`; vectors (norms, biases) are not decayed."""
    matrices: list[nn.Parameter] = []
    vectors: list[nn.Parameter] = []
    for _, parameter in named:
        if parameter.requires_grad:
            (matrices if parameter.ndim > 1 else vectors).append(parameter)
    groups = [
        {"params": matrices, "weight_decay": weight_decay},
        {"params": vectors, "weight_decay": 0.0},
    ]
    return torch.optim.AdamW([group for group in groups if group["params"]], lr=learning_rate, fused=True)


def factor(step: int, steps: int, *, schedule: str, rise: int) -> float:
    """What the learning rate is multiplied by at `step` (0 .. steps-1).

    A linear rise over the first `rise` steps, then "constant", "linear" down to 0, or half a "cosine" down to 0
    (Loshchilov and Hutter 2017, without restarts).
    """
    if step < rise:
        return (step + 1) / rise
    if schedule == "constant":
        return 1.0
    done = (step - rise) / max(1, steps - rise)
    if schedule == "linear":
        return 1.0 - done
    return 0.5 * (1.0 + math.cos(math.pi * done))


def set_learning_rate(optimizer: torch.optim.Optimizer, rate: float) -> None:
    """For all parameters."""
    for group in optimizer.param_groups:
        group["lr"] = rate


def state_tensors(optimizer: torch.optim.Optimizer) -> dict[str, Tensor]:
    """Everything the optimizer remembers, as tensors named "<number>.<what>"."""
    state = optimizer.state_dict()["state"]
    return {f"{number}.{what}": value for number, values in state.items() for what, value in values.items()}


def load_state_tensors(optimizer: torch.optim.Optimizer, tensors: dict[str, Tensor]) -> None:
    """The counterpart of `state_tensors`, for an optimizer over the same parameters."""
    state: dict[int, dict[str, Tensor]] = {}
    for name, value in tensors.items():
        number, what = name.split(".", 1)
        state.setdefault(int(number), {})[what] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
