"""What a job has made, in the workspace: once, with verdicts, marks, provenance, and one entry in the log."""

from __future__ import annotations

import shutil
import sqlite3
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from core.database import transaction
from core.golang.extract import from_answer
from core.jobs import JobFolder
from core.samples import adding, contamination, duplicates, edits, query, store
from core.samples.contamination import Place
from core.samples.conversation import Message, NewSample
from core.teacher import intake, results, starting
from core.teacher.plan import plan_from
from core.teacher.provenance import provenance, spent
from tests.core.teacher.outcomes import done, write
from tests.core.teacher.scripted import check_of, code, task

PASS = {"parse": "pass", "format": "pass", "types": "pass", "vet": "pass", "test": "pass"}


@pytest.fixture
def job(tmp_path: Path, connection: sqlite3.Connection) -> JobFolder:
    asked = plan_from(
        {"recipe": "topic-grid", "model": "gpt-4.1", "samples": 9, "seed": 3, "parameters": {"temperature": 1.0}}
    )
    return starting.launch(asked, tmp_path, connection)


def test_outcomes_are_read_as_they_were_written(job: JobFolder) -> None:
    given = [done(0, near=("sample:3", 0.8), fix=True), done(1, result="failed", reason="No.", made=())]
    write(job, *given)
    assert results.read(job.output / results.FILE)[0] == given


def test_samples_come_with_verdicts_tags_source_and_topic(connection: sqlite3.Connection, job: JobFolder) -> None:
    write(job, done(0, fix=True))
    taken = intake.take_in(connection, job)
    assert (taken.outcomes, taken.samples, taken.duplicates) == (1, 2, 0)
    sample, fix = (store.sample(connection, key) for key in query.ids(connection, query.parse("sort:id")))
    assert sample.tags == ("topic-grid", "verified")
    assert fix.tags == ("fix", "topic-grid", "verified")
    assert (sample.source, sample.topic, sample.status) == ("gpt-4.1-2025-04-14", "time", "new")
    assert (sample.verdict.test, sample.toolchain) == ("pass", "go1.27.3")
    assert (sample.code, sample.test) == (code(0), check_of(0))


def test_nothing_is_taken_in_twice_and_half_a_line_waits(connection: sqlite3.Connection, job: JobFolder) -> None:
    write(job, done(0), done(1))
    with (job.output / results.FILE).open("ab") as file:
        file.write(results.to_line(done(2))[:50])
    assert intake.take_in(connection, job).samples == 2
    assert intake.take_in(connection, job).samples == 0
    results.cut(job.output / results.FILE)
    write(job, done(2))
    assert intake.take_in(connection, job).samples == 1
    assert query.count(connection, query.parse("")) == 3


def test_a_whole_job_is_one_entry_of_the_log(connection: sqlite3.Connection, job: JobFolder) -> None:
    for number in range(3):
        write(job, done(number))
        intake.take_in(connection, job)
    assert connection.execute("SELECT label, changed FROM operation").fetchall() == [
        ("Teacher: Topic grid: 9 samples of gpt-4.1", 3)
    ]
    edits.undo(connection)
    assert query.count(connection, query.parse("")) == 0
    write(job, done(3))
    intake.take_in(connection, job)  # news after an undo is an entry of its own
    assert query.count(connection, query.parse("")) == 1


def test_a_text_that_is_there_already_brings_provenance_but_no_sample(
    connection: sqlite3.Connection, job: JobFolder
) -> None:
    write(job, done(0), done(1, made=done(0).made))
    taken = intake.take_in(connection, job)
    assert (taken.samples, taken.duplicates) == (1, 1)
    assert connection.execute("SELECT count(*), count(sample_id) FROM generation").fetchone() == (2, 1)


def test_near_copies_are_marked_after_counting(connection: sqlite3.Connection, job: JobFolder) -> None:
    with transaction(connection):
        text = f"```go\n{code(5)}```"
        adding.add(connection, [NewSample((Message("user", "Add."), Message("assistant", text)))], author="test")
    old = query.ids(connection, query.parse(""))[0]
    write(job, done(5, near=(f"sample:{old}", 0.99)), done(6, near=("job:5", 0.9)), done(7, near=("sample:999", 0.9)))
    intake.take_in(connection, job)
    assert [(set(one.ids), one.keeper) for one in duplicates.marked(connection)] == [({old, old + 1}, old)]
    assert query.count(connection, query.parse("dup:yes")) == 1


def test_what_gives_a_problem_away_is_marked_and_stays(
    tmp_path: Path, connection: sqlite3.Connection, job: JobFolder
) -> None:
    connection.execute("INSERT INTO suite VALUES (4, 'mine', 'humaneval-x', '', 0)")
    connection.execute("INSERT INTO problem VALUES (9, 4, 'Go/0', 'AddAllUp', '', '', '', '{}')")
    (made,) = done(0).made
    leaky = replace(made, contamination=(Place(9, "name", "prompt", 0, 6), Place(77, "name", "prompt", 0, 6)))
    write(job, done(0, made=(leaky,)), done(1))
    intake.take_in(connection, job)
    assert query.count(connection, query.parse("contaminated:yes")) == 1
    (hit,) = contamination.hits(connection, 1)
    assert (hit.suite, hit.task, hit.start, hit.end) == ("mine", "Go/0", 0, 6)


def test_what_came_to_nothing_is_kept_with_its_conversation(connection: sqlite3.Connection, job: JobFolder) -> None:
    write(job, done(0, result="refused", reason="The task is a near copy of sample 3 (91% alike).", made=()))
    assert intake.take_in(connection, job).samples == 0
    row = connection.execute("SELECT result, reason, sample_id, cost_usd FROM generation").fetchone()
    assert row == ("refused", "The task is a near copy of sample 3 (91% alike).", None, "0.0006")


def test_a_samples_page_finds_where_it_comes_from(connection: sqlite3.Connection, job: JobFolder) -> None:
    write(job, done(0))
    intake.take_in(connection, job)
    (key,) = query.ids(connection, query.parse(""))
    found = provenance(connection, key)
    assert found is not None
    assert (found.job, found.number, found.recipe, found.recipe_version, found.seed) == (job.id, 0, "topic-grid", 1, 3)
    assert (found.asked_model, found.model, found.fingerprint) == ("gpt-4.1", "gpt-4.1-2025-04-14", "fp_1")
    assert (found.usage.prompt, found.cost_usd, found.prices) == (100, Decimal("0.0006"), "2026-11")
    assert found.parameters == {"temperature": 1.0, "max_tokens": 4096}
    assert found.draw == {"package": "time"}
    (turn,) = found.conversation
    assert (turn.stage, turn.messages[1].content) == ("solution", task(0))
    assert turn.parameters == {"max_tokens": 900}
    assert from_answer(turn.answer).code == code(0)
    assert provenance(connection, key + 1) is None
    used = spent(connection, "topic-grid", "gpt-4.1")
    assert used is not None
    assert (used.samples, used.requests, used.prompt, used.completion) == (1, 1, 100, 50)


def test_what_a_sample_answers_stays_with_it_when_the_job_is_gone(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    asked = plan_from({"recipe": "topic-grid", "model": "gpt-4.1", "samples": 9, "evaluation": "an-evaluation"})
    job = starting.launch(asked, tmp_path, connection)
    write(job, done(0), done(1, result="failed", reason="No.", made=()))
    intake.take_in(connection, job)
    shutil.rmtree(job.path)
    (key,) = query.ids(connection, query.parse("sort:id"))
    found = provenance(connection, key)
    assert found is not None
    assert found.evaluation == "an-evaluation"
