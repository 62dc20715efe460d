"""A workspace's database with samples to judge."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

import pytest

from core.database import transaction
from core.samples import adding
from core.samples.conversation import Message, NewSample

Fill = Callable[..., tuple[int, ...]]


def sample(number: int, answer: str = "") -> NewSample:
    """Number {number} in the task, by which tests know it again."""
    code = f"package p{number}\n\nfunc F{number}() int {{ return {number} }}\n"
    text = answer or f"It returns {number}.\n\n```go\n{code}```\n"
    return NewSample((Message("user", f"Number {number}: write F{number}."), Message("assistant", text)))


@pytest.fixture
def fill(connection: sqlite3.Connection) -> Fill:
    """`fill(5)` adds five samples and returns their ids; `fill(answers=[…])` adds these."""
    start = 0

    def add(count: int = 0, answers: tuple[str, ...] = ()) -> tuple[int, ...]:
        nonlocal start
        new = [sample(start + n) for n in range(count)] + [sample(start + count + n, a) for n, a in enumerate(answers)]
        start += len(new)
        with transaction(connection):
            return adding.add(connection, new, author="test").ids

    return add
