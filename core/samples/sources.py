"""Files of samples, read into what the database stores, batch by batch.

What is no sample is named with file, line and reason. Nothing here writes, and nothing knows in which process it runs: that is `reader`'s business.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from pathlib import Path

from core.samples import reading
from core.samples.adding import Prepared, prepare
from core.samples.conversation import NewSample
from core.samples.formats import NotASampleError, parse, shape_of
from core.samples.jsontext import Bad, Found

BATCH = 4_000
"""Samples that are stored and acknowledged together; a decision waits for one batch at most, a fifth of a second."""
_FIRST = 500
"""So many in the first batch, then twice as many each time: whoever stores need not wait long for something to do."""
_BATCH_CHARACTERS = 16 << 20
DEFAULT_SOURCE = "imported"


@dataclass(frozen=True, slots=True)
class Rejected:
    """A row that is no sample. line: from 1; the row in parquet; 0 for the whole file."""

    file: Path
    line: int
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """What came next. position: bytes of all files read so far."""

    new: list[Prepared]
    rejected: list[Rejected]
    position: int


@dataclass(frozen=True, slots=True)
class Source:
    """A file that can be read. forced: the user named the shape, so rows of another one are rejected."""

    path: Path
    shape: str
    forced: bool
    size: int

    def samples(self) -> Iterator[tuple[NewSample, int] | Rejected]:
        """Samples with the bytes read so far, and rows that are none."""
        for item in reading.read(self.path):
            if isinstance(item, Bad):
                yield Rejected(self.path, item.line, item.reason)
            else:
                yield self._sample(item)

    def _sample(self, found: Found) -> tuple[NewSample, int] | Rejected:
        if not isinstance(found.value, dict):
            return Rejected(self.path, found.line, "the row is no JSON object")
        shape = self.shape if self.forced else shape_of(found.value) or self.shape
        try:
            return parse(found.value, shape), found.position
        except NotASampleError as error:
            return Rejected(self.path, found.line, str(error))


@dataclass(frozen=True, slots=True)
class Order:
    """What to read. source: who wrote the samples, "" to believe the rows. tags: given to each, besides its own."""

    files: tuple[Source, ...]
    source: str
    tags: tuple[str, ...]

    @property
    def size(self) -> int:
        """Bytes of all files."""
        return sum(file.size for file in self.files)


def batches(order: Order) -> Generator[Batch, None, None]:
    """All of it, in order. Raises UserError when a file stops being readable."""
    new: list[Prepared] = []
    rejected: list[Rejected] = []
    before = characters = position = 0
    wanted = _FIRST
    for file in order.files:
        for item in file.samples():
            if isinstance(item, Rejected):
                rejected.append(item)
            else:
                sample, read = item
                tags = tuple(dict.fromkeys((*sample.tags, *order.tags))) if order.tags else sample.tags
                source = order.source or sample.source or DEFAULT_SOURCE
                prepared = prepare(sample.messages, sample.topic, source, tags)
                new.append(prepared)
                characters += len(prepared.text.prompt) + len(prepared.text.response)
                position = min(before + read, order.size)
            if len(new) + len(rejected) >= wanted or characters >= _BATCH_CHARACTERS:
                yield Batch(new, rejected, position)
                new, rejected, characters, wanted = [], [], 0, min(2 * wanted, BATCH)
        before += file.size
    if new or rejected:
        yield Batch(new, rejected, order.size)
