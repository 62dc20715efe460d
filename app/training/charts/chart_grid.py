"""The charts of one run, and of those it is compared with: all over the same part of x, with one crosshair.

Redraws at most ten times a second, and only what can be seen. A hand that drags or zooms sees its own chart at once; the
others follow one after another, so that none of these frames takes long, however many charts and runs there are.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from PySide6.QtCore import QTimer, Signal
from PySide6.QtGui import QHideEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QGridLayout, QWidget

from app.theme import Theme
from app.training.charts.chart_card import ChartCard
from app.training.charts.chart_specs import SPECS, Shown, View

REDRAW_MS = 100
STILL_MS = 160
NARROW = 520
_FEWEST = 4.0


class ChartGrid(QWidget):
    """Cards in two columns, in one where there is no room. Only the loss is shown empty.

    Signals: view_changed(View), when a hand has chosen another part of x.
    """

    view_changed = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.view = View()
        self._shown: tuple[Shown, ...] = ()
        self._placed: tuple[object, ...] = ()
        self._waiting: deque[ChartCard] = deque()
        self.cards = {spec.name: ChartCard(spec, theme, self) for spec in SPECS}
        self._layout = QGridLayout(self)
        self._layout.setContentsMargins(0, 0, 0, 0)
        self._layout.setSpacing(12)
        for card in self.cards.values():
            card.hide()
            card.pointed.connect(partial(self._on_pointed, card))
            card.span_wanted.connect(partial(self._on_span_wanted, card))
            card.all_wanted.connect(self.show_all)
        self._timer = QTimer(self, singleShot=True, interval=REDRAW_MS)
        self._timer.timeout.connect(self.redraw)
        self._turn = QTimer(self, interval=0)
        self._turn.timeout.connect(self._draw_next)
        self._still = QTimer(self, singleShot=True, interval=STILL_MS)
        self._still.timeout.connect(self.redraw)
        self._place()

    def set_runs(self, shown: tuple[Shown, ...], config: Mapping[str, Any]) -> None:
        """Draw these runs from now on, the one that is looked at first. config: that run's, for what is usual."""
        if not self._shown or not shown or shown[0].metrics.path != self._shown[0].metrics.path:
            self.view = replace(self.view, span=None)
            self.view_changed.emit(self.view)
        self._shown = shown
        for card in self.cards.values():
            usual = card.spec.usual
            card.set_usual(usual(config) if usual is not None else None)
        self.redraw()

    def set_view(self, view: View) -> None:
        """Look at the runs in this way."""
        if view.along != self.view.along or view.log_x != self.view.log_x:
            view = replace(view, span=None)
        self.view = view
        self._show_pointer(None, None)
        self.redraw()
        self.view_changed.emit(view)

    def show_all(self) -> None:
        """Show all of x again, growing with the run."""
        self.set_view(replace(self.view, span=None))

    def schedule(self) -> None:
        """Draw soon; many calls within a tenth of a second are one drawing."""
        if self.isVisible() and not self._timer.isActive():
            self._timer.start()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.schedule()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        for timer in (self._timer, self._turn, self._still):
            timer.stop()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._place()

    def redraw(self) -> None:
        """Bring all charts up to date, one after another."""
        self._place()
        self._draw(self._visible_cards(), moving=False)

    def span(self) -> tuple[float, float]:
        """The part of x that is shown."""
        return self.view.span or self._whole()

    def _whole(self) -> tuple[float, float]:
        along = self.view.along
        tracks = [run.metrics.steps for run in self._shown if len(run.metrics.steps)]
        last = max((track.last(along) for track in tracks), default=1.0)
        first = 0.0
        if self.view.log_x:
            starts = [x[x > 0][0] for x in (track.x(along) for track in tracks) if (x > 0).any()]
            first = float(min(starts, default=last / 10))
        return (first, last) if last > first else (first, first + 1.0)

    def _visible_cards(self) -> list[ChartCard]:
        return [card for card in self.cards.values() if not card.isHidden()]

    def _draw(self, cards: list[ChartCard], *, moving: bool) -> None:
        """The first card at once, the others in their turns."""
        self._waiting.extend(card for card in cards if card not in self._waiting)
        self._moving = moving
        self._draw_next()
        while self._waiting and not self.isVisible():
            self._draw_next()  # nothing is painted, so that this costs nothing
        if self._waiting and not self._turn.isActive():
            self._turn.start()

    def _draw_next(self) -> None:
        if self._waiting:
            self._waiting.popleft().show_runs(self._shown, self.view, self.span(), moving=self._moving)
        if not self._waiting:
            self._turn.stop()

    def _on_span_wanted(self, card: ChartCard, low: float, high: float) -> None:
        """A hand on one chart chose a part of x: that chart first, then the others."""
        first, last = self._whole()
        size = min(high - low, last - first)
        if not self.view.log_x:
            size = max(size, min(_FEWEST if self.view.along == "step" else (last - first) * 1e-5, last - first))
        low = min(max(low, first), last - size) if not self.view.log_x else max(low, first)
        high = low + size if not self.view.log_x else min(high, last)
        if high <= low or (self.view.log_x and high < low * 1.01):
            return
        self.view = replace(self.view, span=None if (low, high) == (first, last) else (low, high))
        card.show_runs(self._shown, self.view, self.span(), moving=True)
        self._draw([other for other in self._visible_cards() if other is not card], moving=True)
        self._still.start()
        self.view_changed.emit(self.view)

    def _on_pointed(self, card: ChartCard, at: float | None) -> None:
        self._show_pointer(card, at)

    def _show_pointer(self, card: ChartCard | None, at: float | None) -> None:
        for other in self._visible_cards():
            other.point(at, other is card)

    def _place(self) -> None:
        """Lay out the cards that have something to show; the loss always has its place."""
        first = next(iter(self.cards.values()))
        wanted = [card for card in self.cards.values() if card is first or card.has_data(self._shown)]
        columns = 1 if self.width() < NARROW else 2
        placed = (columns, *wanted)
        if placed == self._placed:
            return
        self._placed = placed
        for card in self.cards.values():
            self._layout.removeWidget(card)
            card.setVisible(card in wanted)
        self._layout.addWidget(first, 0, 0, 1, columns)
        for row in range(self._layout.rowCount()):
            self._layout.setRowStretch(row, 0)
        self._layout.setRowStretch(0, 4)
        first.setMinimumHeight(200)
        for place, card in enumerate(wanted[1:]):
            row, column = 1 + place // columns, place % columns
            last_alone = place == len(wanted) - 2 and column == 0 and columns == 2
            self._layout.addWidget(card, row, column, 1, 2 if last_alone else 1)
            self._layout.setRowStretch(row, 3)
