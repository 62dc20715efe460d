"""Model folders for tests: headers of real tensors' shapes, zeros for data, a tokenizer of numbers."""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping
from pathlib import Path

SIZES = {"BF16": 2, "F32": 4}
LAYERS = {
    "self_attn.q_proj": (8, 8), "self_attn.k_proj": (4, 8), "self_attn.v_proj": (4, 8), "self_attn.o_proj": (8, 8),
    "mlp.gate_proj": (16, 8), "mlp.up_proj": (16, 8), "mlp.down_proj": (8, 16),
}  # fmt: skip


def write_weights(path: Path, tensors: Mapping[str, tuple[int, ...]], dtype: str = "BF16") -> None:
    """A safetensors file of zeros."""
    header, end = {}, 0
    for name, shape in tensors.items():
        size = SIZES[dtype]
        for length in shape:
            size *= length
        header[name] = {"dtype": dtype, "shape": list(shape), "data_offsets": [end, end + size]}
        end += size
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + bytes(end))


def write_tokenizer(folder: Path, words: int) -> None:
    """A tokenizer.json that knows so many tokens."""
    (folder / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {str(n): n for n in range(words)}}}))


def tiny_tensors(vocab: int = 40) -> dict[str, tuple[int, ...]]:
    """A Llama of one layer: hidden 8, two heads, one key-value head, intermediate 16."""
    layers = {f"model.layers.0.{name}.weight": shape for name, shape in LAYERS.items()}
    norms = {f"model.layers.0.{name}_layernorm.weight": (8,) for name in ("input", "post_attention")}
    return {"model.embed_tokens.weight": (vocab, 8), **layers, **norms, "model.norm.weight": (8,)}


def model(folder: Path, *, vocab: int = 40, **changes: object) -> Path:
    """A whole tiny model. changes: of config.json."""
    folder.mkdir(parents=True)
    config = {
        "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1,
        "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 16, "vocab_size": vocab,
        "tie_word_embeddings": True, "max_position_embeddings": 32, **changes,
    }  # fmt: skip
    (folder / "config.json").write_text(json.dumps(config))
    write_weights(folder / "model.safetensors", tiny_tensors(vocab))
    write_tokenizer(folder, vocab)
    return folder


def adapter(
    folder: Path,
    base: Path,
    *,
    width: int = 8,
    layer: str = "model.layers.0.self_attn.q_proj",
    note: Mapping[str, object] | None = None,
) -> Path:
    """A LoRA adapter of rank 2 on one layer, as a run saves it. note: content of gosmith.json."""
    folder.mkdir(parents=True)
    stem = f"base_model.model.{layer}"
    write_weights(
        folder / "adapter_model.safetensors",
        {f"{stem}.lora_A.weight": (2, width), f"{stem}.lora_B.weight": (8, 2)},
        "F32",
    )
    (folder / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(base), "peft_type": "LORA", "r": 2})
    )
    if note:
        (folder / "gosmith.json").write_text(json.dumps(note))
    return folder


def run(jobs: Path, job: str, title: str, base: Path, steps: tuple[int, ...]) -> Path:
    """The folder of a run that has saved checkpoints."""
    folder = jobs / job
    for step in steps:
        adapter(folder / "output" / f"checkpoint-{step:06d}", base, note={"run": job, "step": step, "base": str(base)})
    (folder / "job.json").write_text(json.dumps({"id": job, "kind": "train", "title": title}))
    return folder
