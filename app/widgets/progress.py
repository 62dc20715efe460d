"""Progress of anything that takes over a second: a word, a bar, the time left, and a way out."""

from __future__ import annotations

import time
from collections.abc import Callable

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label


def duration(seconds: float) -> str:
    """A length of time in words short enough for a status line: "8 s", "3 min", "2 h 05 min"."""
    whole = round(seconds)
    if whole < 60:
        return f"{whole} s"
    if whole < 3600:
        return f"{round(whole / 60)} min"
    return f"{whole // 3600} h {whole % 3600 // 60:02} min"


def amount(count: int) -> str:
    """A bare number: 51,020."""
    return f"{count:,}"


def byte_size(count: int) -> str:
    """Bytes in the unit that people use: 812 KiB, 1.4 GiB."""
    value = float(count)
    for unit in ("B", "KiB", "MiB"):
        if value < 1024:
            return f"{value:.0f} {unit}" if unit in ("B", "KiB") else f"{value:.1f} {unit}"
        value /= 1024
    return f"{value:.1f} GiB"


class ProgressLine(QWidget):
    """Hidden until `start`; the time left is estimated from the rate so far.

    Signals: cancelled, when the user asks to stop.
    """

    cancelled = Signal()

    def __init__(self, theme: Theme, *, name: str = "progressLine", parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self._what = ""
        self._show: Callable[[int], str] = amount
        self._began = 0.0
        self._text = label(tone="dim")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress")
        self._bar.setMinimumWidth(120)
        self._stop = Button("Stop", theme, kind="quiet", name="progressStop")
        self._stop.clicked.connect(self.cancelled)
        row = QHBoxLayout(self)
        row.setContentsMargins(20, 2, 12, 2)
        row.setSpacing(12)
        row.addWidget(self._text)
        row.addWidget(self._bar, 1)
        row.addWidget(self._stop)
        self.setVisible(False)

    @property
    def text(self) -> str:
        """What the line says."""
        return self._text.text()

    def start(self, what: str, *, stoppable: bool = True, show: Callable[[int], str] = amount) -> None:
        """Show the line; `what` names the work ("Importing 3 files"), `show` writes its units."""
        self._what = what
        self._show = show
        self._began = time.monotonic()
        self._stop.setVisible(stoppable)
        self._stop.setEnabled(True)
        self._bar.setRange(0, 0)
        self._text.setText(f"{what} …")
        self.setVisible(True)

    def advance(self, done: int, total: int | None) -> None:
        """`done` of `total` units; a total of None or 0 means that nobody knows how much it is."""
        if not total:
            self._bar.setRange(0, 0)
            self._text.setText(f"{self._what} · {self._show(done)}")
            return
        self._bar.setRange(0, total)
        self._bar.setValue(min(done, total))
        words = f"{self._what} · {self._show(done)} of {self._show(total)}"
        spent = time.monotonic() - self._began
        if 0 < done < total and spent > 1.0:
            words += f" · {duration(spent / done * (total - done))} left"
        self._text.setText(words)

    def stopping(self) -> None:
        """Say that the request to stop was heard."""
        self._stop.setEnabled(False)
        self._text.setText(f"{self._what} · stopping …")

    def finish(self) -> None:
        """Hide the line."""
        self.setVisible(False)
