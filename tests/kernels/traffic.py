"""Counting the bytes that a GPU program reads and writes, from the program itself, as Triton's interpreter runs it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from triton.runtime import interpreter


@dataclass(slots=True)
class Traffic:
    """moved: bytes of all reads and writes. places: addresses that were read, and that were written, with the bytes of each."""

    moved: int = 0
    read: dict[int, int] = field(default_factory=dict)
    written: dict[int, int] = field(default_factory=dict)

    @property
    def once(self) -> int:
        """Bytes when everything that is read again is still in the cache: what memory must move at the least."""
        return sum(self.read.values()) + sum(self.written.values())

    def add(self, places: dict[int, int], addresses: Any, mask: Any, size: int) -> None:
        """Note an access of `size` bytes at each address that the mask lets through."""
        for address in np.asarray(addresses)[np.asarray(mask, dtype=bool)].ravel().tolist():
            places[address] = size
            self.moved += size


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Traffic]:
    """The traffic of all programs that run in the block."""
    traffic = Traffic()
    builder = interpreter.InterpreterBuilder
    load, store = builder.create_masked_load, builder.create_masked_store

    def counting_load(self: Any, pointers: Any, mask: Any, *rest: Any) -> Any:
        found = load(self, pointers, mask, *rest)
        traffic.add(traffic.read, pointers.data, mask.data, found.data.dtype.itemsize)
        return found

    def counting_store(self: Any, pointers: Any, value: Any, mask: Any, *rest: Any) -> Any:
        traffic.add(traffic.written, pointers.data, mask.data, value.data.dtype.itemsize)
        return store(self, pointers, value, mask, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(builder, "create_masked_load", counting_load)
        patch.setattr(builder, "create_masked_store", counting_store)
        yield traffic
