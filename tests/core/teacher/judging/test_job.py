"""The job kind `judge` through a real supervisor and a real endpoint: every text judged once, whatever is killed, refused or used up."""

from __future__ import annotations

import json
import os
import signal
import sqlite3
import zlib
from collections import Counter
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from core.errors import UserError
from core.jobs import JobFolder, info
from core.jobs.control import resume, start
from core.jobs.events import read_events
from core.samples import query, store
from core.teacher.judging import intake, results, rubrics, starting
from core.teacher.judging.judgement import conversation, judgements
from core.teacher.judging.pace import JudgePace, standing
from core.teacher.judging.plan import plan_from
from tests.core.teacher.asking import scripted_replies
from tests.core.teacher.asking.scripted_replies import KEY, Reply, Seen
from tests.core.teacher.asking.scripted_server import ScriptedServer
from tests.core.teacher.scripted_judge import judge

Fill = Callable[..., tuple[int, ...]]
Eventually = Callable[..., None]
PRICE = Decimal("0.0006")
"""Of one answer: 100 tokens at $2 and 50 at $8 a million."""


@pytest.fixture(autouse=True)
def key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)


def sometimes_wrong(question: str, again: bool) -> str | None:
    """One first answer in ten is of no use, and says the key."""
    return f"Four points. {KEY}" if number_in(question) % 10 == 3 and not again else None


def number_in(question: str) -> int:
    return int(question.partition("Number ")[2].partition(":")[0])


@pytest.fixture
def endpoint() -> Iterator[ScriptedServer]:
    with ScriptedServer(judge(wrong=sometimes_wrong, delay=0.02)) as running:
        yield running


def launch(tmp_path: Path, connection: sqlite3.Connection, endpoint: ScriptedServer, **plan: Any) -> JobFolder:
    asked = plan_from({"model": "gpt-4.1", "base_url": endpoint.url, "concurrency": 2, "query": "", **plan})
    return starting.launch(asked, tmp_path, connection)


def finish(job: JobFolder, eventually: Eventually) -> str:
    eventually(lambda: not info(job).alive, seconds=60, what="the job has ended")
    return info(job).state


def judged(job: JobFolder) -> list[results.Judged]:
    return results.read(job.output / results.FILE)[0]


@pytest.mark.slow
def test_a_killed_job_goes_on_and_every_sample_is_scored_once_to_the_cent(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer, eventually: Eventually
) -> None:
    keys = fill(30)
    job = launch(tmp_path, connection, endpoint)
    start(job)
    eventually(lambda: len(judged(job)) >= 8, seconds=60)
    (worker,) = json.loads(job.state.read_text())["workers"]
    os.kill(worker, signal.SIGKILL)
    assert finish(job, eventually) == "failed"
    before = judged(job)
    assert intake.take_in(connection, job).outcomes == len(before) < 30
    with (job.output / results.FILE).open("ab") as file:
        file.write(b'{"sample": 4, "ver')  # what a crash in the middle of a write leaves
    resume(job)
    assert finish(job, eventually) == "done", job.log.read_text()
    after = judged(job)
    assert after[: len(before)] == before
    assert Counter(one.sample for one in after) == Counter(keys)
    assert all(one.score is not None for one in after)
    taken = intake.take_in(connection, job)
    assert (taken.outcomes, taken.scored, bool(taken.changes)) == (30 - len(before), 30 - len(before), True)
    assert intake.take_in(connection, job).outcomes == 0
    rows = connection.execute("SELECT sample_id, cost_usd FROM judgement").fetchall()
    assert Counter(key for key, _ in rows) == Counter(keys)
    assert sum(Decimal(cost) for _, cost in rows) == 33 * PRICE, "30 judgements, and three asked for again"
    last = [event for event in read_events(job.events) if event["kind"] == "judge"][-1]
    assert (last["requested"], last["done"], last["judged"], last["failed"], last["asked"]) == (30, 30, 30, 0, 33)
    assert last["cost_usd"] == pytest.approx(float(33 * PRICE))
    assert last["mean"] == pytest.approx(sum(one.score or 0 for one in after) / 30)
    at, course = standing(job.events), JudgePace(job.events).poll()
    assert at == course.standing
    assert (course.done[-1], course.judged[-1], course.mean[-1]) == (30, 30, last["mean"])
    assert set(endpoint.counts.values()) <= {1, 2}, "only what was under way when it was killed may be asked twice"
    assert sum(count - 1 for count in endpoint.counts.values()) <= 2


@pytest.mark.slow
def test_scores_come_with_points_conversation_and_cost_and_no_key_is_kept(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer, eventually: Eventually
) -> None:
    keys = fill(4)
    job = launch(tmp_path, connection, endpoint, parameters={"temperature": 0.0})
    start(job)
    assert finish(job, eventually) == "done", job.log.read_text()
    assert {seen.headers["authorization"] for seen in endpoint.seen} == {f"Bearer {KEY}"}
    intake.take_in(connection, job)
    (found,) = judgements(connection, keys[3])
    assert (found.job, found.asked_model, found.model) == (job.id, "gpt-4.1", "gpt-4.1-2025-04-14")
    rubric = rubrics.find("go-sample")
    assert (found.rubric, found.rubric_version, found.rubric_digest) == ("go-sample", 1, rubric.digest)
    assert found.score == rubric.file.score({one.criterion: one.points for one in found.points})
    assert (found.summary, found.reason, found.cost_usd, found.usage.prompt) == ("It will do.", "", 2 * PRICE, 200)
    assert store.sample(connection, keys[3]).judge == found.score
    assert list(query.ids(connection, query.parse(f"judge:{found.score} id:{keys[3]}"))) == [keys[3]]
    turns = conversation(connection, keys[3], job.id)
    assert [turn.stage for turn in turns] == ["judge", "again"]
    assert turns[0].parameters["response_format"]["json_schema"]["strict"] is True
    assert turns[0].answer == "Four points. [key]"
    assert conversation(connection, keys[3], "another") == ()
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert {"gosmith.db", "judgements.jsonl", "ledger.db", "items.jsonl", "rank0.log", "job.json"} <= {
        one.name for one in files
    }
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    stored = connection.execute("SELECT conversation FROM judgement")
    assert [talk for (talk,) in stored if KEY.encode() in zlib.decompress(talk)] == []


@pytest.mark.slow
def test_a_budget_and_an_empty_account_pause_it_with_a_sentence(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer, eventually: Eventually
) -> None:
    fill(12)
    rich = endpoint.script

    def poor(seen: Seen) -> Reply:
        return rich(seen) if len(endpoint.delivered) < 5 else scripted_replies.quota()

    endpoint.script = poor
    job = launch(tmp_path, connection, endpoint)
    start(job)
    assert finish(job, eventually) == "stopped"
    assert "has no quota left" in info(job).message
    asked = {seen.hash for seen in endpoint.seen}
    endpoint.script = rich
    starting.resume(job, budget_usd=0.05)
    assert finish(job, eventually) == "stopped"
    assert "The budget of $0.05 is used up" in info(job).message
    starting.resume(job, budget_usd=5)
    assert finish(job, eventually) == "done", job.log.read_text()
    assert len(judged(job)) == 12
    assert asked <= {seen.hash for seen in endpoint.seen}
    assert set(endpoint.delivered.values()) == {1}, "nothing that was answered is asked again"


@pytest.mark.slow
def test_what_fails_is_told_with_its_reason_and_was_paid_for(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer, eventually: Eventually
) -> None:
    one, two, three = fill(3)

    def wrong(question: str, again: bool) -> str | Reply | None:
        number = number_in(question)
        return [None, "No.", scripted_replies.answer(refusal="I do not judge.")][number]

    endpoint.script = judge(wrong=wrong)
    job = launch(tmp_path, connection, endpoint)
    start(job)
    assert finish(job, eventually) == "done", job.log.read_text()
    taken = intake.take_in(connection, job)
    assert (taken.outcomes, taken.scored) == (3, 1)
    reasons = [judgements(connection, key)[0].reason for key in (one, two, three)]
    assert reasons[0] == ""
    assert reasons[1].startswith("The judge's answer is of no use, also when asked again: The answer is no JSON")
    assert reasons[2] == "The judge refused: I do not judge."
    assert store.sample(connection, two).judge is None
    assert [found.cost_usd for key in (one, two, three) for found in judgements(connection, key)] == [PRICE, 2 * PRICE, PRICE]  # fmt: skip


def test_what_cannot_work_is_refused_before_a_folder_is_made(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer
) -> None:
    with pytest.raises(UserError, match="“status:new” finds no sample to judge"):
        launch(tmp_path, connection, endpoint, query="status:new")
    fill(1)
    with pytest.raises(UserError, match="There is no rubric “go-smaple”"):
        launch(tmp_path, connection, endpoint, rubric="go-smaple")
    with pytest.raises(UserError, match="There is no price for the model nobody-knows"):
        launch(tmp_path, connection, endpoint, model="nobody-knows", budget_usd=1.0)
    with pytest.raises(UserError, match="There is no key “stauts”"):
        launch(tmp_path, connection, endpoint, query="stauts:new")
    place = rubrics.copy("go-sample", tmp_path)
    (place / "again.j2").write_text("{{ wrods }}\n")
    with pytest.raises(UserError, match=r"go-sample/again\.j2, line 1: 'wrods' is undefined"):
        launch(tmp_path, connection, endpoint)
    assert not list((tmp_path / "jobs").glob("*-judge-*"))


def test_what_is_edited_later_changes_nothing_of_a_job(
    tmp_path: Path, connection: sqlite3.Connection, fill: Fill, endpoint: ScriptedServer
) -> None:
    fill(1)
    place = rubrics.copy("go-sample", tmp_path)
    job = launch(tmp_path, connection, endpoint)
    digest = rubrics.find("go-sample", tmp_path).digest
    (place / "judge.j2").write_text("Something else.\n")
    assert rubrics.load(job.path / starting.RUBRIC, name="go-sample").digest == digest
    asked = json.loads(job.request.read_text())
    assert asked["request"]["rubric"] == {"name": "go-sample", "version": 1, "digest": digest, "own": True}
    assert (asked["title"], asked["request"]["items"]) == ("Go sample: 1 sample judged by gpt-4.1", 1)
    assert asked["command"][-2:] == ["judge", "{folder}/plan.toml"]
    assert asked["request"]["plan"]["budget_usd"] == 5.0
