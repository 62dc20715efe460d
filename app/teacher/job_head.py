"""The top of a job's view: its state in a word, what it does, the buttons for it, how far it is, and why it has ended."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.teacher import words
from app.theme import Theme
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.jobs.job_row import RESUMABLE
from app.widgets.jobs.job_status import JobStatus
from core.errors import UserError
from core.jobs import JobInfo


class JobHead(QWidget):
    """Attributes: show_samples, stop, resume (its buttons), banner. Signals: resume_wanted(), by button or banner."""

    resume_wanted = Signal()

    def __init__(self, theme: Theme, name: str, samples_tip: str, parent: QWidget | None = None) -> None:
        """name: what the objectNames of its parts begin with."""
        super().__init__(parent)
        self._told: tuple[str, str] | None = None
        self._status = JobStatus(name=f"{name}State")
        self.banner = Banner(theme, name=f"{name}Banner")
        self.show_samples = Button("Show samples", theme, icon="table", name=f"{name}ShowSamples", tip=samples_tip)
        self.stop = Button(
            "Stop", theme, icon="stop", name=f"{name}Stop", tip="Stops asking; Resume goes on from there."
        )
        self.resume = Button(
            "Resume…", theme, icon="play", name=f"{name}Resume", tip="Goes on where it was; nothing is paid for twice"
        )
        self.resume.clicked.connect(self.resume_wanted)
        for button in (self.show_samples, self.stop, self.resume):
            self._status.add(button)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        column.addWidget(self._status)
        column.addWidget(self.banner)
        self.restart()

    def restart(self) -> None:
        """Another job: nothing is known yet."""
        self._told = None
        self.banner.clear()
        self._status.wait()

    def show_state(self, state: JobInfo, doing: str) -> bool:
        """Show how the job stands; doing: what it says it does, "" for its title. Returns whether state or message are news."""
        self._status.show_job(state, words.STATES[state.state], doing or state.title)
        self.stop.setVisible(state.alive)
        self.stop.setText("Stop now" if state.state == "stopping" else "Stop")
        self.resume.setVisible(state.state in RESUMABLE)
        if self._told == (state.state, state.message):
            return False
        self._told = (state.state, state.message)
        again = [("Resume…", self.resume_wanted.emit)] if state.state in RESUMABLE else []
        if state.state in ("failed", "interrupted") or state.silent:
            self.banner.say(str(UserError(state.message, state.hint)), "bad", again)
        elif state.state == "stopped":
            self.banner.say(f"{state.message or 'Paused.'} {state.hint}".strip(), "warn", again)
        else:
            self.banner.clear()
        return True
