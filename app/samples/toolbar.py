"""The buttons at the head of the Samples page: in, out, Go checks, and on to training."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QHBoxLayout, QMenu, QWidget

from app.commands import key_of
from app.samples.columns import number
from app.samples.results import Counts
from app.theme import Theme
from app.widgets.buttons import Button


class Toolbar(QWidget):
    """Signals: import_wanted(), export_wanted(), train_wanted()."""

    import_wanted = Signal()
    export_wanted = Signal()
    train_wanted = Signal()

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        take = Button("Import…", theme, icon="download-simple", name="samplesImport")
        take.setToolTip(f"Import samples ({key_of('samples.import')})")
        take.clicked.connect(self.import_wanted)
        give = Button("Export…", theme, name="samplesExport")
        give.setToolTip(f"Export what the search finds ({key_of('samples.export')})")
        give.clicked.connect(self.export_wanted)
        self._check = Button("Check", theme, icon="caret-down", name="samplesCheck")
        self._check.setToolTip(f"Have Go check what the search finds ({key_of('samples.check')})")
        self._check.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow of a menu stands at the right
        self._train = Button("Train…", theme, icon="play", kind="primary", name="samplesTrain")
        self._train.clicked.connect(self.train_wanted)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(8)
        for button in (take, give, self._check, self._train):
            row.addWidget(button)

    def offer_checks(self, levels: Sequence[QAction], more: Sequence[QAction]) -> None:
        """What the Check button offers: Go's levels, and what follows from them."""
        menu = QMenu(self._check)
        menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # not the button's
        menu.addActions(levels)
        menu.addSeparator()
        menu.addActions(more)
        self._check.setMenu(menu)

    def show_counts(self, counts: Counts) -> None:
        """Say how many samples a run would get."""
        words = f"Train on {number(counts.trainable)}"
        self._train.setText(f"{words}…")
        self._train.setAccessibleName(words)
        self._train.setEnabled(counts.trainable > 0)
        left_out = counts.matching - counts.trainable
        self._train.setToolTip(
            f"{number(left_out)} rejected samples are left out" if left_out else "Train on what the search finds"
        )
