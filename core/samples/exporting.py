"""Samples out into files that other tools read: the same five formats that come in.

What is written is what the search finds, no more and no less; deleted samples never leave. The file appears whole or not
at all, with a manifest beside it that says what it holds and how to know it again.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from core.errors import UserError
from core.files import write_json
from core.samples import query as search
from core.samples.conversation import Message, messages_of
from core.samples.formats import FORMATS, write
from core.samples.language import Query, render

_CHUNK = 500


@dataclass(frozen=True, slots=True)
class ExportResult:
    """manifest: the file beside the export that describes it. sha256: of the export."""

    exported: int
    sha256: str
    manifest: Path


def export(
    connection: sqlite3.Connection,
    query: Query,
    path: Path,
    *,
    format: str,
    progress: Callable[[int, int], None] | None = None,
) -> ExportResult:
    """Write the samples that `query` finds, in its order.

    alpaca and prompt-completion hold one question and one answer: earlier turns of a conversation go into alpaca's
    `history`, and prompt-completion writes lists of messages. Raises UserError when nothing is found, the folder is missing
    or the disk is full; a file that was there before is then untouched.
    """
    if format not in FORMATS:
        raise UserError(f"There is no format “{format}”.", f"Known are: {', '.join(FORMATS)}.")
    if path.is_dir():
        raise UserError(f"{path} is a folder.", "Name a file in it.")
    found = search.ids(connection, query)
    if not found:
        raise UserError(f"No sample matches “{render(query)}”, so nothing was exported.", "Search for others.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        if format == "parquet":
            _write_parquet(draft, _conversations(connection, found, progress))
        else:
            _write_lines(draft, (write(messages, format) for messages in _conversations(connection, found, progress)))
        digest = _sha256(draft)
        size = draft.stat().st_size
        os.replace(draft, path)
        manifest = path.with_name(path.name + ".manifest.json")
        write_json(
            manifest,
            {
                "file": path.name,
                "format": format,
                "samples": len(found),
                "bytes": size,
                "sha256": digest,
                "query": render(query),
                "created": datetime.now().astimezone().isoformat(timespec="seconds"),
            },
        )
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}.", "Choose another folder, or free some space."
        ) from error
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    return ExportResult(len(found), digest, manifest)


def _conversations(
    connection: sqlite3.Connection, ids: Sequence[int], progress: Callable[[int, int], None] | None
) -> Iterator[tuple[Message, ...]]:
    statement = """
        SELECT s.id, v.context, v.prompt, v.response FROM sample s JOIN version v ON v.id = s.version_id WHERE s.id IN (%s)
    """
    for start in range(0, len(ids), _CHUNK):
        part = list(ids[start : start + _CHUNK])
        rows = {row[0]: row[1:] for row in connection.execute(statement % ",".join("?" * len(part)), part)}
        for key in part:
            yield messages_of(*rows[key])
        if progress is not None:
            progress(min(start + _CHUNK, len(ids)), len(ids))


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())


def _write_parquet(path: Path, conversations: Iterator[tuple[Message, ...]]) -> None:
    """One column `messages`, with its type spelled out: types guessed from a first chunk break on later ones."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    schema = pa.schema([("messages", pa.list_(turn))])
    with pq.ParquetWriter(path, schema) as writer:
        chunk: list[dict[str, Any]] = []
        for messages in conversations:
            chunk.append(write(messages, "openai"))
            if len(chunk) == _CHUNK:
                writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
                chunk = []
        if chunk:
            writer.write_table(pa.Table.from_pylist(chunk, schema=schema))


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
