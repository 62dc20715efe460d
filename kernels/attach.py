"""Putting the fused operations into a model that is already built, layer by layer, and taking them out again.

What a module is called and which class it has says nothing: its parts do (`found_in`). A new forward is bound to the one instance, never to a
class; names of parameters, hooks and saved adapters stay as they were. Before a type of layer is replaced anywhere, one of that type
computes once with its own forward and once with ours, forwards and backwards, with an adapter that is not zero; what differs by more
than rounding is left alone, and the report says why. Whoever switches an adapter off or merges it gets the layer's own forward.

It is called after the adapters were put in and before layers are sharded. It refuses nothing: a model of which nothing is replaced trains as
before.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kernels.lora import lora_linear
from kernels.lora_mlp import lora_mlp
from kernels.reference import Adapted
from kernels.rms_norm import rms_norm

NAMES: Final = {"mlp": "feed-forward blocks", "linear": "linear layers with an adapter", "norm": "norms"}
CHECK_ROWS = 4
ROUNDING: Final = {torch.bfloat16: 2.0**-5, torch.float16: 2.0**-8, torch.float32: 2.0**-15, torch.float64: 2.0**-40}
"""By how much of its largest value a result may differ: a few units in the last place, after sums of hundreds of numbers."""


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


@runtime_checkable
class Norm(Protocol):
    """A root-mean-square norm as Llama has it."""

    weight: nn.Parameter
    variance_epsilon: float


@dataclass(slots=True)
class Report:
    """What was replaced. found, replaced: how many layers by type (a key of NAMES). reasons: by type, why some or all were not."""

    found: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, int] = field(default_factory=dict)
    reasons: dict[str, str] = field(default_factory=dict)
    modules: list[nn.Module] = field(default_factory=list)

    @property
    def kinds(self) -> tuple[str, ...]:
        """The types of which something was replaced."""
        return tuple(kind for kind in NAMES if self.replaced.get(kind))

    def sentence(self) -> str:
        """For the log: "Fused: 6 of 6 feed-forward blocks, 0 of 24 linear layers with an adapter (DoRA)."."""
        parts = []
        for kind, name in NAMES.items():
            if self.found.get(kind):
                why = f" ({self.reasons[kind]})" if kind in self.reasons else ""
                parts.append(f"{self.replaced.get(kind, 0)} of {self.found[kind]} {name}{why}")
        return f"Fused: {', '.join(parts)}." if parts else "Nothing in this model can be fused."

    def undo(self) -> None:
        """Give every layer its own forward back."""
        for module in self.modules:
            del module.forward
        self.modules.clear()


def attach_kernels(
    model: nn.Module, kinds: Iterable[str] = tuple(NAMES), *, dtype: torch.dtype, check: bool = True
) -> Report:
    """Replace what can be replaced of these types; linear layers inside a replaced feed-forward block count as its part.

    dtype: what products are computed in. check: whether to compare first; without it the types are taken to be right, which is for
    processes that hold no values and are told what one that holds them has found.
    """
    report = Report()
    inside: set[nn.Module] = set()
    wanted = set(kinds)
    for kind, find in _FINDERS.items():
        candidates = [module for module in model.modules() if isinstance(module, find.parts) and module not in inside]
        if not candidates:
            continue
        report.found[kind] = len(candidates)
        reasons = [(module, find.why_not(module)) for module in candidates]
        good = [module for module, why in reasons if not why]
        refused = next((why for _, why in reasons if why), "")
        if kind not in wanted:
            good, refused = [], refused or "not asked for"
        if good and check and not _agrees(good[0], find.forward, dtype):
            good, refused = [], "this model's own gives other numbers"
        if refused:
            report.reasons[kind] = refused
        for module in good:
            module.forward = functools.partial(find.forward, module)
            report.modules.append(module)
            if kind == "mlp":
                inside.update(module.children())
        report.replaced[kind] = len(good)
    return report


def _why_not_linear(module: Any) -> str:
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


def _why_not_mlp(module: Any) -> str:
    layers = (module.gate_proj, module.up_proj, module.down_proj)
    if not all(isinstance(layer, Adapter) for layer in layers):
        return "not all of its layers have an adapter"
    for layer in layers:
        if why := _why_not_linear(layer):
            return why
        if layer.base_layer.bias is not None:
            return "a bias"
        if _dropout(layer) > 0:
            return "adapters with dropout"
    if not isinstance(module.act_fn, nn.SiLU) and "silu" not in type(module.act_fn).__name__.lower():
        return "not SwiGLU"
    return ""


def _why_not_norm(module: Any) -> str:
    return "" if module.weight.ndim == 1 else "not a norm of rows"


def _dropout(layer: Any) -> float:
    (part,) = layer.lora_dropout.values()
    return float(part.p) if isinstance(part, nn.Dropout) else 0.0


def _computed_in(x: Tensor) -> torch.dtype:
    kind = x.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else x.dtype


def _active(layer: Any) -> bool:
    return not (layer.disable_adapters or layer.merged)


def _adapted(layer: Any, dtype: torch.dtype) -> Adapted:
    (name,) = layer.active_adapters
    a, b = layer.lora_A[name].weight, layer.lora_B[name].weight
    return Adapted(layer.base_layer.weight.to(dtype), a, b, layer.scaling[name])


def _linear(layer: Any, x: Tensor, *args: Any, **options: Any) -> Tensor:
    if args or options or not _active(layer):
        own: Tensor = type(layer).forward(layer, x, *args, **options)
        return own
    dtype = _computed_in(x)
    (drop,) = layer.lora_dropout.values()
    dropped = drop(x).to(dtype) if layer.training and _dropout(layer) > 0 else None
    adapted, bias = _adapted(layer, dtype), layer.base_layer.bias
    return lora_linear(
        x.to(dtype),
        adapted.weight,
        None if bias is None else bias.to(dtype),
        adapted.a,
        adapted.b,
        adapted.scaling,
        dropped,
    )


def _mlp(module: Any, x: Tensor) -> Tensor:
    layers = (module.gate_proj, module.up_proj, module.down_proj)
    if not all(_active(layer) for layer in layers):
        own: Tensor = type(module).forward(module, x)
        return own
    dtype = _computed_in(x)
    return lora_mlp(x.to(dtype), *(_adapted(layer, dtype) for layer in layers))


def _norm(module: Any, x: Tensor) -> Tensor:
    return rms_norm(x, module.weight, module.variance_epsilon)


@dataclass(frozen=True, slots=True)
class _Finder:
    """parts: what a module of this type has. why_not: a reason to leave one alone, or "". forward: what replaces its own."""

    parts: Any
    why_not: Callable[[Any], str]
    forward: Callable[..., Tensor]


_FINDERS: Mapping[str, _Finder] = {
    "mlp": _Finder(Gated, _why_not_mlp, _mlp),
    "linear": _Finder(Adapter, _why_not_linear, _linear),
    "norm": _Finder(Norm, _why_not_norm, _norm),
}


def _agrees(module: Any, forward: Callable[..., Tensor], dtype: torch.dtype) -> bool:
    """Whether both forwards give the same, with their gradients, for a few random rows."""
    weight = next(module.parameters())
    width = _width(module)
    generator = torch.Generator().manual_seed(0)
    rows = torch.randn(1, CHECK_ROWS, width, generator=generator).to(weight.device, dtype)
    was_training = module.training
    module.eval()
    try:
        with _not_zero(module, generator), torch.enable_grad():
            own = _run(type(module).forward, module, rows, dtype)
            ours = _run(forward, module, rows, dtype)
    except (RuntimeError, TypeError, ValueError):
        return False
    finally:
        module.train(was_training)
    return len(own) == len(ours) and all(_near(a, b, dtype) for a, b in zip(own, ours, strict=True))


def _width(module: Any) -> int:
    if isinstance(module, Norm):
        return int(module.weight.shape[0])
    layer: Any = module.gate_proj if isinstance(module, Gated) else module
    return int(layer.base_layer.in_features)


@contextmanager
def _not_zero(module: nn.Module, generator: torch.Generator) -> Iterator[None]:
    """New adapters are zero, which would hide a wrong one: give them values for as long as the block runs."""
    before = [(parameter, parameter.detach().clone()) for parameter in module.parameters() if parameter.requires_grad]
    try:
        with torch.no_grad():
            for parameter, value in before:
                parameter.add_(0.05 * torch.randn(value.shape, generator=generator).to(value))
        yield
    finally:
        with torch.no_grad():
            for parameter, value in before:
                parameter.copy_(value)


def _run(forward: Callable[..., Tensor], module: nn.Module, rows: Tensor, dtype: torch.dtype) -> list[Tensor]:
    x = rows.detach().clone().requires_grad_()
    half = dtype in (torch.bfloat16, torch.float16)
    with torch.autocast(x.device.type, dtype if half else torch.bfloat16, enabled=half, cache_enabled=False):
        out = forward(module, x)
    wanted = [x, *(parameter for parameter in module.parameters() if parameter.requires_grad)]
    return [out, *torch.autograd.grad(out, wanted, torch.linspace(-1, 1, out.numel()).view_as(out).to(out))]


def _near(a: Tensor, b: Tensor, dtype: torch.dtype) -> bool:
    if a.shape != b.shape or a.dtype != b.dtype:
        return False
    most = a.abs().max().double()
    return bool((a.double() - b.double()).abs().max() <= ROUNDING[dtype] * most + 1e-12)
