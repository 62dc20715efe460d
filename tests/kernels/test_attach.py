"""Fused operations in models that are already built: what is replaced, what is left alone and why, and that no number changes."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from torch import Tensor, nn
from transformers import AutoConfig, AutoModelForCausalLM

from kernels.attach import attach_kernels
from kernels.linear_cross_entropy import linear_cross_entropy
from tests.kernels.numerics import DEVICE

SMALL: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 64, "max_position_embeddings": 64, "head_dim": 8,
}  # fmt: skip
FAMILIES = {"llama": 3, "qwen2": 3, "qwen3": 7, "mistral": 3}
"""How many norms two layers of each have, besides the second of each layer, which is one with the sum before it."""


def model_of(family: str, **method: Any) -> Any:
    torch.manual_seed(1)
    causal = AutoModelForCausalLM.from_config(AutoConfig.for_model(family, **SMALL))
    if method.get("plain"):
        return causal
    options = {"r": 4, "lora_alpha": 8, "target_modules": "all-linear", **method}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what PEFT says of biases, and of names that transformers has changed
        model = get_peft_model(causal, LoraConfig(task_type="CAUSAL_LM", **options))
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_B" in name:
                parameter.normal_(std=0.05)
    return model


def step(model: Any, *, seed: int = 0) -> tuple[Tensor, dict[str, Tensor]]:
    """The loss for a few fixed tokens, and every gradient."""
    torch.manual_seed(seed)
    ids = torch.randint(0, 64, (2, 9), generator=torch.Generator().manual_seed(4))
    model.zero_grad(set_to_none=True)
    loss = model(input_ids=ids, labels=ids).loss
    loss.backward()
    return loss.detach(), {name: p.grad.clone() for name, p in model.named_parameters() if p.grad is not None}


def assert_same(a: tuple[Tensor, dict[str, Tensor]], b: tuple[Tensor, dict[str, Tensor]]) -> None:
    torch.testing.assert_close(a[0], b[0], rtol=1e-5, atol=1e-6)
    assert a[1].keys() == b[1].keys()
    for name, gradient in a[1].items():
        torch.testing.assert_close(gradient, b[1][name], rtol=1e-3, atol=2e-6)


@pytest.mark.parametrize("family", FAMILIES)
def test_everything_in_these_families_is_replaced_and_no_number_changes(family: str) -> None:
    model = model_of(family).train()
    plain, names = step(model), list(model.state_dict())
    report = attach_kernels(model, dtype=torch.float32)
    wanted = {"layer": 2, "attention": 2, "mlp": 2, "linear": 2, "norm": FAMILIES[family]}
    assert report.replaced == wanted == report.found
    assert not report.reasons
    assert_same(step(model), plain)
    assert list(model.state_dict()) == names


@pytest.mark.parametrize("family", ["llama", "qwen2"])
def test_steps_of_training_follow_the_same_curve(family: str, way: str) -> None:
    """Interpreted programs do four of them: they take a second each there, and what is wrong shows from the second on."""
    steps, fall = (4, 0.05) if way == "triton" and DEVICE.type == "cpu" else (31, 0.3)
    curves = []
    for fused in (False, True):
        model = model_of(family).train()
        if fused:
            assert set(attach_kernels(model, dtype=torch.float32).kinds) >= {"layer", "attention", "mlp"}
        optimizer = torch.optim.AdamW([p for p in model.parameters() if p.requires_grad], lr=1e-2)
        ids = torch.randint(0, 64, (3, 1, 8), generator=torch.Generator().manual_seed(3)).repeat(11, 1, 1)[:steps]
        losses = []
        for step_ids in ids:
            states = model.base_model.model.model(input_ids=step_ids, use_cache=False).last_hidden_state
            head = model.base_model.model.lm_head.weight
            loss = linear_cross_entropy(states[0, :-1], head, step_ids[0, 1:], count=7)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            losses.append(loss.item())
        curves.append(losses)
    assert curves[1][-1] < curves[1][0] - fall, "the first tokens again, after all others"
    torch.testing.assert_close(curves[1], curves[0], rtol=2e-4, atol=2e-4)


def test_in_bf16_results_differ_by_rounding_alone() -> None:
    model = model_of("llama").train()
    for name, parameter in model.named_parameters():
        if "lora_" not in name:
            parameter.data = parameter.data.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        plain, _ = step(model)
        assert attach_kernels(model, dtype=torch.bfloat16).kinds == ("layer", "attention", "mlp", "linear", "norm")
        fused, gradients = step(model)
    torch.testing.assert_close(fused, plain, rtol=2e-3, atol=0)
    assert {gradient.dtype for gradient in gradients.values()} == {torch.float32}


def test_undoing_gives_every_layer_its_own_forward_back() -> None:
    model = model_of("llama")
    report = attach_kernels(model, dtype=torch.float32)
    layer = model.base_model.model.model.layers[0]
    assert "forward" in vars(layer.mlp)
    report.undo()
    assert not any("forward" in vars(module) for module in model.modules())


@pytest.mark.parametrize(
    ("method", "kinds", "sentence"),
    [
        ({"use_dora": True}, ("layer", "gate", "norm"), "0 of 2 feed-forward blocks (DoRA), 2 of 2 gates"),
        (
            {"lora_dropout": 0.5},
            ("layer", "gate", "linear", "norm"),
            "0 of 2 feed-forward blocks (adapters with dropout)",
        ),
        ({"lora_bias": True}, ("layer", "gate", "norm"), "(an adapter with a bias)"),
        (
            {"target_modules": ["q_proj", "up_proj"]},
            ("layer", "gate", "linear", "norm"),
            "(not all of its layers have an adapter)",
        ),
        ({"plain": True}, ("layer", "gate", "norm"), "2 of 2 gates of feed-forward blocks, 3 of 3 norms."),
    ],
    ids=["DoRA", "dropout", "bias", "some layers", "no adapter"],
)
def test_what_is_left_alone_is_said_with_the_reason(
    method: dict[str, Any], kinds: tuple[str, ...], sentence: str
) -> None:
    model = model_of("llama", **method).train()
    plain = step(model, seed=5)
    report = attach_kernels(model, dtype=torch.float32)
    assert report.kinds == kinds
    assert sentence in report.sentence()
    assert_same(step(model, seed=5), plain)


def test_norms_that_multiply_by_one_and_the_weight_are_found_out_and_replaced() -> None:
    model = model_of("gemma").train()  # its feed-forward part is gated by GELU
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "norm" in name:
                parameter.normal_(std=0.1)
    plain = step(model)
    report = attach_kernels(model, dtype=torch.float32)
    assert report.reasons == {"mlp": "not SwiGLU", "gate": "not SwiGLU"}
    assert report.replaced == {"layer": 2, "attention": 2, "linear": 8, "norm": 3}
    assert set(report.ways.values()) == {"one", "fused"}
    assert_same(step(model), plain)


@pytest.mark.parametrize(
    ("family", "kind", "reason"),
    [
        ("gemma2", "attention", "it has attn_logit_softcapping"),
        ("gemma2", "layer", "it has post_feedforward_layernorm"),
        ("starcoder2", "attention", "it has residual_dropout"),
        ("starcoder2", "layer", "LayerNorm, of which torch's own is the best"),
        ("starcoder2", "norm", "LayerNorm, of which torch's own is the best"),
    ],
)
def test_a_block_with_a_part_that_is_not_known_is_left_alone(family: str, kind: str, reason: str) -> None:
    model = model_of(family).train()
    plain = step(model)
    report = attach_kernels(model, dtype=torch.float32)
    assert report.reasons[kind] == reason
    assert kind not in report.kinds
    assert report.replaced["linear"] >= 8
    assert_same(step(model), plain)


class Strange(nn.Module):
    """Looks like Llama's norm and is not."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.linspace(0.5, 2.0, 8))
        self.variance_epsilon = 1e-6

    def forward(self, x: Tensor) -> Tensor:
        return self.weight * torch.nn.functional.normalize(x, dim=-1)


def test_what_looks_alike_and_computes_otherwise_is_found_out() -> None:
    report = attach_kernels(nn.Sequential(Strange()), dtype=torch.float32)
    assert report.sentence() == "Fused: 0 of 1 norms (this model's own gives other numbers)."


def test_checking_leaves_weights_and_random_numbers_as_they_were() -> None:
    model = model_of("llama")
    before = {name: value.clone() for name, value in model.state_dict().items()}
    torch.manual_seed(7)
    expected = torch.rand(3)
    torch.manual_seed(7)
    attach_kernels(model, dtype=torch.float32)
    assert torch.equal(torch.rand(3), expected)
    for name, value in model.state_dict().items():
        assert torch.equal(value, before[name])


def test_an_adapter_that_is_switched_off_or_merged_is_not_added() -> None:
    model = model_of("llama").eval()
    ids = torch.arange(9)[None]
    with torch.no_grad():
        adapted = model(input_ids=ids).logits
        with model.disable_adapter():
            bare = model(input_ids=ids).logits
        attach_kernels(model, dtype=torch.float32)
        torch.testing.assert_close(model(input_ids=ids).logits, adapted, rtol=1e-4, atol=1e-5)
        with model.disable_adapter():
            torch.testing.assert_close(model(input_ids=ids).logits, bare, rtol=1e-4, atol=1e-5)
        model.merge_adapter()
        torch.testing.assert_close(model(input_ids=ids).logits, adapted, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("selective", [False, True])
def test_recomputed_activations_give_the_same_gradients(selective: bool) -> None:
    from core.engine.sharding import recompute_activations

    model = model_of("llama").train()
    attach_kernels(model, dtype=torch.float32)
    plain = step(model)
    recompute_activations(model.base_model.model, "selective" if selective else "full")
    assert_same(step(model), plain)


def test_a_process_without_values_takes_what_another_has_found() -> None:
    found = attach_kernels(model_of("llama"), dtype=torch.float32).ways
    del found["attention", "LlamaAttention"]
    with torch.device("meta"):
        model = model_of("llama")
    report = attach_kernels(model, found, dtype=torch.float32)
    assert report.kinds == ("layer", "mlp", "linear", "norm")
    assert report.replaced["linear"] == 8


def test_what_cannot_be_started_is_told_apart_from_what_gives_other_numbers(monkeypatch: pytest.MonkeyPatch) -> None:
    def no_compiler(*_args: Any, **_options: Any) -> Tensor:
        raise RuntimeError("while compiling:\nno C compiler was found")

    monkeypatch.setattr("kernels.layers.rms_norm", no_compiler)
    model = model_of("llama").train()
    plain = step(model)
    report = attach_kernels(model, dtype=torch.float32)
    assert report.reasons["norm"] == "it cannot be computed here: no C compiler was found"
    assert "norm" not in report.kinds
    assert_same(step(model), plain)


def test_an_answer_with_a_cache_is_the_same_as_before() -> None:
    model = model_of("qwen2").eval()
    ids = torch.arange(5)[None]
    before = model.generate(input_ids=ids, max_new_tokens=6, do_sample=False)
    attach_kernels(model, dtype=torch.float32)
    assert torch.equal(model.generate(input_ids=ids, max_new_tokens=6, do_sample=False), before)
