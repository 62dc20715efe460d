"""Work leaves the GUI thread, results come back to it, and nothing that went wrong is lost."""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections.abc import Iterator

import pytest
import shiboken6
from PySide6.QtCore import QObject
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.tasks import TaskRunner
from core.errors import UserError
from core.steps import Steps
from core.workspace import Workspace


@pytest.fixture
def tasks(qapp: QApplication, workspace: Workspace, leaks_nothing: None) -> Iterator[TaskRunner]:
    made = TaskRunner(workspace)
    yield made
    made.close()


def test_work_runs_elsewhere_and_its_result_arrives_here(tasks: TaskRunner, qtbot: QtBot) -> None:
    seen: list[tuple[str, int, str]] = []
    name = threading.current_thread().name
    tasks.run_db(
        lambda connection: (threading.current_thread().name, connection.execute("SELECT 7").fetchone()[0]),
        lambda result: seen.append((*result, threading.current_thread().name)),
    )
    qtbot.waitUntil(lambda: bool(seen))
    assert seen == [("gosmith-writer", 7, name)]


def test_writes_happen_in_the_order_they_were_asked_for(tasks: TaskRunner, qtbot: QtBot) -> None:
    order: list[int] = []
    for number in range(50):
        tasks.run_db(lambda _connection, number=number: number, order.append)
    qtbot.waitUntil(lambda: not tasks.busy())
    assert order == list(range(50))


def test_the_reading_lane_cannot_write(tasks: TaskRunner, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch) -> None:
    bugs: list[BaseException] = []
    monkeypatch.setattr(sys, "excepthook", lambda kind, error, trace: bugs.append(error))
    tasks.run_query(lambda connection: connection.execute("DELETE FROM review"))
    qtbot.waitUntil(lambda: bool(bugs))
    assert isinstance(bugs[0], sqlite3.OperationalError)
    assert "readonly" in str(bugs[0])


def test_what_a_user_can_mend_goes_to_on_error_or_becomes_a_problem(tasks: TaskRunner, qtbot: QtBot) -> None:
    def fail() -> None:
        raise UserError("The disk is full.", "Free some space.")

    told: list[UserError] = []
    tasks.run(fail, on_error=told.append)
    qtbot.waitUntil(lambda: bool(told))
    assert told[0].hint == "Free some space."
    with qtbot.waitSignal(tasks.problem) as problem:
        tasks.run(fail)
    assert problem.args[0].message == "The disk is full."


def test_a_bug_reaches_the_exception_hook_of_the_gui_thread(
    tasks: TaskRunner, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    caught: list[tuple[BaseException, str]] = []
    monkeypatch.setattr(
        sys, "excepthook", lambda kind, error, trace: caught.append((error, threading.current_thread().name))
    )
    tasks.run(lambda: 1 // 0)
    qtbot.waitUntil(lambda: bool(caught))
    assert isinstance(caught[0][0], ZeroDivisionError)
    assert caught[0][1] == threading.current_thread().name


def test_a_superseded_query_is_broken_off_and_delivers_nothing(tasks: TaskRunner, qtbot: QtBot) -> None:
    started = threading.Event()

    def endless(connection: sqlite3.Connection) -> object:
        started.set()
        forever = "WITH RECURSIVE n(i) AS (VALUES(1) UNION ALL SELECT i + 1 FROM n) SELECT count(*) FROM n"
        return connection.execute(forever).fetchone()

    delivered: list[object] = []
    task = tasks.run_query(endless, delivered.append)
    assert started.wait(5)
    task.cancel()
    tasks.run_query(lambda connection: "next", delivered.append)
    qtbot.waitUntil(lambda: not tasks.busy())
    assert delivered == ["next"]


def test_a_result_whose_owner_is_gone_is_dropped(tasks: TaskRunner, qtbot: QtBot) -> None:
    owner = QObject()
    delivered: list[object] = []
    gate = threading.Event()
    tasks.run(lambda: gate.wait(5), delivered.append, owner=owner)
    shiboken6.delete(owner)
    gate.set()
    qtbot.waitUntil(lambda: not tasks.busy())
    assert delivered == []


def test_progress_that_comes_faster_than_it_is_taken_is_merged(tasks: TaskRunner, qtbot: QtBot) -> None:
    seen: list[int] = []
    report = tasks.relay(seen.append)
    tasks.run(lambda: [report(number) for number in range(10_000)])
    qtbot.waitUntil(lambda: not tasks.busy() and seen[-1:] == [9_999])
    assert len(seen) < 10_000
    assert seen == sorted(seen)


def test_closing_lets_the_writer_finish(qapp: QApplication, workspace: Workspace) -> None:
    tasks = TaskRunner(workspace)
    tasks.run_db(lambda connection: connection.execute("CREATE TABLE kept (x)"))
    tasks.close()
    connection = workspace.connect(readonly=True)
    assert connection.execute("SELECT count(*) FROM kept").fetchone() == (0,)
    connection.close()


def test_long_work_in_steps_lets_other_writes_come_in_between(tasks: TaskRunner, qtbot: QtBot) -> None:
    order: list[object] = []

    def long(_connection: sqlite3.Connection) -> Steps[str]:
        for number in range(3):
            order.append(number)
            if number == 0:
                tasks.run_db(lambda _connection: order.append("decision"))
            yield
        return "done"

    ends: list[str] = []
    tasks.run_db_steps(long, ends.append)
    qtbot.waitUntil(lambda: bool(ends) and not tasks.busy())
    assert order == [0, "decision", 1, 2]
    assert ends == ["done"]


def test_closing_drops_long_work_after_its_step_and_lets_it_clean_up(
    qapp: QApplication, workspace: Workspace, leaks_nothing: None
) -> None:
    tasks = TaskRunner(workspace)
    begun, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def endless(_connection: sqlite3.Connection) -> Steps[None]:
        try:
            while True:
                begun.set()
                go_on.wait()
                yield
        finally:
            ended.set()

    tasks.run_db_steps(endless)
    begun.wait()
    go_on.set()
    tasks.close()
    assert ended.is_set()


def test_inline_does_it_on_the_spot(qapp: QApplication, workspace: Workspace) -> None:
    tasks = TaskRunner(workspace, inline=True)
    seen: list[object] = []
    tasks.run_db(lambda connection: threading.current_thread().name, seen.append)
    tasks.run(lambda: 3, seen.append)
    assert seen == [threading.current_thread().name, 3]
    assert not tasks.busy()
    tasks.close()


def test_a_workspace_that_cannot_be_opened_says_so(qapp: QApplication, tmp_path: object, qtbot: QtBot) -> None:
    class Gone:
        def connect(self, *, readonly: bool = False) -> sqlite3.Connection:
            raise UserError("There is no workspace.", "Choose another.")

    tasks = TaskRunner(Gone())
    told: list[UserError] = []
    tasks.run_query(lambda connection: 1, on_error=told.append)
    qtbot.waitUntil(lambda: bool(told))
    tasks.close()
    assert told[0].message == "There is no workspace."
