"""Two thousand questions, one in twenty in trouble, the process killed three times: every answer once, none asked without need, the cost exact."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import closing
from decimal import Decimal
from functools import partial
from pathlib import Path

import pytest

from core.teacher.asking.ledger import Ledger
from tests.core.teacher.asking.asking_child import questions
from tests.core.teacher.asking.scripted_batches import reply
from tests.core.teacher.asking.scripted_replies import Reply, Seen, answer, error
from tests.core.teacher.asking.scripted_server import ScriptedServer

COUNT, AT_ONCE, KILLS = 2000, 64, 3
ROOT = Path(__file__).resolve().parents[4]


def usage(seen: Seen) -> tuple[int, int]:
    """Tokens of prompt and completion, different for each question."""
    number = int(seen.json["messages"][0]["content"].split()[1].rstrip("."))
    return 50 + number % 37, 10 + number % 101


def troubled(seen: Seen) -> Reply:
    """One request in twenty meets one of the usual faults, the same at each run of the test."""
    dice = random.Random(f"{seen.hash}{seen.nth}")
    prompt, completion = usage(seen)
    good = answer(prompt=prompt, completion=completion, delay=0.02)
    if dice.random() >= 0.05:
        return good
    return dice.choice(
        [
            error(500),
            error(503, "Overloaded."),
            error(429, "Slow down.", headers={"retry-after-ms": "20"}),
            Reply(200, good.body, cut=40),
            Reply(200, b'{"choices": [', cut=None),
            Reply(200, good.body, cut=-1),
        ]
    )


def is_whole(reply: Reply) -> bool:
    return reply.status == 200 and reply.cut is None and reply.body.endswith(b"}")


def enough(server: ScriptedServer, answers: int, child: subprocess.Popen[bytes]) -> bool:
    return len(server.delivered) >= answers or child.poll() is not None


def begin(ledger: Path, server: ScriptedServer, count: int = COUNT, way: str = str(AT_ONCE)) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "tests.core.teacher.asking.asking_child", str(ledger), server.url, str(count), way],
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )


@pytest.mark.slow
def test_three_kills_lose_nothing_and_pay_nothing_twice(tmp_path: Path, eventually: Callable[..., None]) -> None:
    rng = random.Random(11)
    moments = sorted(rng.randrange(100, COUNT - 100) for _ in range(KILLS))
    path = tmp_path / "ledger.db"
    with ScriptedServer(troubled) as server:
        for moment in moments:
            child = begin(path, server)
            eventually(partial(enough, server, moment, child), 60)
            child.kill()
            assert child.wait() == -9, "it ended before it could be killed"
        assert begin(path, server).wait(60) == 0
    with closing(Ledger(path)) as ledger:
        totals = ledger.totals()
        assert (totals.answered, totals.pending, totals.failed, totals.unpriced) == (COUNT, 0, 0, 0)
        rows = ledger.connection.execute("SELECT question, outcome, count(*) FROM attempt GROUP BY 1, 2").fetchall()
    outcomes: dict[str, Counter[str]] = {}
    for key, outcome, count in rows:
        outcomes.setdefault(key, Counter())[outcome] = count
    assert all(one["answered"] == 1 for one in outcomes.values())
    asked = Counter(seen.json["messages"][0]["content"] for seen in server.seen)
    whole = Counter(
        seen.json["messages"][0]["content"]
        for seen in server.seen
        if troubled(seen).cut is None and troubled(seen).status == 200 and len(troubled(seen).body) > 20
    )
    for question in questions(server.url, COUNT):
        text, tries = question.messages[0]["content"], outcomes[question.key]
        killed = tries["interrupted"]
        assert asked[text] <= sum(tries.values()), "something was sent that the ledger does not know"
        assert asked[text] >= sum(tries.values()) - killed, "the ledger knows of something that was not sent"
        assert 1 <= whole[text] <= 1 + killed, "an answer that was there was asked for again"
    assert sum(one["interrupted"] for one in outcomes.values()) <= KILLS * AT_ONCE
    expected = sum(
        (50 + number % 37) * Decimal(2) + (10 + number % 101) * Decimal(8) for number in range(COUNT)
    ) / Decimal(1_000_000)
    assert totals.cost_usd == expected


@pytest.mark.slow
def test_a_batch_survives_a_kill_at_every_step_and_is_paid_for_once(
    tmp_path: Path, eventually: Callable[..., None]
) -> None:
    steps = [
        ("POST /files", False),
        ("POST /files", True),
        ("POST /batches", False),
        ("GET /batches", True),
        ("POST /batches", True),
        ("GET /batches", True),
        ("GET /batches/batch_1", True),
        ("GET /files/output/content", True),
        ("GET /files/errors/content", True),
    ]
    reached = 0

    def hang(server: ScriptedServer, seen: Seen) -> Reply | None:
        """At the next step the server does what it is asked, or not yet, and says nothing, until the client is killed."""
        nonlocal reached
        batch = server.batches.get("batch_1", {})
        path = seen.path.partition("?")[0]
        for name in ("output", "error"):
            path = path.replace(f"/{batch.get(name + '_file_id')}/", f"/{name}{'s' if name == 'error' else ''}/")
        if reached < len(steps) and steps[reached][0] == f"{seen.method} {path}":
            if steps[reached][1]:
                reply(server, seen)
            reached += 1
            return Reply(silent=True)
        return None

    with ScriptedServer() as server:
        server.other = hang
        server.batch_script.replies = {"Problem 3.": error(400, "No.")}
        for step in range(1, len(steps) + 1):
            child = begin(tmp_path / "ledger.db", server, 20, "batches")
            eventually(partial(lambda child, step: reached >= step or child.poll() is not None, child, step), 30)
            child.kill()
            assert child.wait() == -9, steps[step - 1]
        assert begin(tmp_path / "ledger.db", server, 20, "batches").wait(30) == 1, (
            "the refused question is its only trouble"
        )
        assert server.batch_script.created == 1
        assert set(server.batch_script.executed.values()) == {1}
    with closing(Ledger(tmp_path / "ledger.db")) as ledger:
        totals = ledger.totals()
        assert (totals.answered, totals.failed, totals.pending, totals.attempts) == (19, 1, 0, 20)
        assert totals.cost_usd == 19 * Decimal("0.0003")
        assert totals.doubtful == 0
