"""A conversation as a person has it, with a model whose answers the test writes: branches, disk, examples, the prompt, samples, export."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QComboBox, QLabel, QPlainTextEdit
from pytestqt.qtbot import QtBot

from app.context import AppContext
from app.playground.chat_view import ChatView
from app.playground.mode import Bench
from app.playground.model_list import ModelList
from app.playground.model_servers import ModelServers
from app.playground.transcript import FACTS_MARK
from app.state import window_state
from app.widgets.banner import Banner
from app.widgets.name_question import NameQuestion
from core.inference import conversation as tree
from core.inference import conversation_files as files
from core.inference.conversation import Conversation, Shot
from core.samples import edits, query, store
from core.workspace import Workspace
from tests.app.playground.scripted_model import Reply, Script, ScriptedModel, ScriptedServers

CODE = "package a\n\n// Sum adds.\nfunc Sum(a, b int) int { return a + b }\n"
ANSWER = f"So:\n\n```go\n{CODE}```\n"
Ask = Callable[..., None]


@pytest.fixture
def model() -> Iterator[ScriptedModel]:
    with ScriptedModel() as made:
        thread = threading.Thread(target=made.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield made
        made.shutdown()
        thread.join()


@pytest.fixture
def script(model: ScriptedModel) -> Script:
    return model.script


@pytest.fixture
def make(context: AppContext, model: ScriptedModel, qtbot: QtBot) -> Iterator[Callable[[], ChatView]]:
    """`make()`: a view, shown, with the starter in its picker; may be called again, as for another window."""
    made: list[tuple[ChatView, Bench]] = []

    def begin() -> ChatView:
        servers = ScriptedServers(model)
        bench = Bench(context, ModelList(context), cast(ModelServers, servers), Banner(context.theme))
        view = ChatView(bench)
        view.ahead.watch.timer.setInterval(1)
        view.resize(1000, 600)
        view.show()
        made.append((view, bench))
        bench.models.refresh()
        qtbot.waitUntil(lambda: view.model is not None and not context.tasks.busy())
        return view

    yield begin
    for view, bench in made:
        view.talk.put_away()
        shiboken6.delete(view)
        for part in (bench.banner, bench.models, bench.servers):
            shiboken6.delete(part)


@pytest.fixture
def view(make: Callable[[], ChatView]) -> ChatView:
    return make()


@pytest.fixture
def ask(view: ChatView, script: Script, qtbot: QtBot) -> Ask:
    def do(question: str, answer: str = "Well.", **how: object) -> None:
        script.replies.append(Reply([answer], **how))  # type: ignore[arg-type]
        view.prompt.setPlainText(question)
        qtbot.keyClick(view.prompt, Qt.Key.Key_Return)
        settle(view, qtbot)

    return do


def settle(view: ChatView, qtbot: QtBot) -> None:
    qtbot.waitUntil(lambda: not view.busy and not view._bench.context.tasks.busy(), timeout=10_000)


def branch(view: ChatView) -> list[str]:
    return [message.text for message in tree.path(view.talk.conversation)]


def on_disk(workspace: Workspace) -> Conversation:
    [path] = workspace.conversations.glob("*.json")
    return files.load(workspace.conversations, path.stem).conversation


def press(view: ChatView, name: str, qtbot: QtBot) -> None:
    button = view.findChild(QAbstractButton, name)
    assert button.isEnabled(), name
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)


# --- branches ------------------------------------------------------------------------------------------------------


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


# --- on disk -------------------------------------------------------------------------------------------------------


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


# --- the prompt ----------------------------------------------------------------------------------------------------


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


# --- examples, samples, export -------------------------------------------------------------------------------------


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
