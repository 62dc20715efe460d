"""The parts of the playground: settings that are judged where they stand, a transcript that only grows."""

from __future__ import annotations

from PySide6.QtWidgets import QLineEdit
from pytestqt.qtbot import QtBot

from app.playground.sampling_panel import NAMES, SamplingPanel
from app.playground.transcript import Transcript
from app.theme import Theme
from core.inference import Finish, Sampling


def test_the_panel_begins_with_the_defaults_and_reads_what_is_typed(theme: Theme, qtbot: QtBot) -> None:
    panel = SamplingPanel(theme)
    qtbot.addWidget(panel)
    assert panel.sampling() == Sampling()
    for name, text in (("temperature", "0.2"), ("top_k", "40"), ("seed", "7"), ("stop", "\\n} END the\\send \\\\n")):
        field = panel.findChild(QLineEdit, NAMES[name])
        field.clear()
        qtbot.keyClicks(field, text)
    assert panel.sampling() == Sampling(temperature=0.2, top_k=40, seed=7, stop=("\n}", "END", "the end", "\\n"))


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


def test_a_transcript_keeps_speakers_apart_and_stays_where_the_reader_is(theme: Theme, qtbot: QtBot) -> None:
    transcript = Transcript(theme)
    qtbot.addWidget(transcript)
    transcript.resize(400, 200)
    transcript.show()
    transcript.speaker("You")
    transcript.append("Write Go.")
    transcript.speaker("starter")
    for _ in range(200):
        transcript.append("```go\nfunc F() {}\n```\n")
    bar = transcript.verticalScrollBar()
    assert bar.value() == bar.maximum()
    bar.setValue(0)
    transcript.append("more")
    assert bar.value() == 0
    assert transcript.toPlainText().count("starter") == 1
