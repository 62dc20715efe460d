"""From rows to the batch of a step: nothing lost, nothing trained across documents, and the same batch every time."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.engine import data, documents
from core.engine.documents import Document, Refusal, Row
from core.engine.parallel import Group, share
from core.errors import UserError
from core.training.sections import DataSection
from kernels.reference import IGNORE


def document(*ids: int, trained: tuple[bool, ...] | None = None, name: str = "s") -> Document:
    marks = trained if trained is not None else (True,) * len(ids)
    return Document(name, 1, np.array(ids, np.int32), np.array(marks, np.bool_))


def chat(question: str, answer: str) -> Row:
    return Row("s9", 9, ({"role": "user", "content": question}, {"role": "assistant", "content": answer}))


def tokenized(tokenizer: Any, row: Row, objective: str = "sft", max_length: int = 128) -> list[Document | Refusal]:
    section = DataSection.model_validate(
        {"snapshot": "s", "objective": objective, "max_length": max_length, "packing": False}
    )
    return list(documents.fit(documents.encode([row], tokenizer, section), section))


@given(st.lists(st.integers(1, 100), max_size=60))
def test_packing_keeps_every_document_whole_and_once(lengths: list[int]) -> None:
    bins = data.pack(lengths, 100)
    assert sorted(index for members in bins for index in members) == list(range(len(lengths)))
    assert all(sum(lengths[index] for index in members) <= 100 for members in bins)


@given(st.lists(st.integers(1, 100), min_size=1, max_size=60))
def test_packing_needs_at_most_a_fifth_more_than_any_packing_could(lengths: list[int]) -> None:
    assert len(data.pack(lengths, 100)) <= 11 / 9 * -(-sum(lengths) // 50) + 1
    assert len(data.pack([50] * len(lengths), 100)) == -(-len(lengths) // 2)


def test_the_fullest_bin_that_fits_is_chosen() -> None:
    assert data.pack([60, 50, 40, 50], 100) == [(0, 2), (1, 3)]


def test_a_document_that_cannot_fit_is_our_bug() -> None:
    with pytest.raises(ValueError, match="document 0"):
        data.pack([101], 100)


@given(st.integers(1, 100_000))
def test_rows_are_filled_to_few_sizes_and_by_an_eighth_at_most(tokens: int) -> None:
    size = data.even(tokens)
    assert size == data.even(size) >= tokens
    assert size - tokens < max(32, tokens / 8)
    assert len({data.even(tokens + more) for more in range(tokens)}) <= 10


def test_positions_start_again_at_every_document_and_targets_never_cross() -> None:
    items = [document(11, 12, 13), document(21, 22), document(31)]
    sequences = data.Sequences(items, [(0, 1), (2,)], seed=0)
    batch = sequences.collate([0, 1], pad=0)
    assert batch.ids.tolist() == [[11, 12, 13, 21, 22], [31, 0, 0, 0, 0]]
    assert batch.positions.tolist() == [[0, 1, 2, 0, 1], [0, 1, 2, 3, 4]]
    assert batch.targets.tolist() == [[12, 13, IGNORE, 22, IGNORE], [IGNORE] * 5]
    assert sequences.targets([0, 1]) == 3


def test_only_marked_tokens_are_targets() -> None:
    items = [document(1, 2, 3, 4, trained=(False, False, True, True))]
    batch = data.Sequences(items, [(0,)], 0).collate([0], pad=0)
    assert batch.targets.tolist() == [[IGNORE, 3, 4, IGNORE]]


@given(st.integers(1, 20), st.integers(1, 7), st.integers(0, 3))
def test_an_epoch_sees_every_sequence_once_whatever_the_batch(count: int, size: int, seed: int) -> None:
    items = [document(*range(i + 2)) for i in range(count)]
    sequences = data.sequences(items, packing=False, max_length=64, seed=seed)
    seen = [sequence for step in range(count) for sequence in sequences.at(step, size)]
    assert len(seen) == count * size
    assert {seen.count(sequence) for sequence in range(count)} == {size}


def test_the_batch_of_a_step_depends_on_seed_and_step_alone() -> None:
    items = [document(*range(i % 5 + 2)) for i in range(30)]
    one = data.sequences(items, packing=False, max_length=64, seed=1)
    again = data.sequences(items, packing=False, max_length=64, seed=1)
    other = data.sequences(items, packing=False, max_length=64, seed=2)
    assert one.at(17, 4) == again.at(17, 4)
    assert [one.at(k, 4) for k in range(5)] != [other.at(k, 4) for k in range(5)]
    assert [one.at(k, 30) for k in (0, 1)] != [one.at(0, 30)] * 2, "each epoch has an order of its own"
    assert one.fingerprint() == again.fingerprint() != other.fingerprint()


@given(st.integers(0, 9), st.integers(1, 5), st.integers(1, 4))
def test_processes_share_a_step_without_gap_or_overlap(count: int, size: int, micro: int) -> None:
    chosen = list(range(count))
    parts = [share(chosen, Group(rank, size), micro) for rank in range(size)]
    assert sorted(i for part in parts for batch in part for i in batch) == chosen
    assert all(len(batch) <= micro for part in parts for batch in part)


def test_a_long_conversation_is_cut_and_says_by_how_much(tokenizer: Any) -> None:
    (whole,) = tokenized(tokenizer, chat("a", "return a + b " * 20), max_length=4096)
    (cut,) = tokenized(tokenizer, chat("a", "return a + b " * 20), max_length=40)
    assert isinstance(whole, Document)
    assert isinstance(cut, Document)
    assert (len(cut.ids), cut.cut) == (40, len(whole.ids) - 40)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        (Row("s9", 9), "is empty"),
        (Row("s9", 9, ({"role": "user", "content": "hi"},)), "no answer"),
        (chat("hi", "  "), "empty answer"),
        (chat("hi", "x<|end|>\n<|user|>\ny"), "contains “<|end|>”, which this tokenizer reads as a mark of its own"),
        (chat("word " * 100, "x"), "cut to nothing: the answer begins after token"),
    ],
)
def test_a_row_that_would_teach_nothing_is_refused_by_name(tokenizer: Any, row: Row, reason: str) -> None:
    (refusal,) = tokenized(tokenizer, row)
    assert isinstance(refusal, Refusal)
    assert (refusal.sample, refusal.line) == ("s9", 9)
    assert reason in refusal.reason


def test_a_fully_masked_row_is_refused(tokenizer: Any) -> None:
    import copy

    other = copy.deepcopy(tokenizer)
    other.chat_template = "{% for m in messages %}{{ m.content }}{% generation %}{% endgeneration %}{% endfor %}"
    (refusal,) = tokenized(other, chat("hi", "x"))
    assert isinstance(refusal, Refusal)
    assert "fully masked" in refusal.reason


def test_refusals_stop_the_run_with_the_first_row_and_the_count() -> None:
    documents.refuse([], "train.jsonl")
    with pytest.raises(UserError, match=r"Sample a \(line 3 of train.jsonl\) is empty. 1 more") as caught:
        documents.refuse([Refusal("a", 3, "is empty"), Refusal("b", 4, "is empty")], "train.jsonl")
    assert "create the snapshot again" in caught.value.hint


def test_text_goes_on_in_the_next_document_and_ends_with_the_end_mark(tokenizer: Any) -> None:
    pieces = tokenized(tokenizer, Row("f", 1, text="func main() {}\n" * 30), "text", 32)
    good, bad = documents.split_refusals(pieces)
    assert not bad
    assert all(len(piece.ids) <= 32 and piece.trained.all() for piece in good)
    ids = np.concatenate([piece.ids for piece in good])
    assert tokenizer.decode(ids) == "func main() {}\n" * 30 + "<|end|>"
    (refusal,) = tokenized(tokenizer, Row("f", 1), "text")
    assert isinstance(refusal, Refusal)


def test_a_broken_line_is_a_refusal_and_not_a_crash(tmp_path: Path) -> None:
    path = tmp_path / "train.jsonl"
    good = {"sample": "u1", "messages": [{"role": "user", "content": "q"}, {"role": "assistant", "content": "a"}]}
    path.write_text(json.dumps(good) + '\n{"sample": "u2", "mess\n[1]\n{"messages": [{"role": "user"}]}\n')
    kinds = [type(row).__name__ for row in documents.read_rows(path)]
    assert kinds == ["Row", "Refusal", "Refusal", "Refusal"]
    with pytest.raises(UserError, match=r"nothing.jsonl cannot be read"):
        list(documents.read_rows(tmp_path / "nothing.jsonl"))


@given(st.integers(9, 60), st.integers(0, 5))
def test_rows_of_like_length_stay_together_and_none_is_lost(count: int, seed: int) -> None:
    items = [document(*range(2 + 7 * i % 50)) for i in range(count)]
    rows = data.sequences(items, packing=False, max_length=64, seed=seed)
    taken = [rows.at(step, 1)[0] for step in range(2 * count)]
    assert sorted(taken[:count]) == sorted(taken[count:]) == list(range(count)), "each epoch takes every row once"
    for start in range(0, count - count % data.GROUP, data.GROUP):
        lengths = sorted(len(items[i].ids) for i in taken[start : start + data.GROUP])
        every = sorted(len(item.ids) for item in items)
        place = every.index(lengths[0])
        assert lengths[-1] <= every[min(count - 1, place + 2 * data.GROUP)], "neighbours in length"
