"""The range test: it finds where training breaks, stays well below, and says why it suggests what it suggests."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from core.engine import loop
from core.engine.finders import learning_rate
from core.engine.finders.learning_rate import Curve, beyond, draw, suggest
from core.engine.finders.trying import Stopped
from core.engine.parallel import Group
from core.errors import UserError
from tests.core.engine.conftest import Notes, config

RATES = np.geomspace(1e-7, 1.0, 100)


def curve(losses: list[float], diverged: float | None = None) -> Curve:
    return draw(RATES, losses, diverged)


def test_its_suggestion_trains_and_the_rate_of_divergence_does_not(
    taught: Path, snapshot: Path, tmp_path: Path
) -> None:
    notes = Notes()
    drawn = learning_rate.test(config(), taught, snapshot, tmp_path, notes)
    assert drawn.diverged is not None
    assert drawn.losses[-1] > 1.25 * drawn.losses.min()
    assert [event["x"] for event in notes.of("point")] == pytest.approx(list(drawn.rates))

    def losses(rate: float) -> list[float]:
        optimizer: dict[str, Any] = {"learning_rate": rate, "schedule": "constant", "warmup": 0}
        watched = Notes()
        changes = {"optimizer": optimizer, "budget": {"steps": 24}, "checkpoints": {"every": 0, "keep": 1}}
        loop.train(config(**changes), taught, snapshot, tmp_path / f"{rate}", run="r", monitor=watched, group=Group())
        return watched.losses()

    found = suggest(drawn)
    assert found.value <= drawn.diverged / 9.9
    untouched = np.mean(losses(1e-7)[-6:])
    assert np.mean(losses(found.value)[-6:]) < untouched - 0.03, "it learns"
    assert np.mean(losses(drawn.diverged)[-6:]) > untouched, "it unlearns"


def test_where_the_loss_falls_clearly_its_steepest_descent_is_suggested() -> None:
    fall = [5.0 - 2.0 / (1 + math.exp(-3 * (math.log10(rate) + 4))) for rate in RATES]
    found = suggest(curve([5.0, *fall[:85], 12.0], float(RATES[85])))
    assert found.value == pytest.approx(1e-4, rel=0.3)
    assert found.sentence == f"{found.value:.1e}".replace("e-0", "e-").replace(".0e", "e") + (
        ": the loss falls fastest here; it diverges at 1e-1 (range test, Smith 2017)."
    )
    assert found.curve[-1] == (pytest.approx(RATES[85]), 12.0)


def test_what_falls_fastest_close_to_the_edge_gives_way_to_a_tenth_of_it() -> None:
    fall = [5.0 - 3.0 / (1 + math.exp(-6 * (math.log10(rate) + 3))) for rate in RATES]
    found = suggest(curve([5.0, *fall[:64], 20.0], float(RATES[64])))
    assert found.value == pytest.approx(RATES[64] / 10, rel=0.05)
    assert found.sentence == "3.4e-4: a tenth of 3.4e-3, where the loss diverges (range test, Smith 2017)."


def test_a_loss_that_is_all_noise_has_no_steepest_descent() -> None:
    noise = np.random.default_rng(7).normal(3.0, 0.3, 80).tolist()
    assert "a tenth of" in suggest(curve([3.0, *noise, 13.0], float(RATES[80]))).sentence
    with pytest.raises(UserError, match="neither falls nor diverges"):
        suggest(curve([3.0, *noise]))


def test_a_rate_that_never_diverges_is_said_to_be_so() -> None:
    fall = [5.0 - 0.3 * math.log10(rate / 1e-7) for rate in RATES]
    assert "it does not diverge up to 1 " in suggest(curve([5.0, *fall])).sentence


@pytest.mark.parametrize(
    ("best", "vocabulary", "limit"),
    [(0.8, 150_000, 3.2), (2.8, 8_192, 2.8 + (math.log(8_192) - 2.8) / 3), (6.2, 512, 7.75)],
)
def test_divergence_is_measured_by_the_best_and_by_guessing(best: float, vocabulary: int, limit: float) -> None:
    assert beyond(best, vocabulary) == pytest.approx(limit)


def test_a_loss_that_is_no_number_from_the_start_is_a_sentence() -> None:
    with pytest.raises(UserError, match="no number after a few steps"):
        curve([3.0, 3.0], float(RATES[2]))


def test_one_hard_row_is_no_divergence(
    base: Path, snapshot: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Losses of 2 with a 9 now and then; from 1e-2 on all are 9."""
    told: list[float] = []

    def step(_run: object, _rows: object, rate: float) -> float:
        told.append(rate)
        before = told[-2] if len(told) > 1 else 0.0
        return 9.0 if before > 1e-2 or len(told) % 12 == 0 else 2.0

    monkeypatch.setattr(learning_rate.trying, "step", step)
    drawn = learning_rate.test(config(), base, snapshot, tmp_path, Notes())
    assert drawn.diverged == pytest.approx(1e-2, rel=0.2)


def test_a_stop_ends_it_without_an_answer(base: Path, snapshot: Path, tmp_path: Path) -> None:
    class Impatient(Notes):
        def should_stop(self) -> bool:
            return len(self.of("point")) >= 3

    watched = Impatient()
    with pytest.raises(Stopped):
        learning_rate.find(config(), base, snapshot, tmp_path, watched)
    assert len(watched.of("point")) == 3
