"""The main job in the real window, with keys and clicks: filter, fix, accept, train, close, reopen, chat."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import TypeVar

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QAbstractButton,
    QApplication,
    QComboBox,
    QDialog,
    QLabel,
    QLineEdit,
    QPlainTextEdit,
    QPushButton,
    QWidget,
)
from pytestqt.qtbot import QtBot

from app import fonts
from app.context import AppContext
from app.playground.page import PlaygroundPage
from app.samples.page import SamplesPage
from app.tasks import TaskRunner
from app.theme import Theme
from app.training.page import TrainingPage
from app.window import MainWindow
from core import jobs
from core.samples import query, store
from core.settings import Settings
from core.workspace import Workspace, open_workspace

W = TypeVar("W", bound=QWidget)
SECOND = 1_000


class Person:
    """Somebody at the window: finds things by name, presses keys and buttons, waits for what they see."""

    def __init__(self, window: MainWindow, qtbot: QtBot) -> None:
        self.window = window
        self.bot = qtbot

    def see(self, kind: type[W], name: str, inside: QWidget | None = None) -> W:
        found = (inside or self.window).findChild(kind, name)
        assert found is not None, f"there is no {name}"
        return found

    def press(self, name: str, inside: QWidget | None = None) -> None:
        button = self.see(QAbstractButton, name, inside)
        assert button.isEnabled(), f"{name} cannot be pressed"
        self.bot.mouseClick(button, Qt.MouseButton.LeftButton)

    def wait(self, condition: Callable[[], object], seconds: float = 20) -> None:
        self.bot.waitUntil(lambda: bool(condition()), timeout=round(seconds * SECOND))

    def search(self, text: str) -> SamplesPage:
        page = self.window.pages["samples"]
        assert isinstance(page, SamplesPage)
        field = self.see(QLineEdit, "searchField")
        field.setFocus()
        field.selectAll()
        self.bot.keyClicks(field, text)
        self.bot.keyClick(field, Qt.Key.Key_Return)
        self.wait(lambda: page.results.query.text == text and not self.window.context.tasks.busy())
        page.table.setFocus()
        return page


@contextmanager
def open_window(root: Path, theme: Theme, qtbot: QtBot) -> Iterator[Person]:
    workspace = open_workspace(root)
    context = AppContext(workspace, TaskRunner(workspace), Settings(theme="light"), theme)
    window = MainWindow(context)
    window.resize(1280, 800)
    window.show()
    context.jobs.start()
    try:
        yield Person(window, qtbot)
    finally:
        window.close()
        context.close()
        shiboken6.delete(window)
        shiboken6.delete(context)


@pytest.fixture
def theme(qapp: QApplication) -> Iterator[Theme]:
    fonts.load()
    made = Theme(qapp, "light")
    yield made
    shiboken6.delete(made)


def count(workspace: Workspace, text: str) -> int:
    with closing(workspace.connect(readonly=True)) as connection:
        return query.count(connection, query.parse(text))


@pytest.mark.slow
@pytest.mark.timeout(420)
def test_filter_fix_accept_train_close_reopen_and_chat(tmp_path: Path, theme: Theme, qtbot: QtBot) -> None:
    root = tmp_path / "workspace"
    workspace = Workspace(root)

    with open_window(root, theme, qtbot) as person:
        window = person.window
        page = window.pages["samples"]
        assert isinstance(page, SamplesPage)
        person.wait(lambda: page.model.rowCount() >= 240)

        # the Go check fills the verdict column
        page.table.setFocus()
        qtbot.keyClick(page.table, Qt.Key.Key_G, Qt.KeyboardModifier.ControlModifier)
        person.wait(lambda: count(workspace, "verdict:unchecked") == 0, 120)

        # filter to what fails, read why, fix one
        page = person.search("verdict:fail check:types topic:errors")
        person.wait(lambda: page.model.rowCount() == 1)
        assert "types" in person.see(QLabel, "sampleVerdict").text().lower()
        with closing(workspace.connect(readonly=True)) as connection:
            [broken] = query.ids(connection, query.parse("verdict:fail check:types topic:errors"))
            before = store.sample(connection, broken)
        assert any("imported and not used" in d.message for d in before.diagnostics)
        unused = next(d.message.split('"')[1] for d in before.diagnostics if "imported and not used" in d.message)
        qtbot.keyClick(page.table, Qt.Key.Key_E)
        editor = person.see(QPlainTextEdit, "sampleEditor")
        person.wait(editor.isVisible)
        assert f'"{unused}"' in editor.toPlainText()
        cursor = editor.document().find(f'"{unused}"')
        cursor.select(cursor.SelectionType.LineUnderCursor)
        cursor.removeSelectedText()
        cursor.deleteChar()
        qtbot.keyClick(editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
        person.wait(lambda: len(_versions(workspace, broken)) == 2)

        # accept by keyboard
        page = person.search("status:new topic:errors verdict:pass")
        person.wait(lambda: page.model.rowCount() >= 15)
        for expected in range(1, 13):
            qtbot.keyClick(page.table, Qt.Key.Key_A)
            person.wait(lambda expected=expected: count(workspace, "status:accepted") == expected)

        # train on what was accepted
        page = person.search("status:accepted")
        person.wait(lambda: page.model.rowCount() == 12)
        person.press("samplesTrain")
        dialog = _dialog(person)
        start = person.see(QPushButton, "runStart", dialog)
        person.wait(lambda: person.see(QPlainTextEdit, "batchPreview", dialog).toPlainText(), 90)
        assert "12 samples" in dialog.findChild(QComboBox, "snapshotPicker").currentText()
        length = person.see(QLineEdit, "field-data.max_length", dialog)
        length.selectAll()
        qtbot.keyClicks(length, "10")
        person.wait(lambda: not start.isEnabled(), 5)
        length.selectAll()
        qtbot.keyClicks(length, "256")
        person.wait(start.isEnabled, 60)
        person.press("runStart", dialog)
        person.wait(lambda: [job for job in jobs.list_jobs(workspace.jobs) if job.kind == "train"], 30)
        training = window.pages["training"]
        assert isinstance(training, TrainingPage)
        person.wait(lambda: person.see(QLabel, "runState").text() in ("Queued", "Running"), 60)

    # the window is gone; the run is not
    [run] = [job for job in jobs.list_jobs(workspace.jobs) if job.kind == "train"]
    assert run.state in ("queued", "running", "done")

    with open_window(root, theme, qtbot) as person:
        person.press("navTraining")
        training = person.window.pages["training"]
        assert isinstance(training, TrainingPage)
        person.wait(lambda: person.see(QLabel, "runState").text() == "Done", 180)
        loss = training.view.charts.grid.cards["lossChart"]
        person.wait(lambda: loss.accessibleDescription().startswith("Training loss: "), 10)
        assert "no data" not in loss.accessibleDescription()
        assert training.view.charts.grid.isVisible()

        # try its checkpoint
        person.press("runSettings")
        checkpoint = next(iter((workspace.jobs / run.id / "output").glob("checkpoint-*")))
        person.wait(lambda: training.view.findChild(QPushButton, f"try-{checkpoint.name}") is not None)
        person.press(f"try-{checkpoint.name}")
        playground = person.window.pages["playground"]
        assert isinstance(playground, PlaygroundPage)
        picker = person.see(QComboBox, "modelPicker")
        person.wait(lambda: picker.currentData() == str(checkpoint))
        for name, value in (
            ("temperatureField", "0.5"),
            ("topPField", "0.9"),
            ("maxTokensField", "24"),
            ("seedField", "11"),
        ):
            field = person.see(QLineEdit, name)
            field.selectAll()
            qtbot.keyClicks(field, value)
        prompt = person.see(QPlainTextEdit, "promptField")
        qtbot.keyClicks(prompt, "Wrap an error with context.")
        qtbot.keyClick(prompt, Qt.Key.Key_Return)
        used = person.see(QLabel, "settingsUsed")
        person.wait(lambda: "seed 11" in used.text(), 90)
        assert "temperature 0.5" in used.text()
        assert "top_p 0.9" in used.text()
        transcript = person.see(QPlainTextEdit, "transcript").toPlainText()
        assert "Wrap an error with context." in transcript
        assert transcript.rstrip() != "Wrap an error with context."
        playground.unload()
        person.wait(lambda: not any(job.alive for job in jobs.list_jobs(workspace.jobs)), 30)


def _dialog(person: Person) -> QDialog:
    def found() -> list[QWidget]:
        return [w for w in QApplication.topLevelWidgets() if w.objectName() == "runDialog" and w.isVisible()]

    person.wait(found)
    [dialog] = found()
    assert isinstance(dialog, QDialog)
    return dialog


def _versions(workspace: Workspace, sample: int) -> list[store.Version]:
    with closing(workspace.connect(readonly=True)) as connection:
        return store.versions(connection, sample)
