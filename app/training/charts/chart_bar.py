"""The controls above the charts: what x is, how smooth, logarithms, everything again, which runs to compare, export."""

from __future__ import annotations

from dataclasses import replace

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QComboBox, QMenu, QWidget

from app.theme import Theme
from app.training.charts.chart_specs import View
from app.widgets.buttons import Button
from app.widgets.charts.canvas import GESTURES
from app.widgets.flow import FlowLayout
from core.training.track import ALONG

_ALONG_WORDS = {"step": "over steps", "tokens": "over tokens", "time": "over time"}
WIDTHS = (1, 5, 20, 50, 200, 1000)


class ChartBar(QWidget):
    """Signals:
    view_wanted(View)       another way to look, all of it
    all_wanted()            everything again
    compare_wanted()        choose the runs to compare with
    picture_wanted(), numbers_wanted()      export the charts as they are, or their numbers
    """

    view_wanted = Signal(object)
    all_wanted = Signal()
    compare_wanted = Signal()
    picture_wanted = Signal()
    numbers_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._view = View()
        self.along = QComboBox()
        for along in ALONG:
            self.along.addItem(_ALONG_WORDS[along], along)
        _named(
            self.along, "chartAlong", "What the charts run over", "Steps, tokens seen, or time worked without pauses"
        )
        self.smooth = QComboBox()
        for width in WIDTHS:
            self.smooth.addItem("raw" if width == 1 else f"mean of {width:,} steps", width)
        _named(
            self.smooth, "chartSmoothing", "Smoothing", "How many of the newest steps the smooth line is the mean of"
        )
        self.log_y = Button("Log y", theme, kind="chip", name="chartLogY", tip="Losses, gradient norm and learning rate by decades")  # fmt: skip
        self.log_x = Button("Log x", theme, kind="chip", name="chartLogX", tip="Steps, tokens or time by decades")
        self.all = Button("Whole run", theme, icon="arrows-out-line-horizontal", name="chartAll", tip=GESTURES)
        self.all.setAccessibleName("Show the whole run")
        self.compare = Button(
            "Compare…", theme, icon="stack", name="chartCompare", tip="Draw other runs into these charts"
        )
        self.export = Button("Export", theme, icon="export", name="chartExport", tip="Save the charts or their numbers")
        menu = QMenu(self.export)
        menu.addAction("Picture (PNG)…", self.picture_wanted.emit).setObjectName("chartPicture")
        menu.addAction("Numbers (CSV)…", self.numbers_wanted.emit).setObjectName("chartNumbers")
        self.export.setMenu(menu)
        layout = FlowLayout(self, spacing=6)
        for widget in (self.along, self.smooth, self.log_y, self.log_x, self.all, self.compare, self.export):
            layout.addWidget(widget)
        self.along.activated.connect(self._on_changed)
        self.smooth.activated.connect(self._on_changed)
        self.log_y.toggled.connect(self._on_changed)
        self.log_x.toggled.connect(self._on_changed)
        self.all.clicked.connect(self.all_wanted)
        self.compare.clicked.connect(self.compare_wanted)
        self.show_view(self._view)

    def show_view(self, view: View) -> None:
        """Have the controls say how the charts are looked at now."""
        self._view = view
        self.along.setCurrentIndex(ALONG.index(view.along))
        self.smooth.setCurrentIndex(WIDTHS.index(view.width))
        for button, on in ((self.log_y, view.log_y), (self.log_x, view.log_x)):
            button.blockSignals(True)
            button.setChecked(on)
            button.blockSignals(False)
        self.all.setEnabled(view.span is not None)

    def _on_changed(self) -> None:
        self.view_wanted.emit(
            replace(
                self._view,
                along=self.along.currentData(),
                width=self.smooth.currentData(),
                log_x=self.log_x.isChecked(),
                log_y=self.log_y.isChecked(),
            )
        )


def _named(box: QComboBox, name: str, accessible: str, tip: str) -> None:
    box.setObjectName(name)
    box.setAccessibleName(accessible)
    box.setToolTip(tip)
    box.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
    box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
