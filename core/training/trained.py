"""What a run trains, and what it has to remember of it: parameters of an adapter, an optimizer's moments, a checkpoint.

In closed form from the model's shape and the configuration; where these lie, and when, is the question of `core.training.memory`.
"""

from __future__ import annotations

from typing import Final

from core.models import ModelShape
from core.training.config import RunConfig

MOMENTS: Final = {"adamw": 8, "sgd": 4, "rmsprop": 4, "adamw8bit": 2}
"""Bytes a trained parameter that an optimizer remembers; Adafactor remembers rows and columns instead."""


def adapted(config: RunConfig, shape: ModelShape) -> int:
    """Parameters of the adapter: rank x (inputs + outputs) of each adapted layer (Hu et al. 2021), DoRA one more for each output."""
    targets, each = config.method.targets, 1 if config.method.dora else 0
    return sum(
        (config.method.rank * (linear.inputs + linear.outputs) + each * linear.outputs) * linear.count
        for linear in shape.linears
        if targets == "all-linear" or linear.name in targets
    )


def trained(config: RunConfig, shape: ModelShape) -> int:
    """Parameters that the optimizer changes."""
    return shape.parameters if config.method.kind == "full" else adapted(config, shape)


def optimizer_bytes(config: RunConfig, shape: ModelShape) -> int:
    """What the optimizer remembers of all trained parameters."""
    name = config.optimizer.name
    if name != "adafactor":
        return MOMENTS[name] * trained(config, shape)
    if config.method.kind == "full":
        sides = sum((linear.inputs + linear.outputs) * linear.count for linear in shape.linears)
        heads = (1 if shape.tied else 2) * (shape.vocab + shape.hidden)
        vectors = shape.parameters - shape.linear_parameters - (1 if shape.tied else 2) * shape.vocab * shape.hidden
        return 4 * (sides + heads + max(0, vectors))
    targets, rank = config.method.targets, config.method.rank
    chosen = [linear for linear in shape.linears if targets == "all-linear" or linear.name in targets]
    lengths = sum(linear.outputs * linear.count for linear in chosen) if config.method.dora else 0
    return 4 * (sum((linear.inputs + linear.outputs + 2 * rank) * linear.count for linear in chosen) + lengths)


def scratch_bytes(config: RunConfig, shape: ModelShape, *, gpu: bool) -> int:
    """What an optimizer takes for the length of its step: nothing where it is fused; on a GPU all tensors are treated at once."""
    changed, one = 4 * trained(config, shape), 4 * largest(config, shape)
    match config.optimizer.name:
        case "rmsprop":
            return (2 if config.optimizer.weight_decay else 1) * (changed if gpu else one)
        case "adafactor":
            return changed if gpu else 2 * one
        case "sgd" if config.optimizer.weight_decay:
            return changed if gpu else one
    return 0


def largest(config: RunConfig, shape: ModelShape) -> int:
    """Numbers of the largest trained tensor."""
    if config.method.kind == "full":
        return max([shape.vocab * shape.hidden, *(linear.inputs * linear.outputs for linear in shape.linears)])
    return config.method.rank * max((max(linear.inputs, linear.outputs) for linear in shape.linears), default=0)


def checkpoint_bytes(config: RunConfig, shape: ModelShape, tokenizer: int) -> int:
    """One checkpoint on disk: trained weights in fp32, what the optimizer remembers, and the tokenizer's files."""
    return 4 * trained(config, shape) + optimizer_bytes(config, shape) + tokenizer
