"""Attention over documents that lie end to end in one row, without padding and without a mask.

    rows       [t1 t2 t3 | u1 u2 | v1 v2 v3 v4], lengths (3, 2, 4): every token attends to what came before it in its document
    on a GPU   one call for all documents, where this torch has it (`torch.nn.attention.varlen`)
    else       one call a document: what two documents would see of each other is never computed

A dense mask over packed rows costs the square of the row, and keeps the fast kernels from being used at all. The function is made known to
transformers by its public registry and chosen for one model (`attach`); `core.engine.model.probe` compares it with the model's own
attention on every start, so a model that needs something else (caps, sinks) keeps its own.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import pad, scaled_dot_product_attention

from kernels import trial

NAME = "documents"
SHORT = 256
"""Tokens up to which a CPU is quicker in fp32: forward and backward of 100 tokens take 0.46 ms, in bf16 1.48 ms (torch 2.13)."""
EVEN = 64
"""A multiple to which a CPU's half-precision documents are filled: a length never seen before costs 12 to 20 ms there. What is filled
in comes after everything, so nothing attends to it."""


@dataclass(frozen=True, slots=True)
class Documents:
    """Lengths of the documents of a row, in order. starts: [documents + 1] int32 on the device, where they begin and the last one ends."""

    lengths: tuple[int, ...]
    starts: Tensor

    @classmethod
    def of(cls, lengths: tuple[int, ...], device: torch.device) -> Documents:
        """For a row on `device`."""
        starts = torch.zeros(len(lengths) + 1, dtype=torch.int32)
        starts[1:] = torch.tensor(lengths, dtype=torch.int32).cumsum(0)
        return cls(lengths, starts.to(device, non_blocking=True))


def attach(causal: Any) -> None:
    """Let a model attend so; its forward pass must then be given `documents`."""
    from transformers import AttentionInterface

    AttentionInterface.register(NAME, attend)
    causal.set_attn_implementation(NAME)


def for_a_trial(device: torch.device) -> dict[str, Documents]:
    """What `attend` must be given besides what every attention is, for the few rows of `kernels.trial`."""
    return {"documents": Documents.of((trial.ROWS,), device)}


@contextmanager
def own_attention(causal: Any, name: str) -> Iterator[None]:
    """For as long as the block runs the model attends as it did before `attach`: to answer, with a cache."""
    used = causal.config._attn_implementation
    causal.set_attn_implementation(name)
    try:
        yield
    finally:
        causal.set_attn_implementation(used)


def attend(
    module: Any,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    _attention_mask: Tensor | None,
    *,
    documents: Documents,
    dropout: float = 0.0,
    scaling: float | None = None,
    sliding_window: int | None = None,
    **_others: Any,
) -> tuple[Tensor, None]:
    """query [1, heads, tokens, width], key and value [1, key heads, tokens, width] -> [1, tokens, heads, width]."""
    if query.is_cuda and dropout == 0.0:
        found = _in_one_call(query, key, value, documents, scaling, sliding_window)
        if found is not None:
            return found, None
    parts = _apart((query, key, value), documents.lengths)
    if not query.is_cuda and query.dtype.itemsize == 2 and min(documents.lengths) <= SHORT:
        # all at once, since a cast for each document costs more; long ones stay as they are
        precise = _apart((query.float(), key.float(), value.float()), documents.lengths)
        parts = [b if b[0].shape[2] <= SHORT else a for a, b in zip(parts, precise, strict=True)]
    with torch.autocast(query.device.type, enabled=False):  # it would cast back what is fp32 by intention
        answers = [_one(q, k, v, dropout, scaling, sliding_window) for q, k, v in parts]
    if len({answer.dtype for answer in answers}) > 1:
        answers = [answer.float() for answer in answers]
    return torch.cat(answers, dim=2).to(query.dtype).transpose(1, 2), None


def _apart(tensors: Sequence[Tensor], lengths: tuple[int, ...]) -> list[tuple[Tensor, ...]]:
    """The documents of several tensors [1, heads, tokens, width], one after the other."""
    return list(zip(*(torch.split(tensor, list(lengths), dim=2) for tensor in tensors), strict=True))


def _one(
    query: Tensor, key: Tensor, value: Tensor, dropout: float, scaling: float | None, window: int | None
) -> Tensor:
    grouped = query.shape[1] != key.shape[1]
    real = query.shape[2]
    if not query.is_cuda and query.dtype.itemsize == 2 and real % EVEN:
        query, key, value = (pad(part, (0, 0, 0, -real % EVEN)) for part in (query, key, value))
    length = query.shape[2]
    if window is not None and length > window:
        place = torch.arange(length, device=query.device)
        behind = place[:, None] - place[None, :]
        mask = (behind >= 0) & (behind < window)
        found = scaled_dot_product_attention(
            query, key, value, attn_mask=mask, dropout_p=dropout, scale=scaling, enable_gqa=grouped
        )
    else:
        found = scaled_dot_product_attention(
            query, key, value, is_causal=True, dropout_p=dropout, scale=scaling, enable_gqa=grouped
        )
    return found[:, :, :real]


def _in_one_call(
    query: Tensor, key: Tensor, value: Tensor, documents: Documents, scaling: float | None, window: int | None
) -> Tensor | None:
    """None where this torch or this number format cannot."""
    causal = _causal_option()
    if not causal or query.dtype not in (torch.bfloat16, torch.float16):
        return None
    if causal == "is_causal" and window is not None:
        return None
    from torch.nn.attention.varlen import varlen_attn

    if query.shape[1] != key.shape[1]:
        repeats = query.shape[1] // key.shape[1]
        key, value = key.repeat_interleave(repeats, 1), value.repeat_interleave(repeats, 1)
    longest = max(documents.lengths)
    behind = -1 if window is None else window - 1
    options: dict[str, Any] = {"is_causal": True} if causal == "is_causal" else {"window_size": (behind, 0)}
    q, k, v = (tensor[0].transpose(0, 1) for tensor in (query, key, value))
    out = varlen_attn(q, k, v, documents.starts, documents.starts, longest, longest, scale=scaling, **options)
    assert isinstance(out, Tensor)
    return out[None]


@functools.cache
def _causal_option() -> str:
    """How this torch's varlen_attn is told to look back only: it has been renamed since 2.10. "" where there is none."""
    try:
        from torch.nn.attention.varlen import varlen_attn
    except ImportError:
        return ""
    known = inspect.signature(varlen_attn).parameters
    return next((name for name in ("window_size", "is_causal") if name in known), "")
