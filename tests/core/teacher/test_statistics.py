"""What came of teachers' jobs, counted from what was taken in."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from core.jobs import JobFolder
from core.samples import edits, query
from core.teacher import intake, results, starting, statistics
from core.teacher.plan import plan_from
from tests.core.teacher.outcomes import done, write


def launch(root: Path, connection: sqlite3.Connection, recipe: str = "topic-grid") -> JobFolder:
    return starting.launch(plan_from({"recipe": recipe, "model": "m", "samples": 9, "seed": 3}), root, connection)


def failed(number: int, result: str = "failed", reason: str = "No.") -> results.Outcome:
    return done(number, result=result, reason=reason, made=())


def test_pass_rate_by_recipe_is_over_all_jobs_and_counts_what_came_to_nothing(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    first, second = launch(tmp_path, connection), launch(tmp_path, connection)
    other = launch(tmp_path, connection, "explain")
    write(first, done(0, fix=True), done(1), failed(2))
    write(second, failed(3, "refused"))
    write(other, done(4))
    for job in (first, second, other):
        intake.take_in(connection, job)
    edits.review(connection, query.ids(connection, query.parse(f"job:{first.id} -tag:fix"))[:1], status="accepted")
    grid, explain = statistics.by_recipe(connection)
    assert (grid.recipe, grid.asked, grid.verified, grid.refused, grid.failed) == ("topic-grid", 4, 2, 1, 1)
    assert (grid.accepted, grid.rate) == (1, 0.5)
    assert grid.cost_usd == 4 * 0.0006
    assert (explain.recipe, explain.rate) == ("explain", 1.0)


def test_reviews_are_of_one_job_and_count_nothing_that_was_taken_out_again(
    tmp_path: Path, connection: sqlite3.Connection
) -> None:
    job, other = launch(tmp_path, connection), launch(tmp_path, connection)
    write(job, done(0), done(1), done(2))
    write(other, done(5))
    for one in (job, other):
        intake.take_in(connection, one)
    ids = query.ids(connection, query.parse(f"job:{job.id}"))
    edits.review(connection, ids[:1], status="accepted")
    edits.review(connection, ids[1:2], status="rejected")
    assert statistics.reviews(connection, job.id) == statistics.Reviews(3, 1, 1, 1)
    edits.delete(connection, ids[2:])
    assert statistics.reviews(connection, job.id) == statistics.Reviews(2, 1, 1, 0)
    assert statistics.reviews(connection, "nobody") == statistics.Reviews()


def test_troubles_come_in_order_and_only_once(tmp_path: Path, connection: sqlite3.Connection) -> None:
    job, other = launch(tmp_path, connection), launch(tmp_path, connection)
    write(job, failed(4, reason="Too long."), done(0))
    write(other, failed(1))
    intake.take_in(connection, job)
    intake.take_in(connection, other)
    (trouble,) = statistics.troubles(connection, job.id)
    assert (trouble.number, trouble.result, trouble.reason) == (4, "failed", "Too long.")
    assert trouble.draw == {"package": "time"}
    write(job, failed(2, "refused"), done(3, result="unverified", reason="The test fails."))
    intake.take_in(connection, job)
    news = statistics.troubles(connection, job.id, trouble.place)
    assert [(one.number, one.result) for one in news] == [(2, "refused"), (3, "unverified")]


def test_a_search_finds_the_samples_of_a_job(tmp_path: Path, connection: sqlite3.Connection) -> None:
    job, other = launch(tmp_path, connection), launch(tmp_path, connection)
    write(job, done(0, fix=True), failed(1))
    write(other, done(5))
    for one in (job, other):
        intake.take_in(connection, one)
    assert query.count(connection, query.parse(f"job:{job.id}")) == 2
    assert query.count(connection, query.parse(f"-job:{job.id}")) == 1
    assert query.count(connection, query.parse(f"job:{job.id},{other.id} tag:verified")) == 3
    assert query.count(connection, query.parse("job:nobody")) == 0
