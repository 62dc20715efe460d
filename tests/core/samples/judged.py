"""Judgements put straight into the database, for tests of who reads them."""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping
from typing import Any


def judged(
    connection: sqlite3.Connection,
    sample: int,
    score: int | None,
    *,
    points: Mapping[str, int] | None = None,
    **fields: Any,
) -> None:
    """A judgement of the sample's present text; `fields` are columns that are other than usual."""
    version = connection.execute("SELECT version_id FROM sample WHERE id = ?", (sample,)).fetchone()[0]
    number = connection.execute("SELECT count(*) FROM judgement").fetchone()[0]
    values = {
        "job": f"judge-{number}", "sample_id": sample, "version_id": version, "score": score,
        "points": json.dumps([{"criterion": name, "points": one, "why": "So."} for name, one in (points or {}).items()]),
        "summary": "" if score is None else "It will do.", "reason": "It was cut off." if score is None else "", "rubric": "go-sample",
        "rubric_version": 1, "rubric_digest": "d1", "base_url": "http://127.0.0.1/v1", "asked_model": "gpt-4.1",
        "model": "gpt-4.1-2025-04-14", "fingerprint": "", "parameters": "{}", "requests": 1, "prompt_tokens": 100, "completion_tokens": 50,
        "cached_tokens": 0, "reasoning_tokens": 0, "seconds": 1.0, "cost_usd": "0.0006", "prices": "", "created": 1_700_000_000 + number,
        "conversation": zlib.compress(b"[]"), **fields,
    }  # fmt: skip
    connection.execute(
        f"INSERT INTO judgement ({', '.join(values)}) VALUES ({', '.join('?' * len(values))})", tuple(values.values())
    )
