"""8-bit weights for answering are taken only where they are quicker, and what was found is said."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

from core.engine import generate, model
from core.engine.asked import End, describe
from core.engine.compute import Compute
from core.engine.quantize import quicker_in_int8, step_seconds
from core.inference.sampling import Sampling
from kernels import tile
from kernels.int8_layers import Int8Linear

BF16 = Compute(torch.device("cpu"), torch.bfloat16)


@pytest.fixture
def causal(base: Path) -> Any:
    return model.load_causal(base, torch.bfloat16, torch.device("cpu")).eval()


def told(*seconds: float) -> Any:
    """A clock that says one thing after the other."""
    answers: Iterator[float] = iter(seconds)
    return lambda _causal, _compute: next(answers)


def eights(causal: Any) -> int:
    return sum(isinstance(part, Int8Linear) for part in causal.modules())


def folded(causal: Any) -> int:
    return sum(isinstance(part, nn.Identity) for part in causal.modules())


def test_they_stay_where_they_are_quicker(causal: Any) -> None:
    assert quicker_in_int8(causal, BF16, told(0.010, 0.005)) == "int8: 2.00 times as fast as bfloat16"
    assert eights(causal) > 0


def test_they_go_where_they_are_not_and_the_model_is_as_it_was(causal: Any) -> None:
    ids = torch.arange(9)[None]
    with torch.no_grad():
        before = causal(input_ids=ids).logits
        said = quicker_in_int8(causal, BF16, told(0.010, 0.011))
        assert torch.equal(causal(input_ids=ids).logits, before)
    assert said == "bfloat16: int8 was no faster here (11.0 beside 10.0 ms a token)"
    assert not eights(causal)


@pytest.mark.parametrize(
    ("seconds", "said", "norms"),
    [
        ((0.010, 0.006, 0.005), "int8 with norms: 2.00", True),
        ((0.010, 0.005, 0.006), "int8: 2.00", False),
        ((0.010, 0.012, 0.011), "bfloat16: int8 was no faster", False),
        ((0.010, 0.012, 0.008), "int8 with norms: 1.25", True),
    ],
)
def test_where_gpu_programs_run_norms_are_tried_in_their_layers(
    causal: Any, monkeypatch: pytest.MonkeyPatch, seconds: tuple[float, ...], said: str, norms: bool
) -> None:
    monkeypatch.setattr(tile, "runs_on", lambda x: x.numel() == 0)
    assert quicker_in_int8(causal, BF16, told(*seconds)).startswith(said)
    assert (folded(causal) > 0) == norms


def test_a_step_takes_time_and_leaves_the_model_alone(causal: Any) -> None:
    assert 0 < step_seconds(causal, BF16) < 10


def test_an_answer_says_what_its_weights_were(base: Path) -> None:
    for int8, words in ((False, "float32"), (True, "int8")):
        chatter = generate.load(base, "fp32", int8=int8)
        *_, end = chatter.answer(chatter.text_ids("func"), Sampling(temperature=0.0, max_tokens=4))
        assert isinstance(end, End)
        assert words in end.weights
        assert describe(end)["weights"] == end.weights
