"""What stands for the layers of a model: norms, linear layers with an adapter, feed-forward blocks, or their gates alone.

What a module is called and which class it has says nothing: its parts do. `kernels.blocks` does the same for what is made of them. Whoever switches
an adapter off or merges it gets the layer's own forward. Nothing is put into a model here: `kernels.attach` does that.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kernels import trial
from kernels.lora import lora_linear
from kernels.lora_mlp import lora_mlp
from kernels.reference import Adapted
from kernels.rms_norm import rms_norm
from kernels.swiglu import swiglu

Forward = Callable[..., Any]
Options = Mapping[str, Any]


def in_the_instance(module: nn.Module, forward: Forward) -> Callable[[], None]:
    """Give a module a forward of its own."""
    module.forward = functools.partial(forward, module)

    def undo() -> None:
        del module.forward

    return undo


@dataclass(frozen=True, slots=True)
class Replacement:
    """One type of layer. name: for people, plural. found_in: whether a module is one, by its parts. why_not: a reason to leave one alone, or "".

    ways: the forwards that may be right, by name, likeliest first; the first without a difference is taken. difference: (module, forward,
    dtype, what attention is called with) -> what is wrong with that one, or "". covers: modules that need no other replacement
    then. put: makes a forward a module's, and returns what takes it out again.
    """

    name: str
    found_in: Callable[[nn.Module], bool]
    why_not: Callable[[Any], str]
    ways: Callable[[Any], Mapping[str, Forward]]
    difference: Callable[[Any, Forward, torch.dtype, Options], str]
    covers: Callable[[Any], tuple[nn.Module, ...]]
    put: Callable[[nn.Module, Forward], Callable[[], None]] = in_the_instance


@runtime_checkable
class Adapter(Protocol):
    """A linear layer with low-rank adapters, as PEFT makes them; its halves lie in two more dictionaries, lora_A and lora_B."""

    base_layer: nn.Module
    lora_dropout: nn.ModuleDict
    scaling: dict[str, float]
    use_dora: dict[str, bool]
    active_adapters: list[str]
    disable_adapters: bool
    merged: bool


@runtime_checkable
class Gated(Protocol):
    """A feed-forward block as Llama has it."""

    gate_proj: nn.Module
    up_proj: nn.Module
    down_proj: nn.Module
    act_fn: Callable[[Tensor], Tensor]


def covers_nothing(_module: Any) -> tuple[nn.Module, ...]:
    """A layer without layers inside."""
    return ()


def why_not_linear(module: Any) -> str:
    """Why a layer with an adapter cannot be computed as one operation, "" when it can."""
    if not isinstance(module.base_layer, nn.Linear):
        return "not a plain linear layer"
    if len(module.lora_A) != 1 or len(module.active_adapters) != 1:
        return "more than one adapter"
    if any(module.use_dora.values()):
        return "DoRA"
    if any(part.bias is not None for part in module.lora_B.values()):
        return "an adapter with a bias"
    if module.base_layer.weight.requires_grad:
        return "its own weights are trained"
    return ""


def why_not_together(layers: tuple[Any, ...]) -> str:
    """Why several adapters of one input cannot be computed together."""
    if not all(isinstance(layer, Adapter) for layer in layers):
        return "not all of its layers have an adapter"
    for layer in layers:
        if why := why_not_linear(layer):
            return why
        if dropout(layer) > 0:
            return "adapters with dropout"
    return ""


def dropout(layer: Any) -> float:
    """The share of an adapter's input that is dropped in training."""
    (part,) = layer.lora_dropout.values()
    return float(part.p) if isinstance(part, nn.Dropout) else 0.0


def computed_in(x: Tensor) -> torch.dtype:
    """The number format of a product with x."""
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def active(layer: Any) -> bool:
    """Whether a layer's adapter counts and is no part of its weight yet."""
    return not (layer.disable_adapters or layer.merged)


def adapted(layer: Any, dtype: torch.dtype) -> Adapted:
    """A layer and its one adapter."""
    (name,) = layer.active_adapters
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    bias = layer.base_layer.bias
    return Adapted(
        layer.base_layer.weight.to(dtype), a, b, layer.scaling[name], None if bias is None else bias.to(dtype)
    )


def _linear(layer: Any, x: Tensor, *args: Any, **options: Any) -> Tensor:
    if args or options or not active(layer):
        own: Tensor = type(layer).forward(layer, x, *args, **options)
        return own
    dtype = computed_in(x)
    (drop,) = layer.lora_dropout.values()
    dropped = drop(x).to(dtype) if layer.training and dropout(layer) > 0 else None
    this = adapted(layer, dtype)
    return lora_linear(x.to(dtype), this.weight, this.bias, this.a, this.b, this.scaling, dropped)


def _linear_difference(module: Any, forward: Forward, dtype: torch.dtype, _options: Options) -> str:
    return trial.difference(module, forward, int(module.base_layer.in_features), dtype)


def _mlp_layers(module: Any) -> tuple[Any, ...]:
    return module.gate_proj, module.up_proj, module.down_proj


def _why_not_mlp(module: Any) -> str:
    layers = _mlp_layers(module)
    if why := why_not_together(layers) or _why_not_gate(module):
        return why
    return "a bias" if any(layer.base_layer.bias is not None for layer in layers) else ""


def _mlp(module: Any, x: Tensor) -> Tensor:
    layers = _mlp_layers(module)
    if not all(active(layer) for layer in layers):
        own: Tensor = type(module).forward(module, x)
        return own
    dtype = computed_in(x)
    return lora_mlp(x.to(dtype), *(adapted(layer, dtype) for layer in layers))


def _mlp_difference(module: Any, forward: Forward, dtype: torch.dtype, _options: Options) -> str:
    return trial.difference(module, forward, int(module.gate_proj.base_layer.in_features), dtype)


def _mlp_covers(module: Any) -> tuple[nn.Module, ...]:
    return module, *_mlp_layers(module)


def _why_not_gate(module: Any) -> str:
    silu = isinstance(module.act_fn, nn.SiLU) or "silu" in type(module.act_fn).__name__.lower()
    return "" if silu else "not SwiGLU"


def _gate(module: Any, x: Tensor) -> Tensor:
    out: Tensor = module.down_proj(swiglu(module.gate_proj(x), module.up_proj(x)))
    return out


def _gate_difference(module: Any, forward: Forward, dtype: torch.dtype, _options: Options) -> str:
    return trial.difference(module, forward, int(module.gate_proj.in_features), dtype)


def epsilon(norm: nn.Module) -> float | None:
    """What a norm adds to the mean of squares, by the names that are known; None for a module that is none."""
    value = vars(norm).get("variance_epsilon", vars(norm).get("eps"))
    return value if isinstance(value, float) else None


def is_norm(module: nn.Module) -> bool:
    """Whether a module has a weight for every number of a row, an epsilon, and nothing inside."""
    weight = dict(module.named_parameters(recurse=False)).get("weight")
    return weight is not None and weight.ndim == 1 and epsilon(module) is not None and not any(module.children())


def why_not_norm(module: Any) -> str:
    """Why a norm is left alone."""
    return "LayerNorm, of which torch's own is the best" if isinstance(module, nn.LayerNorm) else ""


def norm_ways(module: Any) -> Mapping[str, Forward]:
    """Llama's kind of norm, and Gemma's, which multiplies by 1 + weight."""
    ways = {"plain": _norm, "one": _norm_one}
    return ways if "variance_epsilon" in vars(module) else dict(reversed(ways.items()))


def _norm(module: Any, x: Tensor) -> Tensor:
    return rms_norm(x, module.weight, epsilon(module) or 0.0)


def _norm_one(module: Any, x: Tensor) -> Tensor:
    return rms_norm(x, module.weight, epsilon(module) or 0.0, one=True)


def _norm_difference(module: Any, forward: Forward, dtype: torch.dtype, _options: Options) -> str:
    return trial.difference(module, forward, int(module.weight.shape[0]), dtype)


NORM = Replacement("norms", is_norm, why_not_norm, norm_ways, _norm_difference, covers_nothing)
LINEAR = Replacement(
    "linear layers with an adapter",
    lambda module: isinstance(module, Adapter),
    why_not_linear,
    lambda _module: {"fused": _linear},
    _linear_difference,
    covers_nothing,
)
MLP = Replacement(
    "feed-forward blocks",
    lambda module: isinstance(module, Gated),
    _why_not_mlp,
    lambda _module: {"fused": _mlp},
    _mlp_difference,
    _mlp_covers,
)
GATE = Replacement(
    "gates of feed-forward blocks",
    lambda module: isinstance(module, Gated),
    _why_not_gate,
    lambda _module: {"fused": _gate},
    _gate_difference,
    covers_nothing,
)
