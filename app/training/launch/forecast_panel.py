"""What a run will cost, said before it starts: rows and tokens, memory and what it is made of, processes, compute, time, disk.

The closed form follows the keyboard; "Count exactly" has the step's memory counted in a job and puts the count beside it, until
the settings change.
"""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from app.context import AppContext
from app.training.launch.count_run import CountRun
from app.widgets.buttons import Button
from app.widgets.labels import label, section
from app.widgets.progress import duration
from core.errors import UserError
from core.models import Model
from core.training.config import RunConfig
from core.training.exact import Exact
from core.training.planned import Plan, compute_text

PARTS = {
    "weights": "weights", "adapter": "adapter", "gradients": "gradients", "optimizer": "optimizer",
    "gathered": "gathered layers", "activations": "activations", "logits": "logits", "overhead": "overhead",
}  # fmt: skip
MODES = {"single": "one process", "ddp": "a copy on each process (DDP)", "fsdp": "sharded (FSDP)"}
ROWS = (
    ("data", "Trains on"), ("memory", "Memory"), ("mode", "Processes"), ("compute", "Compute"), ("time", "Time"),
    ("disk", "Disk"),
)  # fmt: skip


class ForecastPanel(QFrame):
    """A card with the forecast in a few lines; it changes as the settings are typed."""

    def __init__(self, context: AppContext, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("kind", "card")
        self._asked: tuple[RunConfig, Model, Plan] | None = None
        self._run = CountRun(context, self)
        self._run.arrived.connect(self._on_counted)
        self._run.failed.connect(self._on_count_failed)
        self._values = {name: label(wrap=True, name=f"forecast-{name}") for name, _ in ROWS}
        self._count = Button(
            "Count exactly",
            context.theme,
            kind="link",
            name="countExactly",
            tip="Walks one step of the real model without its weights and counts its memory; some twenty seconds for a large base.",
        )
        self._count.clicked.connect(self._on_count)
        self._counted = label(tone="dim", size=12, wrap=True, name="forecastCounted")
        self._counted.hide()
        self._warnings = label(tone="warn", wrap=True, name="forecastWarnings")
        self._warnings.hide()
        head = QHBoxLayout()
        head.addWidget(section("Forecast"), 1)
        head.addWidget(self._count)
        grid = QGridLayout()
        grid.setHorizontalSpacing(14)
        grid.setVerticalSpacing(4)
        grid.setColumnStretch(1, 1)
        for row, (name, caption) in enumerate(ROWS):
            grid.addWidget(label(caption, tone="dim"), row, 0, Qt.AlignmentFlag.AlignTop)
            grid.addWidget(self._values[name], row, 1)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(14, 10, 14, 10)
        layout.setSpacing(8)
        layout.addLayout(head)
        layout.addLayout(grid)
        layout.addWidget(self._counted)
        layout.addWidget(self._warnings)
        self.clear()

    def clear(self) -> None:
        """There is nothing to forecast yet."""
        self.forget()
        for value in self._values.values():
            value.setText("—")
        self._warnings.hide()

    def forget(self) -> None:
        """Want no count any more."""
        self._run.drop()
        self._asked = None
        self._counted.hide()
        self._count.setEnabled(False)

    def show_plan(self, plan: Plan, samples: int, config: RunConfig, model: Model) -> None:
        """Show this forecast. samples: how many the run trains on. config, model: what a count would be of."""
        if self._asked is None or self._asked[2].load != plan.load or self._asked[:2] != (config, model):
            self.forget()
        self._asked = (config, model, plan)
        self._count.setEnabled(not self._counted.isVisibleTo(self))
        self._values["data"].setText(f"{samples:,} samples, {plan.tokens:,} tokens in {plan.steps:,} steps")
        self._values["memory"].setText(_memory_text(plan))
        self._values["mode"].setText(plan.why or f"{MODES[plan.mode][0].upper()}{MODES[plan.mode][1:]}.")
        self._values["compute"].setText(compute_text(plan.flops, plan.pf_days))
        self._values["compute"].setToolTip(plan.compute_sentence)
        self._values["time"].setText(
            f"About {duration(plan.seconds)}"
            if plan.seconds is not None
            else "Known after the first run like this on this machine"
        )
        self._values["disk"].setText(f"{size_text(plan.checkpoint_bytes)} a checkpoint")
        self._warnings.setText("\n".join(plan.warnings))
        self._warnings.setVisible(bool(plan.warnings))

    def _on_count(self) -> None:
        if self._asked is None:
            return
        self._count.setEnabled(False)
        self._say("Counting a step's memory…")
        self._run.ask(*self._asked)

    def _on_counted(self, found: Exact) -> None:
        self._say(found.sentence)

    def _on_count_failed(self, error: UserError) -> None:
        self._say(f"{error} {error.hint}".strip())
        self._count.setEnabled(self._asked is not None)

    def _say(self, text: str) -> None:
        self._counted.setText(text)
        self._counted.show()


def _memory_text(plan: Plan) -> str:
    """Does it fit, between what and what, and from where that is known."""
    fits = {True: "Fits: ", False: "Does not fit: ", None: ""}[plan.fits]
    runs = f"as {plan.measured} earlier run{'s' if plan.measured > 1 else ''} measured"
    span = f"{size_text(plan.low)} to {size_text(plan.high)} a process ({runs if plan.measured else 'estimated'})"
    return f"{fits}{span}\n{_parts_text(plan)}"


def _parts_text(plan: Plan) -> str:
    return ", ".join(f"{text} {size_text(plan.memory[name])}" for name, text in PARTS.items() if plan.memory.get(name))


def size_text(count: float) -> str:
    """Bytes as people read them: 640 KiB, 19.4 GiB."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:,.0f} {unit}" if unit in ("B", "KiB") else f"{count:,.1f} {unit}"
        count /= 1024
    return f"{count:,.1f} GiB"
