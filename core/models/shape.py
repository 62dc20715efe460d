"""The shape of a model from its configuration, and from the headers of its weights where they are there.

Enough to plan a run and to tell whether an adapter belongs to a base, at the cost of a few kilobytes read. Only models
that continue text, in a layout that transformers knows without code from the model's folder.
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from core.errors import UserError
from core.models.weights import Tensor, has_weights, no_weights, read_headers

_GATED: Final = frozenset({"llama", "mistral", "qwen2", "qwen3", "gemma", "gemma2", "gemma3_text"})
"""Families with q, k, v, o, gate, up and down projections: those whose size follows from the configuration alone."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A kind of linear layer inside the blocks. name: last part, such as "q_proj". count: how many the model has."""

    name: str
    inputs: int
    outputs: int
    count: int


@dataclass(frozen=True, slots=True)
class ModelShape:
    """What planning needs to know. parameters: all of them, tied ones once. positions: longest input in tokens, None if not told.

    intermediate: width of the feed-forward part. dtype: of the stored weights, such as "bf16".
    """

    architecture: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    intermediate: int
    vocab: int
    tied: bool
    dtype: str
    positions: int | None
    parameters: int
    linears: tuple[Linear, ...]

    @property
    def linear_parameters(self) -> int:
        """Weights of all linear layers inside the blocks."""
        return sum(linear.inputs * linear.outputs * linear.count for linear in self.linears)


def read_config(folder: Path) -> dict[str, Any]:
    """config.json of a model folder; for a model with several parts, that of the part that writes text.

    Raises UserError when the folder holds no causal language model.
    """
    if not folder.is_dir():
        raise UserError(f"{folder} is not a folder.", "Choose the folder that holds config.json.")
    path = folder / "config.json"
    try:
        config = json.loads(path.read_bytes())
        if not isinstance(config, dict):
            raise ValueError
    except FileNotFoundError:
        raise UserError(
            f"{folder} is not a model folder: it has no config.json.", "Choose the folder that holds it."
        ) from None
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror}.") from None
    except ValueError:
        raise UserError(f"{path} is no valid JSON.", "Copy the model again.") from None
    names = config.get("architectures") or []
    if not any(str(name).endswith(("ForCausalLM", "LMHeadModel", "ForConditionalGeneration")) for name in names):
        what = str(names[0]) if names else "a model of unknown kind"
        raise UserError(f"{folder} holds {what}, which does not continue text.", "Choose a causal language model.")
    if "quantization_config" in config:
        raise UserError(
            f"The weights in {folder} are quantised, which Gosmith cannot train or serve.", "Get the bf16 model."
        )
    inner = config.get("text_config")
    if isinstance(inner, dict) and "hidden_size" not in config:
        config = {**inner, "architectures": names}
    return config


def inspect(folder: Path) -> ModelShape:
    """The shape of the model in a folder. Raises UserError when it is no causal model, or its weights cannot be used.

    Without any weight files, families like Llama and Qwen2 are computed from the configuration; others are refused.
    """
    config = read_config(folder)
    tensors = read_headers(folder) if has_weights(folder) else {}
    return shape_of(config, tensors, folder)


def shape_of(config: Mapping[str, Any], tensors: Mapping[str, Tensor], folder: Path) -> ModelShape:
    """`inspect` of what has been read. folder: only for error sentences."""

    def number(*names: str, default: int | None = None) -> int:
        for name in names:
            value = config.get(name)
            if isinstance(value, int) and value > 0:
                return value
        if default is None:
            raise UserError(f"{folder}/config.json lacks {names[0]}.", "Copy the model again.")
        return default

    hidden = number("hidden_size", "n_embd", "d_model")
    layers = number("num_hidden_layers", "n_layer", "num_layers")
    heads = number("num_attention_heads", "n_head", "num_heads")
    kv_heads = number("num_key_value_heads", default=heads)
    head_dim = number("head_dim", default=hidden // heads)
    intermediate = number("intermediate_size", "n_inner", "ffn_dim", "moe_intermediate_size", default=4 * hidden)
    vocab = number("vocab_size")
    positions = number("max_position_embeddings", "n_positions", "n_ctx", default=0) or None
    family = str(config.get("model_type", ""))
    if tensors:
        tied = not any(name.endswith(("lm_head.weight", "embed_out.weight")) for name in tensors)
        linears = _linears(tensors)
        parameters = sum(tensor.count for tensor in tensors.values())
        dtype = Counter(tensor.dtype for tensor in tensors.values()).most_common(1)[0][0].lower()
    elif family in _GATED:
        tied = bool(config.get("tie_word_embeddings", family.startswith("gemma")))
        linears = _gated(hidden, layers, heads, kv_heads, head_dim, intermediate)
        biases = layers * head_dim * (heads + 2 * kv_heads) if family == "qwen2" else 0
        norms = hidden * (1 + layers * (4 if family in ("gemma2", "gemma3_text") else 2))
        norms += 2 * layers * head_dim if family in ("qwen3", "gemma3_text") else 0
        blocks = sum(linear.inputs * linear.outputs * linear.count for linear in linears)
        parameters = blocks + biases + norms + vocab * hidden * (1 if tied else 2)
        dtype = str(config.get("torch_dtype") or config.get("dtype") or "float32")
    else:
        raise no_weights(folder, "model.safetensors")
    return ModelShape(
        architecture=str((config.get("architectures") or [family])[0]),
        hidden=hidden,
        layers=layers,
        heads=heads,
        kv_heads=kv_heads,
        head_dim=head_dim,
        intermediate=intermediate,
        vocab=vocab,
        tied=tied,
        dtype={"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "f16": "fp16", "f32": "fp32"}.get(
            dtype, dtype
        ),
        positions=positions,
        parameters=parameters,
        linears=linears,
    )


def _gated(hidden: int, layers: int, heads: int, kv_heads: int, head_dim: int, intermediate: int) -> tuple[Linear, ...]:
    return (
        Linear("down_proj", intermediate, hidden, layers),
        Linear("gate_proj", hidden, intermediate, layers),
        Linear("k_proj", hidden, kv_heads * head_dim, layers),
        Linear("o_proj", heads * head_dim, hidden, layers),
        Linear("q_proj", hidden, heads * head_dim, layers),
        Linear("up_proj", hidden, intermediate, layers),
        Linear("v_proj", hidden, kv_heads * head_dim, layers),
    )


def _linears(tensors: Mapping[str, Tensor]) -> tuple[Linear, ...]:
    """Matrices inside numbered blocks, counted by name and shape, by name."""
    counts: Counter[tuple[str, int, int]] = Counter()
    for name, tensor in tensors.items():
        match = re.search(r"\.\d+\.(?:.*\.)?([^.]+)\.weight$", name)
        if match and len(tensor.shape) == 2:
            counts[match[1], tensor.shape[1], tensor.shape[0]] += 1
    return tuple(Linear(*key, count) for key, count in sorted(counts.items()))
