"""A step that would spoil the weights is left out, gone back from, or ends the run, as was chosen; patience ends where it said."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from torch import Tensor

from core.engine import checkpoint, loop
from core.engine.guard import MOST_IN_A_ROW, WARM, Guard
from core.engine.objective import Objective
from core.engine.parallel import Group
from core.errors import UserError
from core.training.config import RunConfig
from core.training.sections import GuardSection
from tests.core.engine.conftest import Notes

Train = Callable[..., tuple[loop.Result, Notes]]


@pytest.fixture
def train(base: Path, snapshot: Path, tmp_path: Path, make_config: Callable[..., RunConfig]) -> Train:
    def run(*, out: str = "output", **sections: Any) -> tuple[loop.Result, Notes]:
        notes = Notes()
        config = make_config(**sections)
        return loop.train(config, base, snapshot, tmp_path / out, run="r", monitor=notes, group=Group()), notes

    return run


def steady(guard: Guard, steps: int = WARM, loss: float = 2.0) -> Guard:
    for _ in range(steps):
        guard.went_well(loss)
    return guard


SECTION = GuardSection(not_finite="skip", spike="rewind")


def test_nothing_is_a_spike_before_the_mean_is_known() -> None:
    assert steady(Guard(), WARM - 1).judge(1e6, 1.0, SECTION) == ("go", "")


def test_a_jump_far_above_the_mean_is_a_spike_and_a_small_one_is_not() -> None:
    guard = steady(Guard())
    assert guard.judge(2.1, 1.0, SECTION)[0] == "go"
    assert guard.judge(2.3, 1.0, SECTION) == ("rewind", "the loss jumped to 2.300 from about 2.000")


@pytest.mark.parametrize(("loss", "norm"), [(math.nan, 1.0), (math.inf, 1.0), (1.0, math.inf), (1.0, math.nan)])
def test_what_is_no_number_is_named(loss: float, norm: float) -> None:
    verdict, what = Guard().judge(loss, norm, SECTION)
    assert verdict == "skip"
    assert ("loss" if not math.isfinite(loss) else "gradient norm") in what


@given(st.lists(st.floats(0.5, 5.0), min_size=WARM, max_size=200))
def test_the_memory_of_the_guard_survives_a_checkpoint_to_the_digit(losses: list[float]) -> None:
    guard = Guard()
    for loss in losses:
        guard.went_well(loss)
    again = Guard.of(json.loads(json.dumps(guard.note())))
    assert again == guard
    assert again.limit() == guard.limit()
    assert min(losses) * 0.999 <= guard.mean_loss() <= max(losses) * 1.001


def test_ten_left_out_in_a_row_end_the_run() -> None:
    guard = Guard()
    for step in range(MOST_IN_A_ROW - 1):
        guard.skip(step, "the loss became nan")
    with pytest.raises(UserError, match="10 steps in a row were left out"):
        guard.skip(10, "the loss became nan")


@pytest.fixture
def spoil(monkeypatch: pytest.MonkeyPatch) -> Callable[[int, float], None]:
    """Multiply the loss of the n-th training step by a factor, once."""

    def at(step: int, factor: float) -> None:
        plain = Objective.forward
        count = 0

        def forward(self: Objective, batch: Any) -> Tensor:
            nonlocal count
            if self.training:
                count += 1
                if count == step:
                    return plain(self, batch) * factor
            return plain(self, batch)

        monkeypatch.setattr(Objective, "forward", forward)

    return at


def test_a_step_that_is_no_number_stops_the_run_and_names_what_is_intact(train: Train, spoil: Any) -> None:
    spoil(5, math.nan)
    with pytest.raises(UserError, match=r"The loss became nan at step 5.*checkpoint of step 3 is intact") as caught:
        train()
    assert "learning_rate" in caught.value.hint


def test_a_step_that_is_left_out_changes_no_weight_and_the_run_goes_on(train: Train, spoil: Any) -> None:
    spoil(5, math.inf)
    result, notes = train(guard={"not_finite": "skip"})
    assert result.steps == 6
    assert [event["step"] for event in notes.of("step")] == [1, 2, 3, 4, 5, 6]
    assert [event["text"] for event in notes.of("message") if "left out" in event["text"]] == [
        "Step 5 was left out: the loss became inf."
    ]
    assert all(bool(torch.isfinite(value).all()) for value in _adapter(result).values())


def test_going_back_leaves_out_the_rows_since_the_checkpoint(train: Train, spoil: Any) -> None:
    _, plain = train(out="plain")
    spoil(5, math.nan)
    result, notes = train(out="back", guard={"not_finite": "rewind"})
    assert [event["step"] for event in notes.of("step")] == [1, 2, 3, 4, 4, 5, 6]
    losses = notes.losses()
    assert losses[:4] == plain.losses()[:4]
    assert losses[4:] != plain.losses()[3:], "the rows of step 4 and 5 are passed over"
    assert any("going back to step 3" in event["text"] for event in notes.of("message"))
    assert json.loads((result.checkpoints[-1] / "gosmith.json").read_text())["guard"]["offset"] == 2


def test_going_back_without_a_checkpoint_is_a_stop(train: Train, spoil: Any) -> None:
    spoil(2, math.nan)
    with pytest.raises(UserError, match="loss became nan at step 2, so the run was stopped"):
        train(guard={"not_finite": "rewind"})


def test_a_run_that_goes_back_too_often_ends(train: Train, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = Objective.forward
    count = 0

    def forward(self: Objective, batch: Any) -> Tensor:
        nonlocal count
        count += self.training
        return plain(self, batch) * (math.nan if self.training and count > 3 else 1.0)

    monkeypatch.setattr(Objective, "forward", forward)
    with pytest.raises(UserError, match="went back 3 times"):
        train(guard={"not_finite": "rewind"})


def test_patience_ends_a_run_that_no_longer_gets_better(train: Train) -> None:
    result, notes = train(
        budget={"steps": 40},
        optimizer={"learning_rate": 0.5, "schedule": "constant", "clip": 0.0},
        validation={"every": 1, "patience": 3},
        guard={"spike": "note"},
    )
    losses = [event["loss"] for event in notes.of("validation")]
    assert result.steps < 40
    assert not result.stopped, "it has done what it was asked for"
    assert min(losses) == losses[-4]
    assert any("Stopped early: 3 validations in a row" in event["text"] for event in notes.of("message"))
    assert notes.of("checkpoint")[-1]["step"] == result.steps


def test_the_best_checkpoint_stays_however_old_it_is(train: Train, tmp_path: Path) -> None:
    sections: dict[str, Any] = {
        "budget": {"steps": 8},
        "optimizer": {"learning_rate": 1 / 30, "schedule": "constant", "clip": 0.0, "warmup": 8},
        "checkpoints": {"every": 2, "keep": 1},
        "validation": {"every": 1},
    }
    _, notes = train(**sections)
    at = {event["step"]: event["loss"] for event in notes.of("validation")}
    best = min((2, 4, 6, 8), key=lambda step: at[step])
    assert best == 4, "while the rate rises the run gets better, then worse"
    assert [found.step for found in checkpoint.list_checkpoints(tmp_path / "output")] == [4, 8]
    sections["checkpoints"] |= {"best": False}
    train(out="plain", **sections)
    assert [found.step for found in checkpoint.list_checkpoints(tmp_path / "plain")] == [8]


def _adapter(result: loop.Result) -> dict[str, Tensor]:
    from safetensors.torch import load_file

    return load_file(result.checkpoints[-1] / "adapter_model.safetensors")
