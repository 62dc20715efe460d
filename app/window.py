"""The main window: the rail, one page at a time, and a line at the foot. It knows the pages by a table and builds each on its first visit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import QByteArray, Qt
from PySide6.QtGui import QCloseEvent, QGuiApplication
from PySide6.QtWidgets import QFrame, QHBoxLayout, QMainWindow, QStackedWidget, QVBoxLayout, QWidget

from app.context import AppContext
from app.gpu_yield import GpuYield
from app.pages import Page
from app.rail import Rail
from app.state import window_state
from app.teacher_intake import JUDGE
from app.widgets.banner import Banner
from app.widgets.labels import ElidedLabel, label
from app.widgets.toast import Toast
from core.errors import UserError
from core.jobs.status import JobInfo
from core.samples import edits

if TYPE_CHECKING:
    from app.overlays import CheatSheet, Palette

MINIMUM = (1024, 640)


@dataclass(frozen=True, slots=True)
class PageSpec:
    """One row of the table of pages: `build` is called on the first visit."""

    name: str
    nav: str
    title: str
    icon: str
    build: Callable[[AppContext], QWidget]


def _samples(context: AppContext) -> QWidget:
    from app.samples.page import SamplesPage

    return SamplesPage(context)


def _teacher(context: AppContext) -> QWidget:
    from app.teacher.page import TeacherPage

    return TeacherPage(context)


def _training(context: AppContext) -> QWidget:
    from app.training.page import TrainingPage

    return TrainingPage(context)


def _evaluation(context: AppContext) -> QWidget:
    from app.evaluation.page import EvaluationPage

    return EvaluationPage(context)


def _playground(context: AppContext) -> QWidget:
    from app.playground.page import PlaygroundPage

    return PlaygroundPage(context)


def _settings(context: AppContext) -> QWidget:
    from app.settings.page import SettingsPage

    return SettingsPage(context)


PAGES = (
    PageSpec("samples", "navSamples", "Samples", "table", _samples),
    PageSpec("teacher", "navTeacher", "Teacher", "chalkboard-teacher", _teacher),
    PageSpec("training", "navTraining", "Training", "chart-line", _training),
    PageSpec("evaluation", "navEvaluation", "Evaluation", "target", _evaluation),
    PageSpec("playground", "navPlayground", "Playground", "chat-circle-text", _playground),
    PageSpec("settings", "navSettings", "Settings", "sliders-horizontal", _settings),
)


class MainWindow(QMainWindow):
    """Attributes: pages (built so far, by name)."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.context = context
        self.pages: dict[str, QWidget] = {}
        self._specs = {spec.name: spec for spec in PAGES}
        self.setObjectName("mainWindow")
        self.setWindowTitle(f"Gosmith — {context.workspace.root.name}")
        self.setMinimumSize(*MINIMUM)
        self._rail = Rail(context.theme, [(s.name, s.nav, s.title, s.icon) for s in PAGES])
        self._rail.chosen.connect(self.show_page)
        self._stack = QStackedWidget()
        self._question = Banner(context.theme, name="windowBanner")
        self.gpu_yield = GpuYield(context.jobs, context.tasks, self._question, parent=self)
        self.gpu_yield.failed.connect(self._on_problem)
        self._status = _StatusLine(context)
        body = QHBoxLayout()
        body.setSpacing(0)
        front = QVBoxLayout()
        front.setSpacing(0)
        front.addWidget(self._question)
        front.addWidget(self._stack, 1)
        body.addWidget(self._rail)
        body.addLayout(front, 1)
        whole = QWidget()
        column = QVBoxLayout(whole)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addLayout(body, 1)
        column.addWidget(self._status)
        self.setCentralWidget(whole)
        self._toast = Toast(context.theme, whole)
        self._palette: Palette | None = None
        self._cheatsheet: CheatSheet | None = None
        context.noticed.connect(self._toast.say)
        context.problem.connect(self._on_problem)
        context.page_wanted.connect(self.show_page)
        context.jobs.updated.connect(self._on_jobs_updated)
        context.teacher.finished.connect(self._on_teacher_finished)
        self._bind()
        self._restore()
        self.show_page(PAGES[0].name)

    @property
    def toast(self) -> Toast:
        """The message at the foot."""
        return self._toast

    def current_page(self) -> QWidget:
        """The page in front."""
        page = self._stack.currentWidget()
        assert page is not None, "the first page is built with the window"
        return page

    def show_page(self, name: str) -> None:
        """Bring a page to the front; it is built if this is the first visit."""
        page = self.pages.get(name)
        if page is None:
            page = self._specs[name].build(self.context)
            page.setProperty("kind", "page")
            page.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
            self.pages[name] = page
            self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        self._rail.mark(name)
        page.setFocus(Qt.FocusReason.OtherFocusReason)

    def _bind(self) -> None:
        bind = self.context.commands.bind
        for spec in PAGES:
            bind(f"go.{spec.name}", self, partial(self.show_page, spec.name), whole_window=True)
        bind("app.palette", self, self._show_palette, whole_window=True)
        bind("app.cheatsheet", self, self._show_cheatsheet, whole_window=True)
        bind("app.undo", self, self._undo, whole_window=True)
        bind("app.redo", self, self._redo, whole_window=True)
        bind("app.theme", self, self._toggle_theme, whole_window=True)
        bind("app.quit", self, self.close, whole_window=True)

    def _show_palette(self) -> None:
        if self._palette is None:
            from app.overlays import Palette

            self._palette = Palette(self.context, self)
        self._palette.popup(self)

    def _show_cheatsheet(self) -> None:
        if self._cheatsheet is None:
            from app.overlays import CheatSheet

            self._cheatsheet = CheatSheet(self.context, self)
        self._cheatsheet.open()

    def _toggle_theme(self) -> None:
        preference = self.context.theme.toggle()
        self.context.update_settings(replace(self.context.settings, theme=preference))

    def _undo(self) -> None:
        self.context.tasks.run_db(edits.undo, lambda done: self._after_undo("Undid", done), owner=self)

    def _redo(self) -> None:
        self.context.tasks.run_db(edits.redo, lambda done: self._after_undo("Did again", done), owner=self)

    def _after_undo(self, verb: str, operation: edits.Operation | None) -> None:
        if operation is None:
            self.context.notice(f"There is nothing to {'undo' if verb == 'Undid' else 'do again'}.")
            return
        self.context.notice(f"{verb}: {operation.label}")
        self.context.report(operation.changes)
        self.context.undone.emit(operation)

    def _on_problem(self, error: UserError) -> None:
        page = self.current_page()
        if isinstance(page, Page):
            page.banner.problem(error)
        else:
            self._toast.say(str(error))

    def _on_jobs_updated(self) -> None:
        runs = self.context.jobs.running("train")
        self._rail.card.show_job(runs[0] if runs else None)

    def _on_teacher_finished(self, info: JobInfo) -> None:
        if self.current_page() is self.pages.get("teacher"):
            return  # it says so itself
        who = "The judge" if info.kind == JUDGE else "The teacher"
        words = {"done": f"{who} is done", "stopped": f"{who} has paused"}.get(info.state, f"{who} failed")
        self.context.notice(f"{words}: {info.title}", "Show", lambda: self.context.to_teacher.make(info.id))

    # --- window state ------------------------------------------------------------------------------------------

    def _restore(self) -> None:
        saved = window_state().value("geometry")
        if not isinstance(saved, QByteArray) or not self.restoreGeometry(saved):
            self.resize(1280, 800)
        screens = [screen.availableGeometry() for screen in QGuiApplication.screens()]
        if not any(area.intersects(self.frameGeometry()) for area in screens):
            self.move(screens[0].topLeft())

    def closeEvent(self, event: QCloseEvent) -> None:
        if not all(page.may_close() for page in self.pages.values() if isinstance(page, Page)):
            event.ignore()
            return
        state = window_state()
        state.setValue("geometry", self.saveGeometry())
        for page in self.pages.values():
            if isinstance(page, Page):
                page.save_state(state)
        state.sync()
        event.accept()


class _StatusLine(QFrame):
    """Workspace at the left, jobs at the right."""

    def __init__(self, context: AppContext) -> None:
        super().__init__()
        self.setProperty("kind", "status")
        self.setFixedHeight(24)
        self._context = context
        left = ElidedLabel(str(context.workspace.root), tone="faint")
        left.setAccessibleName(f"Workspace {context.workspace.root}")
        self._jobs = label("", tone="faint", size=12, name="statusJobs")
        row = QHBoxLayout(self)
        row.setContentsMargins(10, 0, 10, 0)
        row.addWidget(left, 1)
        row.addWidget(self._jobs)
        context.jobs.updated.connect(self._on_jobs_updated)

    def _on_jobs_updated(self) -> None:
        running = self._context.jobs.running()
        words = ", ".join(_words(info) for info in running[:2])
        more = f" and {len(running) - 2} more" if len(running) > 2 else ""
        self._jobs.setText(words + more)


def _words(info: JobInfo) -> str:
    return f"{info.title} · {info.state}"
