"""What stands for blocks made of several layers: attention (its three projections and the turning of heads), and the sum between the halves
of a decoder layer, which is normed in the same pass.

How heads attend is not decided here: the model's own attention is called, by transformers' registry, with turned heads. A block that
has a part which is not known here is left alone, since what it computes cannot be known either.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from kernels import trial
from kernels.layers import (
    Forward,
    Options,
    Replacement,
    active,
    adapted,
    computed_in,
    epsilon,
    is_norm,
    norm_ways,
    why_not_norm,
    why_not_together,
)
from kernels.lora_qkv import lora_qkv
from kernels.rms_norm import add_rms_norm
from kernels.rope import rope

KNOWN: Final = frozenset({
    "training", "config", "layer_type", "layer_idx", "head_dim", "num_key_value_groups", "scaling", "attention_dropout", "is_causal",
    "sliding_window",
})  # fmt: skip
"""What an attention block may know besides its layers; caps, sinks and dropout of its result are among what it may not."""
PARTS: Final = frozenset({"q_proj", "k_proj", "v_proj", "o_proj", "q_norm", "k_norm"})
HALVES: Final = frozenset({"input_layernorm", "self_attn", "post_attention_layernorm", "mlp"})


@runtime_checkable
class Attention(Protocol):
    """An attention block as Llama, Qwen and Mistral have it."""

    q_proj: nn.Module
    k_proj: nn.Module
    v_proj: nn.Module
    o_proj: nn.Module
    config: Any
    head_dim: int
    scaling: float
    attention_dropout: float


@runtime_checkable
class Layer(Protocol):
    """A decoder layer as Llama has it: norm, attention, sum, norm, feed-forward part, sum."""

    input_layernorm: nn.Module
    self_attn: nn.Module
    post_attention_layernorm: nn.Module
    mlp: nn.Module


def _strange(module: nn.Module, known: frozenset[str]) -> list[str]:
    return sorted(name for name in vars(module) if not name.startswith("_") and name not in known)


def _projections(module: Any) -> tuple[Any, Any, Any]:
    return module.q_proj, module.k_proj, module.v_proj


def _why_not_attention(module: Any) -> str:
    strange = _strange(module, KNOWN) + sorted(set(dict(module.named_children())) - PARTS)
    if strange:
        return f"it has {strange[0]}"
    if module.config._attn_implementation == "eager":
        return "its attention is written out"
    return why_not_together(_projections(module))


def _attention(
    module: Any,
    hidden_states: Tensor,
    position_embeddings: tuple[Tensor, Tensor] | None = None,
    attention_mask: Tensor | None = None,
    past_key_values: Any = None,
    **options: Any,
) -> tuple[Tensor, Any]:
    layers = _projections(module)
    turns = position_embeddings is not None and position_embeddings[0].shape[-1] == module.head_dim
    if past_key_values is not None or not turns or not all(active(layer) for layer in layers):
        own: tuple[Tensor, Any] = type(module).forward(
            module,
            hidden_states,
            position_embeddings=position_embeddings,
            attention_mask=attention_mask,
            past_key_values=past_key_values,
            **options,
        )
        return own
    from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

    assert position_embeddings is not None
    dtype, before = computed_in(hidden_states), hidden_states.shape[:-1]
    found = lora_qkv(hidden_states.to(dtype), *(adapted(layer, dtype) for layer in layers))
    q, k, v = (part.view(*before, -1, module.head_dim) for part in found)
    norms = dict(module.named_children())
    if "q_norm" in norms:
        q, k = module.q_norm(q), module.k_norm(k)
    cos, sin = (part.expand(*before, -1).reshape(-1, module.head_dim) for part in position_embeddings)
    turned = rope(q.flatten(0, 1), k.flatten(0, 1), cos, sin)
    q, k = (part.view(*before, -1, module.head_dim) for part in turned)
    window = vars(module).get("sliding_window", getattr(module.config, "sliding_window", None))
    attend = ALL_ATTENTION_FUNCTIONS[module.config._attn_implementation]
    out, weights = attend(
        module, q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2), attention_mask,
        dropout=module.attention_dropout if module.training else 0.0, scaling=module.scaling, sliding_window=window, **options,
    )  # fmt: skip
    return module.o_proj(out.reshape(*before, -1).contiguous()), weights


def _attention_difference(module: Any, forward: Forward, dtype: torch.dtype, options: Options) -> str:
    weight = next(module.parameters())
    angles = torch.linspace(0.1, 3.0, trial.ROWS * module.head_dim).view(1, trial.ROWS, -1).to(weight.device)
    turning = (angles.cos().to(dtype), angles.sin().to(dtype))
    given = {"position_embeddings": turning, "attention_mask": None, **options}
    return trial.difference(module, forward, int(module.q_proj.base_layer.in_features), dtype, given)


def _why_not_layer(module: Any) -> str:
    strange = _strange(
        module, frozenset({"training", "hidden_size", "config", "layer_idx", "attention_type", "layer_type"})
    )
    strange += sorted(set(dict(module.named_children())) ^ HALVES)
    if strange:
        return f"it has {strange[0]}"
    norm = module.post_attention_layernorm
    return why_not_norm(norm) if is_norm(norm) else "its second norm is not known"


def _layer_with(*, one: bool) -> Callable[..., Tensor]:
    def layer(
        module: Any,
        hidden_states: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        use_cache: bool | None = False,
        position_embeddings: tuple[Tensor, Tensor] | None = None,
        **options: Any,
    ) -> Tensor:
        norm = module.post_attention_layernorm
        attended, _ = module.self_attn(
            hidden_states=module.input_layernorm(hidden_states),
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            use_cache=use_cache,
            position_embeddings=position_embeddings,
            **options,
        )
        common = torch.promote_types(attended.dtype, hidden_states.dtype)
        normed, total = add_rms_norm(
            attended.to(common), hidden_states.to(common), norm.weight, epsilon(norm) or 0.0, one=one
        )
        found: Tensor = total + module.mlp(normed)
        return found

    return layer


_LAYERS: Final = {"plain": _layer_with(one=False), "one": _layer_with(one=True)}


def _layer_ways(module: Any) -> Mapping[str, Forward]:
    return {name: _LAYERS[name] for name in norm_ways(module.post_attention_layernorm)}


def _layer_difference(module: Any, forward: Forward, dtype: torch.dtype, _options: Options) -> str:
    norm = module.post_attention_layernorm
    with _in_place_of(module.self_attn, _pretended_attention), _in_place_of(module.mlp, torch.sin):
        return trial.difference(module, forward, int(norm.weight.shape[0]), dtype)


def _pretended_attention(hidden_states: Tensor, **_options: Any) -> tuple[Tensor, None]:
    return hidden_states.tanh(), None


@contextmanager
def _in_place_of(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    before = vars(module).get("forward")
    module.forward = forward
    try:
        yield
    finally:
        if before is None:
            del module.forward
        else:
            module.forward = before


def _put(module: nn.Module, forward: Forward) -> Callable[[], None]:
    """Give a decoder layer a class of its own: transformers recomputes activations in the forward of the class (5.23; in `__call__` before)."""
    before = type(module)
    module.__class__ = type(before.__name__, (before,), {"forward": forward, "__module__": before.__module__})

    def undo() -> None:
        module.__class__ = before

    return undo


ATTENTION = Replacement(
    "attention blocks",
    lambda module: isinstance(module, Attention),
    _why_not_attention,
    lambda _module: {"fused": _attention},
    _attention_difference,
    _projections,
)
LAYER = Replacement(
    "sums before a norm",
    lambda module: isinstance(module, Layer),
    _why_not_layer,
    _layer_ways,
    _layer_difference,
    lambda module: (module.post_attention_layernorm,),
    _put,
)
