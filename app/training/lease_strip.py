"""Who holds what of this machine: a line for each job with its GPUs and its process, and one for those that are free.

It shows what the jobs say of themselves and asks no GPU anything.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QWidget

from app.widgets.labels import ElidedLabel, hairline, label
from core.jobs import JobInfo
from core.training.launch import LEASE


class LeaseStrip(QWidget):
    """Lines below the list of runs; hidden while there is nothing to tell."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("leaseStrip")
        self.setAccessibleName("Who holds which GPU")
        self._shown: list[tuple[str, str, str]] | None = None
        self._grid = QGridLayout(self)
        self._grid.setContentsMargins(16, 0, 12, 10)
        self._grid.setHorizontalSpacing(8)
        self._grid.setVerticalSpacing(4)
        self._grid.setColumnStretch(1, 1)
        self.hide()

    def show_jobs(self, jobs: Sequence[JobInfo], gpus: int) -> None:
        """Tell who of these jobs holds which lease. gpus: how many this machine has."""
        lines = [(_title(job.leases), job.title, f"pid {job.pid}") for job in jobs if job.leases]
        held = {name for job in jobs for name in job.leases}
        free = [name for number in range(gpus) if (name := f"gpu:{number}") not in held]
        lines.sort()
        if free:
            lines.append((_title(free), "free", ""))
        if lines == self._shown:
            return
        self._shown = lines
        self._clear()
        if lines:
            self._grid.addWidget(hairline(), 0, 0, 1, 3)
        for row, (name, title, process) in enumerate(lines, 1):
            self._grid.addWidget(label(name, tone="dim", size=12), row, 0)
            who = ElidedLabel(title, tone="" if process else "dim")
            who.setAccessibleName(f"{name}: {title}, {process}" if process else f"{name}: {title}")
            self._grid.addWidget(who, row, 1)
            self._grid.addWidget(
                label(process, tone="dim", size=12), row, 2, Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter
            )
        self.setVisible(bool(lines))

    def lines(self) -> list[tuple[str, str, str]]:
        """Lease, title and process as they are shown."""
        return list(self._shown or ())

    def _clear(self) -> None:
        while (item := self._grid.takeAt(0)) is not None:
            widget = item.widget()
            if widget is not None:
                widget.hide()
                widget.deleteLater()


def _title(leases: Sequence[str]) -> str:
    """`CPU`, `GPU 2` or `GPU 0–3, 5`."""
    numbers = sorted(int(name.removeprefix("gpu:")) for name in leases if name.startswith("gpu:"))
    if not numbers:
        return "CPU" if LEASE in leases else ", ".join(leases)
    spans = [[numbers[0], numbers[0]]]
    for number in numbers[1:]:
        if number == spans[-1][1] + 1:
            spans[-1][1] = number
        else:
            spans.append([number, number])
    return "GPU " + ", ".join(str(low) if low == high else f"{low}–{high}" for low, high in spans)
