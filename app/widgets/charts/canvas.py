"""The plot of a chart: axes, usual range, curves, a crosshair; and the gestures that choose what is shown.

It paints what it is given, in pixels, and keeps the picture: a crosshair that follows the pointer costs one copy of it, however
many curves there are. No plotting library: a widget of a scene graph costs 20 ms to build, and a page has nine of these.

The gestures are in GESTURES. The wheel alone belongs to the page.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import shiboken6
from PySide6.QtCore import QPointF, QRectF, QSize, Qt, Signal
from PySide6.QtGui import (
    QColor,
    QFocusEvent,
    QFontMetricsF,
    QKeyEvent,
    QMouseEvent,
    QPainter,
    QPaintEvent,
    QPen,
    QPixmap,
    QPolygonF,
    QResizeEvent,
    QWheelEvent,
)
from PySide6.QtWidgets import QWidget

from app import fonts
from app.theme import Theme
from app.widgets.charts.axes import Axis
from core.training.series import Floats

GESTURES = (
    "Drag over a chart: show that range. Shift and drag: move. Ctrl and wheel: closer, farther.\n"
    "Double click or Home: everything. Arrow keys: crosshair, with Shift: move. + and −: closer, farther."
)
MOST_WHISKERS = 200
LEFT, RIGHT, TOP, BOTTOM = 52, 14, 8, 22
_CLICK = 4
_NOTCH = 1.25


@dataclass(frozen=True, slots=True)
class Stroke:
    """A line in values. fine: one hard pixel wide, for noise. points: with a dot at each value. low, high: ends of a whisker at each
    value, where it is not sure."""

    x: Floats
    y: Floats
    colour: str
    fine: bool = False
    points: bool = False
    style: Qt.PenStyle = Qt.PenStyle.SolidLine
    low: Floats | None = None
    high: Floats | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """A filled bar of a histogram, in values, from 0 to `top`."""

    left: float
    right: float
    top: float
    colour: str


@dataclass(frozen=True, slots=True)
class Picture:
    """All that is drawn but the crosshair. x_ticks, y_ticks: value and text. band: lowest and highest usual value. blocks: behind the strokes.
    quick: many lines, or a hand that moves them: hard pixels are enough."""

    x: Axis
    y: Axis
    x_ticks: tuple[tuple[float, str], ...] = ()
    y_ticks: tuple[tuple[float, str], ...] = ()
    strokes: tuple[Stroke, ...] = ()
    band: tuple[float, float] | None = None
    quick: bool = False
    blocks: tuple[Block, ...] = ()


@dataclass(frozen=True, slots=True)
class Reading:
    """A line of text beside the crosshair, with the colour of its curve; y: where to put a dot."""

    text: str
    colour: str
    y: float | None = None


class Canvas(QWidget):
    """Signals:
    pointed(x | None)        the crosshair was moved, or is gone
    span_wanted(x0, x1)      show this part of x
    all_wanted()             show everything
    """

    pointed = Signal(object)
    span_wanted = Signal(float, float)
    all_wanted = Signal()

    def __init__(self, theme: Theme, build: Callable[[], Picture | None], parent: QWidget | None = None) -> None:
        """build: what to draw now, in this widget's pixels; asked only when it is really painted."""
        super().__init__(parent)
        self._theme = theme
        self._build = build
        self._picture: Picture | None = None
        self._kept: QPixmap | None = None
        self._readings: tuple[Reading, ...] = ()
        self._at: float | None = None
        self._pressed: tuple[float, Axis, bool] | None = None
        self._dragged: float | None = None
        self.setMouseTracking(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFont(fonts.ui_font(11))
        theme.changed.connect(self.refresh)

    @property
    def picture(self) -> Picture | None:
        """What is painted, None before the first time."""
        return self._picture

    def plot(self) -> QRectF:
        """The area of the curves."""
        return QRectF(LEFT, TOP, max(10, self.width() - LEFT - RIGHT), max(10, self.height() - TOP - BOTTOM))

    def refresh(self) -> None:
        """Draw anew, as soon as it can be seen."""
        self._kept = None
        self.update()

    def draw_now(self) -> None:
        """Bring the picture up to date without waiting for the screen."""
        self._kept = self._painted()

    def point(self, at: float | None, readings: tuple[Reading, ...] = ()) -> None:
        """Show the crosshair at this x with these values beside it; None takes it away."""
        if (at, readings) != (self._at, self._readings):
            self._at, self._readings = at, readings
            self.update()

    def paintEvent(self, _event: QPaintEvent) -> None:
        if self._kept is None or self._kept.devicePixelRatio() != self.devicePixelRatioF():
            self._kept = self._painted()
        painter = QPainter(self)
        painter.drawPixmap(0, 0, self._kept)
        if self._picture is not None:
            self._paint_cross(painter, self._picture)
        if self.hasFocus():
            painter.setPen(QPen(QColor(self._theme.tokens.accent), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(4.5, 0.5, -4.5, -0.5), 6, 6)
        painter.end()

    def _painted(self) -> QPixmap:
        ratio = self.devicePixelRatioF()
        kept = QPixmap(QSize(round(self.width() * ratio), round(self.height() * ratio)))
        kept.setDevicePixelRatio(ratio)
        kept.fill(QColor(self._theme.tokens.surface))
        self._picture = self._build()
        if self._picture is not None:
            painter = QPainter(kept)
            painter.setFont(self.font())
            self._paint_ground(painter, self._picture)
            painter.setClipRect(self.plot().adjusted(0, -2, 2, 1))
            for block in self._picture.blocks:
                self._paint_block(painter, block, self._picture)
            for stroke in self._picture.strokes:
                self._paint_whiskers(painter, stroke, self._picture)
                self._paint_stroke(painter, stroke, self._picture)
            painter.end()
        return kept

    def _paint_ground(self, painter: QPainter, picture: Picture) -> None:
        tokens, plot = self._theme.tokens, self.plot()
        if picture.band is not None:
            ends = np.clip(picture.y.pixels(np.array(picture.band)), plot.top(), plot.bottom())
            if abs(ends[1] - ends[0]) >= 1:
                painter.fillRect(
                    QRectF(plot.left(), ends[1], plot.width(), ends[0] - ends[1]), QColor(tokens.good_soft)
                )
        painter.setPen(QPen(QColor(tokens.hair), 1))
        lines = [(round(picture.y.pixel(value)) + 0.5, text) for value, text in picture.y_ticks]
        for y, _ in lines:
            painter.drawLine(QPointF(plot.left(), y), QPointF(plot.right(), y))
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.drawLine(QPointF(plot.left() + 0.5, plot.top()), QPointF(plot.left() + 0.5, plot.bottom() + 0.5))
        painter.drawLine(QPointF(plot.left(), plot.bottom() + 0.5), QPointF(plot.right(), plot.bottom() + 0.5))
        painter.setPen(QColor(tokens.faint))
        middle = Qt.AlignmentFlag.AlignVCenter
        for y, text in lines:
            painter.drawText(QRectF(0, y - 8, LEFT - 6, 16), Qt.AlignmentFlag.AlignRight | middle, text)
        for value, text in picture.x_ticks:
            half = painter.fontMetrics().horizontalAdvance(text) / 2 + 1
            at = min(picture.x.pixel(value), self.width() - 4 - half)
            painter.drawText(QRectF(at - 40, plot.bottom() + 3, 80, 16), Qt.AlignmentFlag.AlignHCenter | middle, text)

    def _paint_stroke(self, painter: QPainter, stroke: Stroke, picture: Picture) -> None:
        x, y = picture.x.pixels(stroke.x), picture.y.pixels(stroke.y)
        seen = np.isfinite(y) & np.isfinite(x)
        if not seen.all():
            x, y = x[seen], y[seen]
        if not len(x):
            return
        line = polygon(x, np.clip(y, -1e4, 1e4))
        hard = stroke.fine or (picture.quick and not stroke.points)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, not hard)
        painter.setPen(QPen(QColor(stroke.colour), 1 if hard else 1.6, stroke.style))
        painter.setBrush(Qt.BrushStyle.NoBrush)
        if len(x) > 1:
            painter.drawPolyline(line)
        if (stroke.points and len(x) <= 200) or len(x) == 1:
            painter.setPen(QPen(QColor(stroke.colour), 5, Qt.PenStyle.SolidLine, Qt.PenCapStyle.RoundCap))
            painter.drawPoints(line)

    def _paint_whiskers(self, painter: QPainter, stroke: Stroke, picture: Picture) -> None:
        """Behind the line: from the lower to the upper end, with a short bar at each."""
        if stroke.low is None or stroke.high is None or len(stroke.x) > MOST_WHISKERS:
            return
        painter.setRenderHint(QPainter.RenderHint.Antialiasing, False)
        painter.setPen(QPen(QColor(stroke.colour), 1))
        xs, lows, highs = picture.x.pixels(stroke.x), picture.y.pixels(stroke.low), picture.y.pixels(stroke.high)
        for x, low, high in zip(xs.tolist(), lows.tolist(), highs.tolist(), strict=True):
            if math.isfinite(x) and math.isfinite(low) and math.isfinite(high):
                at = round(x) + 0.5
                painter.drawLine(QPointF(at, low), QPointF(at, high))
                for end in (low, high):
                    painter.drawLine(QPointF(at - 3, round(end) + 0.5), QPointF(at + 3, round(end) + 0.5))

    def _paint_block(self, painter: QPainter, block: Block, picture: Picture) -> None:
        left, right = round(picture.x.pixel(block.left)), round(picture.x.pixel(block.right))
        top, bottom = round(picture.y.pixel(block.top)), round(picture.y.pixel(0.0))
        painter.fillRect(QRectF(left, top, max(1, right - left), bottom - top), QColor(block.colour))

    def _paint_cross(self, painter: QPainter, picture: Picture) -> None:
        tokens, plot = self._theme.tokens, self.plot()
        if self._dragged is not None and self._pressed is not None:
            soft = QColor(tokens.accent)
            soft.setAlpha(40)
            left, right = sorted((self._pressed[0], self._dragged))
            painter.fillRect(QRectF(left, plot.top(), right - left, plot.height()), soft)
        if self._at is None:
            return
        x = picture.x.pixel(self._at)
        if not plot.left() - 1 <= x <= plot.right() + 1:
            return
        painter.setPen(QPen(QColor(tokens.dim), 1, Qt.PenStyle.DotLine))
        painter.drawLine(QPointF(round(x) + 0.5, plot.top()), QPointF(round(x) + 0.5, plot.bottom()))
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        for reading in self._readings:
            y = picture.y.pixel(reading.y) if reading.y is not None else np.nan
            if plot.top() - 1 <= y <= plot.bottom() + 1:
                painter.setPen(QPen(QColor(tokens.surface), 1))
                painter.setBrush(QColor(reading.colour))
                painter.drawEllipse(QPointF(x, y), 3.5, 3.5)
        if self._readings:
            self._paint_readings(painter, x)

    def _paint_readings(self, painter: QPainter, x: float) -> None:
        tokens, plot = self._theme.tokens, self.plot()
        most = max(1, int((plot.height() - 8) // 15))
        texts = self._readings
        if len(texts) > most:
            rest = len(texts) - most + 1
            texts = (*texts[: most - 1], Reading(f"and {rest} more", tokens.faint))
        measure = QFontMetricsF(self.font())
        shown = [measure.elidedText(one.text, Qt.TextElideMode.ElideMiddle, plot.width() * 0.45) for one in texts]
        width = max(measure.horizontalAdvance(text) for text in shown) + 26
        left = x + 10 if x + 10 + width <= plot.right() else x - 10 - width
        box = QRectF(max(left, plot.left() + 2), plot.top() + 2, width, 15 * len(shown) + 6)
        painter.setPen(QPen(QColor(tokens.border), 1))
        painter.setBrush(QColor(tokens.raised))
        painter.drawRoundedRect(box, 5, 5)
        for number, (reading, text) in enumerate(zip(texts, shown, strict=True)):
            top = box.top() + 3 + 15 * number
            painter.fillRect(QRectF(box.left() + 7, top + 6, 8, 3), QColor(reading.colour))
            painter.setPen(QColor(tokens.text))
            painter.drawText(QRectF(box.left() + 20, top, width, 15), Qt.AlignmentFlag.AlignVCenter, text)

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() not in (Qt.MouseButton.LeftButton, Qt.MouseButton.MiddleButton) or self._picture is None:
            super().mousePressEvent(event)
            return
        moves = event.button() == Qt.MouseButton.MiddleButton or bool(event.modifiers() & Qt.KeyboardModifier.ShiftModifier)  # fmt: skip
        self._pressed = (event.position().x(), self._picture.x, moves)

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        at = event.position().x()
        if self._pressed is None:
            plot = self.plot()
            inside = plot.left() <= at <= plot.right() and self._picture is not None
            self.pointed.emit(self._picture.x.value(at) if inside and self._picture else None)
            return
        pressed, axis, moves = self._pressed
        if moves:
            self._move(axis, pressed - at)
        elif abs(at - pressed) >= _CLICK:
            self._dragged = min(max(at, self.plot().left()), self.plot().right())
            self.update()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        pressed, dragged = self._pressed, self._dragged
        self._pressed = self._dragged = None
        if pressed is not None and dragged is not None:
            self.update()
            low, high = sorted((pressed[1].value(pressed[0]), pressed[1].value(dragged)))
            self.span_wanted.emit(low, high)
        else:
            super().mouseReleaseEvent(event)

    def mouseDoubleClickEvent(self, _event: QMouseEvent) -> None:
        self._pressed = self._dragged = None
        self.all_wanted.emit()

    def leaveEvent(self, event: object) -> None:
        self.pointed.emit(None)

    def focusOutEvent(self, event: QFocusEvent) -> None:
        super().focusOutEvent(event)
        self.pointed.emit(None)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self.refresh()

    def wheelEvent(self, event: QWheelEvent) -> None:
        if self._picture is None or not event.modifiers() & Qt.KeyboardModifier.ControlModifier:
            event.ignore()
            return
        self._zoom(self._picture.x, _NOTCH ** (-event.angleDelta().y() / 120), event.position().x())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        axis = self._picture.x if self._picture is not None else None
        if axis is None or event.modifiers() & (Qt.KeyboardModifier.ControlModifier | Qt.KeyboardModifier.AltModifier):
            super().keyPressEvent(event)
            return
        middle = (axis.start + axis.end) / 2
        here = middle if self._at is None else min(max(axis.pixel(self._at), axis.start), axis.end)
        match event.key():
            case Qt.Key.Key_Left | Qt.Key.Key_Right:
                sign = 1 if event.key() == Qt.Key.Key_Right else -1
                if event.modifiers() & Qt.KeyboardModifier.ShiftModifier:
                    self._move(axis, sign * (axis.end - axis.start) / 8)
                else:
                    at = here + sign * max(1.0, (axis.end - axis.start) / 100)
                    self.pointed.emit(axis.value(min(max(at, axis.start), axis.end)))
            case Qt.Key.Key_Plus | Qt.Key.Key_Equal:
                self._zoom(axis, 1 / _NOTCH**2, here)
            case Qt.Key.Key_Minus:
                self._zoom(axis, _NOTCH**2, here)
            case Qt.Key.Key_Home | Qt.Key.Key_0:
                self.all_wanted.emit()
            case _:
                super().keyPressEvent(event)

    def _move(self, axis: Axis, pixels: float) -> None:
        self.span_wanted.emit(axis.value(axis.start + pixels), axis.value(axis.end + pixels))

    def _zoom(self, axis: Axis, factor: float, at: float) -> None:
        """Show `factor` times as much, keeping what lies at this pixel."""
        self.span_wanted.emit(
            axis.value(at - (at - axis.start) * factor), axis.value(at + (axis.end - at) * factor)
        )  # fmt: skip


def extent(strokes: Sequence[Stroke]) -> tuple[float, float]:
    """The smallest and the largest of all values."""
    low, high = math.inf, -math.inf
    for stroke in strokes:
        for values in (stroke.y, stroke.low, stroke.high):
            if values is not None and len(values) and np.isfinite(values).any():
                low = min(low, float(np.nanmin(values)))
                high = max(high, float(np.nanmax(values)))
    return low, high


def polygon(x: Floats, y: Floats) -> QPolygonF:
    """Points as Qt wants them, written into its memory: making a QPointF of each would take longer than drawing them."""
    made = QPolygonF()
    if not len(x):
        return made
    made.resize(len(x))
    memory = shiboken6.VoidPtr(made.data(), 16 * len(x), True)
    points = np.frombuffer(memory, dtype=np.float64).reshape(-1, 2)
    points[:, 0], points[:, 1] = x, y
    return made
