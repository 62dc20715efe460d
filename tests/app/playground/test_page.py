"""The playground as a person uses it, with a real model process: ask, stop, lose the process, unload, come back tomorrow."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLabel, QLineEdit, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.page import PlaygroundPage
from app.state import window_state
from app.window import MainWindow
from core.inference import conversation as tree
from core.jobs import JobInfo, list_jobs
from core.jobs.control import kill
from core.jobs.folder import JobFolder
from core.jobs.status import read_state
from core.models import catalogue
from core.workspace import Workspace
from tests.core.models import folders

Press = Callable[[str], None]


@pytest.fixture
def playground(window: MainWindow, workspace: Workspace, qtbot: QtBot) -> Iterator[PlaygroundPage]:
    """The page in front, with the starter in its picker; model processes that a test leaves are ended."""
    window.show_page("playground")
    page = window.pages["playground"]
    assert isinstance(page, PlaygroundPage)
    qtbot.waitUntil(lambda: page.findChild(QComboBox, "modelPicker").count() > 0)
    yield page
    page.unload()
    for job in list_jobs(workspace.jobs):
        kill(job.folder)


@pytest.fixture
def press(playground: PlaygroundPage, qtbot: QtBot) -> Press:
    def do(name: str) -> None:
        button = playground.findChild(QAbstractButton, name)
        assert button is not None
        assert button.isEnabled(), name
        qtbot.mouseClick(button, Qt.MouseButton.LeftButton)

    return do


@pytest.fixture
def ask(playground: PlaygroundPage, qtbot: QtBot, press: Press) -> Callable[[str], None]:
    """Ask, and wait for the first words of an answer that goes on for long."""

    def do(text: str) -> None:
        field(playground, "maxTokensField", "4000")
        field(playground, "seedField", "3")
        field(playground, "temperatureField", "1.5")
        playground.chat.prompt.setPlainText(text)
        before = playground.chat.transcript.toPlainText()
        press("sendButton")
        qtbot.waitUntil(lambda: said(playground, before, text) > 20, timeout=60_000)

    return do


def said(page: PlaygroundPage, before: str, question: str) -> int:
    """How many characters of the answer have arrived."""
    return len(page.chat.transcript.toPlainText()) - len(before) - len(question) - 20


def field(page: PlaygroundPage, name: str, text: str) -> None:
    page.chat.panel.findChild(QLineEdit, name).setText(text)


def workers(workspace: Workspace) -> list[JobInfo]:
    return [job for job in list_jobs(workspace.jobs) if job.kind == "serve" and job.alive]


def roles(page: PlaygroundPage) -> list[str]:
    return [message.role for message in tree.path(page.chat.talk.conversation)]


def state(page: PlaygroundPage) -> str:
    return page.findChild(QLabel, "modelState").text()


@pytest.mark.slow
def test_a_process_that_is_killed_in_the_middle_of_an_answer_is_a_sentence_and_the_next_question_starts_another(
    playground: PlaygroundPage, ask: Callable[[str], None], workspace: Workspace, qtbot: QtBot
) -> None:
    ask("Write a very long program.")
    [first] = workers(workspace)
    for pid in read_state(first.folder).workers:
        os.kill(pid, signal.SIGKILL)
    qtbot.waitUntil(lambda: bool(playground.banner.text), timeout=20_000)
    assert "Traceback" not in playground.banner.text
    assert "Write a very long program." in playground.chat.transcript.toPlainText()
    assert roles(playground) == ["user", "assistant"]
    qtbot.waitUntil(lambda: not workers(workspace), timeout=20_000)
    qtbot.waitUntil(lambda: state(playground) == "Not loaded", timeout=20_000)

    ask("And another one.")
    assert workers(workspace)[0].id != first.id
    assert roles(playground) == ["user", "assistant", "user", "assistant"]


@pytest.mark.slow
def test_stop_keeps_what_has_arrived_and_a_new_conversation_hears_nothing_of_the_old_answer(
    playground: PlaygroundPage, ask: Callable[[str], None], press: Press, workspace: Workspace, qtbot: QtBot
) -> None:
    ask("Write a very long program.")
    press("stopButton")
    qtbot.waitUntil(lambda: not playground.chat.busy, timeout=10_000)
    assert state(playground) == "Stopped"
    assert roles(playground) == ["user", "assistant"]
    assert len(playground.chat.talk.conversation.messages[1].text) > 20
    playground.chat.prompt.setPlainText("What would it read?")
    playground.chat.findChild(QAbstractButton, "sidePrompt").click()
    seen = playground.chat.findChild(QPlainTextEdit, "renderedPrompt")
    qtbot.waitUntil(lambda: "What would it read?" in seen.toPlainText(), timeout=20_000)
    assert "<|assistant|>" in seen.toPlainText()
    assert "tokens" in playground.chat.findChild(QLabel, "contextNumbers").text()

    ask("Another.")
    press("newConversation")
    assert playground.chat.transcript.toPlainText() == ""
    ask("Begin anew.")
    assert tree.path(playground.chat.talk.conversation)[0].text == "Begin anew."
    assert playground.chat.transcript.toPlainText().count("You") == 1

    press("unloadModel")
    qtbot.waitUntil(lambda: not workers(workspace), timeout=20_000)
    assert state(playground) in ("Not loaded", "Broken off", "Stopped")


def test_settings_and_model_come_back_in_the_next_window(
    playground: PlaygroundPage, context: AppContext, workspace: Workspace, qtbot: QtBot
) -> None:
    base = folders.model(workspace.models / "tiny")
    picker = playground.findChild(QComboBox, "modelPicker")
    playground.bench.models.refresh()
    qtbot.waitUntil(lambda: picker.findData(str(base)) >= 0)
    picker.setCurrentIndex(picker.findData(str(base)))
    for name, text in (("temperatureField", "0.3"), ("seedField", "11"), ("stopField", "\\n}")):
        field(playground, name, text)
    playground.chat.panel.system.setPlainText("Be brief.")
    playground.chat.panel.findChild(QAbstractButton, "modeCompletion").click()
    kept = window_state()
    playground.save_state(kept)
    kept.sync()

    again = PlaygroundPage(context)
    again.show()
    try:
        sampling = again.chat.panel.sampling()
        assert sampling is not None
        assert (sampling.temperature, sampling.seed, sampling.stop) == (0.3, 11, ("\n}",))
        assert again.chat.panel.system.toPlainText() == "Be brief."
        assert not again.chat.panel.chat
        chosen = again.findChild(QComboBox, "modelPicker")
        qtbot.waitUntil(lambda: chosen.currentData() == str(base))
    finally:
        shiboken6.delete(again)


@pytest.mark.parametrize("kept", ["", "{", '{"chat": 1}', '{"chat": true, "system": "", "sampling": {"top_p": 7}}'])
def test_damaged_settings_are_the_defaults(playground: PlaygroundPage, kept: str) -> None:
    before = playground.chat.panel.state()
    playground.chat.panel.restore(kept)
    assert playground.chat.panel.state() == before


def test_a_checkpoint_that_is_saved_while_one_looks_appears(
    playground: PlaygroundPage, workspace: Workspace, qtbot: QtBot
) -> None:
    picker = playground.findChild(QComboBox, "modelPicker")
    qtbot.waitUntil(lambda: picker.count() == 1)
    job = folders.run(workspace.jobs, "20260101-000000-train-abcd", "gold", catalogue.resources() / "starter", (100,))
    playground.bench.models.refresh_timer.setInterval(1)
    playground.bench.models._on_job_changed(
        JobInfo("20260101-000000-train-abcd", JobFolder(job), "train", "gold", "running", "", "", 0.0)
    )
    qtbot.waitUntil(lambda: picker.findText("gold/step-100") >= 0)
    assert picker.currentText() == "starter"
