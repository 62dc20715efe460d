"""The largest micro-batch: real steps under a real limit of memory, in processes of which none is left."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine.finders import micro_batch, trials
from core.engine.finders.micro_batch import largest
from core.engine.finders.trying import Stopped
from core.errors import UserError
from core.jobs import worker
from core.training.config import RunConfig
from tests.core.engine.conftest import TEXTS, Notes, config, write_snapshot

MIB = 1 << 20


@pytest.fixture(scope="session")
def long_rows(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """240 plain texts of more than 256 tokens."""
    rows = [{"sample": f"s{i}", "text": " ".join(TEXTS[(i + j) % 40] for j in range(9))} for i in range(240)]
    return write_snapshot(tmp_path_factory.mktemp("long"), rows, rows[:4])


def settings() -> RunConfig:
    return config(data={"objective": "text", "packing": False})


def tried(notes: Notes) -> list[int]:
    return [event["step"] for event in notes.of("message") if "step" in event]


@pytest.mark.slow
def test_under_a_limit_it_finds_rows_that_fit_while_one_more_does_not(
    base: Path, long_rows: Path, tmp_path: Path
) -> None:
    notes = Notes()
    found = micro_batch.find(settings(), base, long_rows, tmp_path, notes, limit=560 * MIB)
    fitted = [event["x"] for event in notes.of("point")]
    assert 1 < found.value < 240
    assert found.value in fitted
    assert found.value + 1 in tried(notes)
    assert found.value + 1 not in fitted
    assert len(tried(notes)) <= 14, "the plan is a good place to begin"
    assert found.sentence.endswith(
        f"; {found.value + 1:,} do not fit (two steps, an evaluation and a save on the longest rows)."
    )
    assert all(peak < 620 * MIB for _, peak in found.curve)
    assert not list(tmp_path.iterdir()), "what trials have saved is gone"


def test_where_not_one_row_fits_it_says_what_to_change(base: Path, snapshot: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match=r"Not even one row at a time fits into 0.1 GiB") as caught:
        micro_batch.find(config(), base, snapshot, tmp_path, Notes(), limit=100 * MIB)
    assert "max_length" in caught.value.hint


def test_what_is_wrong_besides_memory_is_said_as_it_is(base: Path, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="no sample to train on"):
        micro_batch.find(config(), base, write_snapshot(tmp_path / "empty", [], []), tmp_path, Notes())


def test_a_stop_ends_the_trial_under_way(base: Path, snapshot: Path, tmp_path: Path) -> None:
    class Impatient(Notes):
        def should_stop(self) -> bool:
            return True

    with pytest.raises(Stopped):
        micro_batch.find(config(), base, snapshot, tmp_path, Impatient())


@pytest.mark.parametrize(
    ("answer", "cause"),
    [
        ({"exit": -signal.SIGKILL, "error": None}, "memory"),
        ({"exit": -signal.SIGABRT, "error": None}, "crash"),
        ({"exit": 1, "error": worker.describe(torch.OutOfMemoryError("CUDA out of memory."), 0)}, "gpu-memory"),
        ({"exit": 1, "error": worker.describe(MemoryError(), 0)}, "memory"),
        ({"exit": 1, "error": worker.describe(UserError("The disk is full."), 0)}, "user"),
    ],
)
def test_how_a_trial_ended_says_whether_it_was_its_memory(answer: dict[str, Any], cause: str) -> None:
    assert micro_batch._failure(answer).cause == cause


@pytest.mark.parametrize("first", [1, 7, 50, 64, 200])
@pytest.mark.parametrize("truth", [0, 1, 2, 37, 63, 64])
def test_the_search_is_exact_and_short(first: int, truth: int) -> None:
    asked: list[int] = []

    def fits(rows: int) -> bool:
        asked.append(rows)
        return rows <= truth

    assert largest(fits, first, 64) == truth
    assert len(set(asked)) == len(asked) <= 14
    assert set(asked) <= set(range(1, 65))


def test_the_longest_rows_are_those_that_are_tried(
    long_rows: Path, base: Path, make_config: Callable[..., RunConfig]
) -> None:
    from core.engine import model
    from core.engine.prepare import load_sequences

    asked = make_config(data={"objective": "text", "packing": False, "max_length": 4096})
    rows = load_sequences(long_rows / "train.jsonl", base, model.load_tokenizer(base), asked, Notes())
    lengths = sorted((rows.length(row) for row in range(len(rows.members))), reverse=True)
    chosen = trials.longest(rows, 3)
    assert [sum(len(rows.documents[i].ids) for i in members) for members in chosen] == lengths[:3]
