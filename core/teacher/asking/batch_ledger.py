"""What the ledger knows of batches: planned before anything is uploaded, their ids saved when they are known, their answers taken exactly once.

A batch is `planned` with its questions, `uploaded` with the id of its file, `creating` before it is asked for, `created` with its own id,
and `over` when all that came of it is stored. Whoever resumes goes on from there.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Literal

from core.teacher.asking.budget import Bound, Budget, Spending
from core.teacher.asking.ledger import Attempt, Ledger
from core.teacher.asking.patience import MOST_BYTES, MOST_REQUESTS
from core.teacher.asking.sending import request_body
from core.teacher.exchange import Question

ENDPOINT: Literal["/v1/chat/completions"] = "/v1/chat/completions"


@dataclass(frozen=True, slots=True)
class Batch:
    """A batch as it stands. name: ours, by which it is found at the endpoint. file, id: the endpoint's, "" while unknown."""

    name: str
    base_url: str
    state: str
    file: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of a batch's output or error file. words: of an error that is no response. raw: the response's body."""

    key: str
    status: int
    raw: bytes
    request_id: str = ""
    code: str = ""
    words: str = ""


def batch_line(question: Question) -> bytes:
    """A question as a line of a batch's file."""
    line = {"custom_id": question.key, "method": "POST", "url": ENDPOINT, "body": request_body(question)}
    return json.dumps(line, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def plan(
    ledger: Ledger, questions: Sequence[tuple[Question, Bound]], budget: Budget, most_requests: int = MOST_REQUESTS, most_bytes: int = MOST_BYTES
) -> tuple[Batch | None, int]:  # fmt: skip
    """Note as one batch as many of `questions`, from the first, as one file and the budget hold; returns it and how many.

    None and 0 when not even the first fits the budget. All must go to one endpoint and one model.
    """
    totals = ledger.totals()
    spending = Spending(budget, totals.spent_usd, totals.spent_tokens)
    size, taken = 0, 0
    for question, most in questions:
        line = len(batch_line(question))
        if not spending.fits(most) or taken == most_requests or (taken and size + line > most_bytes):
            break
        spending.reserve(most)
        size += line
        taken += 1
    if not taken:
        return None, 0
    batch = Batch(f"gosmith-{os.urandom(12).hex()}", questions[0][0].base_url.rstrip("/"), "planned")
    ledger.connection.execute(
        "INSERT INTO batch (name, base_url, created, state) VALUES (?, ?, ?, 'planned')",
        (batch.name, batch.base_url, time.time()),
    )
    for question, most in questions[:taken]:
        ledger.write_down(question)
        ledger.connection.execute(
            "INSERT INTO batch_question (question, batch, most_usd, most_tokens) VALUES (?, ?, ?, ?)",
            (question.key, batch.name, None if most.usd is None else format(most.usd, "f"), most.tokens),
        )
    return batch, taken


def open_batches(ledger: Ledger) -> list[Batch]:
    """Those that are not over, oldest first."""
    rows = ledger.connection.execute(
        "SELECT name, base_url, state, file, id FROM batch WHERE state <> 'over' ORDER BY created"
    )
    return [Batch(name, base_url, state, file or "", identity or "") for name, base_url, state, file, identity in rows]


def questions_of(ledger: Ledger, name: str) -> list[Question]:
    """The questions of a batch, always in the same order."""
    rows = ledger.connection.execute("SELECT question FROM batch_question WHERE batch = ? ORDER BY question", (name,))
    return [ledger.question(key) for (key,) in rows.fetchall()]


def note(ledger: Ledger, name: str, state: str, *, file: str = "", identity: str = "", words: str = "") -> None:
    """A batch stands elsewhere now; an id that is given is kept."""
    ledger.connection.execute(
        "UPDATE batch SET state = ?, file = coalesce(nullif(?, ''), file), id = coalesce(nullif(?, ''), id), words = coalesce(nullif(?, ''), words)"
        " WHERE name = ?",
        (state, file, identity, words, name),
    )


def read_lines(raw: bytes) -> Iterator[Line]:
    """The lines of an output or error file. What cannot be read is left out; its question is asked again."""
    for text in raw.split(b"\n"):
        try:
            value = json.loads(text)
            key = value["custom_id"]
        except (ValueError, KeyError, TypeError):
            continue
        response, error = value.get("response"), value.get("error")
        if isinstance(response, dict) and isinstance(response.get("status_code"), int):
            body = json.dumps(response.get("body"), ensure_ascii=False).encode()
            yield Line(str(key), response["status_code"], body, str(response.get("request_id") or ""))
        elif isinstance(error, dict):
            yield Line(str(key), 0, text, "", str(error.get("code") or ""), str(error.get("message") or ""))


def store(ledger: Ledger, name: str, lines: Iterable[Line], client: str) -> list[tuple[Attempt, Question, Line]]:
    """Keep lines raw, each once however often the file is taken; returns those that were new, for reading.

    A line for a question that is no part of the batch, or has its answer already, is left out.
    """
    new: list[tuple[Attempt, Question, Line]] = []
    for line in lines:
        row = ledger.connection.execute(
            "SELECT most_usd, most_tokens FROM batch_question WHERE batch = :batch AND question = :key"
            " AND NOT EXISTS (SELECT 1 FROM attempt WHERE question = :key AND (batch IS :batch OR outcome = 'answered'))",
            {"batch": name, "key": line.key},
        ).fetchone()
        if row is None:
            continue
        question = ledger.question(line.key)
        usd = None if row[0] is None else Decimal(row[0])
        attempt = ledger.begin(question, usd, row[1], client=client, batch=name)
        ledger.receive(
            attempt, line.status, {"x-request-id": line.request_id} if line.request_id else {}, line.raw, 0.0
        )
        new.extend((one, question, line) for one in ledger.attempts(line.key) if one.id == attempt)
    return new
