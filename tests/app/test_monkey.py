"""A seeded monkey at the keyboard of the real window: no exception, no complaint of Qt, a sound database, and everything it did can be undone."""

from __future__ import annotations

import hashlib
import random
import sqlite3
from contextlib import closing

import pytest
from PySide6.QtCore import QCoreApplication, Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLineEdit, QPlainTextEdit, QWidget
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.samples.page import SamplesPage
from app.window import MainWindow
from core.samples import edits
from core.workspace import Workspace

STEPS = 250
LEAVE_ALONE = (
    "app.quit",
    "samples.import",
    "samples.export",
    "samples.check",
    "samples.train",
    "go.training",
    "go.playground",
    "go.evaluation",
    "samples.export_reviews",
    "samples.merge_reviews",
    "samples.add_suite",
    "samples.gofmt",
    "samples.fix_imports",
)
"""What opens a dialog of the system, starts processes, or belongs to another page's tests."""
KEYS = (*range(Qt.Key.Key_A, Qt.Key.Key_Z + 1), *range(Qt.Key.Key_0, Qt.Key.Key_9 + 1), Qt.Key.Key_Return, Qt.Key.Key_Escape,
        Qt.Key.Key_Tab, Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_Home, Qt.Key.Key_F5, Qt.Key.Key_F8, Qt.Key.Key_Delete)  # fmt: skip
SEARCHES = ("", "", "", "status:new", "-topic:io", "sort:-tokens", "tokens:>600", "nosuchword", "broken:", '"open')


def content(connection: sqlite3.Connection) -> str:
    """Everything that undo answers for: current texts, decisions, tags, and what is deleted."""
    tables = ("SELECT id, version_id FROM sample ORDER BY id", "SELECT sample_id, status, rating, deleted, reasons, note FROM review ORDER BY 1",
              "SELECT sample_id, name FROM tag ORDER BY 1, 2")  # fmt: skip
    return hashlib.sha256(repr([connection.execute(one).fetchall() for one in tables]).encode()).hexdigest()


class Monkey:
    def __init__(self, window: MainWindow, page: SamplesPage, qtbot: QtBot, seed: int) -> None:
        self._window, self._page, self._qtbot = window, page, qtbot
        self._chance = random.Random(seed)

    def step(self) -> None:
        acts = [
            self.command,
            self.key,
            self.key,
            self.key,
            self.click,
            self.search,
            self.write,
            self.resize,
            self.leave,
            self.leave,
        ]
        self._chance.choice(acts)()
        for other in QApplication.topLevelWidgets():
            if other is not self._window and other.isVisible():
                other.close()
                self._window.activateWindow()
        if self._chance.random() < 0.3:
            QCoreApplication.processEvents()

    def command(self) -> None:
        names = [one.name for one in self._window.context.commands.bound() if not one.name.startswith(LEAVE_ALONE)]
        self._window.context.commands.run(self._chance.choice(names))

    def key(self) -> None:
        target = self._window.focusWidget() or self._page.table
        self._qtbot.keyClick(target, Qt.Key(self._chance.choice(KEYS)))

    def click(self) -> None:
        buttons = [
            one
            for one in self._page.findChildren(QAbstractButton)
            if one.isVisible() and one.isEnabled() and one.objectName() not in ("samplesImport", "samplesExport", "samplesCheck", "samplesTrain")
            and "Check them now" not in one.text() and "…" not in one.text()
        ]  # fmt: skip
        if buttons:
            self._qtbot.mouseClick(self._chance.choice(buttons), Qt.MouseButton.LeftButton)

    def search(self) -> None:
        self._page.search.field.setText(self._chance.choice(SEARCHES))

    def write(self) -> None:
        target: QWidget | None = self._window.focusWidget()
        if isinstance(target, (QLineEdit, QPlainTextEdit)) and not target.isReadOnly():
            self._qtbot.keyClicks(target, self._chance.choice(["x := 1", "// hm", "status:", "gold"]))

    def leave(self) -> None:
        """Out of editor and search, back to all samples, or it would type its letters there for ever."""
        self._page.review.discard_edit()
        self._page.clear_search()
        self._page.table.setFocus()

    def resize(self) -> None:
        self._window.resize(self._chance.randrange(1024, 1600), self._chance.randrange(640, 1000))


@pytest.mark.parametrize("seed", [1, 2])
def test_a_monkey_breaks_nothing(
    window: MainWindow, page: SamplesPage, context: AppContext, workspace: Workspace, qtbot: QtBot, seed: int
) -> None:
    page.checker.close()
    with closing(workspace.connect(readonly=True)) as connection:
        before = content(connection)
    done: list[object] = []
    page.writer.done.connect(done.append)
    monkey = Monkey(window, page, qtbot, seed)
    for _ in range(STEPS):
        monkey.step()
        if window.current_page() is not page:
            window.show_page("samples")
    page.review.discard_edit()
    page.search.set_query(page.search.query)
    qtbot.waitUntil(lambda: not context.tasks.busy(), timeout=30_000)
    with closing(workspace.connect()) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        while edits.undo(connection) is not None:
            pass
        assert content(connection) == before
    assert done, "a monkey that does nothing proves nothing"
