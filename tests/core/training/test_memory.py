"""The closed forms against what was counted and against figures that anyone can look up."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from core.models import ModelShape, inspect
from core.paths import resources
from core.training import memory, trained
from core.training.config import RunConfig
from core.training.config_file import from_mapping

GIB = 2**30

QWEN_7B = {
    "architectures": ["Qwen2ForCausalLM"], "model_type": "qwen2", "hidden_size": 3584, "intermediate_size": 18944,
    "num_hidden_layers": 28, "num_attention_heads": 28, "num_key_value_heads": 4, "vocab_size": 152064,
    "max_position_embeddings": 32768, "tie_word_embeddings": False, "torch_dtype": "bfloat16",
}  # fmt: skip


@pytest.fixture(scope="module")
def qwen(tmp_path_factory: pytest.TempPathFactory) -> ModelShape:
    folder: Path = tmp_path_factory.mktemp("qwen")
    (folder / "config.json").write_text(json.dumps(QWEN_7B))
    return inspect(folder)


def config(**sections: Any) -> RunConfig:
    return from_mapping({"model": {"base": "b"}, "data": {"snapshot": "s"}, **sections})


def test_the_shape_gives_the_published_number_of_parameters(qwen: ModelShape) -> None:
    assert qwen.parameters == 7_615_616_512
    assert trained.adapted(config(), qwen) == 40_370_176  # r = 16, all linear layers


@pytest.mark.parametrize(
    ("rows", "again", "counted"),
    [
        (1, "none", 22662), (1, "selective", 22207), (1, "full", 16364),
        (4, "none", 42672), (4, "selective", 41087), (4, "full", 18552),
    ],
)  # fmt: skip
def test_the_peaks_of_a_7b_model_that_were_counted_operation_by_operation(
    qwen: ModelShape, rows: int, again: str, counted: int
) -> None:
    """MiB by `core.engine.count`, two micro-batches a step: frozen bf16, fp32 adapter of rank 16."""
    run = config(parallel={"activation_checkpointing": again})
    ours = memory.parts(run, qwen, memory.Load(rows=rows, width=2048, packed=False, gpu=True, batches=2))
    assert (ours["total"] - ours["overhead"]) / 2**20 == pytest.approx(counted, rel=0.01)


def test_a_chunked_head_and_activation_checkpointing_are_worth_what_they_are_for(qwen: ModelShape) -> None:
    load = memory.Load(rows=4, width=2048, packed=False, gpu=True)
    plain = memory.parts(config(), qwen, load)
    again = memory.parts(config(parallel={"activation_checkpointing": "full"}), qwen, load)
    assert plain["logits"] < 2 * GIB
    assert again["activations"] < plain["activations"] / 7
    assert again["total"] < 24 * GIB < plain["total"]


def test_all_weights_take_sixteen_bytes_a_parameter_and_a_copy(qwen: ModelShape) -> None:
    parts = memory.parts(config(method={"kind": "full"}), qwen, memory.Load(1, 2048, packed=False, gpu=True, batches=2))
    states = parts["weights"] + parts["gradients"] + parts["optimizer"]
    assert states == 18 * qwen.parameters
    exact = memory.parts(
        config(method={"kind": "full"}, precision={"dtype": "fp32"}),
        qwen,
        memory.Load(1, 2048, packed=False, gpu=True, batches=2),
    )
    assert exact["weights"] + exact["gradients"] + exact["optimizer"] == 16 * qwen.parameters


def test_an_adapter_costs_two_thirds_of_the_compute_of_all_weights(qwen: ModelShape) -> None:
    lora = memory.flops_per_token(config(), qwen, 512)
    full = memory.flops_per_token(config(method={"kind": "full"}), qwen, 512)
    weights = qwen.parameters - qwen.vocab * qwen.hidden  # without the embedding, which is looked up
    assert lora == pytest.approx(4 * weights, rel=0.03)
    assert full == pytest.approx(6 * weights, rel=0.03)
    assert memory.flops_per_token(config(parallel={"activation_checkpointing": "full"}), qwen, 512) > 1.45 * lora


def test_only_the_named_layers_are_adapted(qwen: ModelShape) -> None:
    two = trained.adapted(config(method={"targets": ["q_proj", "v_proj"]}), qwen)
    assert two == 16 * 28 * ((3584 + 3584) + (3584 + 512))


@pytest.mark.parametrize(
    ("rows", "width", "again", "kind", "kernels", "took"),
    [
        (1, 256, "none", "lora", "auto", 579), (4, 512, "none", "lora", "auto", 732), (4, 2048, "none", "lora", "auto", 1198),
        (4, 2048, "full", "lora", "auto", 945), (4, 2048, "selective", "lora", "auto", 1095),
        (4, 512, "none", "full", "auto", 824), (4, 1024, "full", "full", "auto", 893), (4, 2048, "none", "lora", "off", 2053),
    ],
)  # fmt: skip
def test_what_the_starter_took_in_main_memory(
    rows: int, width: int, again: str, kind: str, kernels: str, took: int
) -> None:
    """Peaks of bare processes on two cores with bf16 units, MiB, two steps of packed rows each; a worker takes some 90 MiB more."""
    shape = inspect(resources() / "starter")
    run = config(method={"kind": kind}, parallel={"activation_checkpointing": again}, kernels=kernels)
    parts = memory.parts(run, shape, memory.Load(rows, width, packed=True, gpu=False, flat=run.may_be_flat))
    assert parts["total"] / 2**20 == pytest.approx(took + 90, rel=0.1)
