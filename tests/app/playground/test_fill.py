"""The mode Fill: a gap is filled by two models, taken with Tab, thrown away with Esc; a model that cannot is a sentence."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QLabel
from pytestqt.qtbot import QtBot

from app.playground.fill_view import FillView
from app.playground.mode import Bench
from core.inference import ServerAddress
from tests.app.playground.benches import stand
from tests.core.inference.test_client import KEY, Fake, Handler, babble

BEFORE = "package a\n\n// 日🙂\nfunc Sum(values []int) (total int) {\n\t"
AFTER = "\n\treturn total\n}\n"
LOOP = ("for _, value := range values {", "\n\t\ttotal += value\n\t}")


def loop(handler: Handler) -> None:
    for part in LOOP:
        handler.chunk(part)
    handler.chunk(reason="stop")
    handler.chunk(usage=9)
    handler.wfile.write(b"data: [DONE]\n\n")


@pytest.fixture
def view(bench_of: Callable[..., Bench], scripted: Fake, qtbot: QtBot) -> Iterator[FillView]:
    scripted.script = loop
    made = FillView(bench_of(base=scripted.address, student=scripted.address))
    qtbot.addWidget(made)
    made.resize(828, 560)
    made.show()
    made.second.picker.setCurrentIndex(1)
    made.editor.set_code(BEFORE + AFTER)
    cursor = made.editor.textCursor()
    cursor.setPosition(len(BEFORE.encode("utf-16-le")) // 2)
    made.editor.setTextCursor(cursor)
    made.editor.setFocus()
    yield made
    made.stop()
    qtbot.waitUntil(lambda: not made.round.busy)


def facts(view: FillView, which: str) -> str:
    return view.findChild(QLabel, f"fillFacts{which}").text()


def filled(view: FillView, qtbot: QtBot) -> None:
    qtbot.keyClick(view.editor, Qt.Key.Key_Space, Qt.KeyboardModifier.ControlModifier)
    qtbot.waitUntil(lambda: not view.round.busy, timeout=20_000)


def test_both_models_fill_the_gap_at_the_cursor_and_tab_puts_the_first_offer_in(
    view: FillView,
    scripted: Fake,
    qtbot: QtBot,
) -> None:
    filled(view, qtbot)
    assert scripted.paths == ["/v1/completions"] * 2
    for asked in scripted.asked:
        assert (asked["prompt"], asked["suffix"], asked["temperature"]) == (BEFORE, AFTER, 0.0)
    assert view.first.view.toPlainText() == view.second.view.toPlainText() == "".join(LOOP)
    assert "9 tokens" in facts(view, "First")
    qtbot.keyClick(view.editor, Qt.Key.Key_Tab)
    assert view.editor.toPlainText() == BEFORE + "".join(LOOP) + AFTER
    assert view.first.text == view.second.text == ""
    qtbot.keyClick(view.editor, Qt.Key.Key_Tab)
    assert view.editor.toPlainText() == BEFORE + "".join(LOOP) + "\t" + AFTER, "now Tab is a tab again"
    view.editor.undo()
    view.editor.undo()
    assert view.editor.toPlainText() == BEFORE + AFTER


def test_shift_tab_puts_the_second_in_and_a_selection_is_replaced(view: FillView, qtbot: QtBot) -> None:
    cursor = view.editor.textCursor()
    cursor.movePosition(cursor.MoveOperation.End, cursor.MoveMode.KeepAnchor)
    view.editor.setTextCursor(cursor)
    filled(view, qtbot)
    qtbot.keyClick(view.editor, Qt.Key.Key_Backtab, Qt.KeyboardModifier.ShiftModifier)
    assert view.editor.toPlainText() == BEFORE + "".join(LOOP)


def test_escape_and_typing_throw_the_offers_away(view: FillView, qtbot: QtBot) -> None:
    for key in (Qt.Key.Key_Escape, Qt.Key.Key_A):
        filled(view, qtbot)
        assert view.first.text
        qtbot.keyClick(view.editor, key)
        assert view.first.text == view.second.text == ""
        assert view.findChild(QAbstractButton, "fillFill").isEnabled()
    assert view.editor.toPlainText() == BEFORE + "a" + AFTER


def test_an_offer_ends_at_its_limit_of_lines(view: FillView, scripted: Fake, qtbot: QtBot) -> None:
    def lines(handler: Handler) -> None:
        for number in range(100_000):
            handler.chunk(f"line {number}\n")
            time.sleep(0.001)

    scripted.script = lines
    view.lines.write(3)
    filled(view, qtbot)
    assert view.first.text == view.second.text == "line 0\nline 1\nline 2"
    assert scripted.gone.wait(10)
    assert facts(view, "First") == "As far as the limits let it."


def test_an_offer_ends_when_its_time_is_over(view: FillView, scripted: Fake, qtbot: QtBot) -> None:
    scripted.script = babble
    view.seconds.write(1)
    filled(view, qtbot)
    assert view.first.text.startswith("x x")
    assert scripted.gone.wait(10)
    assert not view._late.isActive()


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [("lines", 0, "Lines are 1 to 200"), ("lines", "many", "Lines"), ("seconds", 601, "1 to 600")],
)
def test_a_wrong_limit_is_a_sentence(view: FillView, field: str, value: object, words: str) -> None:
    getattr(view, field).write(value)
    view.fill()
    assert words in view._bench.banner.text
    assert not view.round.busy


def test_nothing_around_the_gap_is_a_sentence_and_one_model_is_asked_once(
    view: FillView,
    scripted: Fake,
    qtbot: QtBot,
) -> None:
    view.editor.set_code(" \n")
    view.fill()
    assert "There is no code around the gap." in view._bench.banner.text
    view.editor.set_code("package a\n")
    view.second.picker.setCurrentIndex(0)
    filled(view, qtbot)
    assert len(scripted.asked) == 1
    assert "The same model" in facts(view, "Second")


def test_a_model_without_tokens_for_gaps_says_so_beside_one_that_has_them(
    view: FillView, engine: ServerAddress, qtbot: QtBot
) -> None:
    servers = stand(view._bench)
    servers.addresses["/models/student"] = type(servers.addresses["/models/student"])(engine)
    filled(view, qtbot)
    assert facts(view, "Second").startswith("student cannot fill gaps: its tokenizer has no tokens for that.")
    assert view.first.text == "".join(LOOP)
    assert KEY not in facts(view, "Second")
