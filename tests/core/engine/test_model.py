"""Loading and the traps that transformers does not report: packed documents that see each other, heads that scale."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import data, model
from core.engine.compute import Compute, cpu_has_bf16
from core.engine.model import Student
from core.engine.objective import hidden
from core.errors import UserError
from core.training.sections import MethodSection

CPU = Compute(torch.device("cpu"), torch.float32)


@pytest.fixture
def student(base: Path, tokenizer: Any) -> Student:
    causal = model.load_causal(base, torch.float32, CPU.device)
    return Student(causal, causal, tokenizer, "full")


@pytest.fixture
def copied(base: Path, tmp_path: Path) -> Path:
    return shutil.copytree(base, tmp_path / "copy")


def pair() -> tuple[torch.Tensor, torch.Tensor]:
    """Two documents of 10 and 7 tokens in one sequence, and their positions."""
    ids = torch.randint(5, 350, (1, 17), generator=torch.Generator().manual_seed(3))
    return ids, torch.cat([torch.arange(10), torch.arange(7)])[None]


def row(ids: torch.Tensor, positions: torch.Tensor, lengths: tuple[int, ...] = ()) -> data.Batch:
    return data.Batch(ids, positions, torch.zeros_like(ids), lengths)


def test_packed_documents_give_the_states_they_give_alone(student: Student) -> None:
    ids, positions = pair()
    with torch.no_grad():
        packed = hidden(student.causal, row(ids, positions))
        apart = [
            hidden(student.causal, row(ids[:, :10], positions[:, :10])),
            hidden(student.causal, row(ids[:, 10:], positions[:, 10:])),
        ]
    torch.testing.assert_close(packed, torch.cat(apart, dim=1), atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("leak", [{"use_cache": True}, {"attention_mask": torch.ones(1, 17)}])
def test_a_cache_or_a_mask_would_let_documents_see_each_other_in_silence(
    student: Student, leak: dict[str, Any]
) -> None:
    """The trap itself: should transformers close it one day, `objective.inputs` may become simpler."""
    ids, positions = pair()
    with torch.no_grad():
        right = hidden(student.causal, row(ids, positions))
        wrong = student.causal.base_model(input_ids=ids, position_ids=positions, **leak).last_hidden_state
    assert (right[:, 10:] - wrong[:, 10:]).abs().max() > 0.05


def test_the_probe_refuses_packing_where_documents_see_each_other(student: Student, monkeypatch: Any) -> None:
    model.probe(student, CPU, packing=True)

    def leaking(causal: Any, batch: data.Batch) -> Any:
        mask = torch.ones_like(batch.ids)
        return causal.base_model(
            input_ids=batch.ids, position_ids=batch.positions, attention_mask=mask
        ).last_hidden_state

    monkeypatch.setattr(model, "hidden", leaking)
    student.causal.set_attn_implementation("sdpa")
    with pytest.raises(UserError, match="see each other") as caught:
        model.probe(student, CPU, packing=True, flat=False)
    assert "packing = false" in caught.value.hint
    model.probe(student, CPU, packing=False, flat=False)


def test_a_model_that_scales_its_logits_is_found_and_still_trained_right(tokenizer: Any) -> None:
    from transformers import GraniteConfig, GraniteForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    causal = GraniteForCausalLM(GraniteConfig(vocab_size=360, **shape, num_key_value_heads=2, logits_scaling=8.0))
    scaled = Student(causal, causal, tokenizer, "full")
    model.probe(scaled, CPU, packing=True, flat=False)
    assert not scaled.fused_head
    ids, positions = pair()
    batch = data.Batch(ids, positions, torch.roll(ids, -1))
    expected = torch.nn.functional.cross_entropy(
        causal(input_ids=ids, position_ids=positions, use_cache=False).logits[0], batch.targets[0], reduction="sum"
    )
    torch.testing.assert_close(scaled.objective(CPU)(batch), expected)


def test_a_cap_on_logits_is_part_of_the_fused_head(tokenizer: Any) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    shape = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "head_dim": 16,
    }
    config = Gemma2Config(vocab_size=360, **shape, num_key_value_heads=2, final_logit_softcapping=0.05)
    causal = Gemma2ForCausalLM(config)
    capped = Student(causal, causal, tokenizer, "full")
    model.probe(capped, CPU, packing=False)
    assert capped.fused_head
    assert capped.softcap == 0.05
    ids, positions = pair()
    batch = data.Batch(ids, positions, torch.roll(ids, -1))
    logits = causal(input_ids=ids, position_ids=positions, use_cache=False).logits[0]
    assert logits.abs().max() <= 0.05
    expected = torch.nn.functional.cross_entropy(logits, batch.targets[0], reduction="sum")
    torch.testing.assert_close(capped.objective(CPU)(batch), expected)


def test_the_fused_head_gives_the_loss_and_gradients_of_the_plain_one(student: Student) -> None:
    ids, positions = pair()
    batch = data.Batch(ids, positions, torch.roll(ids, -1))
    found = []
    for fused in (True, False):
        student.fused_head = fused
        student.model.zero_grad()
        loss = student.objective(CPU)(batch)
        loss.backward()
        found.append((loss.detach(), student.causal.get_input_embeddings().weight.grad.clone()))
    torch.testing.assert_close(found[0], found[1], rtol=1e-4, atol=1e-5)


def test_pickled_weights_are_refused(copied: Path) -> None:
    (copied / "model.safetensors").unlink()
    torch.save({}, copied / "pytorch_model.bin")
    with pytest.raises(UserError, match=r"pickled \(pytorch_model.bin\)"):
        model.load_causal(copied, torch.float32, CPU.device)


def test_code_in_a_model_folder_is_never_run(copied: Path, tmp_path: Path) -> None:
    settings = json.loads((copied / "config.json").read_text())
    settings |= {"model_type": "surprise", "auto_map": {"AutoConfig": "code.C", "AutoModelForCausalLM": "code.M"}}
    (copied / "config.json").write_text(json.dumps(settings))
    (copied / "code.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w')")
    with pytest.raises(UserError, match="cannot be loaded"):
        model.load_causal(copied, torch.float32, CPU.device)
    assert not (tmp_path / "ran").exists()


@pytest.mark.parametrize(
    ("missing", "words"), [("config.json", "not a model folder"), ("model.safetensors", "no weights")]
)
def test_an_incomplete_folder_is_named(copied: Path, missing: str, words: str) -> None:
    (copied / missing).unlink()
    with pytest.raises(UserError, match=words):
        model.load_causal(copied, torch.float32, CPU.device)


def test_cut_off_weights_are_a_sentence_and_not_a_traceback(copied: Path) -> None:
    weights = copied / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:-1000])
    with pytest.raises(UserError, match="cannot be loaded"):
        model.load_causal(copied, torch.float32, CPU.device)


def test_a_folder_without_tokenizer_is_refused(copied: Path) -> None:
    for file in copied.glob("tokenizer*"):
        file.unlink()
    with pytest.raises(UserError, match="no tokenizer"):
        model.load_tokenizer(copied)


def test_a_tokenizer_that_knows_more_than_the_model_is_refused(student: Student, base: Path, tokenizer: Any) -> None:
    import copy

    model.check_vocabulary(student.causal, tokenizer, base)
    larger = copy.deepcopy(tokenizer)
    larger.add_tokens(["brand new"])
    with pytest.raises(UserError, match=f"knows {len(tokenizer) + 1} tokens, but the model embeds {len(tokenizer)}"):
        model.check_vocabulary(student.causal, larger, base)


def test_a_target_that_no_layer_has_is_answered_with_the_nearest(student: Student) -> None:
    with pytest.raises(UserError, match='"q_prj"') as caught:
        model.check_targets(student.causal, ["v_proj", "q_prj"])
    assert '"q_proj"' in caught.value.hint
    model.check_targets(student.causal, ["self_attn.q_proj"])
    with pytest.raises(UserError, match='"lm_head"'):
        model.check_targets(student.causal, ["lm_head"])


def test_an_adapter_for_another_vocabulary_or_width_does_not_fit(base: Path, tokenizer: Any, tmp_path: Path) -> None:
    from core.engine import starter

    plan = starter.Plan(width=32, layers=2, heads=4, kv_heads=2, intermediate=64)
    other = model.attach_lora(starter.make_model(tokenizer, plan), base=base, method=MethodSection(rank=4, alpha=8))
    other.save_pretrained(tmp_path / "adapter")
    with pytest.raises(UserError, match="does not fit its base"):
        model.open_adapter(model.load_causal(base, torch.float32, CPU.device), tmp_path / "adapter", trainable=False)


def test_the_fingerprint_follows_weights_and_shape(copied: Path, base: Path) -> None:
    assert model.fingerprint(copied) == model.fingerprint(base)
    data_ = bytearray((copied / "model.safetensors").read_bytes())
    data_[-1] ^= 1
    (copied / "model.safetensors").write_bytes(bytes(data_))
    assert model.fingerprint(copied) != model.fingerprint(base)


@pytest.mark.skipif(not cpu_has_bf16(), reason="bf16 is not used on this CPU")
def test_leaving_casts_to_autocast_changes_no_number(base: Path, tokenizer: Any) -> None:
    from peft.tuners.lora.layer import LoraLayer

    bf16 = Compute(CPU.device, torch.bfloat16)
    causal = model.load_causal(base, torch.bfloat16, CPU.device)
    torch.manual_seed(0)
    adapted = model.attach_lora(causal, base=base, method=MethodSection(rank=4, alpha=8))
    student = Student(adapted, causal, tokenizer, "lora")
    ids, positions = pair()
    found = []
    for casts in (False, True):
        for module in adapted.modules():
            if isinstance(module, LoraLayer):
                module.cast_input_dtype_enabled = casts
                torch.nn.init.normal_(module.lora_B["default"].weight, generator=torch.Generator().manual_seed(1))
        adapted.zero_grad()
        loss = student.objective(bf16)(data.Batch(ids, positions, torch.roll(ids, -1)))
        loss.backward()
        found.append([loss.detach(), *(parameter.grad.clone() for _, parameter in student.trainable())])
    assert all(torch.equal(a, b) for a, b in zip(*found, strict=True))
