"""What all commands about samples share: the workspace's database, and a search as it arrives from a shell."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from app.cli.output import Session
from core.samples import query


def query_of(words: Sequence[str]) -> query.Query:
    """The search that these words of a command line mean. Raises UserError where they are none."""
    return query.parse(" ".join(_requote(word) for word in words))


def _requote(word: str) -> str:
    """The shell took the quotes of `"free text"` away; give them back where they are needed."""
    spaced = " " in word and '"' not in word
    is_term = any(":" in part for part in word.split())
    return f'"{word}"' if spaced and not is_term else word


@contextmanager
def database(session: Session, *, readonly: bool = False) -> Iterator[sqlite3.Connection]:
    """A connection to the workspace's database, closed at the end."""
    with closing(session.workspace().connect(readonly=readonly)) as connection:
        yield connection
