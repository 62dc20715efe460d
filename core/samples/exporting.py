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
from itertools import islice
from pathlib import Path
from typing import Any

from core.database import still
from core.errors import UserError
from core.files import write_json
from core.samples import query as search
from core.samples.conversation import Message, messages_of
from core.samples.formats import WRITTEN, write
from core.samples.language import Query, leaving, living, render
from core.samples.store import STATUSES
from core.versions import tools

_CHUNK = 500
_ROW_GROUP = 5_000


@dataclass(frozen=True, slots=True)
class ExportResult:
    """manifest: the file beside the export that describes it. sha256: of the export.

    contaminated: samples that were found but left out, because they give away problems of a suite.
    """

    exported: int
    sha256: str
    manifest: Path
    contaminated: int = 0


def export(
    connection: sqlite3.Connection,
    query: Query,
    path: Path,
    *,
    format: str,
    progress: Callable[[int, int], None] | None = None,
) -> ExportResult:
    """Write the samples that `query` finds, in its order.

    parquet also holds topic, source, tags, status and rating; the others hold the conversation, as their readers expect, and nothing else.
    alpaca and prompt-completion hold one question and one answer: earlier turns of a conversation go into alpaca's
    `history`, and prompt-completion writes lists of messages. Raises UserError when nothing is found, the folder is missing
    or the disk is full; a file that was there before is then untouched.
    """
    if format not in WRITTEN:
        raise UserError(f"There is no format “{format}” to write.", f"Known are: {', '.join(WRITTEN)}.")
    if path.is_dir():
        raise UserError(f"{path} is a folder.", "Name a file in it.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    try:
        with still(connection):
            found = search.ids(connection, leaving(query))
            contaminated = search.count(connection, living(query)) - len(found)
            if not found and contaminated:
                raise contaminated_alone(contaminated)
            if not found:
                raise UserError(f"No sample matches “{render(query)}”, so nothing was exported.", "Search for others.")
            samples = _samples(connection, found, progress)
            if format == "parquet":
                _write_parquet(draft, samples)
            else:
                _write_lines(draft, (write(messages, format) for messages, _ in samples))
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
                "contaminated_left_out": contaminated,
                "created": datetime.now().astimezone().isoformat(timespec="seconds"),
                "tools": tools(*(["pyarrow"] if format == "parquet" else [])),
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
    return ExportResult(len(found), digest, manifest, contaminated)


def contaminated_alone(count: int) -> UserError:
    """All that was found gives away problems of a suite."""
    return UserError(
        f"All {count:,} samples found give away problems of an evaluation suite, so nothing may leave.",
        "Look at them with `contaminated:yes`, and choose others.",
    )


def _samples(
    connection: sqlite3.Connection, ids: Sequence[int], progress: Callable[[int, int], None] | None
) -> Iterator[tuple[tuple[Message, ...], dict[str, Any]]]:
    """Conversations in the order of `ids`, each with what else is known of it."""
    statement = """
        SELECT s.id, v.context, v.prompt, v.response, s.uid, hex(v.hash), s.topic, s.source, r.status, r.rating,
               (SELECT json_group_array(name) FROM tag WHERE sample_id = s.id)
        FROM json_each(?) e JOIN sample s ON s.id = e.value
        JOIN version v ON v.id = s.version_id JOIN review r ON r.sample_id = s.id ORDER BY e.key
    """
    for start in range(0, len(ids), _CHUNK):
        part = json.dumps(list(ids[start : start + _CHUNK]))
        for _, context, prompt, response, uid, digest, topic, source, status, rating, tags in connection.execute(
            statement, (part,)
        ):
            facts = {
                "sample": uid, "hash": digest.lower(), "topic": topic, "source": source, "tags": json.loads(tags),
                "status": STATUSES[status], "rating": rating,
            }  # fmt: skip
            yield messages_of(context, prompt, response), facts
        if progress is not None:
            progress(min(start + _CHUNK, len(ids)), len(ids))


def _write_lines(path: Path, rows: Iterator[dict[str, Any]]) -> None:
    with path.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
        file.flush()
        os.fsync(file.fileno())


def _write_parquet(path: Path, samples: Iterator[tuple[tuple[Message, ...], dict[str, Any]]]) -> None:
    """`messages` and a column for all else that is known, types spelled out: types guessed from a first chunk break on later ones."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    turn = pa.struct([("role", pa.string()), ("content", pa.string())])
    names = [(name, pa.string()) for name in ("sample", "hash", "topic", "source", "status")]
    schema = pa.schema([("messages", pa.list_(turn)), *names, ("tags", pa.list_(pa.string())), ("rating", pa.int8())])
    rows = ({**write(messages, "openai"), **facts} for messages, facts in samples)
    with path.open("wb") as file:
        with pq.ParquetWriter(file, schema, compression="zstd") as writer:
            while chunk := list(islice(rows, _ROW_GROUP)):
                writer.write_table(pa.Table.from_pylist(chunk, schema=schema))
        file.flush()
        os.fsync(file.fileno())


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
