"""Where an operation is computed: by torch, and by its GPU program, compiled where there is a GPU and else in Triton's interpreter."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from kernels import tile
from tests.kernels.numerics import DEVICE


def _everywhere(x: Tensor) -> bool:
    return x.dtype in tile.FORMATS


@pytest.fixture
def by_triton(monkeypatch: pytest.MonkeyPatch) -> None:
    """All operations run their GPU programs. The interpreter knows no bf16 arithmetic, so tests keep to fp32 and fp16 there."""
    if INTERPRETED:
        monkeypatch.setattr(tile, "runs_on", _everywhere)


INTERPRETED = DEVICE.type == "cpu"
WAYS = ["torch", "triton"] if INTERPRETED else ["triton"]
HALVES = {
    "torch": [torch.float16, torch.bfloat16],
    "triton": [torch.float16] if INTERPRETED else [torch.float16, torch.bfloat16],
}
FORMATS = [(way, dtype) for way in WAYS for dtype in (torch.float32, *HALVES[way])]


@pytest.fixture(params=WAYS)
def way(request: pytest.FixtureRequest) -> str:
    """Every way of computing that there is here, one after the other."""
    if request.param == "triton":
        request.getfixturevalue("by_triton")
    return str(request.param)


@pytest.fixture(params=FORMATS, ids=lambda pair: f"{pair[0]} {str(pair[1]).removeprefix('torch.')}")
def dtype(request: pytest.FixtureRequest) -> torch.dtype:
    """Every number format, in every way that can compute in it."""
    way, wanted = request.param
    if way == "triton":
        request.getfixturevalue("by_triton")
    assert isinstance(wanted, torch.dtype)
    return wanted
