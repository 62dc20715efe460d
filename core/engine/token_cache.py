"""Tokenized snapshots, kept beside the snapshot: a second run on the same rows starts without tokenizing them again.

A cache is found by what its content depends on: the rows' own hash, the tokenizer's files, the chat template, and which
turns are trained. One that is damaged, or that cannot be written, costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import zlib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from core.engine import documents, template
from core.engine.documents import Document, Refusal
from core.training.sections import DataSection

FORMAT = "1"
KEPT = 4
"""Caches of one snapshot; the oldest go."""


def load(path: Path, base: Path, tokenizer: Any, section: DataSection) -> list[Document | Refusal]:
    """The documents of a snapshot's file, from the cache or anew. Raises UserError when the file cannot be read."""
    cache = _place(path, base, tokenizer, section)
    known = _read(cache)
    if known is None:
        known = list(documents.encode(documents.read_rows(path), tokenizer, section))
        _write(cache, known)
    return list(documents.fit(known, section))


def _place(path: Path, base: Path, tokenizer: Any, section: DataSection) -> Path:
    digest = hashlib.sha256(
        f"{FORMAT}/{section.objective}/{section.turns}/{template.template_hash(tokenizer)}".encode()
    )
    for file in (path, base / "tokenizer.json", base / "tokenizer_config.json"):
        if file.is_file():
            with file.open("rb") as opened:
                digest.update(hashlib.file_digest(opened, "sha256").digest())
    return path.parent / "tokens" / f"{path.stem}-{digest.hexdigest()[:16]}.safetensors"


def _write(cache: Path, items: Sequence[Document | Refusal]) -> None:
    good = [item for item in items if isinstance(item, Document)]
    ids = np.concatenate([item.ids for item in good]) if good else np.empty(0, np.int32)
    marks = np.packbits(np.concatenate([item.trained for item in good])) if good else np.empty(0, np.uint8)
    lines = np.asarray([item.line for item in good], np.int64)
    lengths = np.asarray([len(item.ids) for item in good], np.int64)
    text = {
        "samples": [item.sample for item in good],
        "refused": [[item.sample, item.line, item.reason] for item in items if isinstance(item, Refusal)],
    }
    arrays = {"ids": ids, "marks": marks, "lines": lines, "lengths": lengths}
    metadata = {
        "text": json.dumps(text),
        "sums": json.dumps({name: zlib.crc32(array.tobytes()) for name, array in arrays.items()}),
    }
    draft = cache.with_name(f".{cache.name}.{os.getpid()}")
    try:
        cache.parent.mkdir(exist_ok=True)
        save_file(arrays, draft, metadata=metadata)
        draft.replace(cache)
        for old in sorted(cache.parent.glob("*.safetensors"), key=lambda file: file.stat().st_mtime)[: -2 * KEPT]:
            old.unlink(missing_ok=True)
    except (OSError, SafetensorError):
        with contextlib.suppress(OSError):
            draft.unlink()


def _read(cache: Path) -> list[Document | Refusal] | None:
    try:
        with safe_open(cache, framework="numpy") as file:
            metadata = file.metadata()
            arrays = {name: file.get_tensor(name) for name in ("ids", "marks", "lines", "lengths")}
        sums, text = json.loads(metadata["sums"]), json.loads(metadata["text"])
        if any(zlib.crc32(array.tobytes()) != sums[name] for name, array in arrays.items()):
            return None
    except (OSError, SafetensorError, ValueError, KeyError):
        return None
    ends = np.cumsum(arrays["lengths"])
    marks = np.unpackbits(arrays["marks"], count=int(ends[-1]) if len(ends) else 0).astype(np.bool_)
    found: list[Document | Refusal] = [
        Document(sample, int(line), arrays["ids"][end - length : end], marks[end - length : end])
        for sample, line, length, end in zip(text["samples"], arrays["lines"], arrays["lengths"], ends, strict=True)
    ]
    found.extend(Refusal(sample, line, reason) for sample, line, reason in text["refused"])
    return sorted(found, key=lambda item: item.line) if text["refused"] else found
