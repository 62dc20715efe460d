"""The parts of the playground: settings that are judged where they stand, a transcript that only grows."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QTextBlock, QTextCursor
from PySide6.QtWidgets import QAbstractButton, QComboBox, QLineEdit
from pytestqt.qtbot import QtBot

from app.playground.context_meter import ContextMeter
from app.playground.prompt_view import PromptView
from app.playground.sampling_panel import NAMES, SamplingPanel
from app.playground.transcript import ROLE_MARK, Transcript, Turn
from app.theme import Theme
from app.widgets.name_question import NameQuestion
from core.inference import Finish, Sampling
from core.inference.rendering import PromptToken, Rendering
from core.inference.sampling import RANGES


def test_the_panel_begins_with_the_defaults_and_reads_what_is_typed(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    assert panel.sampling() == Sampling()
    for name, text in (("temperature", "0.2"), ("top_k", "40"), ("seed", "7"), ("stop", "\\n} END the\\send \\\\n")):
        field = panel.findChild(QLineEdit, NAMES[name])
        field.clear()
        qtbot.keyClicks(field, text)
    assert panel.sampling() == Sampling(temperature=0.2, top_k=40, seed=7, stop=("\n}", "END", "the end", "\\n"))


@pytest.mark.parametrize("name", sorted(RANGES))
def test_every_number_may_be_at_its_limits_and_is_marked_beyond_them(theme: Theme, qtbot: QtBot, name: str) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    field = panel.findChild(QLineEdit, NAMES[name])
    allowed = RANGES[name]
    least = allowed.low + (allowed.step if allowed.open_low else 0)
    beyond = allowed.step if not allowed.whole else 1
    for value in (least, allowed.high):
        field.setText(f"{value:.10g}")
        sampling = panel.sampling()
        assert sampling is not None
        assert getattr(sampling, name) == pytest.approx(value)
    wrong = [allowed.low if allowed.open_low else allowed.low - beyond, allowed.high + beyond]
    for text in (*(f"{value:.12g}" for value in wrong), "nan", "inf", "many", *(["1.5"] if allowed.whole else [])):
        field.setText(text)
        assert panel.sampling() is None, text
        assert field.property("invalid") is True
    if name != "seed":
        field.setText("")
        assert panel.sampling() is None


@pytest.mark.parametrize("text", [" ".join(f"s{n}" for n in range(9)), "x" * 201])
def test_too_many_and_too_long_stop_strings_are_marked(theme: Theme, qtbot: QtBot, text: str) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    field = panel.findChild(QLineEdit, NAMES["stop"])
    field.setText(" ".join(f"s{n}" for n in range(8)))
    assert panel.sampling() is not None
    field.setText(text)
    assert panel.sampling() is None
    assert field.property("invalid") is True


def test_a_wrong_setting_is_marked_and_nothing_is_sent(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    for name, text in (("temperature", "hot"), ("top_p", "7"), ("max_tokens", "0"), ("seed", "-1")):
        field = panel.findChild(QLineEdit, NAMES[name])
        before = field.text()
        field.clear()
        qtbot.keyClicks(field, text)
        assert panel.sampling() is None
        assert field.property("invalid") is True
        field.setText(before)
        assert panel.sampling() is not None


def test_what_was_really_used_is_said(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    panel.show_finish(Finish("length", 24, 81.25, 0.04, {"temperature": 0.2, "seed": 11}))
    assert "temperature 0.2" in panel._used.text()
    assert "81.2 tokens/s" in panel._speed.text()


def test_a_preset_fills_the_fields_and_typing_leaves_it(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    box = panel.findChild(QComboBox, "presetPicker")
    panel.findChild(QLineEdit, NAMES["max_tokens"]).setText("99")
    box.setCurrentText("Greedy")
    box.activated.emit(box.currentIndex())
    sampling = panel.sampling()
    assert sampling is not None
    assert (sampling.temperature, sampling.max_tokens) == (0.0, 99)
    field = panel.findChild(QLineEdit, NAMES["temperature"])
    field.clear()
    qtbot.keyClicks(field, "0.4")
    assert box.currentIndex() == 0


def test_own_presets_are_kept_renamed_deleted_and_put_back(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    panel.show()
    picker = panel.presets
    panel.system.setPlainText("Be brief.")
    panel.findChild(QLineEdit, NAMES["seed"]).setText("7")
    picker.save()
    _answer(panel, "Mine", qtbot)
    assert picker.preset is not None
    assert picker.preset.system == "Be brief."
    picker.rename()
    _answer(panel, "Brief", qtbot)
    panel.system.setPlainText("")
    box = panel.findChild(QComboBox, "presetPicker")
    box.activated.emit(box.currentIndex())
    assert panel.system.toPlainText() == "Be brief."
    with qtbot.waitSignal(picker.failed) as failed:
        picker.save()
        _answer(panel, "Greedy", qtbot)
    assert "comes with Gosmith" in str(failed.args[0])
    with qtbot.waitSignal(picker.deleted):
        picker.delete()
    assert box.findText("Brief") < 0


def _answer(panel: SamplingPanel, name: str, qtbot: QtBot) -> None:
    question = panel.findChild(NameQuestion)
    question.name.setText(name)
    qtbot.mouseClick(question.findChild(QAbstractButton, "presetSave"), Qt.MouseButton.LeftButton)
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


def turn(id: str, text: str, facts: str = "") -> Turn:
    return Turn(id, "starter", text, facts)


def test_a_transcript_keeps_speakers_apart_and_stays_where_the_reader_is(theme: Theme, qtbot: QtBot) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    transcript.resize(400, 200)
    transcript.show()
    transcript.show_turns([Turn("q", "You", "Write Go."), turn("a", "")])
    for _ in range(200):
        transcript.append(f"{ROLE_MARK}```go\nfunc F() {{}}\n```\n")
    bar = transcript.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    transcript.append("more")
    assert bar.value() == 0
    transcript.end("24 tokens")
    text = transcript.toPlainText()
    assert text.count(f"{ROLE_MARK}starter") == 1
    assert text.count(ROLE_MARK) == 2
    assert text.endswith("more\n\u206424 tokens")


def test_another_branch_leaves_what_both_have_in_common(theme: Theme, qtbot: QtBot) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    first = [turn("1", "one"), turn("2", "two\nlines"), turn("3", "three", "facts")]
    transcript.show_turns(first)
    whole = transcript.toPlainText()
    kept = transcript.document().findBlockByNumber(0)
    transcript.show_turns([*first[:1], turn("4", "four")])
    assert transcript.toPlainText() == f"{ROLE_MARK}starter\none\n\n{ROLE_MARK}starter\nfour"
    assert transcript.current == "4"
    assert transcript.document().findBlockByNumber(0) == kept
    transcript.show_turns(first)
    assert transcript.toPlainText() == whole
    transcript.show_turns([])
    assert transcript.toPlainText() == ""
    transcript.show_turns(first)
    assert transcript.toPlainText() == whole


def test_the_cursor_says_which_turn_is_read(theme: Theme, qtbot: QtBot) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    transcript.show()
    transcript.show_turns([turn("1", "one\n\nmore"), turn("2", "two"), turn("3", "three")])
    entered: list[str] = []
    transcript.turn_entered.connect(entered.append)
    transcript.enter("1")
    transcript.moveCursor(QTextCursor.MoveOperation.Down)
    transcript.moveCursor(QTextCursor.MoveOperation.End)
    transcript.go_to_line("2", 1)
    assert entered == ["1", "3", "2"]
    assert transcript.textCursor().block().text() == "two"


def test_a_long_conversation_is_coloured_to_its_beginning(theme: Theme, qtbot: QtBot) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    code = "```go\nfunc F() {}\n```\n"
    transcript.show_turns([turn(str(number), code * 5) for number in range(40)])
    first = transcript.document().findBlockByNumber(2)
    assert first.text() == "func F() {}"
    assert not first.layout().formats()
    qtbot.waitUntil(lambda: bool(first.layout().formats()))
    colour = _first_colour(first)
    theme.toggle()
    qtbot.waitUntil(lambda: _first_colour(first) not in ("", colour))


def _first_colour(block: QTextBlock) -> str:
    found = block.layout().formats()
    if not found:
        return ""
    style = found[0].format
    return style.foreground().color().name()


@pytest.mark.parametrize("ids", [False, True])
def test_the_prompt_is_shown_token_by_token_with_its_marks(theme: Theme, qtbot: QtBot, ids: bool) -> None:
    view = PromptView(theme)
    qtbot.addWidget(view)
    tokens = (PromptToken(1, b"<|user|>", True), PromptToken(7, b"gr\xc3", False), PromptToken(8, b"\xbc n\n", False))
    view.findChild(QAbstractButton, "promptIds").setChecked(ids)
    view.show_rendering(Rendering(3, 256, tokens))
    assert view.text.toPlainText() == ("<|user|>1 gr\\xc37 \\xbc·n⏎8 \n" if ids else "<|user|>grü n\n")
    view.say("Nothing.")
    assert view.text.toPlainText() == ""


def test_the_meter_says_in_words_what_does_not_fit_and_offers_a_way(theme: Theme, qtbot: QtBot) -> None:
    meter = ContextMeter(theme)
    qtbot.addWidget(meter)
    meter.show()
    meter.show_rendering(Rendering(100, 2048), 256)
    assert meter.warning == ""
    meter.show_rendering(Rendering(2130, 2048), 256)
    meter.offer(2, 5)
    assert meter.warning.startswith("The prompt has 2,130 tokens, the model reads 2,048")
    with qtbot.waitSignal(meter.branch_wanted) as wanted:
        meter.findChild(QAbstractButton, "contextBranch").click()
    assert wanted.args == [2]
    meter.offer(5, 5)
    assert not meter.findChild(QAbstractButton, "contextBranch").isVisible()
    meter.show_problem("The chat template refuses this conversation.")
    assert "template" in meter.warning
