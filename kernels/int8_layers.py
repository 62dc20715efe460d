"""A model that only answers, with weights of 8 bits: its linear layers replaced, and where it is wanted the norms before them folded in.

Both can be undone. Embeddings and norms keep their format; so does what is computed between layers. It asks nobody whether that is faster: see
`core.engine.quantize`. Adapters have to be merged first, for a layer with an adapter is no plain one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from kernels.attach import REPLACEMENTS
from kernels.blocks import Layer
from kernels.int8_linear import Int8, int8_linear, quantized

Undo = Callable[[], None]
READERS = {
    "input_layernorm": ("self_attn", ("q_proj", "k_proj", "v_proj")),
    "post_attention_layernorm": ("mlp", ("gate_proj", "up_proj")),
}
"""Norm of a decoder layer -> the part, and in it the layers, that alone read what it gives."""


class Int8Linear(nn.Module):
    """What stands for a linear layer. norm: the weight of the norm that its input still has to pass, with its epsilon."""

    def __init__(self, layer: nn.Linear) -> None:
        super().__init__()
        made = quantized(layer.weight, None if layer.bias is None else layer.bias.detach())
        self.weight: Tensor
        self.scale: Tensor
        self.bias: Tensor | None
        self.norm: Tensor | None
        for name, value in (("weight", made.weight), ("scale", made.scale), ("bias", made.bias), ("norm", None)):
            self.register_buffer(name, value, persistent=False)
        self.eps = 0.0

    def forward(self, x: Tensor) -> Tensor:
        """x: [..., inputs] -> [..., outputs]."""
        return int8_linear(x, Int8(self.weight, self.scale, self.bias), self.norm, self.eps)


def to_int8(causal: nn.Module) -> Undo:
    """Replace every plain linear layer; the result gives all of them back."""
    before = [
        (parent, name, layer)
        for parent in causal.modules()
        for name, layer in parent.named_children()
        if type(layer) is nn.Linear
    ]
    for parent, name, layer in before:
        setattr(parent, name, Int8Linear(layer))

    def undo() -> None:
        for parent, name, layer in before:
            setattr(parent, name, layer)

    return undo


def fold_norms(causal: nn.Module, dtype: torch.dtype) -> Undo:
    """Let the layers after a norm compute it themselves, where they alone read it and it is one that is known.

    Call it after `to_int8`, whose layers those must be. dtype: what the model computes in.
    """
    undoing: list[Undo] = []
    for layer in list(causal.modules()):
        for name, (part, readers) in READERS.items() if isinstance(layer, Layer) else ():
            block: Any = getattr(layer, part)
            found: list[Any] = [getattr(block, reader, None) for reader in readers]
            norm = getattr(layer, name)
            weight = _weight_of(norm, dtype)
            if weight is None or not all(isinstance(one, Int8Linear) for one in found) or _read_elsewhere(layer):
                continue
            for reader in found:
                reader.norm, reader.eps = weight, float(vars(norm).get("variance_epsilon", vars(norm).get("eps")))
            setattr(layer, name, nn.Identity())
            undoing.append(_unfold(layer, name, norm, found))

    def undo() -> None:
        for one in undoing:
            one()

    return undo


def _unfold(layer: nn.Module, name: str, norm: nn.Module, readers: list[Any]) -> Undo:
    def undo() -> None:
        setattr(layer, name, norm)
        for reader in readers:
            reader.norm = None

    return undo


def _read_elsewhere(layer: nn.Module) -> bool:
    """Whether a decoder layer is no plain one, in which only attention and feed-forward part read the norms."""
    return bool(REPLACEMENTS["layer"].why_not(layer))


def _weight_of(norm: Any, dtype: torch.dtype) -> Tensor | None:
    """What a norm multiplies by, if a trial shows that it is one of the known kinds."""
    known = REPLACEMENTS["norm"]
    if not known.found_in(norm) or known.why_not(norm):
        return None
    for name, forward in known.ways(norm).items():
        if not known.difference(norm, forward, dtype, {}):
            weight: Tensor = norm.weight.detach()
            return weight + 1.0 if name == "one" else weight
    return None
