"""Documents that lie end to end in one row neither see each other nor come out otherwise than alone; what cannot attend so keeps its own."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from core.engine import attention, data, model
from core.engine.attention import Documents
from core.engine.compute import Compute
from core.engine.model import Student
from core.engine.objective import hidden

CPU = Compute(torch.device("cpu"), torch.float32)


def tensors(tokens: int, heads: int, key_heads: int, width: int = 8) -> list[torch.Tensor]:
    chance = torch.Generator().manual_seed(tokens)
    shapes = [(1, count, tokens, width) for count in (heads, key_heads, key_heads)]
    return [torch.randn(shape, generator=chance, dtype=torch.float64, requires_grad=True) for shape in shapes]


def plain(
    query: torch.Tensor, key: torch.Tensor, value: torch.Tensor, lengths: tuple[int, ...], window: int | None
) -> torch.Tensor:
    """Softmax attention written out, with a mask over the whole row."""
    document = torch.repeat_interleave(torch.arange(len(lengths)), torch.tensor(lengths))
    place = torch.arange(len(document))
    seen = (document[:, None] == document[None]) & (place[None] <= place[:, None])
    if window is not None:
        seen &= place[:, None] - place[None] < window
    repeats = query.shape[1] // key.shape[1]
    key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    scores = (query @ key.transpose(-1, -2)) / query.shape[-1] ** 0.5
    return (scores.masked_fill(~seen, -torch.inf).softmax(-1) @ value).transpose(1, 2)


@settings(max_examples=40, deadline=None)
@given(
    st.lists(st.integers(1, 12), min_size=1, max_size=5),
    st.sampled_from([(1, 1), (4, 2), (4, 4)]),
    st.none() | st.integers(1, 6),
)
def test_it_is_masked_attention_forward_and_back(
    lengths: list[int], heads: tuple[int, int], window: int | None
) -> None:
    q, k, v = tensors(sum(lengths), *heads)
    documents = Documents.of(tuple(lengths), CPU.device)
    found, _ = attention.attend(None, q, k, v, None, documents=documents, sliding_window=window)
    wanted = plain(q, k, v, tuple(lengths), window)
    torch.testing.assert_close(found, wanted)
    back = torch.randn_like(wanted)
    for got, right in zip(
        torch.autograd.grad(found, (q, k, v), back), torch.autograd.grad(wanted, (q, k, v), back), strict=True
    ):
        torch.testing.assert_close(got, right)


@pytest.mark.parametrize("lengths", [(40, 30), (300, 40, 20), (270, 260)], ids=["short", "mixed", "long"])
def test_in_bf16_short_and_long_documents_come_out_as_in_fp64_but_for_rounding(lengths: tuple[int, ...]) -> None:
    exact = tensors(sum(lengths), 4, 2)
    rounded = [tensor.detach().bfloat16().requires_grad_() for tensor in exact]
    exact = [tensor.detach().double().requires_grad_() for tensor in rounded]
    documents = Documents.of(lengths, CPU.device)
    found, _ = attention.attend(None, *rounded, None, documents=documents)
    wanted = plain(*exact, lengths, None)
    assert found.dtype == torch.bfloat16
    back = torch.randn_like(wanted)
    got = torch.autograd.grad(found, rounded, back.bfloat16())
    for ours, right in zip((found, *got), (wanted, *torch.autograd.grad(wanted, exact, back)), strict=True):
        assert ours.dtype == torch.bfloat16
        torch.testing.assert_close(ours.double(), right, rtol=0.05, atol=0.02 * right.abs().max().item())


def test_mixed_precision_around_it_changes_nothing() -> None:
    """Autocast would make bf16 of what is fp32 by intention, and short documents slow."""
    lengths = (40, 300)
    rounded = [tensor.detach().bfloat16().requires_grad_() for tensor in tensors(sum(lengths), 4, 2)]
    documents = Documents.of(lengths, CPU.device)
    alone, _ = attention.attend(None, *rounded, None, documents=documents)
    with torch.autocast("cpu", torch.bfloat16):
        found, _ = attention.attend(None, *rounded, None, documents=documents)
    assert torch.equal(found, alone)
    back = torch.ones_like(alone)
    for ours, right in zip(
        torch.autograd.grad(found, rounded, back), torch.autograd.grad(alone, rounded, back), strict=True
    ):
        assert torch.equal(ours, right)


def test_where_documents_begin_is_told_in_running_sums() -> None:
    assert Documents.of((3, 1, 4), CPU.device).starts.tolist() == [0, 3, 4, 8]


@pytest.fixture
def student(base: Path, tokenizer: Any) -> Student:
    causal = model.load_causal(base, torch.float32, CPU.device)
    return Student(causal, causal, tokenizer, "full")


def test_no_token_of_another_document_changes_a_state(student: Student) -> None:
    model.probe(student, CPU, packing=True)
    assert student.flat
    ids = torch.randint(5, 300, (1, 17))
    positions = torch.cat([torch.arange(10), torch.arange(7)])[None]
    other = ids.clone()
    other[0, :10] = 7
    with torch.no_grad():
        one, two = (hidden(student.causal, data.Batch(each, positions, ids, (10, 7))) for each in (ids, other))
    assert torch.equal(one[:, 10:], two[:, 10:])
    assert not torch.equal(one[:, :10], two[:, :10])


def test_to_answer_the_model_attends_as_before(student: Student) -> None:
    model.probe(student, CPU, packing=True)
    ids = torch.randint(5, 300, (1, 6))
    with attention.own_attention(student.causal, "sdpa"):
        answer = student.causal.generate(input_ids=ids, max_new_tokens=3, do_sample=False, use_cache=True)
    assert answer.shape[1] > 6
    assert student.causal.config._attn_implementation == attention.NAME


def test_a_model_whose_attention_does_more_keeps_its_own(tokenizer: Any) -> None:
    from transformers import Gemma2Config, Gemma2ForCausalLM

    torch.manual_seed(0)
    shape = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "head_dim": 16}
    causal = Gemma2ForCausalLM(
        Gemma2Config(vocab_size=360, **shape, num_attention_heads=2, num_key_value_heads=2, attn_logit_softcapping=0.01)
    )
    capped = Student(causal, causal, tokenizer, "full")
    before = causal.config._attn_implementation
    model.probe(capped, CPU, packing=False)
    assert not capped.flat
    assert causal.config._attn_implementation == before


def test_a_row_without_padding_holds_what_the_padded_rows_hold() -> None:
    import numpy as np

    from core.engine.documents import Document

    items = [
        Document(f"s{i}", i, np.arange(i, i + length, dtype=np.int32), np.ones(length, np.bool_))
        for i, length in enumerate((3, 5, 2, 4))
    ]
    rows = data.Sequences(items, [(0, 2), (1,), (3,)], 0)
    flat, padded = rows.flatten([0, 1, 2]), rows.collate([0, 1, 2], pad=0)
    assert flat.ids.shape == (1, 14)
    assert flat.lengths == (3, 2, 5, 4)
    assert flat.positions.tolist() == [[0, 1, 2, 0, 1, 0, 1, 2, 3, 4, 0, 1, 2, 3]]
    wanted = padded.targets[padded.targets != data.IGNORE]
    assert flat.targets[flat.targets != data.IGNORE].tolist() == wanted.tolist()
    filled, wide = rows.flatten([0, 1, 2], 32), rows.collate([0, 1, 2], 0, 8)
    assert filled.ids.shape == (1, 32)
    assert filled.lengths == (3, 2, 5, 4, 18)
    assert torch.equal(filled.targets[filled.targets != data.IGNORE], flat.targets[flat.targets != data.IGNORE])
    assert wide.ids.shape == (3, 8)
    assert torch.equal(wide.targets[:, :5], padded.targets)
    assert (wide.targets[:, 5:] == data.IGNORE).all()


def test_what_fills_a_row_changes_neither_loss_nor_gradients(student: Student) -> None:
    model.probe(student, CPU, packing=False)
    assert student.flat
    ids = torch.randint(5, 300, (1, 20))
    positions = torch.tensor([[*range(12), *range(8)]])
    filled = data.Batch(
        torch.nn.functional.pad(ids, (0, 12)),
        torch.cat([positions, torch.arange(12)[None]], 1),
        torch.nn.functional.pad(ids, (0, 12), value=data.IGNORE),
        (12, 8, 12),
    )
    losses, gradients = [], []
    for batch in (data.Batch(ids, positions, ids, (12, 8)), filled):
        objective = student.objective(CPU)
        objective.zero_grad()
        losses.append(objective(batch))
        losses[-1].backward()
        gradients.append([p.grad.clone() for p in objective.parameters() if p.grad is not None])
    torch.testing.assert_close(losses[1], losses[0])
    for ours, right in zip(gradients[1], gradients[0], strict=True):
        torch.testing.assert_close(ours, right)
