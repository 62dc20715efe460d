"""Branches of a conversation as a person has it: questions taken up, answers given again, turns deleted, copied, gone on from."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QLabel
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.chat_view import ChatView
from app.playground.transcript import FACTS_MARK
from tests.app.playground.chat.chats import Ask, branch, press, settle
from tests.app.playground.scripted_model import Reply, Script


def test_every_answer_has_its_facts_below_it(view: ChatView, ask: Ask) -> None:
    ask("One?", "First.")
    ask("Two?", "Second.")
    text = view.transcript.toPlainText()
    assert text.count(f"{FACTS_MARK}12 tokens · 40.0 tokens/s · first after 250 ms · ended by itself") == 2
    assert text.count("seed 11") == 2
    assert text.index("First.") < text.index(FACTS_MARK) < text.index("Two?")


def test_up_asks_the_last_question_anew_and_the_arrows_go_back(
    view: ChatView, ask: Ask, script: Script, qtbot: QtBot
) -> None:
    ask("One?", "First.")
    ask("Two?", "Second.")
    qtbot.keyClick(view.prompt, Qt.Key.Key_Up)
    assert view.prompt.toPlainText() == "Two?"
    ask("Two, but otherwise?", "Other.")
    assert branch(view) == ["One?", "First.", "Two, but otherwise?", "Other."]
    assert [one["content"] for one in script.asked[-1]["messages"]] == ["One?", "First.", "Two, but otherwise?"]
    view.turn_actions.step(-1)
    assert view.findChild(QLabel, "branchPlace").text() == "2/2"
    press(view, "branchEarlier", qtbot)
    assert branch(view) == ["One?", "First.", "Two?", "Second."]
    qtbot.keyClick(view.transcript, Qt.Key.Key_Right, Qt.KeyboardModifier.AltModifier)
    assert branch(view)[-1] == "Other."


def test_escape_leaves_a_question_that_was_taken_up(view: ChatView, ask: Ask, qtbot: QtBot) -> None:
    ask("One?")
    qtbot.keyClick(view.prompt, Qt.Key.Key_Up)
    qtbot.keyClick(view.prompt, Qt.Key.Key_Escape)
    assert view.prompt.toPlainText() == ""
    ask("Two?")
    assert branch(view) == ["One?", "Well.", "Two?", "Well."]


def test_a_question_taken_up_is_the_next_one_where_its_own_is_gone(view: ChatView, ask: Ask, qtbot: QtBot) -> None:
    ask("One?")
    qtbot.keyClick(view.prompt, Qt.Key.Key_Up)
    view.files.delete()
    settle(view, qtbot)
    assert view.prompt.toPlainText() == "One?"
    ask("One?")
    assert branch(view) == ["One?", "Well."]


def test_an_answer_given_again_is_a_branch(view: ChatView, ask: Ask, script: Script, qtbot: QtBot) -> None:
    ask("One?", "First.")
    script.replies.append(Reply(["Otherwise."]))
    qtbot.keyClick(view.prompt, Qt.Key.Key_R, Qt.KeyboardModifier.ControlModifier)
    settle(view, qtbot)
    assert branch(view) == ["One?", "Otherwise."]
    assert "starter  2/2" in view.transcript.toPlainText()
    assert [one["content"] for one in script.asked[-1]["messages"]] == ["One?"]


def test_a_deleted_turn_goes_with_what_follows_and_comes_back(
    view: ChatView, ask: Ask, context: AppContext, qtbot: QtBot
) -> None:
    ask("One?", "First.")
    ask("Two?", "Second.")
    view.turn_actions.step(-1)
    with qtbot.waitSignal(context.noticed) as noticed:
        press(view, "turnDelete", qtbot)
    assert branch(view) == ["One?", "First."]
    assert noticed.args[0] == "Deleted 2 turns."
    noticed.args[2]()
    assert branch(view) == ["One?", "First.", "Two?", "Second."]


def test_a_turn_is_copied(view: ChatView, ask: Ask, qtbot: QtBot) -> None:
    ask("One?", "First.")
    press(view, "turnCopy", qtbot)
    assert QApplication.clipboard().text() == "First."


def test_a_text_to_go_on_from_is_kept_and_no_chat_has_it_before_it(view: ChatView, ask: Ask, script: Script) -> None:
    view.panel.findChild(QAbstractButton, "modeCompletion").click()
    ask("func F(", ") {}")
    assert script.asked[-1]["prompt"] == "func F("
    view.panel.findChild(QAbstractButton, "modeChat").click()
    ask("One?")
    assert [one["content"] for one in script.asked[-1]["messages"]] == ["One?"]
    assert branch(view) == ["func F(", ") {}", "One?", "Well."]
