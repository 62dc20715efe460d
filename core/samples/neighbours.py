"""The samples whose words are most like those of a text, from the full-text index alone (BM25, Robertson and Zaragoza 2009).

For examples to show a model and for near copies of one text. Words that half the world uses decide nothing and cost most, so only the rarest of
the text are asked for. Nothing is learned, nothing is stored.
"""

from __future__ import annotations

import re
import sqlite3
from typing import Final

from core.samples.query import Query, select

MOST_WORDS: Final = 24
_WORD = re.compile(r"\w+")
_COMMON: Final = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "can",
        "code",
        "for",
        "from",
        "func",
        "function",
        "go",
        "golang",
        "has",
        "have",
        "how",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "let",
        "make",
        "me",
        "my",
        "no",
        "not",
        "of",
        "on",
        "one",
        "or",
        "package",
        "please",
        "return",
        "returns",
        "should",
        "so",
        "string",
        "int",
        "error",
        "err",
        "nil",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "true",
        "type",
        "use",
        "using",
        "var",
        "want",
        "was",
        "we",
        "what",
        "when",
        "which",
        "who",
        "will",
        "with",
        "write",
        "you",
        "your",
    ]
)


def words_of(text: str) -> tuple[str, ...]:
    """The words of a text that say what it is about, each once, the longest first: as a rule those are the rarest."""
    found = dict.fromkeys(word.lower() for word in _WORD.findall(text) if len(word) > 1 and not word.isdecimal())
    return tuple(sorted((word for word in found if word not in _COMMON), key=lambda word: -len(word))[:MOST_WORDS])


def nearest(connection: sqlite3.Connection, text: str, number: int, query: Query | None = None) -> list[int]:
    """Ids of at most so many samples that `query` finds (default: all that are not deleted), the nearest first; [] where no word is shared.

    A word in the prompt counts twice one in the answer.
    """
    words = words_of(text)
    if not words:
        return []
    sql, parameters = select(query or Query(), ordered=False)
    match = " OR ".join(f'"{word}"' for word in words)
    rows = connection.execute(
        f"""
        WITH hit AS (SELECT rowid AS version, bm25(words, 2.0, 1.0) AS rank FROM words WHERE words MATCH ?)
        SELECT s.id FROM hit JOIN sample s ON s.version_id = hit.version
        WHERE s.id IN ({sql}) ORDER BY hit.rank, s.id LIMIT ?
        """,
        (match, *parameters, number),
    )
    return [key for (key,) in rows]
