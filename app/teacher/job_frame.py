"""What the views of all jobs of this page have in common: the head, a row of numbers, pages behind tabs, the last two of them log and plan.

Looks at the job while it is in sight. What the numbers and the other pages say, whoever holds the frame knows.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.teacher.actions import samples_of
from app.teacher.job_count import Count, JobCount
from app.teacher.job_head import JobHead
from app.teacher.plan_view import PlanView
from app.widgets.facts_row import FactsRow
from app.widgets.jobs.job_feed import Follow, JobFeed
from app.widgets.jobs.job_tabs import JobTabs
from app.widgets.log_view import LogView
from core.jobs import JobFolder, JobInfo
from core.jobs.folder import read_job


@dataclass(frozen=True, slots=True)
class JobKind:
    """What the frame must know of a kind of job. name: what objectNames begin with. samples_tip: what the samples are that it leads to.

    about: of a job's request, a line to stand over its plan.
    """

    name: str
    samples_tip: str
    follow: Follow
    count: Count
    about: Callable[[dict[str, Any]], str]


class JobFrame(QWidget):
    """Attributes: state (None before the first look), head, facts, log, plan, feed.

    Signals: looked(JobInfo, what the kind follows, whether state or message are news); counted(what the kind counts); resume_wanted();
    samples_wanted(search).
    """

    looked = Signal(object, object, bool)
    counted = Signal(object)
    resume_wanted = Signal()
    samples_wanted = Signal(str)

    def __init__(
        self,
        context: AppContext,
        kind: JobKind,
        facts: FactsRow,
        pages: Sequence[tuple[str, str, QWidget]],
        parent: QWidget | None = None,
    ) -> None:
        """pages: objectName and text of the tab, and what stands behind it; log and plan are added."""
        super().__init__(parent)
        self._context = context
        self._kind = kind
        self.state: JobInfo | None = None
        self.facts = facts
        self.feed = JobFeed(context.tasks, kind.follow, self)
        self.feed.looked.connect(self._on_looked)
        self._count = JobCount(context, kind.count, self)
        self._count.counted.connect(self.counted)
        self.head = JobHead(context.theme, kind.name, kind.samples_tip)
        self.head.resume_wanted.connect(self.resume_wanted)
        self.head.show_samples.clicked.connect(self._on_show_samples)
        self.log = LogView()
        self.plan = PlanView(context.theme, name=f"{kind.name}Plan")
        own = ((f"{kind.name}Log", "Log", self.log), (f"{kind.name}Plan", "Plan", self.plan))
        self._tabs = JobTabs(context.theme, (*pages, *own))
        self._tabs.chosen.connect(self._follow)
        column = QVBoxLayout(self)
        column.setContentsMargins(16, 8, 20, 14)
        column.setSpacing(8)
        column.addWidget(self.head)
        column.addWidget(facts)
        column.addWidget(self._tabs, 1)

    def show_job(self, folder: JobFolder) -> bool:
        """Show this job from now on; False when it is shown already."""
        if self.feed.folder == folder:
            return False
        self.state = None
        self.head.restart()
        self.log.set_path(folder.log)
        self.plan.show_plan("", "")
        self.feed.show(folder)
        self._count.show(folder)
        return True

    def refresh(self) -> None:
        """Look again, at once and from now on: something was asked of the job."""
        if self.isVisible():
            self.feed.go_on()
            self._count.go_on()

    def _on_show_samples(self) -> None:
        if self.state is not None:
            self.samples_wanted.emit(samples_of(self.state))

    def _on_looked(self, state: JobInfo, course: Any) -> None:
        self.state = state
        news = self.head.show_state(
            state, course.message if state.state == "running" and not course.standing.done else ""
        )
        self.looked.emit(state, course, news)
        self._follow()

    def _follow(self) -> None:
        """Bring log or plan up to date if it is in front; they wait until they are chosen."""
        folder = self.feed.folder
        if folder is None:
            return
        if self._tabs.page is self.log:
            self.log.follow()
        elif self._tabs.page is self.plan and not self.plan.text.toPlainText():
            self._context.tasks.run(
                lambda: _plan_of(folder, self._kind), lambda found: self._show_plan(folder, *found), owner=self
            )

    def _show_plan(self, folder: JobFolder, text: str, facts: str) -> None:
        if folder == self.feed.folder:
            self.plan.show_plan(text, facts)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.feed.go_on()
        self._count.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.feed.pause()
        self._count.pause()


def _plan_of(folder: JobFolder, kind: JobKind) -> tuple[str, str]:
    """The plan as TOML, as it is asked now, and what there is to say of it."""
    import tomli_w

    asked = read_job(folder).request
    return tomli_w.dumps(asked["plan"]), f"{folder.id} · {kind.about(asked)}"
