"""Go source -> coloured runs, line by line. The lexer stays behind `go_runs`, so that another can take its place.

Runs are counted in UTF-16 units, because that is how Qt counts: an emoji in a string literal must not shift the colours
of the rest of its line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

Run = tuple[int, int, str]
"""start and length in UTF-16 units, and the kind: keyword, string, number, comment, builtin or type."""

Lexer = Callable[[str], Iterator[list[Run]]]

_FENCE = re.compile(r"^\s*(```+|~~~+)\s*([A-Za-z0-9_+-]*)")


def utf16_length(text: str) -> int:
    """How many UTF-16 units `text` takes in Qt."""
    return len(text) if text.isascii() else len(text) + sum(character > "\uffff" for character in text)


def go_runs(source: str) -> Iterator[list[Run]]:
    """The coloured runs of each line of `source`, one list a line. Broken Go is coloured as far as it goes."""
    from pygments.lexers.go import GoLexer
    from pygments.token import Comment, Keyword, Name, Number, String

    kinds = (
        (Keyword.Type, "type"),
        (Keyword, "keyword"),
        (Name.Builtin, "builtin"),
        (String, "string"),
        (Number, "number"),
        (Comment, "comment"),
    )
    line: list[Run] = []
    start = 0
    for token, value in GoLexer(stripnl=False, ensurenl=False).get_tokens(source):
        kind = next((kind for parent, kind in kinds if token in parent), "")
        first, *rest = value.split("\n")
        width = utf16_length(first)
        if kind and width:
            line.append((start, width, kind))
        start += width
        for piece in rest:
            yield line
            line, start = [], utf16_length(piece)
            if kind and start:
                line.append((0, start, kind))
    yield line


def markdown_runs(source: str) -> Iterator[list[Run]]:
    """The runs of an answer in Markdown: fenced Go is coloured, fences are dimmed, prose is left alone."""
    lines = source.split("\n")
    position = 0
    while position < len(lines):
        opening = _FENCE.match(lines[position])
        if opening is None:
            yield []
            position += 1
            continue
        end = next(
            (n for n in range(position + 1, len(lines)) if lines[n].strip().startswith(opening[1])),
            len(lines),
        )
        yield [(0, utf16_length(lines[position]), "comment")]
        inside = lines[position + 1 : end]
        if opening[2].lower() in ("go", "golang", "") and inside:
            yield from go_runs("\n".join(inside))
        else:
            yield from ([] for _ in inside)
        if end < len(lines):
            yield [(0, utf16_length(lines[end]), "comment")]
        position = end + 1
