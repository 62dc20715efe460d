"""What a conversation is on disk: nothing that was asked or answered is lost, whatever ends, fills or writes beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from PySide6.QtWidgets import QAbstractButton, QComboBox
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.chat_view import ChatView
from app.state import window_state
from app.widgets.name_question import NameQuestion
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.workspace import Workspace
from tests.app.playground.chat.chats import Ask, branch, on_disk, press, settle
from tests.app.playground.scripted_model import Reply, Script


def test_the_question_is_on_disk_before_the_model_is_asked_and_what_came_when_the_window_is_gone(
    view: ChatView, script: Script, workspace: Workspace, qtbot: QtBot
) -> None:
    held = threading.Event()
    script.replies.append(Reply(["The first words", " and the rest"], held=held))
    view.talk._pause.setInterval(1)
    view.prompt.setPlainText("One?")
    press(view, "sendButton", qtbot)
    qtbot.waitUntil(lambda: bool(script.asked))
    assert on_disk(workspace).messages[0].text == "One?"
    qtbot.waitUntil(lambda: on_disk(workspace).messages[-1].text == "The first words")  # as a kill would find it
    facts = on_disk(workspace).messages[-1].facts
    assert facts is not None
    assert (facts.model, facts.reason) == ("starter", "")
    held.set()
    settle(view, qtbot)
    assert on_disk(workspace) == view.talk.conversation
    assert on_disk(workspace).messages[-1].text == "The first words and the rest"


def test_the_next_window_reads_on_where_this_one_was(
    view: ChatView, ask: Ask, make: Callable[[], ChatView], context: AppContext, qtbot: QtBot
) -> None:
    view.panel.system.setPlainText("Be brief.")
    ask("One?", "First.")
    state = window_state()
    view.save_state(state)
    state.sync()
    again = make()
    qtbot.waitUntil(lambda: branch(again) == ["One?", "First."])
    assert again.panel.system.toPlainText() == "Be brief."
    assert "First." in again.transcript.toPlainText()


def test_a_broken_answer_stays_and_can_be_given_again(view: ChatView, ask: Ask, workspace: Workspace) -> None:
    ask("One?", "Half an ans", broken=True)
    assert branch(view) == ["One?", "Half an ans"]
    assert "ended in the middle" in view._bench.banner.text
    assert "broken off" in view.transcript.toPlainText()
    assert on_disk(workspace) == view.talk.conversation


def test_a_question_without_a_word_in_return_goes_back_to_be_sent_again(
    view: ChatView, ask: Ask, workspace: Workspace
) -> None:
    ask("One?", "First.")
    ask("Why?", "", broken=True)
    assert view.prompt.toPlainText() == "Why?"
    assert branch(view) == ["One?", "First."]
    assert [one.text for one in on_disk(workspace).messages] == ["One?", "First."]


def test_a_question_that_cannot_go_back_stays_where_it_is(view: ChatView, script: Script, qtbot: QtBot) -> None:
    held = threading.Event()
    script.replies.append(Reply([""], held=held, broken=True))
    view.prompt.setPlainText("Why?")
    press(view, "sendButton", qtbot)
    qtbot.waitUntil(lambda: bool(script.asked))
    view.prompt.setPlainText("Something else by now")
    held.set()
    settle(view, qtbot)
    assert branch(view) == ["Why?"]
    assert view.prompt.toPlainText() == "Something else by now"
    script.replies.append(Reply(["Because."]))
    view.turn_actions.again()
    settle(view, qtbot)
    assert branch(view) == ["Why?", "Because."]


def test_a_full_disk_is_a_sentence_and_nothing_is_lost(
    view: ChatView, ask: Ask, script: Script, monkeypatch: pytest.MonkeyPatch, workspace: Workspace, qtbot: QtBot
) -> None:
    ask("One?", "First.")

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr("core.files.os.fsync", full)
        view.prompt.setPlainText("Two?")
        press(view, "sendButton", qtbot)
        settle(view, qtbot)
    assert "No space left on device" in view._bench.banner.text
    assert len(script.asked) == 1
    assert view.prompt.toPlainText() == "Two?"
    assert branch(view) == ["One?", "First."]

    held = threading.Event()
    script.replies.append(Reply(["Second."], held=held))
    press(view, "sendButton", qtbot)
    qtbot.waitUntil(lambda: len(script.asked) == 2)
    with monkeypatch.context() as patch:
        patch.setattr("core.files.os.fsync", full)
        held.set()
        settle(view, qtbot)
    assert branch(view)[-1] == "Second."
    assert "No space left" in view._bench.banner.text
    next(one for one in view._bench.banner.findChildren(QAbstractButton) if one.text() == "Try again").click()
    settle(view, qtbot)
    assert on_disk(workspace).messages[-1].text == "Second."


def test_what_another_window_wrote_is_in_the_conversation_with_the_next_write(
    view: ChatView, ask: Ask, workspace: Workspace
) -> None:
    ask("One?", "First.")
    there = files.load(workspace.conversations, view.talk.conversation.id)
    files.save(workspace.conversations, tree.add(there.conversation, tree.USER, "Theirs"), there.revision)
    ask("Mine?", "Second.")
    assert branch(view) == ["One?", "First.", "Mine?", "Second."]
    assert {"Theirs", "Mine?"} <= {message.text for message in on_disk(workspace).messages}


def test_conversations_are_listed_opened_renamed_deleted_and_put_back(
    view: ChatView, ask: Ask, context: AppContext, workspace: Workspace, qtbot: QtBot
) -> None:
    ask("First question?", "A.")
    first = view.talk.conversation.id
    press(view, "newConversation", qtbot)
    assert view.transcript.toPlainText() == ""
    ask("Second question?", "B.")
    box = view.findChild(QComboBox, "conversationPicker")
    qtbot.waitUntil(lambda: box.count() == 3)
    assert box.currentText().startswith("Second question?")
    box.setCurrentIndex(box.findData(first))
    box.activated.emit(box.currentIndex())
    qtbot.waitUntil(lambda: branch(view) == ["First question?", "A."])

    view.files.rename()
    question = view.findChild(NameQuestion)
    question.name.setText("My own")
    question.accept()
    qtbot.waitUntil(lambda: box.currentText().startswith("My own"))

    with qtbot.waitSignal(context.noticed) as noticed:
        view.files.delete()
    assert noticed.args[0] == "Deleted “My own”."
    assert branch(view) == []
    assert not (workspace.conversations / f"{first}.json").exists()
    noticed.args[2]()
    qtbot.waitUntil(lambda: branch(view) == ["First question?", "A."])


def test_a_damaged_conversation_is_named_cannot_be_opened_and_is_left_alone(
    view: ChatView, workspace: Workspace, qtbot: QtBot
) -> None:
    workspace.conversations.mkdir()
    path = workspace.conversations / "broken.json"
    path.write_text('{"gosmith": "conv')
    view.conversations.refresh()
    box = view.findChild(QComboBox, "conversationPicker")
    qtbot.waitUntil(lambda: box.findData("broken") > 0)
    assert box.itemText(box.findData("broken")) == "broken.json  ·  damaged"
    box.setCurrentIndex(box.findData("broken"))
    box.activated.emit(box.currentIndex())
    assert "broken.json is damaged" in view._bench.banner.text
    view.files.restore("broken")
    settle(view, qtbot)
    assert path.read_text() == '{"gosmith": "conv'
