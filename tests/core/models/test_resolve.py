"""Which model is meant, and which folders are refused before anything is loaded."""

from __future__ import annotations

import json
import struct
from pathlib import Path

import pytest

from core.errors import UserError
from core.models import inspect, list_models, resolve
from core.paths import resources

STARTER = resources() / "starter"


def model_folder(path: Path, *, tokenizer: bool = True, weights: bool = True, vocab: int = 40) -> Path:
    """A folder that looks like a tiny model: a header without data is all that is read here."""
    path.mkdir(parents=True)
    (path / "config.json").write_text(
        json.dumps(
            {
                "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8, "num_hidden_layers": 1,
                "num_attention_heads": 2, "num_key_value_heads": 1, "intermediate_size": 16, "vocab_size": vocab,
                "tie_word_embeddings": True, "max_position_embeddings": 32,
            }
        )
    )  # fmt: skip
    if weights:
        size = vocab * 8 * 2
        header = json.dumps(
            {"model.embed_tokens.weight": {"dtype": "BF16", "shape": [vocab, 8], "data_offsets": [0, size]}}
        )
        (path / "model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(size))
    if tokenizer:
        (path / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {str(n): n for n in range(vocab)}}}))
    return path


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


def test_the_starter_is_always_there_and_its_shape_is_read_from_headers(models: Path, tmp_path: Path) -> None:
    found = resolve("starter", models, tmp_path / "jobs")
    assert found.path == STARTER
    shape = inspect(STARTER)
    assert 3e6 <= shape.parameters <= 16e6
    assert found.bytes <= 16 * 2**20
    assert (shape.hidden, shape.tied) == (256, True)


def test_a_folder_in_the_workspace_is_known_by_its_name(models: Path, tmp_path: Path) -> None:
    folder = model_folder(models / "tiny")
    assert resolve("tiny", models, tmp_path / "jobs").path == folder
    assert resolve(str(folder), models, tmp_path / "jobs").path == folder
    assert {model.name for model in list_models(models, tmp_path / "jobs")} == {"starter", "tiny"}


def test_an_unknown_name_gets_the_nearest_one(models: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError) as caught:
        resolve("statrer", models, tmp_path / "jobs")
    assert "starter" in str(caught.value)


def test_pickled_weights_are_refused(models: Path, tmp_path: Path) -> None:
    folder = model_folder(models / "pickled", weights=False)
    (folder / "pytorch_model.bin").write_bytes(b"\x80\x04.")
    with pytest.raises(UserError) as caught:
        resolve("pickled", models, tmp_path / "jobs")
    assert "safetensors" in str(caught.value)


def test_a_model_without_tokenizer_is_refused(models: Path, tmp_path: Path) -> None:
    model_folder(models / "mute", tokenizer=False)
    with pytest.raises(UserError, match="tokenizer"):
        resolve("mute", models, tmp_path / "jobs")


@pytest.mark.parametrize("name", ["empty", "file"])
def test_what_is_no_model_is_refused(models: Path, tmp_path: Path, name: str) -> None:
    if name == "empty":
        (models / name).mkdir()
    else:
        (models / name).write_text("x")
    with pytest.raises(UserError):
        resolve(str(models / name), models, tmp_path / "jobs")


def test_a_broken_folder_does_not_spoil_the_list(models: Path, tmp_path: Path) -> None:
    (models / "broken").mkdir()
    (models / "broken" / "config.json").write_text("{")
    listed = {model.name: model.problem for model in list_models(models, tmp_path / "jobs")}
    assert listed["broken"]
    assert not listed["starter"]


def test_an_adapter_for_another_vocabulary_is_refused(models: Path, tmp_path: Path) -> None:
    base = model_folder(models / "base", vocab=40)
    adapter = models / "adapter"
    adapter.mkdir()
    header = json.dumps(
        {"base_model.model.model.embed_tokens.weight": {"dtype": "F32", "shape": [50, 8], "data_offsets": [0, 1600]}}
    )
    (adapter / "adapter_model.safetensors").write_bytes(struct.pack("<Q", len(header)) + header.encode() + bytes(1600))
    (adapter / "adapter_config.json").write_text(
        json.dumps({"base_model_name_or_path": str(base), "peft_type": "LORA", "r": 4, "target_modules": ["q_proj"]})
    )
    (adapter / "tokenizer.json").write_text(json.dumps({"model": {"vocab": {str(n): n for n in range(50)}}}))
    with pytest.raises(UserError):
        resolve(str(adapter), models, tmp_path / "jobs")
