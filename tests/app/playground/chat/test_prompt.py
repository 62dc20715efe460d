"""What the model will read, counted and shown while it is typed, and what is said when it cannot."""

from __future__ import annotations

from PySide6.QtWidgets import QAbstractButton, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.playground.chat_view import ChatView
from tests.app.playground.chat.chats import Ask, branch
from tests.app.playground.scripted_model import Script


def test_the_prompt_is_counted_and_shown_while_it_is_typed(
    view: ChatView, ask: Ask, script: Script, qtbot: QtBot
) -> None:
    numbers = view.findChild(QLabel, "contextNumbers")
    view.prompt.setPlainText("How?")
    qtbot.waitUntil(lambda: numbers.text().startswith("≈"))  # no model is loaded for that
    view.prompt.clear()
    ask("One?", "First.")
    view.findChild(QAbstractButton, "sidePrompt").click()
    view.panel.system.setPlainText("Sys.")
    view.prompt.setPlainText("Two?")
    shown = view.findChild(QPlainTextEdit, "renderedPrompt")
    qtbot.waitUntil(lambda: shown.toPlainText() == "Sys.One?First.Two?")
    assert numbers.text() == "18 + 256 of 100,000 tokens"


def test_a_conversation_longer_than_the_context_offers_a_shorter_branch(
    view: ChatView, ask: Ask, script: Script, qtbot: QtBot
) -> None:
    for number in range(3):
        ask(f"Question {number}?", "An answer." * 3)
    script.context = 100
    view.prompt.setPlainText("And the last?")
    button = view.findChild(QAbstractButton, "contextBranch")
    qtbot.waitUntil(button.isVisible)
    assert "does not fit" in view.meter.warning
    assert button.text() == "Branch without the first 2 questions"
    button.click()
    assert branch(view) == ["Question 2?", "An answer." * 3]
    qtbot.waitUntil(lambda: not view.meter.warning)
    view.turn_actions.step(-1)
    view.turn_actions.turn(-1)
    assert len(branch(view)) == 6


def test_a_template_that_refuses_is_a_sentence_where_the_prompt_would_stand(
    view: ChatView, ask: Ask, script: Script, qtbot: QtBot
) -> None:
    ask("One?")
    script.refusal = "The chat template refuses this conversation: no."
    view.prompt.setPlainText("Two?")
    qtbot.waitUntil(lambda: "chat template refuses" in view.meter.warning)
