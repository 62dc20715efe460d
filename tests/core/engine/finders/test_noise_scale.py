"""The noise scale: unbiased, agrees with the gradients of single rows, and is turned into rows that a step can have."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest
import torch

from core.engine.finders import noise_scale, trying
from core.engine.finders.noise_scale import Estimate, Norms, estimate, measure, split, suggest
from core.errors import UserError
from tests.core.engine.conftest import Notes, config, conversation, write_snapshot
from tests.core.engine.searching import here


def test_it_agrees_with_the_gradients_of_single_rows(taught: Path, snapshot: Path, tmp_path: Path) -> None:
    """trace(Sigma) / |G|^2 from the gradient of each row, with the corrections for a mean over a few rows only."""
    settings = config(batch={"micro": 2}, data={"packing": False})
    this = trying.begin(trying.unmeasured(settings), taught, snapshot, tmp_path, Notes())
    rows = range(len(this.prepared.train.members))
    each = []
    for row in rows:
        trying.gradient(this, [row])
        each.append(torch.cat([p.grad.flatten().double() for p in this.parameters if p.grad is not None]))
        this.optimizer.zero_grad(set_to_none=True)
    weights = torch.tensor([this.prepared.train.targets([row]) for row in rows], dtype=torch.float64)
    gradients, weights = torch.stack(each), weights / weights.sum()
    mean = (weights[:, None] * gradients).sum(0)
    trace = (weights[:, None] * (gradients - mean) ** 2).sum() / (1 - (weights**2).sum())
    truth = float(trace / (mean.square().sum() - trace * (weights**2).sum()))
    assert truth > 1

    found = [
        measure(this, split(this.prepared.train.at(number, 16), 8), 0.0) for number in range(24)
    ]  # a rate of 0: the weights stay, so that both speak of the same place
    told = estimate(found, 2, 16)
    assert told.rows == pytest.approx(truth, rel=0.35)
    assert told.error < truth


def test_the_estimators_are_unbiased_where_the_truth_is_known() -> None:
    """Gradients G + noise in 50 dimensions, with trace(Sigma) / |G|^2 = 40."""
    chance = np.random.default_rng(3)
    mean = np.full(50, 0.2)
    deviation = math.sqrt(40 * float(mean @ mean) / 50)
    found = []
    for _ in range(400):
        small = mean + chance.normal(0, deviation / math.sqrt(2), (8, 50))
        big = small.mean(0)
        found.append(Norms(float((small**2).sum(1).mean()), float(big @ big)))
    told = estimate(found, 2, 16)
    assert told.rows == pytest.approx(40, abs=3 * told.error)
    assert told.error < 6


def test_parts_of_a_step_have_short_and_long_rows_alike() -> None:
    assert split([9, 8, 7, 6, 5, 4], 3) == [[9, 6], [8, 5], [7, 4]]


def test_the_finder_trains_on_and_answers_in_rows(taught: Path, snapshot: Path, tmp_path: Path) -> None:
    found, events = here("batch", config(batch={"micro": 1}), taught, snapshot, tmp_path)
    assert found.value == int(found.value) >= 1
    assert found.sentence.startswith(f"{found.value:g} row")
    assert found.sentence.endswith("(gradient noise scale, McCandlish et al. 2018).")
    last = [event for event in events if event["kind"] == "progress"][-1]
    assert (last["done"], last["total"]) == (noise_scale.STEPS, noise_scale.STEPS)
    assert [(event["x"], event["y"]) for event in events if event["kind"] == "point"] == list(found.curve)


@pytest.mark.parametrize(
    ("rows", "value", "words"),
    [
        (26.4, 26, "the estimate is 26 ± 4"),
        (0.2, 1, "the estimate is 0.2 ± 4"),
        (math.inf, 64, "nearly all noise"),
        (900.0, 500, "500 rows a step: the noise asks for 900, and the snapshot has no more"),
    ],
)
def test_the_answer_is_a_number_of_rows_that_exist(rows: float, value: int, words: str) -> None:
    found = suggest(Estimate(rows, 4.0), 500, 32, ())
    assert found.value == value
    assert words in found.sentence


def test_one_row_has_no_noise(base: Path, tmp_path: Path) -> None:
    snapshot = write_snapshot(tmp_path / "one", [{"sample": "s", "messages": conversation(1)}], [])
    with pytest.raises(UserError, match="one row only"):
        noise_scale.find(config(), base, snapshot, tmp_path, Notes())
