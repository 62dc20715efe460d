"""The plot: gestures and keys that choose what is shown, each reachable without a mouse."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pytest
from PySide6.QtCore import QPoint, QPointF, Qt
from PySide6.QtGui import QColor, QWheelEvent
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from app.theme import Theme
from app.widgets.charts.axes import Axis
from app.widgets.charts.canvas import LEFT, Canvas, Picture, Reading, Stroke, polygon


class Watched:
    """A canvas of 0..600 on 600 pixels, and what it asked for."""

    def __init__(self, theme: Theme) -> None:
        self.canvas = Canvas(theme, self._build)
        self.canvas.resize(LEFT + 600 + 14, 200)
        self.spans: list[tuple[float, float]] = []
        self.points: list[float | None] = []
        self.all = 0
        self.built = 0
        self.canvas.span_wanted.connect(lambda low, high: self.spans.append((low, high)))
        self.canvas.pointed.connect(self.points.append)
        self.canvas.all_wanted.connect(self._count)

    def _count(self) -> None:
        self.all += 1

    def _build(self) -> Picture:
        self.built += 1
        plot = self.canvas.plot()
        line = Stroke(np.arange(601.0), np.full(601, 0.5), "#ff0000", fine=True)
        return Picture(
            Axis(0, 600, plot.left(), plot.right()), Axis(0, 1, plot.bottom(), plot.top()), ((0, "0"),), ((0.5, "0.5"),), (line,), (0.4, 0.6)
        )  # fmt: skip

    def at(self, x: float) -> QPoint:
        return QPoint(LEFT + round(x), 100)


@pytest.fixture
def watched(theme: Theme, qtbot: QtBot) -> Iterator[Watched]:
    made = Watched(theme)
    qtbot.addWidget(made.canvas)
    made.canvas.show()
    made.canvas.setFocus()
    made.canvas.grab()
    return made  # type: ignore[return-value]


def drag(watched: Watched, start: float, end: float, keys: Qt.KeyboardModifier = Qt.KeyboardModifier.NoModifier) -> None:  # fmt: skip
    QTest.mousePress(watched.canvas, Qt.MouseButton.LeftButton, keys, watched.at(start))
    QTest.mouseMove(watched.canvas, watched.at((start + end) / 2))
    QTest.mouseMove(watched.canvas, watched.at(end))
    QTest.mouseRelease(watched.canvas, Qt.MouseButton.LeftButton, keys, watched.at(end))


def wheel(watched: Watched, notches: int, keys: Qt.KeyboardModifier) -> bool:
    """Turn the wheel over x = 150; was it taken?"""
    where = QPointF(watched.at(150))
    event = QWheelEvent(
        where, watched.canvas.mapToGlobal(where), QPoint(), QPoint(0, 120 * notches), Qt.MouseButton.NoButton, keys,
        Qt.ScrollPhase.NoScrollPhase, False,
    )  # fmt: skip
    QApplication.sendEvent(watched.canvas, event)
    return event.isAccepted()


def test_a_drag_shows_that_range_whichever_way_it_goes(watched: Watched) -> None:
    drag(watched, 100, 400)
    drag(watched, 400, 100)
    assert watched.spans == [(100, 400), (100, 400)]


def test_a_click_chooses_nothing_and_a_double_click_everything(watched: Watched) -> None:
    QTest.mouseClick(watched.canvas, Qt.MouseButton.LeftButton, pos=watched.at(100))
    assert (watched.spans, watched.all) == ([], 0)
    QTest.mouseDClick(watched.canvas, Qt.MouseButton.LeftButton, pos=watched.at(100))
    assert watched.all == 1


def test_a_drag_with_shift_moves_the_range(watched: Watched) -> None:
    drag(watched, 300, 200, Qt.KeyboardModifier.ShiftModifier)
    assert watched.spans[-1] == (100, 700)


def test_the_wheel_belongs_to_the_page_unless_ctrl_is_held(watched: Watched) -> None:
    assert not wheel(watched, 1, Qt.KeyboardModifier.NoModifier)
    assert watched.spans == []
    assert wheel(watched, 1, Qt.KeyboardModifier.ControlModifier)
    [(low, high)] = watched.spans
    assert high - low == pytest.approx(480)
    assert (150 - low) / (high - low) == pytest.approx(0.25)  # what is under the pointer stays there


def test_every_gesture_has_a_key(watched: Watched) -> None:
    key = Qt.Key
    QTest.keyClick(watched.canvas, key.Key_Plus)
    assert watched.spans[-1] == (pytest.approx(108), pytest.approx(492))
    QTest.keyClick(watched.canvas, key.Key_Minus)
    assert watched.spans[-1] == (pytest.approx(-168.75), pytest.approx(768.75))
    QTest.keyClick(watched.canvas, key.Key_Right, Qt.KeyboardModifier.ShiftModifier)
    assert watched.spans[-1] == (75, 675)
    QTest.keyClick(watched.canvas, key.Key_Home)
    assert watched.all == 1
    QTest.keyClick(watched.canvas, key.Key_Left)
    assert watched.points[-1] == pytest.approx(294)


def test_the_crosshair_follows_the_pointer_and_costs_no_new_picture(watched: Watched) -> None:
    built = watched.built
    QTest.mouseMove(watched.canvas, watched.at(200))
    assert watched.points[-1] == 200
    watched.canvas.point(200, (Reading("loss 0.5", "#ff0000", 0.5),))
    watched.canvas.grab()
    QTest.mouseMove(watched.canvas, QPoint(5, 100))
    assert watched.points[-1] is None
    assert watched.built == built


def test_lines_and_the_usual_range_are_where_their_values_are(watched: Watched, theme: Theme) -> None:
    picture = watched.canvas.grab().toImage()
    plot = watched.canvas.plot()
    x, middle = LEFT + 300, round(plot.center().y())
    column = [QColor(picture.pixelColor(x, y)).name() for y in range(middle - 4, middle + 5)]
    assert "#ff0000" in column
    assert picture.pixelColor(x, middle - 10).name() == theme.tokens.good_soft.lower()
    assert picture.pixelColor(x, middle - 40).name() == theme.tokens.surface.lower()


def test_a_polygon_holds_its_points() -> None:
    made = polygon(np.array([1.0, 2.5]), np.array([3.0, -4.0]))
    assert [(one.x(), one.y()) for one in made] == [(1, 3), (2.5, -4)]
    assert polygon(np.empty(0), np.empty(0)).isEmpty()
