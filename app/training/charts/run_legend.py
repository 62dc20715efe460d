"""Which line is which run: a swatch and a name for each, and a click to take a run out of the comparison."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QSize, Signal
from PySide6.QtWidgets import QWidget

from app.theme import Theme
from app.training.charts import run_colours
from app.widgets.buttons import Button
from app.widgets.flow import FlowLayout

_LONGEST = 34


class RunLegend(QWidget):
    """Hidden while there is one run only.

    Signals: removed(id), when a run is to be compared no more.
    """

    removed = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runs: tuple[tuple[str, str, int], ...] = ()
        self._layout = FlowLayout(self, spacing=4)
        self.setAccessibleName("Runs in the charts")
        theme.changed.connect(self._fill)
        self.hide()

    def set_runs(self, runs: Sequence[tuple[str, str, int]]) -> None:
        """Show these: id, title and slot; the first is the run that is looked at, which cannot be removed."""
        if tuple(runs) != self._runs:
            self._runs = tuple(runs)
            self._fill()
        self.setVisible(len(runs) > 1)

    def _fill(self) -> None:
        while (item := self._layout.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()
        for number, (job_id, title, slot) in enumerate(self._runs):
            short = title if len(title) <= _LONGEST else title[: _LONGEST - 1] + "…"
            button = Button(
                short if number == 0 else f"{short}  ✕", self._theme, kind="segment", name=f"legend-{job_id}"
            )
            button.setIcon(run_colours.swatch(slot, self._theme.tokens))
            button.setIconSize(QSize(16, 16))
            if number == 0:
                button.setAccessibleName(f"{title}, the run that is looked at")
                button.setToolTip(title)
            else:
                button.setAccessibleName(f"Compare no more with {title}")
                button.setToolTip(f"Compare no more with {title}")
                button.clicked.connect(partial(self._on_removed, job_id))
            self._layout.addWidget(button)
        self.updateGeometry()

    def _on_removed(self, job_id: str, _checked: bool = False) -> None:
        self.removed.emit(job_id)
