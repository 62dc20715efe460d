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

SMALL: dict[str, Any] = {
    "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "vocab_size": 64, "max_position_embeddings": 64, "head_dim": 8,
}  # fmt: skip
FAMILIES = {"llama": 5, "qwen2": 5, "qwen3": 9, "mistral": 5}
"""How many norms two layers of each have."""


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
    assert report.replaced == {"mlp": 2, "linear": 8, "norm": FAMILIES[family]} == report.found
    assert not report.reasons
    assert_same(step(model), plain)
    assert list(model.state_dict()) == names


def test_in_bf16_results_differ_by_rounding_alone() -> None:
    model = model_of("llama").train()
    for name, parameter in model.named_parameters():
        if "lora_" not in name:
            parameter.data = parameter.data.bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        plain, _ = step(model)
        assert attach_kernels(model, dtype=torch.bfloat16).kinds == ("mlp", "linear", "norm")
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
        ({"use_dora": True}, ("norm",), "0 of 2 feed-forward blocks (DoRA)"),
        ({"lora_dropout": 0.5}, ("linear", "norm"), "0 of 2 feed-forward blocks (adapters with dropout)"),
        ({"lora_bias": True}, ("norm",), "(an adapter with a bias)"),
        ({"target_modules": ["q_proj", "up_proj"]}, ("linear", "norm"), "(not all of its layers have an adapter)"),
        ({"plain": True}, ("norm",), "(not all of its layers have an adapter), 5 of 5 norms."),
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


def test_a_family_that_computes_something_else_is_left_alone() -> None:
    model = model_of("gemma")  # its feed-forward part is gated by GELU, its norms multiply by 1 + weight
    report = attach_kernels(model, dtype=torch.float32)
    assert report.reasons["mlp"] == "not SwiGLU"
    assert "norm" not in report.kinds
    assert report.replaced["linear"] == 14


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
    with torch.device("meta"):
        model = model_of("llama")
    report = attach_kernels(model, ("mlp", "norm"), dtype=torch.float32, check=False)
    assert report.kinds == ("mlp", "norm")
    assert report.reasons == {"linear": "not asked for"}
