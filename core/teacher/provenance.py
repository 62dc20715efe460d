"""Where a sample of the teacher's comes from: recipe, parameters, tokens, cost, and the conversation it was made in, for its page.

Reads only; `intake` writes. What was paid for and came to nothing is here too, by job.
"""

from __future__ import annotations

import json
import sqlite3
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from core.samples.conversation import Message
from core.teacher.exchange import Answer, Usage
from core.teacher.results import Exchange


@dataclass(frozen=True, slots=True)
class Turn:
    """One question and its answer. stage: instruction, solution or repair. parameters: as sent. finish, refusal: as in `exchange.Answer`."""

    stage: str
    messages: tuple[Message, ...]
    parameters: Mapping[str, Any]
    answer: str
    refusal: str
    finish: str
    model: str
    seconds: float
    attempts: int
    usage: Usage
    cost_usd: Decimal | None


@dataclass(frozen=True, slots=True)
class Provenance:
    """Columns of `generation`, as values. kind: "sample" or "fix". asked_model: what the plan names; model: what answered.

    requests, usage, seconds, cost_usd: of the whole sample, a fix's included. result: verified or unverified; reason: why not verified.
    evaluation: the job whose failures it answers, "" for none.
    """

    job: str
    number: int
    kind: str
    result: str
    reason: str
    recipe: str
    recipe_version: int
    recipe_digest: str
    seed: int
    draw: Mapping[str, str]
    origin: str
    parents: tuple[str, ...]
    base_url: str
    asked_model: str
    model: str
    fingerprint: str
    parameters: Mapping[str, Any]
    requests: int
    usage: Usage
    seconds: float
    cost_usd: Decimal | None
    prices: str
    agreement: str
    evaluation: str
    created: int
    conversation: tuple[Turn, ...]


@dataclass(frozen=True, slots=True)
class Spent:
    """What samples of one recipe and model have taken so far, on the average. samples: how many it is told from, unkept ones included."""

    samples: int
    requests: float
    prompt: float
    completion: float
    kept: float


_COLUMNS = """
    job, number, kind, result, reason, recipe, recipe_version, recipe_digest, seed, draw, origin, parents, base_url, asked_model, model,
    fingerprint, parameters, requests, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, seconds, cost_usd, prices,
    agreement, evaluation, created, conversation
"""


def provenance(connection: sqlite3.Connection, sample_id: int) -> Provenance | None:
    """Where a sample comes from; None when no teacher of this workspace wrote it."""
    row = connection.execute(f"SELECT {_COLUMNS} FROM generation WHERE sample_id = ?", (sample_id,)).fetchone()
    if row is None:
        return None
    (
        job, number, kind, result, reason, recipe, version, digest, seed, draw, origin, parents, base_url, asked, model,
        fingerprint, parameters, requests, prompt, completion, cached, reasoning, seconds, cost, prices, agreement, evaluation, created, talk,
    ) = row  # fmt: skip
    return Provenance(
        job, number, kind, result, reason, recipe, version, digest, seed, json.loads(draw), origin, tuple(json.loads(parents)), base_url,
        asked, model, fingerprint, json.loads(parameters), requests, Usage(prompt, completion, cached, reasoning), seconds, _money(cost),
        prices, agreement, evaluation, created, turns_from(talk),
    )  # fmt: skip


def spent(connection: sqlite3.Connection, recipe: str, model: str) -> Spent | None:
    """The averages that a forecast is calibrated with; None before there are any."""
    row = connection.execute(
        """
        SELECT count(*), avg(requests), avg(prompt_tokens), avg(completion_tokens), avg(sample_id IS NOT NULL)
        FROM generation WHERE recipe = ? AND asked_model = ? AND kind = 'sample' AND requests > 0
        """,
        (recipe, model),
    ).fetchone()
    return Spent(*row) if row[0] else None


def stored(exchanges: Sequence[Exchange]) -> bytes:
    """A conversation as it is stored: zlib of JSON."""
    turns = [
        {"stage": one.stage, "messages": one.messages, "index": one.index, "parameters": one.parameters, **_said(one.answer)}
        for one in exchanges
    ]  # fmt: skip
    return zlib.compress(json.dumps(turns, ensure_ascii=False).encode("utf-8", "replace"))


def _said(answer: Answer) -> dict[str, Any]:
    return {
        "text": answer.text, "refusal": answer.refusal, "finish": answer.finish, "model": answer.model,
        "prompt_tokens": answer.usage.prompt, "completion_tokens": answer.usage.completion, "seconds": answer.seconds,
        "attempts": answer.attempts, "cost_usd": None if answer.cost_usd is None else str(answer.cost_usd),
    }  # fmt: skip


def turns_from(talk: bytes) -> tuple[Turn, ...]:
    """The conversation that `stored` was given."""
    return tuple(_turn(one) for one in json.loads(zlib.decompress(talk)))


def _turn(one: Mapping[str, Any]) -> Turn:
    return Turn(
        stage=one["stage"],
        messages=tuple(Message(role, content) for role, content in one["messages"]),
        parameters=one["parameters"],
        answer=one["text"],
        refusal=one["refusal"],
        finish=one["finish"],
        model=one["model"],
        seconds=one["seconds"],
        attempts=one["attempts"],
        usage=Usage(one["prompt_tokens"], one["completion_tokens"]),
        cost_usd=_money(one["cost_usd"]),
    )


def _money(text: str | None) -> Decimal | None:
    return None if text is None else Decimal(text)
