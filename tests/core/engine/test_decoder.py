"""Requests that come and go between steps: each gets what it would get alone, and what was read once is not read again."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest
import torch

from core.engine import decoder, generate
from core.engine.asked import End, Piece, Request, Token
from core.engine.forward import Alone
from core.engine.generate import Chatter
from core.engine.rows import Row
from core.errors import UserError
from core.inference.sampling import Sampling, validate

PROMPTS = ["func", "package main\n\nfunc Sum3(a, b int) int {", "// größer, 日本語", "a", "\treturn a + b*2\n}\n" * 6]
KINDS: list[dict[str, Any]] = [
    {"temperature": 0}, {"temperature": 1.5, "seed": 3}, {"temperature": 1.0, "top_k": 5, "seed": 4},
    {"temperature": 0, "repetition_penalty": 1.5}, {"temperature": 2.0, "top_p": 0.7, "min_p": 0.01, "seed": 5},
]  # fmt: skip


@pytest.fixture(scope="module")
def loaded(base: Path) -> Chatter:
    chatter = generate.load(base, "fp32")
    chatter.decoder.ends = frozenset()
    return chatter


@pytest.fixture
def chatter(loaded: Chatter) -> Chatter:
    """With nothing remembered."""
    loaded.decoder.kept.clear()
    return loaded


def asked(chatter: Chatter, number: int, **more: Any) -> Request:
    sampling = validate(**{"max_tokens": 6 + 5 * number, **KINDS[number]})
    return Request(tuple(chatter.text_ids(PROMPTS[number])), sampling, **more)


class Heard:
    def __init__(self) -> None:
        self.parts: list[Piece | End] = []

    @property
    def text(self) -> str:
        return "".join(part.text for part in self.parts if isinstance(part, Piece) and not part.of_prompt)

    @property
    def tokens(self) -> list[Token]:
        return [token for part in self.parts if isinstance(part, Piece) and not part.of_prompt for token in part.tokens]

    @property
    def end(self) -> End:
        last = self.parts[-1]
        assert isinstance(last, End)
        assert not any(isinstance(part, End) for part in self.parts[:-1])
        return last


def alone(chatter: Chatter, request: Request) -> Heard:
    heard = Heard()
    heard.parts = list(chatter.ask(request))
    return heard


@pytest.mark.parametrize("apart", [0, 1, 3])
def test_a_request_gets_in_company_what_it_gets_alone(chatter: Chatter, apart: int) -> None:
    """Every one with settings of its own; one more joins every `apart` steps, and they leave at different times."""
    requests = [asked(chatter, number) for number in range(len(PROMPTS))]
    expected = []
    for request in requests:
        chatter.decoder.kept.clear()
        expected.append(alone(chatter, request))
    chatter.decoder.kept.clear()
    heard = [Heard() for _ in requests]
    for request, one in zip(requests, heard, strict=True):
        chatter.decoder.ask(request, one.parts.append)
        for _ in range(apart):
            chatter.decoder.step()
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert [one.text for one in heard] == [one.text for one in expected]
    assert [one.end.tokens for one in heard] == [6 + 5 * number for number in range(len(PROMPTS))]
    assert [one.end.settings for one in heard][1:3] == [one.end.settings for one in expected][1:3]


def test_more_requests_than_rows_wait_and_are_all_answered(chatter: Chatter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(decoder, "MOST", 2)
    widths = []
    run = chatter.decoder.way.logits  # type: ignore[attr-defined]
    monkeypatch.setattr(chatter.decoder.way, "logits", lambda *given: widths.append(len(given[2])) or run(*given))
    heard = [Heard() for _ in PROMPTS]
    for number, one in enumerate(heard):
        chatter.decoder.ask(asked(chatter, number), one.parts.append)
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert max(widths) == 2
    assert [one.end.reason for one in heard] == ["length"] * len(PROMPTS)


def test_one_that_is_cancelled_leaves_at_once_and_the_others_never_notice(chatter: Chatter) -> None:
    expected = alone(chatter, asked(chatter, 4)).text
    gone = False
    leaver, stayer, waiter = Heard(), Heard(), Heard()
    chatter.decoder.ask(asked(chatter, 1), leaver.parts.append, lambda: gone)
    chatter.decoder.ask(asked(chatter, 4), stayer.parts.append)
    for _ in range(4):
        chatter.decoder.step()
    gone = True
    chatter.decoder.ask(asked(chatter, 2), waiter.parts.append, lambda: True)
    chatter.decoder.step()
    assert (leaver.end.reason, leaver.end.tokens) == ("cancelled", 4)
    assert (waiter.end.reason, waiter.end.tokens) == ("cancelled", 0)
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert stayer.text == expected


def test_who_speaks_waits_no_longer_than_a_part_of_another_prompt(
    chatter: Chatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(decoder, "BESIDE", 10)
    speaker, reader = Heard(), Heard()
    chatter.decoder.ask(asked(chatter, 3), speaker.parts.append)
    chatter.decoder.step()
    long = Request(tuple(range(5, 5 + 95)), Sampling(temperature=0, max_tokens=3))
    one = chatter.decoder.ask(long, reader.parts.append)
    for _ in range(9):
        chatter.decoder.step()
        assert one.reading
    chatter.decoder.step()
    assert not one.reading
    while chatter.decoder.busy:
        chatter.decoder.step()
    chatter.decoder.kept.clear()
    assert reader.text == alone(chatter, long).text


def test_choices_of_one_prompt_read_it_once(chatter: Chatter) -> None:
    ids = tuple(range(5, 5 + 150))
    heard = [Heard() for _ in range(3)]
    for seed, one in enumerate(heard):
        chatter.decoder.ask(Request(ids, Sampling(temperature=1.0, seed=seed, max_tokens=5)), one.parts.append)
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert [one.end.cached for one in heard] == [0, 149, 149]
    assert len({one.text for one in heard}) == 3


def test_a_step_that_fails_loses_only_who_was_in_it(chatter: Chatter, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = alone(chatter, asked(chatter, 4)).text
    monkeypatch.setattr(decoder, "MOST", 1)
    first, second = Heard(), Heard()
    lost = chatter.decoder.ask(asked(chatter, 1), first.parts.append)
    chatter.decoder.ask(asked(chatter, 4), second.parts.append)
    with monkeypatch.context() as broken:

        def fail(*_: Any) -> None:
            raise RuntimeError("out of memory")

        broken.setattr(chatter.decoder.way, "logits", fail)
        with pytest.raises(RuntimeError):
            chatter.decoder.step()
        assert chatter.decoder.abandon() == [lost]
    while chatter.decoder.busy:
        chatter.decoder.step()
    assert first.parts == []
    assert second.text == expected


def test_a_memory_that_cannot_be_taken_loses_only_who_wanted_it(
    chatter: Chatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    heard = Heard()

    def fail(*_: Any) -> None:
        raise ValueError("this cache cannot be cut")

    with monkeypatch.context() as broken:
        broken.setattr(chatter.decoder.kept, "take", fail)
        asking = chatter.decoder.ask(asked(chatter, 1), heard.parts.append)
        with pytest.raises(ValueError, match="cannot be cut"):
            chatter.decoder.step()
        assert chatter.decoder.abandon() == [asking]
    assert not chatter.decoder.busy
    assert alone(chatter, asked(chatter, 1)).end.tokens == 11


def reference(chatter: Chatter, ids: list[int]) -> torch.Tensor:
    """Log-probabilities [tokens, vocabulary] by transformers, in one pass."""
    with torch.no_grad():
        logits: torch.Tensor = chatter.causal(input_ids=torch.tensor([ids])).logits[0]
    return logits.log_softmax(-1)


def test_log_probabilities_are_the_models_own_whatever_the_sampler(chatter: Chatter) -> None:
    request = asked(chatter, 2, alternatives=4)
    heard = alone(chatter, request)
    said = [token.id for token in heard.tokens]
    assert len(said) == heard.end.tokens
    known = reference(chatter, [*request.ids, *said])[len(request.ids) - 1 : -1]
    for row, token in zip(known, heard.tokens, strict=True):
        assert token.logprob == pytest.approx(float(row[token.id]), abs=1e-4)
        assert [id for id, _ in token.top] == row.topk(4).indices.tolist()
        assert [value for _, value in token.top] == pytest.approx(row.topk(4).values.tolist(), abs=1e-4)


def test_tokens_come_with_the_text_that_they_are_of(chatter: Chatter) -> None:
    heard = alone(chatter, asked(chatter, 4, alternatives=0))
    assert chatter.tokenizer.decode([token.id for token in heard.tokens], skip_special_tokens=True) == heard.text
    assert all(token.top == () for token in heard.tokens)


def test_tokens_of_a_stop_string_are_not_told(chatter: Chatter) -> None:
    plain = alone(chatter, asked(chatter, 0, alternatives=0))
    whole = plain.text
    stop = whole[3:5]
    sampling = validate(temperature=0, max_tokens=40, stop=[stop])
    heard = alone(chatter, Request(tuple(chatter.text_ids(PROMPTS[0])), sampling, 0))
    assert heard.end.stop_string == stop
    assert heard.text == whole[: whole.index(stop)]
    assert [token.id for token in heard.tokens] == [token.id for token in plain.tokens][: len(heard.tokens)]
    assert len(heard.tokens) < heard.end.tokens


@pytest.mark.parametrize("part", [7, 128])
def test_the_likelihood_of_a_text_is_that_of_transformers(
    chatter: Chatter, monkeypatch: pytest.MonkeyPatch, part: int
) -> None:
    monkeypatch.setattr(decoder, "SCORED", part)
    ids = chatter.text_ids(PROMPTS[4])
    expected = -reference(chatter, ids)[:-1].gather(1, torch.tensor(ids[1:])[:, None])[:, 0]
    for _ in range(2):  # also when the text is remembered from the first time
        assert chatter.score(ids) == pytest.approx(expected.tolist(), abs=1e-4)
    assert math.isfinite(sum(chatter.score(ids)))
    with pytest.raises(UserError, match="nothing to predict"):
        chatter.score(ids[:1])


def test_a_prompts_likelihoods_come_before_the_answer(chatter: Chatter) -> None:
    request = asked(chatter, 1, alternatives=2, prompt_too=True)
    heard = alone(chatter, request)
    first = heard.parts[0]
    assert isinstance(first, Piece)
    assert first.of_prompt
    assert [token.id for token in first.tokens] == list(request.ids)
    assert first.tokens[0].logprob is None
    assert all(len(token.top) == 2 for token in first.tokens[1:])
    chatter.decoder.kept.clear()
    assert heard.text == alone(chatter, asked(chatter, 1)).text


def test_a_second_conversation_does_not_cost_the_first_one_its_memory(chatter: Chatter) -> None:
    system = list(range(5, 65))
    one, two = [*system, 70, 71, 72], [*system, 80, 81]
    greedy = Sampling(temperature=0, max_tokens=3)
    assert alone(chatter, Request(tuple(one), greedy)).end.cached == 0
    assert alone(chatter, Request(tuple(two), greedy)).end.cached == len(system)
    assert alone(chatter, Request((*one, 90), greedy)).end.cached >= len(one)
    assert alone(chatter, Request((*two, 90), greedy)).end.cached >= len(two)


def test_what_is_remembered_stays_below_its_limit_and_the_oldest_goes_first(
    chatter: Chatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    greedy = Sampling(temperature=0, max_tokens=2)
    first = tuple(range(5, 45))
    alone(chatter, Request(first, greedy))
    a_row = chatter.decoder.kept.bytes
    assert a_row > 0
    monkeypatch.setattr(chatter.decoder.kept, "_most", 2 * a_row)
    for start in (100, 200, 300):
        alone(chatter, Request(tuple(range(start, start + 40)), greedy))
        assert chatter.decoder.kept.bytes <= 2 * a_row
    assert alone(chatter, Request(first, greedy)).end.cached == 0
    assert alone(chatter, Request(tuple(range(300, 340)), greedy)).end.cached == 39


def test_a_long_conversation_reads_only_what_is_new_each_turn(chatter: Chatter) -> None:
    passes: list[int] = []
    run = chatter.decoder.way.logits  # type: ignore[attr-defined]
    ids = list(range(5, 100))
    for turn in range(4):
        passes.clear()
        chatter.decoder.way.logits = lambda *given: passes.append(len(given[0])) or run(*given)  # type: ignore[attr-defined, func-returns-value]
        heard = alone(chatter, Request(tuple(ids), Sampling(temperature=0, max_tokens=4), 0))
        chatter.decoder.way.logits = run  # type: ignore[attr-defined]
        if turn:
            assert passes[0] <= 7, "the last token said, and six of the new question"
        ids += [token.id for token in heard.tokens] + [11, 12, 13, 14, 15, 16]


def test_dropping_an_answer_keeps_what_was_read(chatter: Chatter) -> None:
    request = asked(chatter, 4)
    parts = chatter.ask(request)
    next(parts)
    parts.close()  # type: ignore[attr-defined]
    assert not chatter.decoder.busy
    assert alone(chatter, request).end.cached == len(request.ids) - 1


def test_who_would_take_more_memory_than_there_is_waits_for_the_others(
    chatter: Chatter, monkeypatch: pytest.MonkeyPatch
) -> None:
    requests = [asked(chatter, number) for number in range(len(PROMPTS))]
    expected = []
    for request in requests:
        chatter.decoder.kept.clear()
        expected.append(alone(chatter, request).text)
    row = max(len(request.ids) + request.sampling.max_tokens for request in requests)
    monkeypatch.setattr(chatter.decoder, "room", int(decoder.GROWTH * chatter.decoder.way.token_bytes * row))
    heard = [Heard() for _ in requests]
    for request, one in zip(requests, heard, strict=True):
        chatter.decoder.ask(request, one.parts.append)
    together = 0
    while chatter.decoder.busy:
        chatter.decoder.step()
        together = max(together, len(chatter.decoder._active))
    assert [one.text for one in heard] == expected
    assert together < len(requests)


def test_memory_of_a_token_is_counted_as_rows_take_it(chatter: Chatter) -> None:
    way = chatter.decoder.way
    alone(chatter, asked(chatter, 1))
    (row,) = chatter.decoder.kept._rows
    assert isinstance(row, Row)
    assert row.store is not None
    assert way.token_bytes * row.store.shape[-2] == row.bytes
    assert Alone(chatter.causal, chatter.compute.device, chatter.causal).token_bytes == way.token_bytes
