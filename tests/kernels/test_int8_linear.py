"""Layers of 8-bit weights: what rounding takes, and that the one row of a decode step gives what a plain product gives."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels import reference
from kernels.int8_linear import FEW, Int8, int8_linear, quantized
from tests.kernels.numerics import DEVICE, random
from tests.kernels.traffic import counted

SHAPES = [(64, 3), (123, 10), (1000, 17), (1024, 33), (2048 + 5, 4)]
EPS = 1e-6


def layer_of(inputs: int, outputs: int, *, bias: bool = False) -> Int8:
    weight, shift = random((outputs, inputs), (outputs,), seed=inputs)
    found = quantized(weight, shift if bias else None)
    return Int8(*(None if part is None else part.to(DEVICE) for part in (found.weight, found.scale, found.bias)))  # type: ignore[arg-type]


def off(x: Tensor, layer: Int8, norm: Tensor | None, dtype: torch.dtype) -> tuple[float, float]:
    """How far ours and torch's own in `dtype` are from the truth in fp64."""
    bias = None if layer.bias is None else layer.bias.to(dtype)
    given = Int8(layer.weight, layer.scale, bias)
    rounded = None if norm is None else norm.to(DEVICE, dtype)
    x = x.to(DEVICE, dtype)
    exact = reference.int8_linear(
        x.double(), layer.weight, layer.scale.double(), None if bias is None else bias.double(),
        None if rounded is None else rounded.double(), EPS,
    )  # fmt: skip
    own = reference.int8_linear(x, layer.weight, layer.scale, bias, rounded, EPS)
    ours = int8_linear(x, given, rounded, EPS)
    assert ours.dtype == own.dtype
    assert ours.shape == own.shape
    unit = float(torch.finfo(dtype).eps * exact.abs().max())
    return float((ours - exact).abs().max()), 2 * float((own - exact).abs().max()) + unit


@pytest.mark.parametrize(("inputs", "outputs"), SHAPES)
@pytest.mark.parametrize("normed", [False, True], ids=["", "with its norm"])
@pytest.mark.parametrize("bias", [False, True], ids=["", "with a bias"])
def test_one_row_is_no_further_from_the_truth_than_twice_torch(
    inputs: int, outputs: int, normed: bool, bias: bool, dtype: torch.dtype
) -> None:
    x, norm = random((1, inputs), (inputs,), seed=2)
    wrong, allowed = off(x, layer_of(inputs, outputs, bias=bias), norm if normed else None, dtype)
    assert wrong <= allowed


@pytest.mark.parametrize("shape", [(2, 3), (FEW + 1,), (0,)], ids=["few", "many", "none"])
def test_more_rows_or_none_are_a_product(shape: tuple[int, ...], dtype: torch.dtype) -> None:
    (x,) = random((*shape, 100))
    if not x.numel():
        assert int8_linear(x.to(DEVICE, dtype), layer_of(100, 12)).shape == (0, 12)
        return
    wrong, allowed = off(x, layer_of(100, 12, bias=True), torch.ones(100), dtype)
    assert wrong <= allowed


def test_rounding_loses_at_most_half_a_step_of_every_weight() -> None:
    (weight,) = random((40, 300))
    layer = quantized(weight)
    assert layer.weight.dtype == torch.int8
    back = layer.weight.double() * layer.scale.double()[:, None]
    steps = weight.abs().amax(1, keepdim=True) / 127
    assert ((back - weight).abs() <= steps * (0.5 + 1e-5)).all()


def test_a_product_is_off_by_under_a_percent_of_its_size() -> None:
    weight, x = (part.float().to(DEVICE) for part in random((400, 896), (1, 896)))
    exact = x @ weight.T
    off = (int8_linear(x, quantized(weight)) - exact).norm() / exact.norm()
    assert 0.002 < off < 0.012


def test_an_output_without_weights_stays_zero() -> None:
    weight = torch.zeros(2, 64)
    weight[1, 3] = -5.0
    layer = quantized(weight)
    assert layer.weight[1, 3] == -127
    assert int8_linear(torch.ones(1, 64), layer).tolist() == [[0.0, pytest.approx(-5.0)]]


def test_a_row_with_gaps_is_read_as_it_lies(way: str) -> None:
    layer = layer_of(100, 8)
    wide = torch.randn(1, 200, device=DEVICE)
    assert torch.equal(int8_linear(wide[:, ::2], layer), int8_linear(wide[:, ::2].clone(), layer))


@pytest.mark.skipif(DEVICE.type != "cpu", reason="counted in Triton's interpreter")
@pytest.mark.usefixtures("by_triton")
def test_every_weight_is_read_once_and_takes_a_byte(monkeypatch: pytest.MonkeyPatch) -> None:
    layer, x = layer_of(96, 10), torch.randn(1, 96).half()
    with counted(monkeypatch) as traffic:
        int8_linear(x, layer)
    assert traffic.once == 10 * 96 + 2 * 96 + (4 + 2) * 10
