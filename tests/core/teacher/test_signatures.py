"""Signatures kept between jobs are those that would be made, whoever made them."""

from __future__ import annotations

import sqlite3
from pathlib import Path

import numpy as np
import pytest

from core.database import transaction
from core.samples import adding, minhash
from core.samples.conversation import Message, NewSample
from core.teacher import signatures
from tests.core.teacher.scripted import code, task


def fill(connection: sqlite3.Connection, numbers: range) -> None:
    with transaction(connection):
        new = [
            NewSample((Message("user", task(n)), Message("assistant", f"```go\n{code(n)}```" if n % 3 else "No code.")))
            for n in numbers
        ]
        adding.add(connection, new, author="test")


def expected(text: str) -> list[int]:
    made: list[int] = minhash.signatures([minhash.shingles(text)], minhash.PERMUTATIONS)[0].tolist()
    return made


def test_kept_ones_are_used_and_new_ones_are_added(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(signatures, "KEEP_FROM", 10)
    fill(connection, range(5))
    assert signatures.of_samples(connection, 100).ids.tolist() == [5, 4, 3, 2, 1]
    assert not (tmp_path / "cache").exists()
    fill(connection, range(5, 30))
    first = signatures.of_samples(connection, 100)
    fill(connection, range(30, 40))
    computed: list[int] = []
    really = signatures._computed

    def counting(connection: sqlite3.Connection, versions: list[int]) -> signatures.Signatures:
        computed.extend(versions)
        return really(connection, versions)

    monkeypatch.setattr(signatures, "_computed", counting)
    second = signatures.of_samples(connection, 100)
    assert sorted(computed) == list(range(31, 41))
    assert np.array_equal(second.tasks[10:], first.tasks)
    assert second.ids.tolist() == list(range(40, 0, -1))
    assert second.tasks[0].tolist() == expected(task(39))
    assert second.codes[2].tolist() == expected(code(37))
    assert not second.codes[0].any()
    assert signatures.of_samples(connection, 7).ids.tolist() == list(range(40, 33, -1))


def test_a_damaged_file_is_made_again(
    tmp_path: Path, connection: sqlite3.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GOSMITH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(signatures, "KEEP_FROM", 10)
    fill(connection, range(12))
    first = signatures.of_samples(connection, 100)
    (place,) = (tmp_path / "cache" / "teacher").iterdir()
    whole = place.read_bytes()
    for damage in (b"", b"PK nonsense", whole[: len(whole) // 2]):
        place.write_bytes(damage)
        assert np.array_equal(signatures.of_samples(connection, 100).tasks, first.tasks)
        assert place.stat().st_size == len(whole)
