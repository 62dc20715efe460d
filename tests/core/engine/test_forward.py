"""Every way of running a model gives the model's own numbers, and a model gets the quickest way that does."""

from __future__ import annotations

import random
from typing import Any

import pytest
import torch
import transformers
from torch import nn

from core.engine import forward, llama
from core.engine.compute import Compute
from core.engine.forward import Alone, EndToEnd
from core.engine.rows import Part

FP32 = Compute(torch.device("cpu"), torch.float32)
SMALL = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96, "num_hidden_layers": 2, "num_attention_heads": 4,
    "num_key_value_heads": 2, "max_position_embeddings": 256, "bos_token_id": None, "eos_token_id": 0, "pad_token_id": 0,
}  # fmt: skip
KINDS: dict[str, tuple[str, dict[str, Any], str]] = {
    "Llama": ("Llama", {}, "own code"),
    "Llama, long": ("Llama", {"rope_parameters": {"rope_type": "linear", "factor": 4.0, "rope_theta": 1e4}}, "own code"),
    "Llama, biased": ("Llama", {"attention_bias": True, "mlp_bias": True}, "own code"),
    "Qwen2": ("Qwen2", {"tie_word_embeddings": True}, "own code"),
    "Qwen3": ("Qwen3", {"head_dim": 32}, "own code"),
    "Mistral, sliding": ("Mistral", {"sliding_window": 5}, "its class"),
    "StarCoder2, sliding": ("Starcoder2", {"sliding_window": 6}, "its class"),
    "Granite": ("Granite", {"embedding_multiplier": 3.0, "logits_scaling": 2.0, "residual_multiplier": 0.5}, "its class"),
    "GPT-NeoX": ("GPTNeoX", {"num_key_value_heads": 4}, "its class"),
    "Gemma 2": ("Gemma2", {"head_dim": 16, "query_pre_attn_scalar": 16, "sliding_window": 5}, "its class"),
    "Falcon": ("Falcon", {"new_decoder_architecture": False, "multi_query": True, "parallel_attn": True}, "one at a time"),
}  # fmt: skip


def make(kind: str, dtype: torch.dtype = torch.float32) -> Any:
    name, more, _ = KINDS[kind]
    torch.manual_seed(0)
    config = getattr(transformers, f"{name}Config")(**{**SMALL, **more})
    causal = getattr(transformers, f"{name}ForCausalLM")(config)
    with torch.no_grad():
        for parameter in causal.parameters():  # biases and norms that do something
            parameter.add_(torch.randn(parameter.shape) * 0.1)
    return causal.to(dtype).eval()


@pytest.mark.parametrize("kind", KINDS)
def test_a_model_gets_the_quickest_way_that_gives_its_own_numbers(kind: str) -> None:
    causal = make(kind)
    dice = random.Random(1)
    ids = [dice.randrange(300) for _ in range(30)]
    with torch.no_grad():
        expected = causal(input_ids=torch.tensor([ids])).logits[0]
    way = forward.choose(causal, FP32)
    assert way.name == KINDS[kind][2]
    row, other = way.memory(), way.memory()
    start = 0
    for length in (11, 1, 1, 9, 1, 7):
        noise = Part(other, [dice.randrange(300) for _ in range(dice.randrange(1, 4))], 0)  # type: ignore[arg-type]
        part = Part(row, ids[start : start + length], length)  # type: ignore[arg-type]
        found = way.run([noise, part] if length % 2 else [part, noise])
        torch.testing.assert_close(found[-length:], expected[start : start + length], atol=2e-4, rtol=1e-3)
        start += length
    assert row.ids == ids
    with torch.no_grad():
        again = causal(input_ids=torch.tensor([ids])).logits[0]
    torch.testing.assert_close(again, expected, atol=1e-4, rtol=1e-3, msg="the model itself is as it was")


@pytest.mark.parametrize("kind", ["Llama", "Mistral, sliding", "Falcon"])
def test_a_row_that_is_cut_or_copied_goes_on_from_there(kind: str) -> None:
    way = forward.choose(make(kind), FP32)
    fresh, row = way.memory(), way.memory()
    expected = way.run([Part(fresh, [5, 6, 7, 8, 20, 21])])  # type: ignore[arg-type]
    way.run([Part(row, [5, 6, 7, 8, 9, 10, 11])])  # type: ignore[arg-type]
    copied = row.copy(4)
    row.cut(4)
    for one in (row, copied):
        assert one.ids == [5, 6, 7, 8]
        torch.testing.assert_close(way.run([Part(one, [20, 21])]), expected, atol=1e-4, rtol=1e-3)  # type: ignore[arg-type]
        assert one.bytes > 0


def test_a_row_outgrows_its_room() -> None:
    way = forward.choose(make("Qwen2"), FP32)
    assert isinstance(way, EndToEnd)
    row = way.memory()
    ids = [7 * number % 300 for number in range(250)]
    way.run([Part(row, ids[:200])])
    before = row.bytes
    grown = row.reserve(700, way.like)
    assert row.bytes > before
    assert grown.shape[-2] >= 700
    found = way.run([Part(row, ids[200:])])
    torch.testing.assert_close(found, way.run([Part(way.memory(), ids)]), atol=1e-4, rtol=1e-3)


@pytest.mark.parametrize("tokens", [1, 2, 5, 64, 65])
@pytest.mark.parametrize("bias", [True, False])
def test_products_turned_round_are_those_of_the_layers(tokens: int, bias: bool) -> None:
    torch.manual_seed(1)
    layers = [nn.Linear(48, outputs, bias=bias).to(torch.bfloat16).requires_grad_(False) for outputs in (32, 16, 16)]
    x = torch.randn(tokens, 48).to(torch.bfloat16)
    expected = torch.cat([layer(x) for layer in layers], -1)
    product = llama.joined(layers)
    for found in (product(x), torch.cat([layer(x) for layer in layers], -1)):
        torch.testing.assert_close(found.float(), expected.float(), atol=0.02, rtol=0.02)
    assert product(x).is_contiguous()


def test_half_precision_takes_the_own_code_too() -> None:
    bf16 = Compute(torch.device("cpu"), torch.bfloat16)
    causal = make("Qwen2", torch.bfloat16)
    way = forward.choose(causal, bf16)
    assert way.name == "own code"
    ids = list(range(5, 25))
    with torch.no_grad():
        expected = causal(input_ids=torch.tensor([ids])).logits[0, -1].float()
    row = way.memory()
    way.run([Part(row, ids[:-1], 0)])  # type: ignore[arg-type]
    found = way.run([Part(row, ids[-1:])])[0].float()  # type: ignore[arg-type]
    assert (found - expected).abs().max() < 0.1 * expected.std()


def test_a_way_that_leaks_between_texts_is_not_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    causal = make("Llama")

    def wrong(*given: Any) -> Any:
        found = attend(*given[:2], [Part(part.row, part.tokens) for part in given[2]], given[3])
        return found + found[:1]  # what the first text has seen reaches all others

    attend = llama.attend
    monkeypatch.setattr(llama, "attend", wrong)
    assert forward.choose(causal, FP32).name == "its class"


def test_what_is_called_instead_of_the_model_runs_one_text_after_the_other() -> None:
    causal = make("Llama")
    calls: list[dict[str, Any]] = []

    def run(**given: Any) -> Any:
        calls.append(given)
        return causal(**given)

    way = Alone(causal, torch.device("cpu"), run)
    found = way.run([Part(way.memory(), [5, 6, 7]), Part(way.memory(), [8])])  # type: ignore[arg-type]
    assert [given["input_ids"].shape[1] for given in calls] == [3, 1]
    with torch.no_grad():
        torch.testing.assert_close(found[0], causal(input_ids=torch.tensor([[5, 6, 7]])).logits[0, -1])
