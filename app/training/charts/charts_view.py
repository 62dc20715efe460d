"""The charts tab: controls, legend and charts of a run and of those it is compared with.

It knows where the runs lie, offers the others of the same workspace, and writes pictures and tables of what it shows.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QHideEvent, QShowEvent
from PySide6.QtWidgets import QFileDialog, QFrame, QScrollArea, QVBoxLayout, QWidget

from app.tasks import TaskRunner
from app.theme import Theme
from app.training.charts.chart_bar import ChartBar
from app.training.charts.chart_grid import ChartGrid
from app.training.charts.chart_specs import Shown
from app.training.charts.overlay_feed import OverlayFeed
from app.training.charts.pictures import picture_of, save_picture
from app.training.charts.run_chooser import RunChooser
from app.training.charts.run_legend import RunLegend
from core.jobs import JobFolder, JobInfo, list_jobs
from core.jobs.folder import Job
from core.training.metrics import RunMetrics
from core.training.metrics_csv import write_csv


class ChartsView(QWidget):
    """Signals:
    compared(runs)       title, slot and configuration of all runs in the charts, whenever that changes
    exported(text)       a sentence of what was written where
    failed(UserError)    something could not be read or written
    """

    compared = Signal(object)
    exported = Signal(str)
    failed = Signal(object)

    def __init__(self, theme: Theme, tasks: TaskRunner, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._tasks = tasks
        self._folder: JobFolder | None = None
        self._title = ""
        self._config: Mapping[str, Any] = {}
        self._metrics: RunMetrics | None = None
        self.chooser: RunChooser | None = None
        self.overlay = OverlayFeed(tasks, self)
        self.overlay.changed.connect(self._on_compared)
        self.overlay.failed.connect(self.failed)
        self.bar = ChartBar(theme)
        self.legend = RunLegend(theme)
        self.legend.removed.connect(self._on_removed)
        self.grid = ChartGrid(theme)
        self.grid.view_changed.connect(self.bar.show_view)
        self.overlay.grown.connect(self.grid.schedule)
        self.bar.view_wanted.connect(self.grid.set_view)
        self.bar.all_wanted.connect(self.grid.show_all)
        self.bar.compare_wanted.connect(self.choose_runs)
        self.bar.picture_wanted.connect(self._on_picture_wanted)
        self.bar.numbers_wanted.connect(self._on_numbers_wanted)
        self._area = QScrollArea()
        self._area.setWidgetResizable(True)
        self._area.setFrameShape(QFrame.Shape.NoFrame)
        self._area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._area.setAccessibleName("Charts")
        self._area.setWidget(self.grid)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(8)
        layout.addWidget(self.bar)
        layout.addWidget(self.legend)
        layout.addWidget(self._area, 1)

    def set_run(self, folder: JobFolder, job: Job, metrics: RunMetrics) -> None:
        """Draw this run from now on, together with those that were chosen before."""
        self._folder, self._metrics = folder, metrics
        self._title, self._config = job.title, job.request.get("config", {})
        self._on_compared()

    def schedule(self) -> None:
        """Draw soon what has come."""
        self.grid.schedule()

    def _on_compared(self) -> None:
        if self._folder is None or self._metrics is None:
            return
        others = [run for run in self.overlay.runs() if run.id != self._folder.id]
        shown = (Shown(self._title, self._metrics), *(Shown(run.title, run.metrics, run.slot) for run in others))
        self.grid.set_runs(shown, self._config)
        self.legend.set_runs(
            [(self._folder.id, self._title, 0), *((run.id, run.title, run.slot) for run in others)],
        )
        configs = [(self._title, 0, self._config), *((run.title, run.slot, run.config) for run in others)]
        self.compared.emit(tuple(configs))

    def choose_runs(self) -> None:
        """Ask which runs to compare with; the list is read off the GUI thread."""
        if self._folder is None or self.chooser is not None:
            return
        jobs = self._folder.path.parent
        self._tasks.run(lambda: list_jobs(jobs), self._on_jobs_listed, self.failed.emit, owner=self)

    def _on_jobs_listed(self, jobs: list[JobInfo]) -> None:
        if self._folder is None or self.chooser is not None:
            return
        here = self._folder.id
        others = [job for job in jobs if job.kind == "train" and job.id != here]
        others.sort(key=lambda job: job.created, reverse=True)
        self.chooser = RunChooser(others, self.overlay.chosen, self._theme, self)
        self.chooser.chosen.connect(self._on_chosen)
        self.chooser.finished.connect(self._on_chooser_finished)
        self.chooser.show()

    def _on_chooser_finished(self) -> None:
        if self.chooser is not None:
            self.chooser.deleteLater()
            self.chooser = None

    def _on_chosen(self, ids: tuple[str, ...]) -> None:
        if self._folder is not None:
            kept = tuple(one for one in self.overlay.chosen if one == self._folder.id)
            self.overlay.choose(self._folder.path.parent, kept + ids)

    def _on_removed(self, job_id: str) -> None:
        if self._folder is not None:
            rest = tuple(one for one in self.overlay.chosen if one != job_id)
            self.overlay.choose(self._folder.path.parent, rest)

    def _on_picture_wanted(self) -> None:
        self._ask("Save the charts", "charts.png", "Pictures (*.png)", self.save_picture)

    def _on_numbers_wanted(self) -> None:
        self._ask("Save the numbers", "charts.csv", "Tables (*.csv)", self.save_numbers)

    def _ask(self, title: str, name: str, kinds: str, save: Callable[[Path], None]) -> None:
        words = "-".join(self._title.split()) or "run"
        usual = Path.home() / f"{words}-{name}".replace("/", "-")
        chosen, _ = QFileDialog.getSaveFileName(self, title, str(usual), kinds)
        if chosen:
            save(Path(chosen).with_suffix(Path(name).suffix))

    def save_picture(self, path: Path) -> None:
        """Write all charts as they are now, also those out of sight, with the legend above them."""
        parts = [self.legend, self.grid] if self.legend.isVisibleTo(self) else [self.grid]
        picture = picture_of(parts, self._theme.tokens.canvas)
        self._tasks.run(lambda: save_picture(picture, path), self._on_saved, self.failed.emit, owner=self)

    def save_numbers(self, path: Path) -> None:
        """Write every step of every run in the charts."""
        if self._folder is None:
            return
        runs = [(self._title, self._folder.events)]
        runs += [(run.title, run.metrics.path) for run in self.overlay.runs() if run.id != self._folder.id]

        def write() -> str:
            rows = write_csv(path, runs)
            return f"{rows:,} steps are in {path}."

        self._tasks.run(write, self._on_saved, self.failed.emit, owner=self)

    def _on_saved(self, text: str) -> None:
        self.exported.emit(text)

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.overlay.go_on()

    def hideEvent(self, event: QHideEvent) -> None:
        super().hideEvent(event)
        self.overlay.pause()
