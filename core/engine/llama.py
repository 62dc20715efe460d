"""The forward pass of models built like Llama, without what their class does beside it.

    for every layer   norm -> queries, keys, values in one product -> turned -> attention over rows -> added
                      norm -> gate and up in one product -> silu(gate) * up -> down -> added

Their own forward of transformers spends more time between products than in them when a model is small: 230 tokens a second beside 460 of the
starter. Weights are those of the model, not copies. What is built otherwise is not read here (`read` gives None), and `core.engine.forward`
compares the results before it uses them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.functional import linear, rms_norm, silu

from core.engine.adapters import Adapter, Span, add, spans
from core.engine.rows import Part, attend

Turn = Callable[[Tensor], Tensor]
"""A norm or a product: [tokens, width] -> [tokens, width]."""

See = Callable[[Tensor, Tensor, int], Tensor]
"""Attention of a layer: (queries [tokens, heads, width], keys and values [tokens, 2, key heads, width], its number) -> [tokens, heads, width]."""

LAYER = {"self_attn", "mlp", "input_layernorm", "post_attention_layernorm"}
ATTENTION = {"q_proj", "k_proj", "v_proj", "o_proj"}
HEAD_NORMS = {"q_norm", "k_norm"}
FEED_FORWARD = {"gate_proj", "up_proj", "down_proj", "act_fn"}
FEW = 64
"""Tokens up to which reading the weights takes longer than multiplying by them."""


@dataclass(frozen=True, slots=True)
class Product:
    """Linear layers that read the same. members: the name of each, and from where to where it is in the answer."""

    turn: Turn
    members: tuple[tuple[str, int, int], ...]

    def __call__(self, x: Tensor, layer: int, spans: Sequence[Span]) -> Tensor:
        """x: [tokens, inputs] -> [tokens, outputs], with what adapters change."""
        return add(self.turn(x), x, spans, layer, self.members)


@dataclass(frozen=True, slots=True)
class Layer:
    """One decoder layer. head_norms: of queries and keys, for models that have them (Qwen3)."""

    before: Turn
    project: Product
    head_norms: tuple[Turn, Turn] | None
    out: Product
    between: Turn
    gate_and_up: Product
    down: Product


@dataclass(frozen=True, slots=True)
class Llama:
    """heads, key_heads: of a layer; width: of a head. adapters: what texts may have beside the model's own weights, by name."""

    embed: nn.Module
    turning: nn.Module
    layers: tuple[Layer, ...]
    norm: Turn
    heads: int
    key_heads: int
    width: int
    adapters: dict[str, Adapter] = field(default_factory=dict)

    def __call__(self, ids: Tensor, places: Tensor, parts: Sequence[Part]) -> Tensor:
        """Last hidden states [tokens, width]. ids, places: [tokens], the place of each in its own text. parts: in the same order, with room."""

        def see(query: Tensor, key_value: Tensor, layer: int) -> Tensor:
            return attend(query, key_value, parts, layer)

        return self.states(ids, places, see, spans(parts, self.adapters))

    def states(self, ids: Tensor, places: Tensor, see: See, changed: Sequence[Span] = ()) -> Tensor:
        """The same, with any attention. changed: which tokens have which adapter."""
        states: Tensor = self.embed(ids)
        cos, sin = self.turning(states[None], places[None])
        cos, sin = cos[0, :, None], _signed(sin[0, :, None])
        for number, layer in enumerate(self.layers):
            heads = layer.project(layer.before(states), number, changed).view(len(ids), -1, self.width)
            turned = self._turned(layer, heads, cos, sin)
            query, keys = turned[:, : self.heads], turned[:, self.heads :]
            both = torch.stack((keys, heads[:, self.heads + self.key_heads :]), 1)
            seen = see(query, both, number)
            states = states + layer.out(seen.reshape(len(ids), -1), number, changed)
            gate, up = layer.gate_and_up(layer.between(states), number, changed).chunk(2, -1)
            states = states + layer.down(silu(gate) * up, number, changed)
        return self.norm(states)

    def _turned(self, layer: Layer, heads: Tensor, cos: Tensor, sin: Tensor) -> Tensor:
        """Queries and keys [tokens, heads + key heads, width] with their places in them (Su et al. 2021)."""
        plain = heads[:, : self.heads + self.key_heads]
        if layer.head_norms is not None:
            of_query, of_key = layer.head_norms
            plain = torch.cat((of_query(plain[:, : self.heads]), of_key(plain[:, self.heads :])), 1)
        return torch.addcmul(plain * cos, plain.roll(self.width // 2, -1), sin)


def read(causal: Any) -> Llama | None:
    """The model's parts, if it is built so. Products that read the same are joined: the model's own layers become views of them."""
    config = causal.config.to_dict()
    body = causal.base_model
    layers: list[Any] = list(dict(body.named_children()).get("layers", ()))
    slides = config.get("sliding_window") and config.get("use_sliding_window", True)
    if not layers or slides or config.get("hidden_act") != "silu" or not all(_known(layer) for layer in layers):
        return None
    attention = layers[0].self_attn
    return Llama(
        body.embed_tokens,
        body.rotary_emb,
        tuple(_layer(layer) for layer in layers),
        _norm(body.norm),
        heads=int(config["num_attention_heads"]),
        key_heads=int(config["num_key_value_heads"]),
        width=int(attention.head_dim),
    )


def _known(layer: nn.Module) -> bool:
    parts = dict(layer.named_children())
    if set(parts) != LAYER:
        return False
    attention, feed = dict(parts["self_attn"].named_children()), dict(parts["mlp"].named_children())
    return set(attention) in (ATTENTION, ATTENTION | HEAD_NORMS) and set(feed) == FEED_FORWARD


def _layer(layer: Any) -> Layer:
    attention, feed = layer.self_attn, layer.mlp
    has_norms = "q_norm" in dict(attention.named_children())
    return Layer(
        _norm(layer.input_layernorm),
        _product_of(attention, "q_proj", "k_proj", "v_proj"),
        (_norm(attention.q_norm), _norm(attention.k_norm)) if has_norms else None,
        _product_of(attention, "o_proj"),
        _norm(layer.post_attention_layernorm),
        _product_of(feed, "gate_proj", "up_proj"),
        _product_of(feed, "down_proj"),
    )


def _product_of(block: nn.Module, *names: str) -> Product:
    layers: list[Any] = [block.get_submodule(name) for name in names]
    ends = list(accumulate(_outputs(layer) for layer in layers))
    members = tuple((name, end - _outputs(layer), end) for name, layer, end in zip(names, layers, ends, strict=True))
    return Product(joined(layers), members)


def _outputs(layer: Any) -> int:
    """Of a linear layer, also of one with weights of 8 bits."""
    return int(layer.weight.shape[0])


def _norm(norm: Any) -> Turn:
    """In one operation where its weight and epsilon say all; else as it is."""
    values = vars(norm)
    epsilon = values.get("variance_epsilon", values.get("eps"))
    weight = norm._parameters.get("weight")
    if epsilon is None or weight is None:
        turn: Turn = norm
        return turn
    return lambda x: rms_norm(x, weight.shape, weight, float(epsilon))


def joined(layers: Sequence[Any]) -> Turn:
    """Layers that read the same, side by side in one product; as they are where one is no plain linear layer."""
    if not all(type(layer) is nn.Linear for layer in layers) or len({layer.bias is None for layer in layers}) > 1:
        return lambda x: torch.cat([layer(x) for layer in layers], -1)
    if len(layers) == 1:
        (only,) = layers
        return _product(only.weight.detach(), None if only.bias is None else only.bias.detach())
    weight = torch.cat([layer.weight.detach() for layer in layers])
    bias = None if layers[0].bias is None else torch.cat([layer.bias.detach() for layer in layers])
    start = 0
    for layer in layers:
        end = start + layer.out_features
        layer.weight = nn.Parameter(weight[start:end], requires_grad=False)
        if bias is not None:
            layer.bias = nn.Parameter(bias[start:end], requires_grad=False)
        start = end
    return _product(weight, bias)


def _product(weight: Tensor, bias: Tensor | None) -> Turn:
    """x [tokens, inputs] -> [tokens, outputs].

    A CPU reads bf16 weights at 9 GB/s when a few tokens are multiplied by them, and at 14 GB/s when they are multiplied by the tokens, if
    those are two or more (torch 2.13): so they are turned round, and a single one comes twice.
    """
    if weight.device.type != "cpu" or weight.dtype != torch.bfloat16:
        return lambda x: linear(x, weight, bias)

    def product(x: Tensor) -> Tensor:
        if len(x) > FEW:
            return linear(x, weight, bias)
        columns = x.expand(2, -1) if len(x) == 1 else x
        found = (weight @ columns.t())[:, : len(x)].t().contiguous()
        return found if bias is None else found + bias

    return product


def _signed(sin: Tensor) -> Tensor:
    """The sines with the first half negative: what is turned past it comes from the other half."""
    half = sin.shape[-1] // 2
    return torch.cat((-sin[..., :half], sin[..., half:]), -1)
