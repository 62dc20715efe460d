"""The queue in the list of runs: who waits is dragged or moved by keys, and the order of the list is the order of the queue."""

from __future__ import annotations

import os
import signal

from PySide6.QtCore import QMimeData, QPoint, QPointF, Qt
from PySide6.QtGui import QDragEnterEvent, QDragMoveEvent, QDropEvent
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.training.lease_strip import LeaseStrip
from app.training.page import TrainingPage
from app.training.run_rows import reading_order, run_row
from app.widgets.jobs.jobs_list_model import MIME
from core import jobs
from core.jobs import control
from core.jobs.folder import JobFolder
from core.jobs.order import LAST, move, tickets
from core.jobs.status import JobInfo
from core.workspace import Workspace

Queue = tuple[JobFolder, dict[str, JobFolder]]
NO_BUTTON = Qt.MouseButton.LeftButton, Qt.KeyboardModifier.NoModifier


def shown(page: TrainingPage) -> list[str]:
    return [page.runs.rows.row(place).job.title for place in range(page.runs.rows.rowCount())]


def drop(page: TrainingPage, job: JobFolder, place: QPoint) -> bool:
    """Drag a row to a point of the list with the events that Qt sends; was it taken?"""
    model, viewport = page.runs.rows, page.runs.viewport()
    position = model.position(job.id)
    assert position is not None
    data = model.mimeData([model.index(position)])
    action = Qt.DropAction.MoveAction
    QApplication.sendEvent(viewport, QDragEnterEvent(place, action, data, *NO_BUTTON))
    moved = QDragMoveEvent(place, action, data, *NO_BUTTON)
    QApplication.sendEvent(viewport, moved)
    if not moved.isAccepted():
        return False
    dropped = QDropEvent(QPointF(place), action, data, *NO_BUTTON)
    QApplication.sendEvent(viewport, dropped)
    return dropped.isAccepted()


def upper_edge(page: TrainingPage, job: JobFolder) -> QPoint:
    position = page.runs.rows.position(job.id)
    assert position is not None
    return page.runs.visualRect(page.runs.rows.index(position)).topLeft() + QPoint(40, 3)


def test_a_waiting_run_is_dragged_to_another_place_and_stays_chosen(
    training: TrainingPage, queue: Queue, qtbot: QtBot, workspace: Workspace
) -> None:
    _, found = queue
    assert shown(training) == ["first", "a", "b", "c"]
    training.runs.select(found["c"].id)
    assert drop(training, found["c"], upper_edge(training, found["a"]))
    qtbot.waitUntil(lambda: shown(training) == ["first", "c", "a", "b"], timeout=10_000)
    assert [ticket.holder for ticket in tickets(workspace.jobs / "leases")] == ["c", "a", "b"]
    assert training.runs.rows.row(training.runs.currentIndex().row()).job.title == "c"
    bottom = training.runs.visualRect(training.runs.rows.index(3)).bottomLeft() + QPoint(40, -3)
    assert drop(training, found["c"], bottom)
    qtbot.waitUntil(lambda: shown(training) == ["first", "a", "b", "c"], timeout=10_000)


def test_a_run_cannot_be_dropped_before_one_that_runs_and_a_running_one_cannot_be_dragged(
    training: TrainingPage, queue: Queue
) -> None:
    first, found = queue
    assert not drop(training, found["c"], upper_edge(training, first))
    model = training.runs.rows
    draggable = [bool(model.flags(model.index(row)) & Qt.ItemFlag.ItemIsDragEnabled) for row in range(4)]
    assert draggable == [False, True, True, True]
    other = QMimeData()
    other.setText("c")
    assert not model.dropMimeData(other, Qt.DropAction.MoveAction, 1, 0, model.index(-1))
    assert not other.hasFormat(MIME)


def test_alt_and_the_arrows_move_the_chosen_run(training: TrainingPage, queue: Queue, qtbot: QtBot) -> None:
    _, found = queue
    training.runs.select(found["b"].id)
    up, down = (training.context.commands.action(f"runs.move_{way}") for way in ("up", "down"))
    qtbot.waitUntil(lambda: up.isEnabled() and down.isEnabled(), timeout=10_000)
    training.activateWindow()
    training.runs.setFocus()
    alt = Qt.KeyboardModifier.AltModifier
    qtbot.keyClick(training.runs, Qt.Key.Key_Up, alt)
    qtbot.waitUntil(lambda: shown(training) == ["first", "b", "a", "c"], timeout=10_000)
    qtbot.waitUntil(lambda: not up.isEnabled(), timeout=10_000)  # it is the first now
    for expected in (["a", "b", "c"], ["a", "c", "b"]):
        qtbot.waitUntil(down.isEnabled, timeout=10_000)
        qtbot.keyClick(training.runs, Qt.Key.Key_Down, alt)
        qtbot.waitUntil(lambda expected=expected: shown(training)[1:] == expected, timeout=10_000)
    qtbot.waitUntil(lambda: not down.isEnabled(), timeout=10_000)


def test_what_others_do_to_the_queue_is_seen(
    training: TrainingPage, queue: Queue, qtbot: QtBot, workspace: Workspace
) -> None:
    first, found = queue
    move(workspace.jobs, found["a"].id, LAST)
    qtbot.waitUntil(lambda: shown(training) == ["first", "b", "c", "a"], timeout=10_000)
    os.kill(jobs.info(found["b"]).pid or 0, signal.SIGKILL)
    qtbot.waitUntil(lambda: shown(training) == ["first", "c", "a", "b"], timeout=10_000)
    jobs.stop(first, wait=True)
    for name in "ca":
        assert control.wait_for_end(found[name], 30).state == "done"
    qtbot.waitUntil(lambda: not training.runs.rows.waiting(), timeout=10_000)


def test_a_move_that_comes_too_late_is_said_and_changes_nothing(
    training: TrainingPage, queue: Queue, qtbot: QtBot
) -> None:
    first, found = queue
    training.actions_of_run.move(first.id, found["a"].id)
    qtbot.waitUntil(lambda: "does not wait" in training.banner.text, timeout=10_000)
    assert shown(training) == ["first", "a", "b", "c"]


def test_who_holds_the_gpu_stands_below_the_list(training: TrainingPage, queue: Queue, qtbot: QtBot) -> None:
    first, _ = queue
    pid = jobs.info(first).pid
    qtbot.waitUntil(lambda: training.leases.lines() == [("GPU 0", "first", f"pid {pid}")], timeout=10_000)
    assert training.leases.isVisible()


def info(**fields: object) -> JobInfo:
    plain = {"id": "x", "kind": "train", "title": "x", "state": "queued", "message": "", "hint": "", "created": 0.0}
    return JobInfo(**{"folder": None, **plain, **fields})  # type: ignore[arg-type]


def test_gpus_of_one_job_share_a_line_and_free_ones_are_told(qtbot: QtBot) -> None:
    strip = LeaseStrip()
    qtbot.addWidget(strip)
    leases = ("gpu:0", "gpu:1", "gpu:2", "gpu:5")
    strip.show_jobs([info(state="running", title="big", pid=7, leases=leases)], 8)
    assert strip.lines() == [("GPU 0–2, 5", "big", "pid 7"), ("GPU 3–4, 6–7", "free", "")]
    strip.show_jobs([info(state="running", title="small", pid=8, leases=("train",))], 0)
    assert strip.lines() == [("CPU", "small", "pid 8")]
    strip.show_jobs([], 0)
    assert strip.isHidden()


def test_rows_are_read_from_what_runs_to_what_has_ended_and_say_how_far_they_are() -> None:
    runs = [
        info(title="done", state="done", step=3, total=3),
        info(title="later", not_before=4e9),
        info(title="third", place=3),
        info(title="next", place=1),
        info(title="runs", state="running", step=1_200),
    ]
    told = [(run.title, run_row(run).detail) for run in reading_order(runs)]
    assert told[:3] == [("runs", "step 1,200"), ("next", "next"), ("third", "3rd in the queue")]
    assert told[3][1].startswith("starts at ")
    assert told[4] == ("done", "3 / 3")
