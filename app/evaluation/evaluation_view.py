"""One evaluation: where it stands, its number, and behind tabs its problems, another one beside it, a leaderboard, its log.

Live while the job is at work. Others may add a tab or an action; what they need of the result they take from `evaluation`.
"""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtGui import QFont, QHideEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from app import fonts
from app.context import AppContext
from app.evaluation.board_feed import BoardFeed
from app.evaluation.compare_view import CompareView
from app.evaluation.evaluation_feed import Looked, follow
from app.evaluation.leaderboard_view import LeaderboardView
from app.evaluation.overview import headline
from app.evaluation.problems_view import ProblemsView
from app.widgets.banner import Banner
from app.widgets.buttons import Button
from app.widgets.jobs.job_feed import JobFeed
from app.widgets.jobs.job_row import RESUMABLE, STATES
from app.widgets.jobs.job_status import JobStatus
from app.widgets.jobs.job_tabs import JobTabs
from app.widgets.labels import ElidedLabel, label
from app.widgets.log_view import LogView
from app.widgets.progress import duration
from core.errors import UserError
from core.evaluation.board import Standing
from core.evaluation.contents import Contents
from core.evaluation.results import Evaluation
from core.jobs import JobFolder, JobInfo


class EvaluationView(QWidget):
    """Attributes: feed, banner, status, result, stop (buttons), problems, comparison, leaderboard, log; state (None before the first look).

    Signals: resume_wanted(), by a button or the banner; state_changed(JobInfo), after every look; evaluation_changed(), when `evaluation` is
    another one.
    """

    resume_wanted = Signal()
    state_changed = Signal(object)
    evaluation_changed = Signal()

    def __init__(self, context: AppContext, board: BoardFeed, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        theme = context.theme
        self.state: JobInfo | None = None
        self._board = board
        self._contents: Contents | None = None
        self._told: tuple[str, str] | None = None
        self._compared = ""
        self.feed = JobFeed(context.tasks, follow, self)
        self.feed.looked.connect(self._on_looked)
        self.status = JobStatus(name="evaluationState")
        self.result = Button(
            "Result", theme, icon="export", name="evaluationResult", tip="Take the result along, or delete it"
        )
        self.stop = Button(
            "Stop",
            theme,
            icon="stop",
            name="evaluationStop",
            tip="Stops after what it is at; Resume goes on from there",
        )
        self.resume = Button(
            "Resume", theme, icon="play", name="evaluationResume", tip="Goes on where it was; nothing is done twice"
        )
        self.resume.clicked.connect(self.resume_wanted)
        for button in (self.result, self.stop, self.resume):
            self.status.add(button)
        self.banner = Banner(theme, name="evaluationBanner")
        self.number = label(name="evaluationNumber")
        self.number.setFont(fonts.ui_font(18, QFont.Weight.DemiBold))
        self.about = ElidedLabel(tone="dim")
        self.about.setObjectName("evaluationAbout")
        self._line = QHBoxLayout()
        self._line.setSpacing(10)
        self._line.addWidget(self.number)
        self._line.addWidget(self.about, 1)
        self.problems = ProblemsView(theme)
        self.comparison = CompareView(context)
        self.leaderboard = LeaderboardView(theme)
        self.log = LogView()
        self.tabs = JobTabs(
            theme,
            (
                ("evaluationProblems", "Problems", self.problems),
                ("evaluationCompare", "Compare", self.comparison),
                ("evaluationLeaderboard", "Leaderboard", self.leaderboard),
                ("evaluationLog", "Log", self.log),
            ),
        )
        self.tabs.chosen.connect(self._follow)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 20, 14)
        column.setSpacing(6)
        column.addWidget(self.status)
        column.addWidget(self.banner)
        column.addLayout(self._line)
        column.addWidget(self.tabs, 1)
        board.changed.connect(self._show_others)
        self._restart()

    @property
    def evaluation(self) -> Evaluation | None:
        """The result, None before there is one."""
        return self._contents.evaluation if self._contents is not None else None

    @property
    def job(self) -> str:
        """The id of the job that is shown, "" at first."""
        return self.feed.folder.id if self.feed.folder is not None else ""

    def add_tab(self, name: str, text: str, page: QWidget) -> None:
        """Another page, before the log. name, text: objectName and text of its segment."""
        self.tabs.add(name, text, page, before_last=True)

    def add_action(self, button: QWidget) -> None:
        """A button at the right of the number."""
        self._line.addWidget(button)

    def show_job(self, folder: JobFolder) -> None:
        """Show this evaluation from now on."""
        if self.feed.folder == folder:
            return
        self._compared = ""
        self.log.set_path(folder.log)
        self._restart()
        self.feed.show(folder)
        self._show_others()

    def compare(self, key: str, other: str) -> None:
        """Show what this result has on the other one. key: that of the evaluation that is shown, or of a point on a run's way."""
        self._compared = key
        self._show_others()
        self.comparison.want(other)
        self.tabs.open(self.comparison)

    def refresh(self) -> None:
        """Look again, at once and from now on: something was asked of the job."""
        if self.isVisible():
            self.feed.go_on()

    def _restart(self) -> None:
        had = self.evaluation is not None
        self.state, self._contents, self._told = None, None, None
        self.banner.clear()
        self.status.wait()
        self.number.setText("…")
        self.about.setText("")
        self.stop.hide()
        self.resume.hide()
        self.result.setEnabled(False)
        self.problems.restart()
        if had:
            self.evaluation_changed.emit()

    # --- what is heard of the job ------------------------------------------------------------------------------

    def _on_looked(self, state: JobInfo, looked: Looked) -> None:
        at, found = looked
        self.state = state
        self.status.show_job(state, STATES[state.state], _doing(state, at))
        self.stop.setVisible(state.alive)
        self.stop.setText("Stop now" if state.state == "stopping" else "Stop")
        self.resume.setVisible(state.state in RESUMABLE)
        self.result.setEnabled(True)
        self._tell(state)
        self._follow()
        self.state_changed.emit(state)
        if isinstance(found, UserError):
            self.banner.problem(found)
        elif found is not None:
            self._on_loaded(found)

    def _tell(self, state: JobInfo) -> None:
        if self._told == (state.state, state.message):
            return
        self._told = (state.state, state.message)
        again = [("Resume", self.resume_wanted.emit)] if state.state in RESUMABLE else []
        if state.state in ("failed", "interrupted") or state.silent:
            self.banner.problem(UserError(state.message, state.hint), again)
        elif state.state == "stopped":
            self.banner.say(state.message or "Stopped; what was answered and judged is kept.", "warn", again)
        else:
            self.banner.clear()

    def _on_loaded(self, found: Contents) -> None:
        before = self.evaluation
        self._contents = found
        if found.evaluation is not None:
            number, about = headline(found.evaluation)
            origin = found.evaluation.origin
            self.number.setText(number)
            self.about.setText(f"{about} · {origin.suite}, {origin.mode}")
        else:
            passed = found.statuses.get("pass", 0)
            judged = found.candidate_count
            self.number.setText(f"{passed:,} of {judged:,} pass so far" if judged else "No verdict yet")
            self.about.setText("")
        self.problems.show_contents(found)
        self._show_others()
        if found.evaluation is not before:
            self.evaluation_changed.emit()

    def _show_others(self) -> None:
        self.comparison.show_entries(self._board.entry(self._compared or self.job), self._board.entries)
        self.leaderboard.show_entries(self._board.entry(self.job), self._board.entries)

    def _follow(self) -> None:
        """Bring the log up to date if it is in front."""
        if self.tabs.page is self.log:
            self.log.follow()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.pause()


def _doing(state: JobInfo, at: Standing) -> str:
    """What the job does and how long it will, else what it is called."""
    if not state.alive:
        return state.title
    parts = [at.message or state.message or state.title]
    if at.total:
        parts.append(f"{at.done:,} of {at.total:,}")
    if at.seconds_left is not None:
        parts.append(f"{duration(at.seconds_left)} left")
    return " · ".join(parts)
