"""From documents to the batch of step k, which depends on the seed and on k and on nothing else.

    documents -> sequences (best-fit packing, or one document each, grouped by length) -> batch of a step

The batch of a step is the same for any number of processes: they share it out (`core.engine.parallel.share`).
"""

from __future__ import annotations

import hashlib
import random
from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from torch import Tensor

from core.engine.documents import Document
from kernels.reference import IGNORE

GROUP = 8
"""Rows of like length that stay together where they are padded. The same for every micro-batch, so that accumulation changes
no step."""
WINDOW = 64 * GROUP
"""Rows that are sorted by length together."""


@dataclass(frozen=True, slots=True)
class Batch:
    """Sequences padded to one length, or end to end in one row; all tensors are [rows, length] int64.

    positions start again at every document: that keeps documents apart where they are padded, see `objective.hidden`.
    targets[i] is the token after ids[i], or IGNORE: already shifted, and never across documents.
    lengths: of the documents of a row without padding; () for padded sequences. kept: [n], the flat places of real targets; None
    where they were not looked for yet.
    """

    ids: Tensor
    positions: Tensor
    targets: Tensor
    lengths: tuple[int, ...] = ()
    kept: Tensor | None = None

    def to(self, device: torch.device) -> Batch:
        """The same batch on `device`. Real targets are looked for here: on a GPU everybody would wait for their number."""
        kept = (self.targets.flatten() != IGNORE).nonzero().squeeze(1)
        ids, positions, targets, kept = (part.to(device) for part in (self.ids, self.positions, self.targets, kept))
        return Batch(ids, positions, targets, self.lengths, kept)


def filler(*, flat: bool) -> Batch:
    """A batch that teaches nothing, for a process without rows where all must run the model equally often."""
    ids, positions, targets = (torch.full((1, 2), value, dtype=torch.int64) for value in (0, 0, IGNORE))
    positions[0, 1] = 1
    return Batch(ids, positions, targets, (2,) if flat else ())


def even(tokens: int) -> int:
    """The next larger of few sizes: eight between a number and its double, so that at most an eighth is padding."""
    step = max(32, 1 << max(0, tokens.bit_length() - 4))
    return -(-tokens // step) * step


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
    """What is trained on, in training order. members: document indices of each sequence. group: how many sequences of like
    length stay together, 1 for none."""

    documents: Sequence[Document]
    members: Sequence[tuple[int, ...]]
    seed: int
    group: int = 1
    _orders: dict[int, list[int]] = field(default_factory=dict, repr=False, compare=False)

    def length(self, sequence: int) -> int:
        """Tokens of a sequence, without padding."""
        return sum(len(self.documents[i].ids) for i in self.members[sequence])

    def targets(self, sequences: Iterable[int]) -> int:
        """Trained tokens of these sequences."""
        return sum(self.documents[i].targets for sequence in sequences for i in self.members[sequence])

    def mean_context(self) -> float:
        """How many tokens a token attends to, on average: half of its document."""
        lengths = np.asarray([len(document.ids) for document in self.documents], dtype=np.float64)
        return float((lengths**2).sum() / lengths.sum() / 2)

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
        chosen = [self._order(place // count)[place % count] for place in places]
        return sorted(chosen, key=lambda sequence: -self.length(sequence))

    def _order(self, epoch: int) -> list[int]:
        """The sequences of an epoch: shuffled; then, where they are grouped, sorted by length within large windows and the groups
        shuffled again, so that a micro-batch has little padding and a step still has short and long rows."""
        known = self._orders.get(epoch)
        if known is not None:
            return known
        chance = random.Random(f"{self.seed}/{epoch}")
        order = list(range(len(self.members)))
        chance.shuffle(order)
        if self.group > 1:
            order = [
                item
                for start in range(0, len(order), WINDOW)
                for item in sorted(order[start : start + WINDOW], key=self.length)
            ]
            groups = [order[start : start + self.group] for start in range(0, len(order), self.group)]
            last = [groups.pop()] if len(groups[-1]) < self.group else []
            chance.shuffle(groups)
            order = [item for group in groups + last for item in group]
        for old in [kept for kept in self._orders if kept < epoch - 1]:
            del self._orders[old]
        self._orders[epoch] = order
        return order

    def flatten(self, sequences: Sequence[int], width: int = 0) -> Batch:
        """All documents of these sequences end to end in one row. width: tokens up to which a document that teaches nothing
        fills it; 0 for not one number of padding."""
        items = [self.documents[i] for sequence in sequences for i in self.members[sequence]]
        lengths = tuple(len(item.ids) for item in items)
        if (rest := width - sum(lengths)) > 0:
            lengths += (rest,)
        ids = np.zeros(sum(lengths), dtype=np.int64)
        positions = np.concatenate([np.arange(length) for length in lengths])
        targets = np.full(len(ids), IGNORE, dtype=np.int64)
        at = 0
        for item in items:
            end = at + len(item.ids)
            ids[at:end] = item.ids
            targets[at : end - 1] = np.where(item.trained[1:], item.ids[1:], IGNORE)
            at = end
        rows = [torch.from_numpy(array)[None] for array in (ids, positions, targets)]
        return Batch(rows[0], rows[1], rows[2], lengths)

    def collate(self, sequences: Sequence[int], pad: int, width: int = 0) -> Batch:
        """Pad on the right, to the longest or to `width`. Padding prolongs the last document: attention looks back, so nothing
        sees it."""
        width = max(width, *(self.length(sequence) for sequence in sequences))
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
    """Pack; or give every document a sequence of its own, those of like length side by side."""
    if packing:
        return Sequences(items, pack([len(item.ids) for item in items], max_length), seed)
    return Sequences(items, [(i,) for i in range(len(items))], seed, GROUP)
