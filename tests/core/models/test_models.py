"""Models and checkpoints: how they are named, what their headers tell, and what is refused before a job starts."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from core.errors import UserError
from core.models import Model, inspect, list_models, resolve
from core.models.weights import read_header
from core.paths import resources
from tests.core.models import folders


@pytest.fixture
def models(tmp_path: Path) -> Path:
    (tmp_path / "models").mkdir()
    return tmp_path / "models"


@pytest.fixture
def jobs(tmp_path: Path) -> Path:
    (tmp_path / "jobs").mkdir()
    return tmp_path / "jobs"


@pytest.fixture
def find(models: Path, jobs: Path) -> Callable[[str | Path], Model]:
    return lambda reference: resolve(str(reference), models, jobs)


Find = Callable[[str | Path], Model]


def refusal(find: Find, reference: str | Path) -> str:
    with pytest.raises(UserError) as caught:
        find(reference)
    assert caught.value.hint, caught.value
    return str(caught.value)


def test_checkpoints_are_found_by_run_title_by_job_and_by_folder(find: Find, models: Path, jobs: Path) -> None:
    base = folders.model(models / "base")
    folders.run(jobs, "20261121-101500-train-ab12", "errgroup-lora", base, (50, 100))
    newest = find("20261121-101500-train-ab12")
    assert (newest.name, newest.kind, newest.step, newest.base) == ("errgroup-lora/step-100", "checkpoint", 100, base)
    assert newest.run == "20261121-101500-train-ab12"
    assert newest.parameters == 2 * 8 + 8 * 2
    for reference in (
        "errgroup-lora/step-50",
        "20261121-101500-train-ab12/step-50",
        "20261121-101500-train-ab12/checkpoint-000050",
        jobs / "20261121-101500-train-ab12" / "output" / "checkpoint-000050",
    ):
        assert find(reference).step == 50
    assert "step-100, step-50" in refusal(find, "20261121-101500-train-ab12/step-7")
    assert "Did you mean “errgroup-lora/step-100”?" in refusal(find, "errgroup-lora/step-101")


def test_two_runs_of_one_title_must_be_told_apart(find: Find, models: Path, jobs: Path) -> None:
    base = folders.model(models / "base")
    for job in ("20261121-101500-train-ab12", "20261122-101500-train-cd34"):
        folders.run(jobs, job, "gold", base, (10,))
    assert "20261122-101500-train-cd34/step-10" in refusal(find, "gold/step-10")


def test_the_list_has_bases_first_then_the_newest_run_and_its_newest_step(models: Path, jobs: Path) -> None:
    base = folders.model(models / "base")
    folders.run(jobs, "20261121-101500-train-ab12", "old", base, (10,))
    folders.run(jobs, "20261122-101500-train-cd34", "new", base, (10, 20))
    (jobs / "leases").mkdir()
    assert [model.name for model in list_models(models, jobs)] == [
        "starter",
        "base",
        "new/step-20",
        "new/step-10",
        "old/step-10",
    ]


def test_a_run_that_has_saved_nothing(find: Find, models: Path, jobs: Path) -> None:
    (jobs / "20261121-101500-train-ab12").mkdir()
    assert "has saved no checkpoint" in refusal(find, "20261121-101500-train-ab12")


def test_a_checkpoint_that_went_on_from_another_still_knows_its_base(find: Find, models: Path, jobs: Path) -> None:
    base = folders.model(models / "base")
    first = folders.run(jobs, "20261121-101500-train-ab12", "first", base, (10,)) / "output" / "checkpoint-000010"
    second = jobs / "20261122-101500-train-cd34" / "output" / "checkpoint-000020"
    folders.adapter(second, base, note={"run": "20261122-101500-train-cd34", "step": 20, "base": str(first)})
    assert find(second).base == base


def test_a_starter_that_moved_with_its_installation_is_found_again(find: Find, jobs: Path) -> None:
    elsewhere = Path("/opt/old/gosmith/resources/starter")
    layer = "model.layers.0.self_attn.q_proj"
    path = folders.adapter(jobs / "moved", elsewhere, width=256, layer=layer)
    folders.write_weights(
        path / "adapter_model.safetensors", {f"base_model.model.{layer}.lora_A.weight": (2, 256)}, "F32"
    )
    assert find(path).base == resources() / "starter"


def test_an_adapter_whose_base_is_gone_or_another(find: Find, models: Path, jobs: Path) -> None:
    base = folders.model(models / "base")
    assert "is no longer at" in refusal(find, folders.adapter(jobs / "a", jobs / "nowhere"))
    assert "was not made for" in refusal(find, folders.adapter(jobs / "b", base, width=99))
    assert "has no layer model.layers.7" in refusal(find, folders.adapter(jobs / "c", base, layer="model.layers.7.x"))
    nameless = folders.adapter(jobs / "d", base)
    (nameless / "adapter_config.json").write_text("{}")
    assert "does not say which model" in refusal(find, nameless)
    emptied = folders.adapter(jobs / "e", base)
    (emptied / "adapter_model.safetensors").rename(emptied / "adapter_model.bin")
    assert "pickled" in refusal(find, emptied)


def test_a_tokenizer_with_more_tokens_than_the_model_embeds(find: Find, models: Path, jobs: Path) -> None:
    base = folders.model(models / "base", vocab=40)
    path = folders.adapter(jobs / "a", base)
    folders.write_tokenizer(path, 41)
    assert "knows 41 tokens, but the model in" in refusal(find, path)
    folders.write_tokenizer(base, 50)
    assert "knows 50 tokens" in refusal(find, "base")
    (base / "tokenizer.json").write_text("{")
    assert "no valid JSON" in refusal(find, "base")


def test_weights_that_are_not_whole(find: Find, models: Path) -> None:
    path = folders.model(models / "m") / "model.safetensors"
    whole = path.read_bytes()
    path.write_bytes(whole[:-10])
    assert "is cut off" in refusal(find, "m")
    path.write_bytes(whole[:50])
    assert "not a whole safetensors file" in refusal(find, "m")
    path.write_bytes(b"")
    assert "not a safetensors file" in refusal(find, "m")
    path.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 1\n")
    assert "git lfs pull" in refusal(find, "m")
    path.rename(path.with_suffix(".gguf"))
    assert "GGUF" in refusal(find, "m")


def test_a_model_in_several_files_needs_all_of_them(find: Find, models: Path) -> None:
    folder = folders.model(models / "m")
    (folder / "model.safetensors").unlink()
    halves = {"a": "model-00001-of-00002.safetensors", "b": "model-00002-of-00002.safetensors"}
    tensors = folders.tiny_tensors()
    names = list(tensors)
    for half, chosen in (("a", names[:4]), ("b", names[4:])):
        folders.write_weights(folder / halves[half], {name: tensors[name] for name in chosen})
    where = {name: halves["a"] if name in names[:4] else halves["b"] for name in names}
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": where}))
    assert find("m").parameters == sum(
        tensor.count for file in halves.values() for tensor in read_header(folder / file).values()
    )
    (folder / halves["b"]).unlink()
    assert f"{halves['b']} is missing (1 of 2 weight files)" in refusal(find, "m")
    (folder / "model.safetensors.index.json").write_text("{}")
    assert "is damaged" in refusal(find, "m")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"architectures": ["BertForMaskedLM"]}, "holds BertForMaskedLM, which does not continue text"),
        ({"architectures": None}, "a model of unknown kind"),
        ({"quantization_config": {"bits": 4}}, "quantised"),
    ],
)
def test_models_that_cannot_be_tuned(find: Find, models: Path, changes: dict[str, object], words: str) -> None:
    folders.model(models / "m", **changes)
    assert words in refusal(find, "m")


def test_code_in_a_model_folder_is_never_loaded(find: Find, models: Path) -> None:
    folder = folders.model(models / "m", auto_map={"AutoModelForCausalLM": "evil.Model"})
    (folder / "evil.py").write_text("raise SystemExit('run')")
    assert find("m").path == folder  # the folder is usable by its native type; its code is not touched


def test_a_hub_id_is_taken_from_the_local_cache_and_nowhere_else(
    find: Find, models: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_HUB_CACHE", str(tmp_path / "hub"))
    assert "Gosmith downloads nothing" in refusal(find, "Qwen/Qwen2.5-Coder-0.5B")
    cached = tmp_path / "hub" / "models--Qwen--Qwen2.5-Coder-0.5B"
    folders.model(cached / "snapshots" / "abc123")
    (cached / "refs").mkdir()
    (cached / "refs" / "main").write_text("abc123\n")
    found = find("Qwen/Qwen2.5-Coder-0.5B")
    assert (found.name, found.kind, found.path.name) == ("Qwen/Qwen2.5-Coder-0.5B", "base", "abc123")


def test_what_names_no_model(find: Find, tmp_path: Path) -> None:
    assert "No model is named" in refusal(find, "  ")
    assert "does not exist" in refusal(find, tmp_path / "nowhere")
    (tmp_path / "file").write_text("")
    assert "is not a folder" in refusal(find, tmp_path / "file")
    assert "There are: starter" in refusal(find, "gpt")
    (tmp_path / "photos").mkdir()
    assert "no config.json" in refusal(find, tmp_path / "photos")


def test_a_model_of_ones_own_takes_the_name_of_the_starter(find: Find, models: Path, jobs: Path) -> None:
    own = folders.model(models / "starter")
    assert find("starter").path == own
    assert [model.path for model in list_models(models, jobs)] == [own]


@pytest.mark.parametrize(
    ("config", "parameters"),
    [
        (
            {"model_type": "llama", "hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
             "num_key_value_heads": 8, "vocab_size": 128256, "tie_word_embeddings": False},
            8_030_261_248,
        ),
        (
            {"model_type": "qwen2", "hidden_size": 896, "intermediate_size": 4864, "num_hidden_layers": 24, "num_attention_heads": 14,
             "num_key_value_heads": 2, "vocab_size": 151936, "tie_word_embeddings": True},
            494_032_768,
        ),
        (
            {"model_type": "qwen3", "hidden_size": 1024, "intermediate_size": 3072, "num_hidden_layers": 28, "num_attention_heads": 16,
             "num_key_value_heads": 8, "head_dim": 128, "vocab_size": 151936, "tie_word_embeddings": True},
            596_049_920,
        ),
    ],
    ids=["Llama-3.1-8B", "Qwen2.5-0.5B", "Qwen3-0.6B"],
)  # fmt: skip
def test_published_sizes_follow_from_the_configuration_alone(
    tmp_path: Path, config: dict[str, object], parameters: int
) -> None:
    (tmp_path / "config.json").write_text(json.dumps({"architectures": ["XForCausalLM"], **config}))
    assert inspect(tmp_path).parameters == parameters


def test_headers_and_configuration_agree(tmp_path: Path) -> None:
    folder = folders.model(tmp_path / "m", dtype="bfloat16")
    from_headers = inspect(folder)
    (folder / "model.safetensors").unlink()
    assert inspect(folder) == from_headers
    assert from_headers.linear_parameters == sum(a * b for a, b in folders.LAYERS.values())


def test_an_unknown_family_needs_its_weights(tmp_path: Path) -> None:
    folder = folders.model(tmp_path / "m", model_type="novel")
    assert inspect(folder).parameters
    (folder / "model.safetensors").unlink()
    with pytest.raises(UserError, match="no weights"):
        inspect(folder)


def test_a_folder_that_may_not_be_read_is_listed_with_its_problem(models: Path, jobs: Path) -> None:
    folder = folders.model(models / "m")
    if os.geteuid() == 0:
        shutil.rmtree(folder)
        folder.symlink_to(models / "gone")
        assert [model.name for model in list_models(models, jobs)] == ["starter"]
    else:
        folder.chmod(0)
        assert {model.name: bool(model.problem) for model in list_models(models, jobs)} == {"starter": False, "m": True}
        folder.chmod(0o755)
