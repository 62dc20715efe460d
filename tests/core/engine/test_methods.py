"""What a configuration can ask of a run: methods, objectives, optimizers, schedules and number formats all train, and mean what they say."""

from __future__ import annotations

import functools
import json
import math
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file

from core.engine import data, documents, loop, model, objective
from core.engine.parallel import Group
from core.training.config import RunConfig
from core.training.sections import DataSection
from tests.core.engine.conftest import Notes, config, conversation, write_base, write_snapshot

Train = Callable[..., tuple[loop.Result, Notes]]


@pytest.fixture
def train(base: Path, snapshot: Path, tmp_path: Path, make_config: Callable[..., RunConfig]) -> Train:
    def run(*, out: str = "output", over: Path = snapshot, **sections: Any) -> tuple[loop.Result, Notes]:
        notes = Notes()
        config = make_config(**sections)
        return loop.train(config, base, over, tmp_path / out, run="r", monitor=notes, group=Group()), notes

    return run


@pytest.mark.parametrize(
    "sections",
    [
        {"optimizer": {"name": "adamw", "learning_rate": 5e-3}},
        {"optimizer": {"name": "sgd", "learning_rate": 1.0, "clip": 0.0}},
        {"optimizer": {"name": "rmsprop", "learning_rate": 2e-3}},
        {"optimizer": {"name": "adafactor", "learning_rate": 0.3}, "method": {"kind": "full"}},
        {"optimizer": {"schedule": "wsd", "warmup": 2, "decay": 0.5, "learning_rate": 5e-3}},
        {"method": {"rslora": True}},
        {"method": {"dora": True}},
        {"method": {"targets": ["q_proj", "v_proj"]}, "optimizer": {"learning_rate": 2e-2}},
        {"method": {"neftune": 5.0}},
        {"data": {"objective": "text", "max_length": 64}},
        {"precision": {"dtype": "fp16"}},
        {"precision": {"dtype": "fp16"}, "method": {"kind": "full"}, "optimizer": {"learning_rate": 1e-3}},
        {"parallel": {"activation_checkpointing": "selective"}},
    ],
    ids=json.dumps,
)
def test_it_learns(train: Train, sections: Mapping[str, Any]) -> None:
    _, notes = train(budget={"steps": 10}, **sections)
    losses = notes.losses()
    assert losses[-1] < losses[0] - 0.05, losses


@pytest.mark.parametrize("name", ["adamw", "sgd", "rmsprop", "adafactor"])
def test_every_optimizer_goes_on_to_the_same_digits(train: Train, name: str) -> None:
    optimizer = {"name": name, "learning_rate": 1e-2}
    _, whole = train(out="whole", optimizer=optimizer)
    train(out="cut", optimizer=optimizer, budget={"steps": 6}, checkpoints={"every": 3, "keep": 5})
    for gone in (Path(str(event["path"])) for event in whole.of("checkpoint")[1:]):
        assert gone.exists()
    last = sorted((Path(str(whole.of("checkpoint")[0]["path"])).parents[1] / "cut").glob("checkpoint-*"))[-1]
    for file in last.iterdir():
        file.unlink()
    last.rmdir()
    _, rest = train(out="cut", optimizer=optimizer)
    assert rest.losses() == whole.losses()[3:]


@pytest.mark.parametrize("kind", ["none", "selective", "full"])
def test_recomputing_activations_changes_no_digit_that_counts(train: Train, kind: str) -> None:
    _, plain = train(out="plain")
    _, notes = train(out=kind, parallel={"activation_checkpointing": kind})
    assert notes.losses() == pytest.approx(plain.losses(), rel=1e-6)


def test_rank_stabilised_lora_scales_by_the_root_of_the_rank(train: Train) -> None:
    result, _ = train(method={"rslora": True}, budget={"steps": 1})
    saved = json.loads((result.checkpoints[-1] / "adapter_config.json").read_text())
    assert (saved["use_rslora"], saved["r"], saved["lora_alpha"]) == (True, 4, 8)


def test_what_is_not_named_is_not_adapted(train: Train) -> None:
    result, _ = train(method={"targets": ["q_proj", "v_proj"]}, budget={"steps": 1})
    names = load_file(result.checkpoints[-1] / "adapter_model.safetensors")
    assert {name.split(".")[-3] for name in names} == {"q_proj", "v_proj"}


def test_a_dora_checkpoint_loads_in_peft_unchanged(train: Train, base: Path) -> None:
    result, _ = train(method={"dora": True})
    causal = model.load_causal(base, torch.float32, torch.device("cpu"))
    tuned = model.open_adapter(causal, result.checkpoints[-1], trainable=False)
    assert any("lora_magnitude_vector" in name for name, _ in tuned.named_parameters())


def test_only_the_last_answer_is_trained_where_that_is_asked(tokenizer: Any) -> None:
    row = documents.Row("s", 1, tuple(conversation(1) + conversation(2)))
    found = {}
    for turns in ("all", "last"):
        section = DataSection.model_validate({"snapshot": "s", "turns": turns})
        (item,) = documents.encode([row], tokenizer, section)
        assert isinstance(item, documents.Document)
        found[turns] = item
    every, last = found["all"], found["last"]
    assert last.targets * 2 == every.targets
    text = tokenizer.decode(last.ids[last.trained])
    assert "Sum2" in text
    assert "Sum1" not in text
    assert text.rstrip().endswith("<|end|>"), "the end mark is learnt too"


def test_with_the_last_turn_only_an_earlier_empty_answer_does_no_harm(tokenizer: Any) -> None:
    turns = [*conversation(1), *conversation(2)]
    turns[3]["content"] = " "
    for name, turn in (("all", 1), ("last", 1)):
        section = DataSection.model_validate({"snapshot": "s", "turns": name})
        kinds = [
            type(item).__name__
            for item in documents.encode([documents.Row("s", turn, tuple(turns))], tokenizer, section)
        ]
        assert kinds == (["Refusal"] if name == "last" else ["Document"])


def test_label_smoothing_is_for_training_and_not_for_measuring(train: Train) -> None:
    _, plain = train(out="plain", budget={"steps": 1})
    _, smooth = train(out="smooth", budget={"steps": 1}, method={"label_smoothing": 0.2})
    assert smooth.losses()[0] != pytest.approx(plain.losses()[0], rel=1e-3)
    assert smooth.of("validation")[0]["loss"] == plain.of("validation")[0]["loss"]


def test_smoothing_is_what_torch_calls_smoothing(train: Train) -> None:
    _, fused = train(out="fused", method={"label_smoothing": 0.1})
    _, plain = train(out="plain", method={"label_smoothing": 0.1}, kernels="off")
    assert fused.losses() == pytest.approx(plain.losses(), rel=1e-5)


def test_noise_is_added_in_training_alone_and_by_the_length_of_the_document(base: Path) -> None:
    causal = model.load_causal(base, torch.float32, torch.device("cpu"))
    ids = torch.randint(0, 300, (1, 40))
    positions = torch.cat([torch.arange(8), torch.arange(32)])[None]
    heard: list[torch.Tensor] = []
    before = causal.get_input_embeddings()(ids).detach()
    objective.add_noise(causal, 6.0)
    causal.get_input_embeddings().register_forward_hook(lambda _module, _args, output: heard.append(output.detach()))
    causal.eval()
    objective.hidden(causal, data.Batch(ids, positions, ids))
    assert torch.equal(heard[-1], before)
    causal.train()
    objective.hidden(causal, data.Batch(ids, positions, ids))
    noise = (heard[-1] - before).abs()
    width = before.shape[-1]
    for part, length in ((noise[0, :8], 8), (noise[0, 8:], 32)):
        limit = 6.0 / math.sqrt(length * width)
        assert 0.9 * limit < float(part.max()) <= limit * 1.0001


def test_two_passes_over_the_data_are_two_epochs_of_different_order(train: Train, tmp_path: Path) -> None:
    rows = [{"sample": f"s{i}", "messages": conversation(i)} for i in range(4)]
    few = write_snapshot(tmp_path / "few", rows, [])
    result, _ = train(over=few, data={"packing": False}, budget={"steps": None, "epochs": 3}, batch={"micro": 2})
    assert result.steps == 6


def test_fp16_halves_its_scale_when_a_gradient_overflows_and_goes_on(
    train: Train, monkeypatch: pytest.MonkeyPatch
) -> None:
    from core.engine import gradients

    monkeypatch.setattr(gradients, "FIRST_SCALE", 2.0**40)
    result, notes = train(budget={"steps": 40}, precision={"dtype": "fp16"})
    norms = [event["grad_norm"] for event in notes.of("step")]
    assert not math.isfinite(norms[0])
    assert math.isfinite(norms[-1])
    note = json.loads((result.checkpoints[-1] / "gosmith.json").read_text())
    assert 1 < note["scale"]["value"] < 2.0**40
    assert notes.losses()[-1] < notes.losses()[0]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::DeprecationWarning:torch")
@pytest.mark.filterwarnings("ignore:The .grad attribute of a Tensor:UserWarning")
def test_compiled_layers_train_as_plain_ones(
    tokenizer: Any, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Traced and differentiated as for a GPU; the C++ that inductor writes for a CPU is not ours and costs minutes. One layer, because
    tracing takes most of the time."""
    compile_layer = torch.nn.Module.compile
    monkeypatch.setattr(torch.nn.Module, "compile", functools.partialmethod(compile_layer, backend="aot_eager"))
    base = write_base(tmp_path / "base", tokenizer, layers=1)
    plain, compiled = Notes(), Notes()
    for notes, sections in ((plain, {"kernels": "off"}), (compiled, {"parallel": {"compile": True}})):
        settings = config(**sections, budget={"steps": 3}, validation={"every": 0})
        loop.train(settings, base, snapshot, tmp_path / "out", run="r", monitor=notes, group=Group())
        shutil.rmtree(tmp_path / "out")
    assert compiled.losses() == pytest.approx(plain.losses(), rel=1e-4)
    assert any("Fused: 1 of 1 sums before a norm" in event["text"] for event in compiled.of("message"))


def test_transformers_and_peft_load_what_was_saved_and_give_the_same_logits(train: Train, base: Path) -> None:
    from peft import PeftModel
    from transformers import AutoModelForCausalLM

    ids = torch.arange(5, 25)[None]
    for kind in ("lora", "full"):
        result, _ = train(out=kind, method={"kind": kind}, optimizer={"learning_rate": 2e-3})
        newest = result.checkpoints[-1]
        if kind == "full":
            theirs = AutoModelForCausalLM.from_pretrained(newest, dtype=torch.float32)
            ours = model.load_causal(newest, torch.float32, torch.device("cpu"))
        else:
            with model.quiet():
                plain = AutoModelForCausalLM.from_pretrained(base, dtype=torch.float32)
                theirs = PeftModel.from_pretrained(plain, newest)
            causal = model.load_causal(base, torch.float32, torch.device("cpu"))
            ours = model.open_adapter(causal, newest, trainable=False).merge_and_unload()
        with torch.no_grad():
            torch.testing.assert_close(theirs.eval()(input_ids=ids).logits, ours.eval()(input_ids=ids).logits)
