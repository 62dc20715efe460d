"""Banner, toast, progress, chips and the flow of chips: what they say and when they leave."""

from __future__ import annotations

import pytest
from PySide6.QtCore import QRect, Qt
from PySide6.QtWidgets import QPushButton, QWidget
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.banner import Banner
from app.widgets.buttons import Button, Chip, compact
from app.widgets.empty import EmptyState
from app.widgets.flow import FlowLayout
from app.widgets.labels import ElidedLabel
from app.widgets.progress import ProgressLine, duration
from app.widgets.rating import Rating
from app.widgets.toast import Toast
from core.errors import UserError


def test_a_banner_says_one_thing_at_a_time_and_offers_what_to_do(theme: Theme, qtbot: QtBot) -> None:
    banner = Banner(theme)
    qtbot.addWidget(banner)
    pressed: list[str] = []
    banner.say("First", "info", [("Do it", lambda: pressed.append("do it"))])
    banner.problem(UserError("The file is empty.", "Choose another."))
    assert banner.text == "The file is empty. Choose another."
    assert banner.accessibleName() == "Problem: The file is empty. Choose another."
    banner.say("Last", "good", [("Do it", lambda: pressed.append("do it"))])
    button = next(one for one in banner.findChildren(QPushButton) if one.text() == "Do it" and not one.isHidden())
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert pressed == ["do it"]
    assert banner.text == ""


def test_a_toast_leaves_by_itself(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.resize(600, 400)
    window.show()
    toast = Toast(theme, window)
    toast._timer.setInterval(30)
    toast.say("Done: Accept 12 samples", "Undo", lambda: None)
    assert toast.text == "Done: Accept 12 samples"
    assert window.rect().contains(toast.geometry())
    qtbot.waitUntil(lambda: toast.text == "")
    assert window.focusWidget() is None


def test_the_action_of_a_toast_works_once(theme: Theme, qtbot: QtBot) -> None:
    window = QWidget()
    qtbot.addWidget(window)
    window.show()
    toast = Toast(theme, window)
    undone: list[int] = []
    toast.say("Done", "Undo", lambda: undone.append(1))
    qtbot.mouseClick(toast._action, Qt.MouseButton.LeftButton)
    assert undone == [1]
    assert toast.text == ""


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.2, "0 s"), (59.4, "59 s"), (60, "1 min"), (3599, "60 min"), (3600, "1 h 00 min"), (7500, "2 h 05 min")],
)
def test_durations_are_short(seconds: float, words: str) -> None:
    assert duration(seconds) == words


def test_progress_tells_how_much_and_how_long(theme: Theme, qtbot: QtBot) -> None:
    line = ProgressLine(theme)
    qtbot.addWidget(line)
    line.start("Importing a.jsonl")
    line.advance(300, None)
    assert line.text == "Importing a.jsonl · 300"
    line._began -= 10
    line.advance(250, 1000)
    assert line.text == "Importing a.jsonl · 250 of 1,000 · 30 s left"
    with qtbot.waitSignal(line.cancelled):
        qtbot.mouseClick(line._stop, Qt.MouseButton.LeftButton)
    line.finish()
    assert line.isHidden()


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0"), (9_999, "9,999"), (51_020, "51k"), (999_499, "999k"), (999_500, "1.0M"), (1_048_576, "1.0M")],
)
def test_counts_on_chips_stay_short(count: int, text: str) -> None:
    assert compact(count) == text


def test_a_chip_tells_its_count_to_everybody(theme: Theme, qtbot: QtBot) -> None:
    chip = Chip("Accepted", theme)
    qtbot.addWidget(chip)
    chip.set_count(51_020)
    assert chip.text() == "Accepted  51k"
    assert chip.accessibleName() == "Accepted, 51020 samples"


def test_a_button_leaves_the_keyboard_where_it_is_when_clicked(theme: Theme, qtbot: QtBot) -> None:
    button = Button("", theme, icon="x", tip="Close")
    qtbot.addWidget(button)
    assert button.focusPolicy() == Qt.FocusPolicy.TabFocus
    assert button.accessibleName() == "Close"


def test_the_same_star_twice_takes_the_rating_away(theme: Theme, qtbot: QtBot) -> None:
    rating = Rating(theme)
    qtbot.addWidget(rating)
    chosen: list[int] = []
    rating.chosen.connect(chosen.append)
    rating.set_value(3)
    qtbot.mouseClick(rating._stars[4], Qt.MouseButton.LeftButton)
    qtbot.mouseClick(rating._stars[2], Qt.MouseButton.LeftButton)
    assert chosen == [5, 0]


def test_flowing_widgets_go_on_in_the_next_line(qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    flow = FlowLayout(box, spacing=4)
    parts = [QWidget() for _ in range(4)]
    for part in parts:
        part.setFixedSize(50, 20)
        flow.addWidget(part)
    assert flow.heightForWidth(220) == 20
    assert flow.heightForWidth(110) == 44
    parts[0].hide()
    flow.setGeometry(QRect(0, 0, 110, 44))
    assert [part.pos().toTuple() for part in parts[1:]] == [(0, 0), (54, 0), (0, 24)]


def test_a_flowing_line_that_elides_takes_what_is_left_of_its_line_or_the_next(qtbot: QtBot) -> None:
    box = QWidget()
    qtbot.addWidget(box)
    flow = FlowLayout(box, spacing=4)
    part, line = QWidget(), ElidedLabel("what was not tried")
    part.setFixedSize(50, 20)
    for one in (part, line):
        flow.addWidget(one)
    says, high = line.sizeHint().width(), line.sizeHint().height()
    wide = 50 + 4 + says + 30
    flow.setGeometry(QRect(0, 0, wide, 20))
    assert (line.x(), line.width()) == (54, wide - 54)
    assert line.y() == (20 - high) // 2
    flow.setGeometry(QRect(0, 0, says, 60))
    assert (line.x(), line.y(), line.width()) == (0, 24, says)
    flow.setGeometry(QRect(0, 0, 60, 60))
    assert (line.y(), line.width()) == (24, 60)


def test_a_long_line_is_elided_but_still_told(qtbot: QtBot) -> None:
    line = ElidedLabel("a very long line " * 20)
    qtbot.addWidget(line)
    line.resize(80, 20)
    assert line.minimumSizeHint().width() < 80
    assert line.accessibleName() == line.toolTip() == "a very long line " * 20


def test_an_empty_state_has_one_sentence_and_one_action(theme: Theme, qtbot: QtBot) -> None:
    asked: list[int] = []
    empty = EmptyState(theme, "table", "No samples yet.", action=("Import…", lambda: asked.append(1)))
    qtbot.addWidget(empty)
    (button,) = empty.findChildren(QPushButton)
    qtbot.mouseClick(button, Qt.MouseButton.LeftButton)
    assert asked == [1]
    assert empty.sentence == "No samples yet."
