"""The ledger is right after any end of the process that wrote it, and says no to what may never be."""

from __future__ import annotations

import asyncio
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from core.errors import UserError
from core.teacher.asking import batch_ledger
from core.teacher.asking.batch_ledger import Line
from core.teacher.asking.budget import Bound, Budget
from core.teacher.asking.committing import LedgerThread
from core.teacher.asking.ledger import Ending, Ledger
from core.teacher.exchange import Question, Usage
from tests.core.teacher.asking.scripted_replies import answer

ONE = Question(
    "http://x/v1", "gpt-4.1", ({"role": "user", "content": "ä binary heap"},), {"max_tokens": 9, "seed": 3}, 2
)
TWO = Question("http://x/v1", "gpt-4.1", ({"role": "user", "content": "a queue"},), {"max_tokens": 9})
MOST = Bound(100, Decimal("0.5"), 100)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "output" / "ledger.db"


@pytest.fixture
def ledger(path: Path) -> Iterator[Ledger]:
    with closing(Ledger(path)) as opened:
        yield opened


def test_a_question_comes_back_as_it_was(ledger: Ledger) -> None:
    ledger.write_down(ONE)
    ledger.write_down(ONE)
    assert ledger.question(ONE.key) == ONE
    assert ledger.question(ONE.key).key == ONE.key
    assert ledger.find(TWO.key) is None
    with pytest.raises(KeyError):
        ledger.question(TWO.key)


def test_what_a_killed_process_left_open_may_have_been_billed(ledger: Ledger, path: Path) -> None:
    ledger.begin(ONE, Decimal("0.25"), 40)
    received = ledger.begin(TWO, Decimal("0.25"), 40)
    ledger.receive(received, 200, {"x-request-id": "r"}, b"{}", 0.5)
    ledger.close()
    with closing(Ledger(path)) as again:
        totals = again.totals()
        assert (totals.pending, totals.doubtful, totals.doubtful_usd) == (2, 1, Decimal("0.25"))
        assert [one.outcome for one in again.attempts(ONE.key)] == ["interrupted"]
        assert [(question, one.raw) for question, one in again.received()] == [(TWO, b"{}")]


def test_a_question_has_one_answer(ledger: Ledger) -> None:
    for number in range(2):
        attempt = ledger.begin(ONE, None, None)
        if number:
            with pytest.raises(sqlite3.IntegrityError):
                ledger.settle(attempt, Ending("answered"))
        else:
            ledger.settle(attempt, Ending("answered", usage=Usage(3, 4, 1, 2), cost_usd=Decimal("0.000000075")))
    totals = ledger.totals()
    assert (totals.answered, totals.cost_usd, totals.prompt_tokens, totals.completion_tokens) == (
        1,
        Decimal("0.000000075"),
        3,
        4,
    )


def test_giving_up_takes_nothing_back_that_was_answered(ledger: Ledger) -> None:
    ledger.settle(ledger.begin(ONE, None, None), Ending("answered"))
    ledger.give_up(ONE.key)
    entry = ledger.find(ONE.key)
    assert entry is not None
    assert entry.state == "answered"


def test_one_process_writes_and_others_read_along(ledger: Ledger, path: Path) -> None:
    ledger.write_down(ONE)
    with pytest.raises(UserError, match="another process"):
        Ledger(path)
    with closing(Ledger(path, readonly=True)) as reader:
        assert reader.totals().pending == 1
        with pytest.raises(sqlite3.OperationalError):
            reader.write_down(TWO)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UserError, match="cannot be written"):
        Ledger(tmp_path / "file" / "ledger.db")


def test_a_file_that_is_no_ledger_is_said_and_let_go_of(path: Path) -> None:
    path.parent.mkdir()
    path.write_bytes(b"not a database" * 1000)
    for _ in range(2):
        with pytest.raises(UserError):
            Ledger(path)


def test_lines_of_a_batch_are_stored_once_however_often_they_are_taken(ledger: Ledger) -> None:
    batch, taken = batch_ledger.plan(ledger, [(ONE, MOST), (TWO, MOST)], Budget())
    assert batch is not None
    assert taken == 2
    assert ledger.totals().doubtful_usd == 1, "a batch that is not over counts in full"
    raw = b"\n".join(
        [
            b'{"custom_id": "%s", "response": {"status_code": 200, "body": %s}}' % (ONE.key.encode(), answer().body),
            b'{"custom_id": "nobody asked this", "response": {"status_code": 200, "body": {}}}',
            b'{"custom_id": "%s", "respo' % TWO.key.encode(),
            b"",
        ]
    )
    lines = list(batch_ledger.read_lines(raw))
    assert [line.key for line in lines] == [ONE.key, "nobody asked this"]
    assert len(batch_ledger.store(ledger, batch.name, lines, "")) == 1
    assert batch_ledger.store(ledger, batch.name, lines, "") == []
    batch_ledger.note(ledger, batch.name, "over")
    assert batch_ledger.open_batches(ledger) == []


def test_a_line_for_what_is_answered_already_is_left_out(ledger: Ledger) -> None:
    ledger.settle(ledger.begin(ONE, None, None), Ending("answered"))
    batch, _ = batch_ledger.plan(ledger, [(ONE, MOST)], Budget())
    assert batch is not None
    assert batch_ledger.store(ledger, batch.name, [Line(ONE.key, 200, b"{}")], "") == []


def test_what_waits_is_committed_together_and_in_order(path: Path) -> None:
    async def run() -> tuple[list[int], int, list[str]]:
        seen: list[int] = []
        names: list[str] = []
        async with LedgerThread(path) as thread:

            def work(number: int, ledger: Ledger) -> int:
                seen.append(number)
                names.append(threading.current_thread().name)
                ledger.write_down(Question("http://x/v1", "m", (), {}, number))
                return number

            futures = [thread.submit(lambda ledger, number=number: work(number, ledger)) for number in range(200)]  # type: ignore[misc]
            assert await asyncio.gather(*futures) == list(range(200))
            return seen, thread.commits, names

    seen, commits, names = asyncio.run(run())
    assert seen == list(range(200))
    assert commits <= 2
    assert len(set(names)) == 1
    with closing(Ledger(path)) as ledger:
        assert ledger.totals().pending == 200


def test_one_piece_of_work_that_fails_undoes_itself_alone(path: Path) -> None:
    def fail(ledger: Ledger) -> None:
        ledger.write_down(TWO)
        raise ValueError("no")

    async def run() -> list[BaseException | None]:
        async with LedgerThread(path) as thread:
            return await asyncio.gather(
                thread.do(lambda ledger: ledger.write_down(ONE)), thread.do(fail), return_exceptions=True
            )

    good, bad = asyncio.run(run())
    assert good is None
    assert isinstance(bad, ValueError)
    with closing(Ledger(path)) as ledger:
        assert ledger.find(ONE.key) is not None
        assert ledger.find(TWO.key) is None


def test_a_commit_that_fails_fails_all_who_wait_for_it(path: Path) -> None:
    def fill(ledger: Ledger) -> None:
        ledger.connection.execute("PRAGMA max_page_count = 1")
        for number in range(2000):
            ledger.write_down(Question("http://x/v1", "m", ({"role": "user", "content": "x" * 500},), {}, number))

    async def run() -> list[BaseException | None]:
        async with LedgerThread(path) as thread:
            return await asyncio.gather(thread.do(fill), thread.do(lambda ledger: None), return_exceptions=True)

    got = asyncio.run(run())
    assert isinstance(got[0], sqlite3.Error | UserError)
