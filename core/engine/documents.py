"""From a snapshot's JSON lines to documents: token ids with a mark on every token that is trained.

    lines -> rows -> whole documents (dear, kept by `core.engine.token_cache`) -> documents that fit into max_length (cheap)

A row that would teach nothing (empty, cut to nothing, fully masked) is refused by name before the first step; none is
dropped in silence.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from core.engine import template
from core.errors import UserError

if TYPE_CHECKING:  # so that the engine's parts can be used where pydantic is not
    from core.training.sections import DataSection


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


def encode(rows: Iterable[Row | Refusal], tokenizer: Any, section: DataSection) -> Iterator[Document | Refusal]:
    """Tokenize whole rows. objective "sft" trains what the assistant says, in every turn or the last; "text" trains every token."""
    for row in rows:
        if isinstance(row, Refusal):
            yield row
        elif section.objective == "text":
            yield _text(row, tokenizer)
        else:
            yield _conversation(row, tokenizer, last=section.turns == "last")


def fit(items: Iterable[Document | Refusal], section: DataSection) -> Iterator[Document | Refusal]:
    """Make documents no longer than max_length: conversations are cut, texts go on in a new document."""
    for item in items:
        if isinstance(item, Refusal) or len(item.ids) <= section.max_length:
            yield item
        elif section.objective == "text":
            yield from _pieces(item, section.max_length)
        else:
            yield _cut(item, section.max_length)


def _text(row: Row, tokenizer: Any) -> Document | Refusal:
    text = row.text or "\n\n".join(message["content"] for message in row.messages)
    if not text.strip():
        return Refusal(row.sample, row.line, "is empty")
    ids = np.asarray(template.encode_text(tokenizer, text), dtype=np.int32)
    if len(ids) < 2:
        return Refusal(row.sample, row.line, "is one token long, so there is nothing to predict")
    return Document(row.sample, row.line, ids, np.ones(len(ids), dtype=np.bool_))


def _pieces(whole: Document, max_length: int) -> Iterator[Document]:
    for start in range(0, len(whole.ids), max_length):
        piece = whole.ids[start : start + max_length]
        if len(piece) > 1:
            yield Document(whole.sample, whole.line, piece, np.ones(len(piece), dtype=np.bool_))


def _conversation(row: Row, tokenizer: Any, *, last: bool) -> Document | Refusal:
    answers = [message for message in row.messages if message["role"] == "assistant"]
    if not row.messages:
        return Refusal(row.sample, row.line, "is empty")
    if not answers:
        return Refusal(row.sample, row.line, "has no answer of the assistant, so nothing to learn")
    if not any(answer["content"].strip() for answer in (answers[-1:] if last else answers)):
        return Refusal(row.sample, row.line, "has an empty answer")
    control = template.control_token_in(tokenizer, row.messages)
    if control is not None:
        return Refusal(row.sample, row.line, f"contains “{control}”, which this tokenizer reads as a mark of its own")
    try:
        encoded = template.encode_conversation(tokenizer, row.messages)
    except UserError as error:
        return Refusal(row.sample, row.line, f"cannot be rendered: {error.message}")
    trained = np.asarray(encoded.trained, np.bool_)
    if last:
        trained = _last_span(trained)
    whole = Document(row.sample, row.line, np.asarray(encoded.ids, np.int32), trained)
    if whole.targets == 0:
        return Refusal(row.sample, row.line, "is fully masked: the chat template marks no token of the answer")
    return whole


def _last_span(trained: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Only the last stretch of marks: between two answers there is always a token that nobody is trained on."""
    gaps = np.flatnonzero(~trained)
    end = int(np.flatnonzero(trained)[-1]) if trained.any() else 0
    before = gaps[gaps < end]
    kept = trained.copy()
    kept[: int(before[-1]) if len(before) else 0] = False
    return kept


def _cut(whole: Document, max_length: int) -> Document | Refusal:
    cut = len(whole.ids) - max_length
    kept = Document(whole.sample, whole.line, whole.ids[:max_length], whole.trained[:max_length], cut)
    if kept.targets == 0:
        return Refusal(
            whole.sample,
            whole.line,
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
