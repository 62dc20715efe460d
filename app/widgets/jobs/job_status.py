"""How a job stands, at the top of its view: its state in a word and a colour, a sentence of facts, room for buttons, how far it is."""

from __future__ import annotations

from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from app.theme import set_property
from app.widgets.jobs.job_row import TONES
from app.widgets.labels import ElidedLabel, label
from core.jobs import JobInfo


class JobStatus(QWidget):
    """The bar keeps its room when it is hidden, so that nothing below jumps when a job ends."""

    def __init__(self, *, name: str, parent: QWidget | None = None) -> None:
        """name: objectName of the state's word."""
        super().__init__(parent)
        self._state = label(name=name)
        self._facts = ElidedLabel(tone="dim")
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 1000)
        self._bar.setAccessibleName("Progress")
        keep = self._bar.sizePolicy()
        keep.setRetainSizeWhenHidden(True)
        self._bar.setSizePolicy(keep)
        self._row = QHBoxLayout()
        self._row.setSpacing(8)
        self._row.addWidget(self._state)
        self._row.addWidget(self._facts, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addLayout(self._row)
        column.addWidget(self._bar)

    def add(self, widget: QWidget) -> None:
        """At the right of the row."""
        self._row.addWidget(widget)

    def wait(self) -> None:
        """Another job was chosen, and nothing is known of it yet."""
        self._state.setText("Reading…")
        self._facts.setText("")

    def show_job(self, job: JobInfo, word: str, facts: str) -> None:
        """word: of the state. facts: a line, cut off where there is no room."""
        tone = TONES.get(job.state, "dim")
        self._state.setText(word)
        set_property(self._state, "tone", "" if tone == "info" else tone)  # what runs is plain text
        self._facts.setText(facts)
        self._bar.setVisible(job.alive)
        self._bar.setValue(round(1000 * (job.progress or 0.0)))
