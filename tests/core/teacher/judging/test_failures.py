"""What was judged in vain, job by job, for people to read."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from core.samples import edits
from core.teacher.judging.failures import Failure, failures
from tests.core.samples.judged import judged


def test_a_job_s_failures_come_with_title_and_reason_in_their_order(
    connection: sqlite3.Connection, fill: Callable[..., tuple[int, ...]]
) -> None:
    first, second, third, fourth = fill(4)
    judged(connection, second, None, job="a", reason="It was cut off.")
    judged(connection, first, None, job="a", reason="It was refused.")
    judged(connection, third, 70, job="a")
    judged(connection, third, None, job="b")
    judged(connection, fourth, None, job="a")
    edits.delete(connection, [fourth])
    assert [(one.sample, one.reason) for one in failures(connection, "a")] == [
        (second, "It was cut off."),
        (first, "It was refused."),
    ]
    assert failures(connection, "a")[0] == Failure(second, "Number 1: write F1.", "It was cut off.")
    assert failures(connection, "c") == []
