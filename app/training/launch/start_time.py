"""When a run begins: now, or the next time the clock shows a certain hour, tonight say, when nobody needs the machine.

Half hours are enough here; `gosmith train --start-at` takes any minute and any day.
"""

from __future__ import annotations

import time

from PySide6.QtWidgets import QCheckBox, QComboBox, QHBoxLayout, QWidget

from core.jobs.clock import next_time

_TONIGHT = "22:00"


class StartTime(QWidget):
    """A switch and a time of day; off, the run begins as soon as it gets what it needs."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.switch = QCheckBox("Start at")
        self.switch.setObjectName("startLater")
        self.switch.setAccessibleName("Start later, at a time of day")
        self.switch.setToolTip("The run waits in the background until then, with or without this window.")
        self.time = QComboBox()
        self.time.addItems([f"{hour:02}:{minute:02}" for hour in range(24) for minute in (0, 30)])
        self.time.setCurrentText(_TONIGHT)
        self.time.setObjectName("startTime")
        self.time.setAccessibleName("Time at which the run starts")
        self.time.setEnabled(False)
        self.switch.toggled.connect(self.time.setEnabled)
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(6)
        row.addWidget(self.switch)
        row.addWidget(self.time)

    def not_before(self) -> float | None:
        """Seconds since the epoch of the next such time; None for now."""
        return next_time(self.time.currentText(), time.time()) if self.switch.isChecked() else None
