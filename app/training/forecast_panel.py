"""What a run will cost, said before it starts: rows and tokens, memory and what it is made of, time, disk."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QVBoxLayout, QWidget

from app.widgets.labels import label, section
from app.widgets.progress import duration
from core.training.plan import Plan

PARTS = {
    "weights": "weights", "adapter": "adapter", "gradients": "gradients",
    "optimizer": "optimizer", "activations": "activations", "logits": "logits",
}  # fmt: skip


class ForecastPanel(QFrame):
    """A card with the forecast in a few lines; it changes as the settings are typed."""

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._values = {name: label(wrap=True, name=f"forecast-{name}") for name in ("data", "memory", "time", "disk")}
        self._warnings = label(tone="warn", wrap=True, name="forecastWarnings")
        self._warnings.hide()
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, caption) in enumerate(
            (("data", "Trains on"), ("memory", "Memory"), ("time", "Time"), ("disk", "Disk"))
        ):
            grid.addWidget(label(caption, tone="dim"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._values[name], row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        layout.addWidget(section("Forecast"))
        layout.addLayout(grid)
        layout.addWidget(self._warnings)
        self.clear()

    def clear(self) -> None:
        """There is nothing to forecast yet."""
        for value in self._values.values():
            value.setText("—")
        self._warnings.hide()

    def show_plan(self, plan: Plan, samples: int) -> None:
        """Show this forecast. samples: how many the run trains on."""
        self._values["data"].setText(f"{samples:,} samples, {plan.tokens:,} tokens in {plan.steps:,} steps")
        parts = ", ".join(
            f"{text} {size_text(plan.memory[name])}" for name, text in PARTS.items() if plan.memory.get(name)
        )
        total = size_text(plan.memory["total"])
        fits = {True: f"Fits: {total}", False: f"Does not fit: {total}", None: total}[plan.fits]
        self._values["memory"].setText(f"{fits} a process ({parts})")
        time = (
            f"about {duration(plan.seconds)}"
            if plan.seconds is not None
            else "known after the first run on this machine"
        )
        self._values["time"].setText(f"{time}; {plan.flops:.2g} FLOP")
        self._values["disk"].setText(f"{size_text(plan.checkpoint_bytes)} a checkpoint")
        self._warnings.setText("\n".join(plan.warnings))
        self._warnings.setVisible(bool(plan.warnings))


def size_text(count: float) -> str:
    """Bytes as people read them: 640 KiB, 19.4 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit in ("B", "KiB") else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"
