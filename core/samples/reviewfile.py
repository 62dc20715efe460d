"""The file format of a review bundle: gzip JSONL, a manifest first, then a record a line. Knows files and nothing of SQL.

What comes from outside is believed only after every line was read: right format, right hash, texts that are samples and hash to what is
said of them. A file that fails in any way is one UserError.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import os
import re
import secrets
import shutil
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, BinaryIO, cast

from core.errors import UserError
from core.samples.conversation import Message, content_hash, problem
from core.samples.store import STATUSES

FORMAT = "gosmith-reviews"
VERSION = 1
_LINE = 64 * 2**20
_HASH = re.compile(r"[0-9a-f]{64}")
_UID = re.compile(r"[0-9A-Za-z_-]{1,64}")


@dataclass(frozen=True, slots=True)
class Record:
    """A sample with a decision. hash: of `messages`, hexadecimal; ancestors: of earlier versions, newest first. updated: seconds since the epoch."""

    uid: str
    hash: str
    ancestors: tuple[str, ...]
    messages: tuple[Message, ...]
    topic: str
    source: str
    status: str
    rating: int | None
    reasons: tuple[str, ...]
    note: str
    tags: tuple[str, ...]
    updated: int | None


def write(path: Path, reviewer: str, rows: Iterable[Record]) -> int:
    """Write a bundle, whole or not at all; returns how many samples are in it. Raises UserError without any, or when the disk refuses."""
    reviewer = " ".join(reviewer.split())
    if not reviewer or len(reviewer) > 100:
        raise UserError("Who reviewed is not said.", "Give a name of at most 100 characters.")
    if path.is_dir():
        raise UserError(f"{path} is a folder.", "Name a file in it.")
    draft = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    body = path.with_name(f"{draft.name}.body")
    counts: Counter[str] = Counter()
    digest = hashlib.sha256()
    try:
        with body.open("wb") as file:
            for row in rows:
                line = (json.dumps(asdict(row), ensure_ascii=False, separators=(",", ":")) + "\n").encode()
                digest.update(line)
                file.write(line)
                counts[row.status] += 1
        if not counts:
            raise UserError("No sample was found, so there is nothing to hand on.", "Search for others.")
        manifest = {
            "format": FORMAT, "version": VERSION, "reviewer": reviewer, "samples": counts.total(),
            "counts": {status: counts[status] for status in STATUSES}, "sha256": digest.hexdigest(),
        }  # fmt: skip
        with draft.open("wb") as raw:
            with gzip.GzipFile("", "wb", 6, raw, mtime=0) as packed, body.open("rb") as source:
                packed.write((json.dumps(manifest, ensure_ascii=False) + "\n").encode())
                shutil.copyfileobj(source, packed, 2**20)
            raw.flush()
            os.fsync(raw.fileno())
        os.replace(draft, path)
    except OSError as error:
        raise UserError(
            f"{path} cannot be written: {error.strerror or error}.", "Choose another folder, or free some space."
        ) from error
    finally:
        draft.unlink(missing_ok=True)
        body.unlink(missing_ok=True)
    return counts.total()


def check(path: Path) -> tuple[str, int]:
    """Read the whole bundle; returns the reviewer and how many samples it holds. Raises UserError when anything is wrong with it."""
    digest, samples = hashlib.sha256(), 0
    lines = _lines(path)
    manifest = _manifest(path, next(lines, b""))
    for number, line in enumerate(lines, 2):
        digest.update(line)
        _parse(path, number, line)
        samples += 1
    if digest.hexdigest() != manifest["sha256"] or samples != manifest["samples"]:
        raise _damaged(path, "it does not hold what its first line says")
    return manifest["reviewer"], samples


def records(path: Path) -> Iterator[Record]:
    """The records in their order. Raises UserError like `check`."""
    lines = _lines(path)
    _manifest(path, next(lines, b""))
    for number, line in enumerate(lines, 2):
        yield _parse(path, number, line)


def _lines(path: Path) -> Iterator[bytes]:
    try:
        with gzip.open(path) as opened:
            file = cast(BinaryIO, opened)
            while line := file.readline(_LINE):
                if not line.endswith(b"\n"):
                    raise _damaged(path, "it breaks off in the middle of a line")
                yield line
    except gzip.BadGzipFile as error:
        raise UserError(f"{path} is no review bundle.", "Name a file that `reviews export` wrote.") from error
    except (EOFError, zlib.error) as error:
        raise _damaged(path, "it is cut off or its bytes are wrong") from error
    except OSError as error:
        raise UserError(f"{path} cannot be read: {error.strerror or error}.", "Name a readable file.") from error


def _manifest(path: Path, line: bytes) -> dict[str, Any]:
    value = _json(line)
    if not isinstance(value, dict) or value.get("format") != FORMAT:
        raise UserError(f"{path} is no review bundle.", "Name a file that `reviews export` wrote.")
    version, reviewer = value.get("version"), value.get("reviewer")
    if type(version) is int and version > VERSION:
        raise UserError(f"{path} was written by a newer Gosmith (bundle {version}).", "Update Gosmith, then merge it.")
    if version != VERSION or not isinstance(reviewer, str) or not reviewer.strip() or len(reviewer) > 100:
        raise _damaged(path, "its first line is wrong")
    if not isinstance(value.get("sha256"), str) or type(value.get("samples")) is not int:
        raise _damaged(path, "its first line is wrong")
    return value


def _parse(path: Path, number: int, line: bytes) -> Record:
    value = _json(line)
    reason = _wrong(value)
    if reason:
        raise _damaged(path, f"line {number}: {reason}")
    messages = tuple(Message(turn["role"], turn["content"]) for turn in value["messages"])
    reason = problem(messages)
    if not reason and content_hash(messages).hex() != value["hash"]:
        reason = "the text is not what its hash says"
    if reason:
        raise _damaged(path, f"line {number}: {reason}")
    lists: dict[str, Any] = {name: tuple(value[name]) for name in ("ancestors", "reasons")}
    tags = tuple(dict.fromkeys(" ".join(name.split()) for name in value["tags"] if name.strip()))
    plain = {name: value[name] for name in ("uid", "hash", "topic", "source", "status", "rating", "note", "updated")}
    return Record(messages=messages, tags=tags, **lists, **plain)


def _wrong(value: Any) -> str:
    """What is wrong with the shape of a record; empty when nothing is."""
    if not isinstance(value, dict):
        return "it is no object"
    if "rating" not in value or "updated" not in value:
        return "its decision is not whole"
    texts = all(isinstance(value.get(name), str) for name in ("uid", "hash", "topic", "source", "status", "note"))
    if not texts or not _UID.fullmatch(value["uid"]) or not _HASH.fullmatch(value["hash"]):
        return "its names are wrong"
    for name in ("ancestors", "reasons", "tags"):
        if not isinstance(value.get(name), list) or not all(isinstance(one, str) for one in value[name]):
            return f"{name} is no list of texts"
    turns = value.get("messages")
    if not isinstance(turns, list) or not all(
        isinstance(turn, dict) and isinstance(turn.get("role"), str) and isinstance(turn.get("content"), str)
        for turn in turns
    ):
        return "its messages are wrong"
    rating, updated = value.get("rating"), value.get("updated")
    if rating is not None and (type(rating) is not int or not 1 <= rating <= 5):
        return "its rating is wrong"
    if updated is not None and (type(updated) is not int or not 0 <= updated < 2**62):
        return "its time is wrong"
    return "" if value["status"] in STATUSES and (value["status"] == "new" or updated is not None) else "its decision is wrong"  # fmt: skip


def _json(line: bytes) -> Any:
    """The value of a line; None when it is no JSON, or holds half of a character, which no database stores."""
    try:
        value = json.loads(line)
        json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None
    return value


def _damaged(path: Path, what: str) -> UserError:
    return UserError(f"{path} is damaged: {what}.", "Ask for it once more; nothing was changed here.")
