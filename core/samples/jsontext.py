"""Records out of JSON text: a record a line, an array of them, or one object over many lines.

Streams: memory is bounded by one record, whatever the text's size. What is wrong with one line or element is reported with its number, and reading
goes on after it. Encodings: UTF-8 with or without a mark, UTF-16 and UTF-32 with one. Files and compression are `reading`'s business.
"""

from __future__ import annotations

import codecs
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, BinaryIO, NamedTuple

MAX_LINE = 16 << 20
"""Bytes; a longer line is no sample but an accident."""

_WIDE = {
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_PRETTY_LIMIT = 64 << 20
_CHUNK = 1 << 20
_OPEN, _BETWEEN, _NEXT_ELEMENT = re.compile(r"\s*\["), re.compile(r"[\s,]*"), re.compile(r"\n\s*\{")
_ESCAPED_BYTE = re.compile("[\udc80-\udcff]")


class Found(NamedTuple):
    """A record. line: where it begins, from 1; in parquet and arrow the row. value: any JSON value. position: bytes of the file read so far."""

    line: int
    value: Any
    position: int


@dataclass(frozen=True, slots=True)
class Bad:
    """A line that could not be read, and why, as a sentence without its stop."""

    line: int
    reason: str


class _BrokenError(ValueError):
    """A line that is JSON and yet unusable."""


def records(stream: BinaryIO, tell: Callable[[], int]) -> Iterator[Found | Bad]:
    """Every record of a text. stream: buffered, with `peek`. tell: how many bytes of the file were read. Nothing for a text without records."""
    head = stream.peek(4096)  # type: ignore[attr-defined]
    wide = next((encoding for mark, encoding in _WIDE.items() if head.startswith(mark)), None)
    if wide:
        with io.TextIOWrapper(stream, encoding=wide, errors="replace", newline="\n") as text:
            if head.decode(wide, "ignore").lstrip().startswith("["):
                yield from _array(iter(lambda: text.read(_CHUNK), ""), tell)
            else:
                yield from _texts(_text_lines(text), tell)
        return
    if head.startswith(codecs.BOM_UTF8):
        stream.read(3)
    if head.removeprefix(codecs.BOM_UTF8).lstrip().startswith(b"["):
        decoder = codecs.getincrementaldecoder("utf-8")("surrogateescape")
        yield from _array(map(decoder.decode, iter(lambda: stream.read(_CHUNK), b"")), tell)
    else:
        yield from _texts(_byte_lines(stream), tell)


Line = tuple[int, str]


def _texts(lines: Iterator[Line | Bad], tell: Callable[[], int]) -> Iterator[Found | Bad]:
    """Records of a file that is no array."""
    first = next(lines, None)
    while first is not None and not isinstance(first, Bad) and not first[1].strip():
        first = next(lines, None)
    if first is None:
        return
    if not isinstance(first, Bad) and first[1].strip() == "{":
        yield from _document(first, lines, tell)
    else:
        yield from _line_records(first, lines, tell)


def _byte_lines(file: BinaryIO) -> Iterator[Line | Bad]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith(b"\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith(b"\n"):
                pass
            yield Bad(number, f"the line is longer than {MAX_LINE >> 20} MB")
            continue
        try:
            yield number, line.decode("utf-8")
        except UnicodeDecodeError as error:
            yield Bad(number, f"the text is not UTF-8 (byte {error.start + 1} of the line); save the file as UTF-8")


def _text_lines(file: io.TextIOWrapper) -> Iterator[Line | Bad]:
    number = 0
    while line := file.readline(MAX_LINE):
        number += 1
        if len(line) == MAX_LINE and not line.endswith("\n"):
            while (rest := file.readline(MAX_LINE)) and not rest.endswith("\n"):
                pass
            yield Bad(number, f"the line is longer than {MAX_LINE >> 20} MB")
        else:
            yield number, line


def _line_records(first: Line | Bad, lines: Iterator[Line | Bad], tell: Callable[[], int]) -> Iterator[Found | Bad]:
    line: Line | Bad | None = first
    while line is not None:
        if isinstance(line, Bad):
            yield line
        elif line[1].strip():
            try:
                yield Found(line[0], _loads(line[1]), tell())
            except (ValueError, RecursionError) as error:
                yield Bad(line[0], _why(error, line[1]))
        line = next(lines, None)


def _why(error: ValueError | RecursionError, text: str, *, line: bool = True) -> str:
    """line: `text` is the line, so that a character in it can be named."""
    if isinstance(error, _BrokenError):
        return str(error)
    if isinstance(error, RecursionError):
        return "the JSON is nested too deeply"
    if isinstance(error, json.JSONDecodeError):
        if error.pos >= len(text.rstrip()) or error.msg.startswith("Unterminated"):
            return "the JSON is cut off: it does not end"
        place = f" at character {error.pos + 1}" if line else ""
        return f"this is not JSON: {error.msg[0].lower()}{error.msg[1:]}{place}"
    return "this is not JSON: a number has too many digits"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    record = dict(pairs)
    if len(record) != len(pairs):
        keys = [key for key, _ in pairs]
        twice = next(key for key in keys if keys.count(key) > 1)
        raise _BrokenError(f"the key “{twice[:40]}” comes twice")
    return record


_DECODER = json.JSONDecoder(object_pairs_hook=_once)


def _loads(text: str) -> Any:
    return _DECODER.decode(text)


def _document(first: Line, lines: Iterator[Line | Bad], tell: Callable[[], int]) -> Iterator[Found | Bad]:
    """One JSON object written over many lines: a record, or an object that holds the list of records."""
    parts, size = [first[1]], 0
    for line in lines:
        if isinstance(line, Bad):
            yield line
            return
        parts.append(line[1])
        size += len(line[1])
        if size > _PRETTY_LIMIT:
            yield Bad(first[0], "this is one JSON object over many lines, too large to be one; write one sample a line")
            return
    text = "".join(parts)
    try:
        value = _loads(text)
    except (ValueError, RecursionError) as error:
        yield Bad(first[0], f"this is one JSON object over many lines, and {_why(error, text, line=False)}")
        return
    held = [
        entry
        for entry in value.values()
        if isinstance(entry, list) and entry and all(isinstance(row, dict) for row in entry)
    ]
    if len(value) == 1 and held:
        yield from (Found(first[0], row, tell()) for row in held[0])
    else:
        yield Found(first[0], value, tell())


def _array(chunks: Iterator[str], tell: Callable[[], int]) -> Iterator[Found | Bad]:
    """The elements of a JSON array, one after the other. After one that cannot be read, reading goes on at the next line that begins with `{`."""
    text, at, line, ended = next(chunks), 0, 1, False

    def more() -> bool:
        nonlocal text, at
        chunk = next(chunks, None)
        if chunk is not None:
            text, at = text[at:] + chunk, 0
        return chunk is not None

    def skip(pattern: re.Pattern[str]) -> None:
        nonlocal at, line
        found = pattern.match(text, at)
        assert found is not None
        line += text.count("\n", at, found.end())
        at = found.end()

    skip(_OPEN)
    while True:
        skip(_BETWEEN)
        if at == len(text):
            if not more():
                if not ended:
                    yield Bad(line, "the file is cut off: the JSON array does not end")
                return
        elif text[at] == "]" and not ended:
            at, ended = at + 1, True
        elif ended:
            yield Bad(line, "there is more after the end of the JSON array; it was left out")
            return
        else:
            try:
                value, end = _DECODER.raw_decode(text, at)
            except (ValueError, RecursionError) as error:
                if _may_go_on(error, text) and len(text) - at <= MAX_LINE and more():
                    continue
                yield Bad(line, _why(error, text, line=False))
                resumed = _NEXT_ELEMENT.search(text, at)
                while resumed is None and more():
                    resumed = _NEXT_ELEMENT.search(text, at)
                    at = max(at, len(text) - 4096)
                if resumed is None:
                    return
                line += text.count("\n", at, resumed.end())
                at = resumed.end() - 1
                continue
            if _ESCAPED_BYTE.search(text, at, end):
                yield Bad(line, "the text is not UTF-8; save the file as UTF-8")
            else:
                yield Found(line, value, tell())
            line += text.count("\n", at, end)
            at = end


def _may_go_on(error: ValueError | RecursionError, text: str) -> bool:
    """Whether the element may just not be all there yet."""
    return isinstance(error, json.JSONDecodeError) and (
        error.pos >= len(text) - 16 or error.msg.startswith("Unterminated")
    )
