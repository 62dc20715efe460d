"""From a snapshot's JSON lines to the batch of step k, which depends on the seed and on k and on nothing else.

    rows -> documents (ids + trained marks) -> sequences (best-fit packing, or one document each) -> batch of a step

A row that would teach nothing (empty, cut to nothing, fully masked) is refused by name before the first step; none is
dropped in silence. The batch of a step is the same for any number of processes: they share it out (`share`).
"""

from __future__ import annotations

import hashlib
import json
import random
from bisect import bisect_left, insort
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from core.engine import template
from core.errors import UserError
from kernels.reference import IGNORE


@dataclass(frozen=True, slots=True)
class Row:
    """A line of a snapshot. Either messages (a conversation) or text (a file) is there."""

    sample: str
    line: int
    messages: tuple[Mapping[str, str], ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What attention may see as one: a conversation, or a piece of a text.

    ids: [length] int32. trained: [length] bool. cut: tokens that did not fit.
    """

    sample: str
    line: int
    ids: NDArray[np.int32]
    trained: NDArray[np.bool_]
    cut: int = 0

    @property
    def targets(self) -> int:
        """Trained tokens: the first token of a document has nothing before it to be predicted from."""
        return int(self.trained[1:].sum())


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that would teach nothing, and why."""

    sample: str
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to one length; all tensors are [sequences, length] int64.

    positions start again at every document: that is what keeps documents apart, see `Student.hidden`.
    targets[i] is the token after ids[i], or IGNORE: already shifted, and never across documents.
    """

    ids: Tensor
    positions: Tensor
    targets: Tensor

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`."""
        return Batch(self.ids.to(device), self.positions.to(device), self.targets.to(device))


def read_rows(path: Path) -> Iterator[Row | Refusal]:
    """The lines of train.jsonl or validation.jsonl: {"sample", "messages": [...]} or {"sample", "text"}."""
    try:
        lines = path.open(encoding="utf-8")
    except OSError as error:
        raise UserError(
            f"The snapshot's {path.name} cannot be read: {error.strerror}.", "Create the snapshot again."
        ) from error
    with lines:
        for number, line in enumerate(lines, start=1):
            try:
                raw = json.loads(line)
                sample = str(raw.get("sample", f"line {number}"))
                messages = tuple(
                    {"role": str(m["role"]), "content": str(m["content"] or "")} for m in raw.get("messages", ())
                )
                yield Row(sample, number, messages, str(raw.get("text", "")))
            except (ValueError, KeyError, TypeError, AttributeError) as error:
                yield Refusal(f"line {number}", number, f"is not a sample: {error}")


def documents(
    rows: Iterable[Row | Refusal], tokenizer: Any, objective: str, max_length: int
) -> Iterator[Document | Refusal]:
    """Tokenize. objective "sft" trains what the assistant says and cuts at max_length; "text" trains every token and goes on
    in a new document where a text is longer."""
    for row in rows:
        if isinstance(row, Refusal):
            yield row
        elif objective == "text":
            yield from _text_documents(row, tokenizer, max_length)
        else:
            yield _conversation(row, tokenizer, max_length)


def _text_documents(row: Row, tokenizer: Any, max_length: int) -> Iterator[Document | Refusal]:
    text = row.text or "\n\n".join(message["content"] for message in row.messages)
    if not text.strip():
        yield Refusal(row.sample, row.line, "is empty")
        return
    ids = np.asarray(template.encode_text(tokenizer, text), dtype=np.int32)
    for start in range(0, len(ids), max_length):
        piece = ids[start : start + max_length]
        if len(piece) > 1:
            yield Document(row.sample, row.line, piece, np.ones(len(piece), dtype=np.bool_))


def _conversation(row: Row, tokenizer: Any, max_length: int) -> Document | Refusal:
    answers = [message for message in row.messages if message["role"] == "assistant"]
    if not row.messages:
        return Refusal(row.sample, row.line, "is empty")
    if not answers:
        return Refusal(row.sample, row.line, "has no answer of the assistant, so nothing to learn")
    if not any(answer["content"].strip() for answer in answers):
        return Refusal(row.sample, row.line, "has an empty answer")
    control = template.control_token_in(tokenizer, row.messages)
    if control is not None:
        return Refusal(row.sample, row.line, f"contains “{control}”, which this tokenizer reads as a mark of its own")
    try:
        encoded = template.encode_conversation(tokenizer, row.messages)
    except UserError as error:
        return Refusal(row.sample, row.line, f"cannot be rendered: {error.message}")
    whole = Document(row.sample, row.line, np.asarray(encoded.ids, np.int32), np.asarray(encoded.trained, np.bool_))
    if whole.targets == 0:
        return Refusal(row.sample, row.line, "is fully masked: the chat template marks no token of the answer")
    if len(whole.ids) <= max_length:
        return whole
    cut = len(whole.ids) - max_length
    kept = Document(row.sample, row.line, whole.ids[:max_length], whole.trained[:max_length], cut)
    if kept.targets == 0:
        return Refusal(
            row.sample,
            row.line,
            f"is cut to nothing: the answer begins after token {int(np.argmax(whole.trained)):,}, and max_length is {max_length:,}",
        )
    return kept


def split_refusals(items: Iterable[Document | Refusal]) -> tuple[list[Document], list[Refusal]]:
    """Documents and refusals apart, orders kept."""
    good: list[Document] = []
    bad: list[Refusal] = []
    for item in items:
        if isinstance(item, Refusal):
            bad.append(item)
        else:
            good.append(item)
    return good, bad


def refuse(refusals: Sequence[Refusal], where: str) -> None:
    """Raise a UserError that names the first refused row and counts the others."""
    if not refusals:
        return
    first = refusals[0]
    more = f" {len(refusals) - 1:,} more are refused too." if len(refusals) > 1 else ""
    raise UserError(
        f"Sample {first.sample} (line {first.line} of {where}) {first.reason}.{more}",
        "Leave these samples out or edit them, and create the snapshot again; a preview of the run lists them all.",
    )


def pack(lengths: Sequence[int], capacity: int) -> list[tuple[int, ...]]:
    """Best-fit decreasing: put each document, longest first, where the least room is left. Returns indices by sequence.

    Documents are never cut. Within 22 % of the best possible count (Johnson 1973), in O(n log n) comparisons.
    """
    bins: list[list[int]] = []
    room: list[tuple[int, int]] = []  # (free tokens, bin), sorted
    for index in sorted(range(len(lengths)), key=lambda i: (-lengths[i], i)):
        length = lengths[index]
        if length > capacity:
            raise ValueError(f"document {index} has {length} tokens, a sequence {capacity}")
        spot = bisect_left(room, (length, -1))
        if spot < len(room):
            free, target = room.pop(spot)
        else:
            free, target = capacity, len(bins)
            bins.append([])
        bins[target].append(index)
        insort(room, (free - length, target))
    return [tuple(members) for members in bins]


@dataclass(frozen=True, slots=True)
class Sequences:
    """What is trained on, in training order. members: document indices of each sequence."""

    documents: Sequence[Document]
    members: Sequence[tuple[int, ...]]
    seed: int

    def length(self, sequence: int) -> int:
        """Tokens of a sequence, without padding."""
        return sum(len(self.documents[i].ids) for i in self.members[sequence])

    def targets(self, sequences: Iterable[int]) -> int:
        """Trained tokens of these sequences."""
        return sum(self.documents[i].targets for sequence in sequences for i in self.members[sequence])

    def fingerprint(self) -> str:
        """16 hex digits of everything that decides what a step trains on."""
        digest = hashlib.sha256(f"{self.seed}/{list(self.members)}".encode())
        for document in self.documents:
            digest.update(document.ids.tobytes() + document.trained.tobytes())
        return digest.hexdigest()[:16]

    def at(self, step: int, size: int) -> list[int]:
        """The `size` sequences of a step (from 0), longest first. Epochs follow each other without a gap."""
        count = len(self.members)
        places = range(step * size, (step + 1) * size)
        orders = {epoch: _order(count, self.seed, epoch) for epoch in {place // count for place in places}}
        chosen = [orders[place // count][place % count] for place in places]
        return sorted(chosen, key=lambda sequence: -self.length(sequence))

    def collate(self, sequences: Sequence[int], pad: int) -> Batch:
        """Pad to the longest on the right. Padding prolongs the last document: attention looks back, so nothing sees it."""
        width = max(self.length(sequence) for sequence in sequences)
        ids = np.full((len(sequences), width), pad, dtype=np.int64)
        positions = np.zeros((len(sequences), width), dtype=np.int64)
        targets = np.full((len(sequences), width), IGNORE, dtype=np.int64)
        for row, sequence in enumerate(sequences):
            at = length = 0
            for index in self.members[sequence]:
                document = self.documents[index]
                length = len(document.ids)
                end = at + length
                ids[row, at:end] = document.ids
                positions[row, at:end] = np.arange(length)
                targets[row, at : end - 1] = np.where(document.trained[1:], document.ids[1:], IGNORE)
                at = end
            positions[row, at:] = np.arange(length, length + width - at)
        return Batch(torch.from_numpy(ids), torch.from_numpy(positions), torch.from_numpy(targets))


def sequences(items: Sequence[Document], *, packing: bool, max_length: int, seed: int) -> Sequences:
    """Pack, or give every document a sequence of its own."""
    members = pack([len(item.ids) for item in items], max_length) if packing else [(i,) for i in range(len(items))]
    return Sequences(items, members, seed)


def share(chosen: Sequence[int], rank: int, size: int, micro: int) -> list[Sequence[int]]:
    """This process's part of a step's sequences, as micro-batches. With few sequences some processes have none."""
    mine = chosen[rank::size]
    return [mine[start : start + micro] for start in range(0, len(mine), micro)]


def _order(count: int, seed: int, epoch: int) -> list[int]:
    order = list(range(count))
    random.Random(f"{seed}/{epoch}").shuffle(order)
    return order
