"""The recorded decode step, with recorders that need no GPU: same tokens, same addresses, and no recording that is wrong is ever used."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import generate, rows
from core.engine.asked import Piece, Request
from core.engine.captured import Captured, Step
from core.engine.forward import EndToEnd
from core.engine.llama import joined, read
from core.engine.rows import ROOM
from core.inference.sampling import Sampling

GREEDY = Sampling(temperature=0, max_tokens=60)


class Recordings:
    """Repeats a step by calling it, which reads and writes the tensors that it was recorded with, as a graph does."""

    def __init__(self) -> None:
        self.made = self.replayed = 0

    def __call__(self, step: Step) -> Step:
        self.made += 1

        def replay() -> torch.Tensor:
            self.replayed += 1
            return step()

        return replay


def with_recorder(base: Path, record: Callable[[Step], Step]) -> tuple[generate.Chatter, Captured]:
    chatter = generate.load(base, "fp32")
    chatter.decoder.ends, chatter.decoder.guesses = frozenset(), False
    way = chatter.decoder.way
    assert isinstance(way, EndToEnd)
    model = read(chatter.causal)
    assert model is not None
    captured = Captured(model, joined([chatter.causal.get_output_embeddings()]), way.logits, record)
    way.logits = captured
    return chatter, captured


def said(chatter: generate.Chatter, ids: list[int]) -> list[int]:
    parts = chatter.ask(Request(tuple(ids), GREEDY, 0))
    return [token.id for part in parts if isinstance(part, Piece) for token in part.tokens]


@pytest.fixture
def plain(base: Path) -> generate.Chatter:
    chatter = generate.load(base, "fp32")
    chatter.decoder.ends = frozenset()
    return chatter


@pytest.mark.parametrize("length", [4, ROOM - 20 - 60])
def test_a_recorded_step_says_the_same_and_is_recorded_once_a_row(
    base: Path, plain: generate.Chatter, length: int
) -> None:
    record = Recordings()
    chatter, _ = with_recorder(base, record)
    ids = [7 * number % 300 + 5 for number in range(length)]
    assert said(chatter, ids) == said(plain, ids)
    assert record.made == 1
    assert record.replayed == 59, "one to compare, and all but the first of the 59 steps after the prompt"
    other = [9, *ids]
    assert said(chatter, other) == said(plain, other)
    assert record.made == 2


def test_a_row_that_outgrows_its_room_is_recorded_again(
    base: Path, plain: generate.Chatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rows, "ROOM", 16)
    record = Recordings()
    chatter, _ = with_recorder(base, record)
    assert said(chatter, [5, 6, 7]) == said(plain, [5, 6, 7])
    assert record.made == 5, "room for 16, 24, 36, 54 and 81 tokens"


def test_it_goes_on_with_the_same_row_in_the_next_turn(base: Path, plain: generate.Chatter) -> None:
    record = Recordings()
    chatter, _ = with_recorder(base, record)
    ids = list(range(5, 40))
    for _ in range(2):
        answer = said(chatter, ids)
        assert answer == said(plain, ids)
        ids = [*ids, *answer, 11, 12]
    assert record.made == 1


def test_several_texts_are_run_as_they_are(base: Path, plain: generate.Chatter) -> None:
    record = Recordings()
    chatter, _ = with_recorder(base, record)
    heard: list[list[int]] = [[], []]
    for number, tokens in enumerate(heard):

        def hear(part: Any, tokens: list[int] = tokens) -> None:
            tokens += [token.id for token in part.tokens] if isinstance(part, Piece) else []

        chatter.decoder.ask(Request((5 + number, 6, 7), GREEDY, 0), hear)
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert heard == [said(plain, [5 + number, 6, 7]) for number in range(2)]
    assert record.made == 0


def test_what_cannot_be_recorded_or_gives_other_numbers_is_run_as_before(base: Path, plain: generate.Chatter) -> None:
    def cannot(_step: Step) -> Step:
        raise RuntimeError("operation not permitted when stream is capturing")

    def wrong(step: Step) -> Step:
        return lambda: step() + 10 * torch.arange(step().shape[-1])

    def no_number(step: Step) -> Step:
        return lambda: step() * torch.nan

    for record in (cannot, wrong, no_number):
        chatter, captured = with_recorder(base, record)
        assert said(chatter, [5, 6, 7]) == said(plain, [5, 6, 7])
        assert not captured.works


@pytest.mark.skipif(not torch.cuda.is_available(), reason="there is no GPU")
def test_on_a_gpu_it_is_a_graph(base: Path) -> None:
    chatter = generate.load(base, "fp32")
    chatter.decoder.ends, chatter.decoder.guesses = frozenset(), False
    way = chatter.decoder.way
    assert isinstance(way, EndToEnd)
    assert isinstance(way.logits, Captured)
    found = said(chatter, [5, 6, 7])
    assert way.logits.works
    way.logits.works = False
    chatter.decoder.kept.clear()
    assert said(chatter, [5, 6, 7]) == found
