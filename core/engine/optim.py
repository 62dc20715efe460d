"""The optimizer and its learning rate as a function of the step, so that a resumed run needs no scheduler state."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn
from torch.distributed.tensor import DTensor

from core.engine.sharding import set_values, whole
from core.errors import UserError

if TYPE_CHECKING:  # so that the engine's parts can be used where pydantic is not
    from core.training.sections import OptimizerSection

MOMENTUM = 0.9
"""Of SGD."""


def make(named: Iterable[tuple[str, nn.Parameter]], section: OptimizerSection) -> torch.optim.Optimizer:
    """The optimizer of a configuration over what is trainable, in the order of `named`. Raises UserError when a package is missing.

    Vectors (norms, biases) are not decayed. What lies on different processes is in different groups, because fused steps want
    their tensors alike. Adafactor scales its rate by the size of a weight (Shazeer and Stern 2018).
    """
    alike: dict[tuple[bool, object], list[nn.Parameter]] = {}
    for _, parameter in named:
        if parameter.requires_grad:
            mesh = parameter.device_mesh if isinstance(parameter, DTensor) else None
            alike.setdefault((parameter.ndim > 1, mesh), []).append(parameter)
    groups: list[dict[str, Any]] = [
        {"params": parameters, "weight_decay": section.weight_decay if matrices else 0.0}
        for (matrices, _), parameters in alike.items()
    ]
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


def state_tensors(
    optimizer: torch.optim.Optimizer, named: Iterable[tuple[str, nn.Parameter]], *, keep: bool = True
) -> Iterator[tuple[str, Tensor]]:
    """Everything the optimizer remembers, whole and on the CPU, as tensors named "<parameter>.<what>", one at a time.

    Every process of a sharded run must call it; only those with `keep` get values.
    """
    for name, parameter in named:
        for what, value in optimizer.state[parameter].items():
            if value is not None:
                yield f"{name}.{what}", whole(value if isinstance(value, Tensor) else torch.tensor(value), keep=keep)


def load_state_tensors(
    optimizer: torch.optim.Optimizer, named: Iterable[tuple[str, nn.Parameter]], tensors: Iterable[tuple[str, Tensor]]
) -> None:
    """The counterpart of `state_tensors`, for an optimizer over the same parameters, sharded or not. Raises ValueError."""
    parameters = dict(named)
    numbers = {p: number for number, p in enumerate(p for group in optimizer.param_groups for p in group["params"])}
    state: dict[int, dict[str, Tensor]] = {}
    for full_name, value in tensors:
        name, _, what = full_name.rpartition(".")
        parameter = parameters.get(name)
        if parameter is None:
            raise ValueError(f"the optimizer's state is of a parameter that is not trained: {name}")
        if isinstance(parameter, DTensor) and value.shape == parameter.shape:
            piece = torch.empty_like(parameter, dtype=value.dtype)
            set_values(piece, value)
            value = piece
        state.setdefault(numbers[parameter], {})[what] = value
    optimizer.load_state_dict({"state": state, "param_groups": optimizer.state_dict()["param_groups"]})
