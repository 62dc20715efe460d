"""What goes into a conversation and out of it: examples, answers as samples, exports."""

from __future__ import annotations

import json
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.chat_view import ChatView
from core.inference.conversation import Shot
from core.samples import edits, query, store
from core.workspace import Workspace
from tests.app.playground.chat.chats import ANSWER, Ask, on_disk, press
from tests.app.playground.scripted_model import Script


def test_examples_are_found_ticked_ordered_sent_and_kept(
    view: ChatView, ask: Ask, script: Script, workspace: Workspace, qtbot: QtBot
) -> None:
    with closing(workspace.connect()) as connection:
        chosen = list(query.ids(connection, query.parse("")))[:4]
        edits.review(connection, chosen, status="accepted")
        prompts = {key: store.sample(connection, key).prompt for key in chosen}
    panel = view.examples
    panel.look()
    qtbot.waitUntil(lambda: panel.found.count() == 4)
    panel.found.item(0).setCheckState(Qt.CheckState.Checked)
    panel.found.item(2).setCheckState(Qt.CheckState.Checked)
    panel.chosen.setCurrentRow(1)
    panel.findChild(QAbstractButton, "examplesUp").click()
    assert [shot.sample for shot in panel.shots] == [chosen[2], chosen[0]]
    assert "2 examples shown before" in view.transcript.toPlainText()
    ask("One?")
    sent = [one["content"] for one in script.asked[-1]["messages"]]
    assert sent[0] == prompts[chosen[2]]
    assert sent[2] == prompts[chosen[0]]
    assert sent[-1] == "One?"
    assert [shot.sample for shot in on_disk(workspace).shots] == [chosen[2], chosen[0]]
    view.turn_actions._fold.setChecked(True)
    assert prompts[chosen[0]].strip() in view.transcript.toPlainText()

    view.prompt.setPlainText(prompts[chosen[3]])
    panel.findChild(QAbstractButton, "examplesNearest").click()
    qtbot.waitUntil(lambda: panel.found.count() > 0 and panel.found.item(0).text().startswith(f"#{chosen[3]}"))
    panel.search.setText("tokens:many")
    panel.look()
    assert "tokens" in panel.findChild(QLabel, "examplesNote").text()


def test_an_edited_answer_becomes_an_accepted_sample_with_one_key(
    view: ChatView, ask: Ask, workspace: Workspace, qtbot: QtBot
) -> None:
    view.panel.system.setPlainText("Be brief.")
    ask("Write Sum.", ANSWER)
    qtbot.keyClick(view.prompt, Qt.Key.Key_S, Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.ShiftModifier)
    dialog = view.turn_actions.dialog
    assert dialog is not None
    qtbot.waitUntil(lambda: dialog.verdict.verdict is not None, timeout=60_000)
    dialog.editor.setPlainText(ANSWER.replace("So:", "Here it is:"))
    assert dialog.verdict.verdict is None
    dialog.verdict.check()
    qtbot.waitUntil(lambda: dialog.verdict.verdict is not None, timeout=60_000)
    with qtbot.waitSignal(dialog.saved) as saved:
        qtbot.keyClick(dialog.editor, Qt.Key.Key_Return, Qt.KeyboardModifier.ControlModifier)
    with closing(workspace.connect(readonly=True)) as connection:
        [key] = query.ids(connection, query.parse("source:starter status:accepted"))
        sample = store.sample(connection, key)
    assert key == saved.args[0].sample
    assert [(one.role, one.content) for one in sample.messages] == [
        ("system", "Be brief."), ("user", "Write Sum."), ("assistant", ANSWER.replace("So:", "Here it is:")),
    ]  # fmt: skip
    assert sample.verdict.vet == "pass"
    assert view.turn_actions.dialog is None

    view.turn_actions.save()
    again = view.turn_actions.dialog
    assert again is not None
    again.editor.setPlainText(ANSWER.replace("So:", "Here it is:"))
    again.findChild(QAbstractButton, "saveSampleNew").click()
    qtbot.waitUntil(lambda: f"Sample {key} has this text already" in again.warnings)
    again.reject()


def test_the_conversation_is_exported_as_markdown_and_json(
    view: ChatView, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, context: AppContext, qtbot: QtBot
) -> None:
    view.talk.change(view.talk.conversation)
    ask("One?", ANSWER)
    for name, kind in (("talk.md", "Markdown (*.md)"), ("talk.json", "JSON (*.json)")):
        monkeypatch.setattr(
            "app.playground.conversation_actions.QFileDialog.getSaveFileName",
            lambda *_, name=name, kind=kind: (str(tmp_path / name), kind),
        )
        with qtbot.waitSignal(context.noticed):
            view.files.export()
    assert "## You\n\nOne?" in (tmp_path / "talk.md").read_text()
    assert json.loads((tmp_path / "talk.json").read_text())["messages"][1]["settings"]["seed"] == 11
    view.files.export_to(tmp_path / "nowhere" / "x.md", "x")
    qtbot.waitUntil(lambda: "cannot be written" in view._bench.banner.text)


def test_shots_of_another_conversation_come_with_it(view: ChatView, ask: Ask, qtbot: QtBot) -> None:
    ask("One?")
    view.talk.change(replace(view.talk.conversation, shots=(Shot(1, 2, "p", "r"),)))
    assert view.examples.chosen.count() == 1
    press(view, "newConversation", qtbot)
    assert view.examples.chosen.count() == 0
