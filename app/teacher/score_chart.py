"""How a judge's scores fall on what people have accepted and on what they have not: a histogram, the two side by side in each ten."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QFrame, QWidget

from app.theme import Theme
from app.widgets.charts import card
from app.widgets.charts.axes import Axis, y_axis, y_ticks
from app.widgets.charts.canvas import Block, Canvas, Picture, Reading

TENS = 10
_TITLE = "Scores by decision"
_MOST = 100.0
_GAP = 0.6


class ScoreChart(QFrame):
    """Shows counts; the crosshair tells those of the ten below it."""

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._accepted: tuple[int, ...] = (0,) * TENS
        self._rejected: tuple[int, ...] = (0,) * TENS
        self.canvas = Canvas(theme, self._build)
        self.canvas.pointed.connect(self._on_pointed)
        self._value = card.lay_out(self, _TITLE, "scoreChart", self.canvas, "Arrow keys move the crosshair")
        self.setMinimumSize(260, 190)

    def show_counts(self, accepted: Sequence[int], rejected: Sequence[int]) -> None:
        """Ten counts each, of scores 0–9 … 90–100."""
        self._accepted, self._rejected = tuple(accepted), tuple(rejected)
        self._value.setText(f"accepted {sum(accepted):,} (green) · rejected {sum(rejected):,} (red)")
        parts = [self._words(place) for place in range(TENS) if accepted[place] or rejected[place]]
        self.setAccessibleDescription("; ".join(parts) or "No scores yet")
        self.canvas.refresh()

    def _words(self, place: int) -> str:
        return f"{_span(place)}: {self._accepted[place]:,} accepted, {self._rejected[place]:,} rejected"

    def _on_pointed(self, at: float | None) -> None:
        if at is None:
            self.canvas.point(None)
            return
        place = min(TENS - 1, max(0, int(at // (_MOST / TENS))))
        tokens = self._theme.tokens
        self.canvas.point(
            at,
            (
                Reading(f"{_span(place)}: {self._accepted[place]:,} accepted", tokens.good),
                Reading(f"{_span(place)}: {self._rejected[place]:,} rejected", tokens.bad),
            ),
        )

    def _build(self) -> Picture | None:
        plot, tokens = self.canvas.plot(), self._theme.tokens
        x = Axis(0.0, _MOST, plot.left(), plot.right())
        most = max(*self._accepted, *self._rejected, 4)
        y = y_axis(0.0, float(most), plot.bottom(), plot.top(), False)
        width = _MOST / TENS
        blocks = []
        for place in range(TENS):
            left, half = place * width + _GAP, (width - 2 * _GAP) / 2
            blocks.append(Block(left, left + half, self._accepted[place], tokens.good))
            blocks.append(Block(left + half, left + 2 * half, self._rejected[place], tokens.bad))
        ticks = tuple((float(value), str(value)) for value in range(0, 101, 20))
        return Picture(x, y, ticks, y_ticks(y), blocks=tuple(block for block in blocks if block.top))


def _span(place: int) -> str:
    return f"{place * 10}–{place * 10 + 9}" if place < TENS - 1 else "90–100"
