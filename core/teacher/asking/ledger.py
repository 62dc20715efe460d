"""The book of everything that was asked: one SQLite file in a job's folder, in which a question stands before it is sent and its raw answer before it is read.

So that whoever resumes, reads again or audits never asks again. It knows nothing of networks, and no key ever reaches it.
One process writes it at a time; anyone may read along.
"""

from __future__ import annotations

import fcntl
import json
import os
import time
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from core.database import connect, transaction
from core.errors import UserError
from core.teacher.exchange import Question, Usage

_SCHEMA = """
CREATE TABLE IF NOT EXISTS question (
    key TEXT PRIMARY KEY, request TEXT NOT NULL, created REAL NOT NULL,
    state TEXT NOT NULL DEFAULT 'pending' CHECK (state IN ('pending', 'answered', 'failed'))
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS attempt (
    id INTEGER PRIMARY KEY, question TEXT NOT NULL REFERENCES question(key), number INTEGER NOT NULL, batch TEXT,
    started REAL NOT NULL, ended REAL, outcome TEXT, status INTEGER, code TEXT, words TEXT, request_id TEXT,
    possibly_billed INTEGER NOT NULL DEFAULT 0, most_usd TEXT, most_tokens INTEGER, headers TEXT, raw BLOB,
    prompt_tokens INTEGER, completion_tokens INTEGER, cached_tokens INTEGER, reasoning_tokens INTEGER,
    cost_usd TEXT, prices TEXT, seconds REAL, model TEXT, fingerprint TEXT, tier TEXT, client TEXT,
    UNIQUE (question, number)
);
CREATE UNIQUE INDEX IF NOT EXISTS one_answer ON attempt(question) WHERE outcome = 'answered';
CREATE INDEX IF NOT EXISTS question_state ON question(state);
CREATE INDEX IF NOT EXISTS sums ON attempt(cost_usd, prompt_tokens, completion_tokens, outcome);
CREATE INDEX IF NOT EXISTS doubt ON attempt(most_usd, most_tokens) WHERE possibly_billed OR outcome IS NULL;
CREATE INDEX IF NOT EXISTS open_attempt ON attempt(id) WHERE outcome IS NULL OR outcome = 'received';
CREATE TABLE IF NOT EXISTS batch (
    name TEXT PRIMARY KEY, base_url TEXT NOT NULL, created REAL NOT NULL, state TEXT NOT NULL,
    file TEXT, id TEXT, output TEXT, errors TEXT, words TEXT
) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS batch_question (
    question TEXT NOT NULL REFERENCES question(key), batch TEXT NOT NULL REFERENCES batch(name), most_usd TEXT, most_tokens INTEGER,
    PRIMARY KEY (question, batch)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Ending:
    """How one attempt ended. outcome: answered, or a name of `outcomes`. cost_usd: None where nothing was billed or no price is known."""

    outcome: str
    code: str = ""
    words: str = ""
    possibly_billed: bool = False
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    prices: str = ""
    model: str = ""
    fingerprint: str = ""
    tier: str = ""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a question as it is stored. raw: the body's bytes. started, ended: seconds since the epoch."""

    id: int
    number: int
    outcome: str | None
    status: int
    words: str
    headers: Mapping[str, str]
    raw: bytes
    cost_usd: Decimal | None
    prices: str
    seconds: float
    started: float
    model: str
    batch: str | None


@dataclass(frozen=True, slots=True)
class Entry:
    """A question as it is stored. last: its answer where it has one, else the last attempt. attempts: how many in all. in_batch: it lies in a batch that is not over."""

    state: str
    attempts: int
    last: Attempt | None
    in_batch: bool


@dataclass(frozen=True, slots=True)
class Totals:
    """What a ledger holds. cost_usd: of what was answered and has a price; unpriced: answers without one.

    doubtful: attempts that may have been billed without an answer, and what they can have cost at most.
    """

    pending: int
    answered: int
    failed: int
    attempts: int
    prompt_tokens: int
    completion_tokens: int
    cost_usd: Decimal
    unpriced: int
    doubtful: int
    doubtful_usd: Decimal
    doubtful_tokens: int

    @property
    def spent_usd(self) -> Decimal:
        """What counts against a budget: known costs and the most that the doubtful ones can have cost."""
        return self.cost_usd + self.doubtful_usd

    @property
    def spent_tokens(self) -> int:
        """As `spent_usd`, in tokens."""
        return self.prompt_tokens + self.completion_tokens + self.doubtful_tokens


class Ledger:
    """One connection to a ledger, for one thread. Opening it to write marks what a killed process left open as interrupted and possibly billed.

    Raises UserError when another process is writing it, or when it cannot be opened.
    """

    def __init__(self, path: Path, *, readonly: bool = False) -> None:
        self.path = path
        self._lock = None if readonly else _lock(path)
        try:
            self.connection = connect(path, readonly=readonly)
        except BaseException:
            self._unlock()
            raise
        if not readonly:
            self.connection.executescript(_SCHEMA)
            with transaction(self.connection):
                self.connection.execute(
                    "UPDATE attempt SET outcome = 'interrupted', possibly_billed = 1, words = 'The process ended before the answer came.'"
                    " WHERE outcome IS NULL"
                )

    def close(self) -> None:
        """Give the file back."""
        self.connection.close()
        self._unlock()

    def _unlock(self) -> None:
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def find(self, key: str) -> Entry | None:
        """What is known of a question; None when it was never written down."""
        row = self.connection.execute(
            "SELECT state, (SELECT count(*) FROM attempt WHERE question = key), EXISTS (SELECT 1 FROM batch_question JOIN batch ON batch = name"
            " WHERE question = key AND batch.state <> 'over') FROM question WHERE key = ?",
            (key,),
        ).fetchone()
        if row is None:
            return None
        return Entry(row[0], row[1], next(self.attempts(key, best=True), None), bool(row[2]))

    def attempts(self, key: str, *, best: bool = False) -> Iterator[Attempt]:
        """Every sending of a question, in order; with `best` its answer, or what is waiting to be read, or the last."""
        order = "outcome IS 'answered' DESC, outcome IS 'received' DESC, number DESC LIMIT 1" if best else "number"
        rows = self.connection.execute(
            "SELECT id, number, outcome, status, words, headers, raw, cost_usd, prices, seconds, started, model, batch FROM attempt"
            f" WHERE question = ? ORDER BY {order}",
            (key,),
        )
        for row in rows:
            yield Attempt(
                row[0], row[1], row[2], row[3] or 0, row[4] or "", json.loads(row[5] or "{}"), zlib.decompress(row[6]) if row[6] else b"",
                Decimal(row[7]) if row[7] is not None else None, row[8] or "", row[9] or 0.0, row[10], row[11] or "", row[12],
            )  # fmt: skip

    def received(self) -> list[tuple[Question, Attempt]]:
        """What came before a process was killed that had no time to read it."""
        rows = self.connection.execute("SELECT question FROM attempt WHERE outcome = 'received'").fetchall()
        return [(self.question(key), one) for (key,) in rows for one in self.attempts(key) if one.outcome == "received"]

    def write_down(self, question: Question) -> None:
        """Note a question as pending, once; one that is there stays as it is."""
        request = {
            "base_url": question.base_url, "model": question.model, "messages": [dict(one) for one in question.messages],
            "parameters": dict(question.parameters), "index": question.index,
        }  # fmt: skip
        self.connection.execute(
            "INSERT INTO question (key, request, created) VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
            (question.key, json.dumps(request, sort_keys=True, ensure_ascii=False), time.time()),
        )

    def question(self, key: str) -> Question:
        """A question as it was written down. Raises KeyError."""
        row = self.connection.execute("SELECT request FROM question WHERE key = ?", (key,)).fetchone()
        if row is None:
            raise KeyError(key)
        asked = json.loads(row[0])
        return Question(
            asked["base_url"], asked["model"], tuple(asked["messages"]), asked["parameters"], asked["index"]
        )

    def begin(
        self,
        question: Question,
        most_usd: Decimal | None,
        most_tokens: int | None,
        *,
        client: str = "",
        batch: str | None = None,
    ) -> int:
        """Note that the question is about to be sent; returns the attempt's id. most: what this can cost."""
        self.write_down(question)
        self.connection.execute(
            "UPDATE question SET state = 'pending' WHERE key = ? AND state = 'failed'", (question.key,)
        )
        row = self.connection.execute(
            "INSERT INTO attempt (question, number, started, most_usd, most_tokens, client, batch)"
            " VALUES (:key, (SELECT 1 + ifnull(max(number), 0) FROM attempt WHERE question = :key), :now, :usd, :tokens, :client, :batch)"
            " RETURNING id",
            {
                "key": question.key, "now": time.time(), "usd": _text(most_usd), "tokens": most_tokens, "client": client, "batch": batch,
            },
        ).fetchone()  # fmt: skip
        return int(row[0])

    def receive(self, attempt: int, status: int, headers: Mapping[str, str], raw: bytes, seconds: float) -> None:
        """Keep what came, before anyone reads it. headers: those worth keeping."""
        self.connection.execute(
            "UPDATE attempt SET outcome = 'received', ended = ?, status = ?, request_id = ?, headers = ?, raw = ?, seconds = ? WHERE id = ?",
            (time.time(), status, headers.get("x-request-id"), json.dumps(dict(headers)), zlib.compress(raw), seconds, attempt),
        )  # fmt: skip

    def settle(self, attempt: int, ending: Ending) -> None:
        """Note what came of an attempt; an answer makes its question answered, a rejection makes it failed."""
        usage = ending.usage
        counts = (usage.prompt, usage.completion, usage.cached, usage.reasoning) if usage else (None,) * 4
        row = self.connection.execute(
            "UPDATE attempt SET ended = ifnull(ended, ?), outcome = ?, code = ?, words = ?, possibly_billed = ?, prompt_tokens = ?, completion_tokens = ?,"
            " cached_tokens = ?, reasoning_tokens = ?, cost_usd = ?, prices = ?, model = ?, fingerprint = ?, tier = ? WHERE id = ? RETURNING question",
            (
                time.time(), ending.outcome, ending.code, ending.words, ending.possibly_billed, *counts, _text(ending.cost_usd), ending.prices,
                ending.model, ending.fingerprint, ending.tier, attempt,
            ),
        ).fetchone()  # fmt: skip
        if ending.outcome in ("answered", "rejected"):
            state = "answered" if ending.outcome == "answered" else "failed"
            self.connection.execute("UPDATE question SET state = ? WHERE key = ?", (state, row[0]))

    def give_up(self, key: str) -> None:
        """The question failed as often as is allowed; whoever resumes may try again."""
        self.connection.execute("UPDATE question SET state = 'failed' WHERE key = ? AND state = 'pending'", (key,))

    def totals(self) -> Totals:
        """Counts and sums over all that was asked."""
        one = self.connection.execute
        states = dict(one("SELECT state, count(*) FROM question GROUP BY state").fetchall())
        attempts, prompt, completion, unpriced = one(
            "SELECT count(*), ifnull(sum(prompt_tokens), 0), ifnull(sum(completion_tokens), 0), count(*) FILTER (WHERE outcome = 'answered' AND cost_usd IS NULL)"
            " FROM attempt"
        ).fetchone()
        costs = one("SELECT cost_usd, count(*) FROM attempt WHERE cost_usd IS NOT NULL GROUP BY cost_usd")
        cost = sum((Decimal(text) * count for text, count in costs), Decimal(0))
        doubtful = one(
            "SELECT most_usd, ifnull(most_tokens, 0), count(*) FROM attempt WHERE possibly_billed OR outcome IS NULL GROUP BY 1, 2"
            " UNION ALL SELECT most_usd, ifnull(most_tokens, 0), count(*) FROM batch_question JOIN batch ON batch = name"
            " WHERE state <> 'over' GROUP BY 1, 2"
        ).fetchall()
        return Totals(
            states.get("pending", 0), states.get("answered", 0), states.get("failed", 0), attempts, prompt, completion, cost, unpriced,
            sum(count for _, _, count in doubtful),
            sum((Decimal(usd or 0) * count for usd, _, count in doubtful), Decimal(0)),
            sum(tokens * count for _, tokens, count in doubtful),
        )  # fmt: skip


def _text(value: Decimal | None) -> str | None:
    return None if value is None else format(value, "f")


def _lock(path: Path) -> int:
    """Hold the file beside the ledger that says who writes; the kernel lets go of it with the process."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path.with_name(path.name + ".lock"), os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o644)
    except OSError as error:
        raise UserError(f"{path} cannot be written: {error.strerror}.", "Check the folder's permissions.") from error
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise UserError(f"{path} is being written by another process.", "Wait for it to end, or stop it.") from None
    return handle
