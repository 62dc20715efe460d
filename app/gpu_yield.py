"""Asks whether a served model may be unloaded when it alone keeps a run or an evaluation from its GPU. Nothing is ended without a yes.

It hangs on the window, not on a page: the question comes wherever somebody is. It knows jobs and leases and no playground: whose model
that was sees its process end, as at any other unloading.
"""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QObject, Signal

from app.jobs import JobsModel
from app.tasks import TaskRunner
from app.widgets.banner import Banner
from core.jobs import JobInfo, stop
from core.jobs.yielding import in_the_way

Case = tuple[str, ...]
"""Ids of the job that waits and of those in its way."""


class GpuYield(QObject):
    """Looks at every change of the jobs and asks in a banner; a question that was closed is not asked again for the same jobs.

    Signals: failed(UserError), when a model could not be asked to end.
    """

    failed = Signal(object)

    def __init__(self, jobs: JobsModel, tasks: TaskRunner, banner: Banner, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._jobs = jobs
        self._tasks = tasks
        self._banner = banner
        self._asked: set[Case] = set()
        self._open: Case | None = None
        jobs.updated.connect(self._on_jobs_updated)

    def _on_jobs_updated(self) -> None:
        jobs = self._jobs.running()
        cases = {}
        for waiting in jobs:
            if models := in_the_way(waiting, jobs):
                cases[(waiting.id, *(model.id for model in models))] = (waiting, models)
        if self._open is not None and not self._banner.text:
            self._open = None  # closed, which is a no
        if self._open is not None and self._open not in cases:
            self._banner.clear()  # it has begun, was stopped, or the model went by itself
            self._open = None
        new = next((case for case in cases if case not in self._asked), None)
        if self._open is None and new is not None:
            self._open = new
            self._asked.add(new)
            self._ask(*cases[new])

    def _ask(self, waiting: JobInfo, models: Sequence[JobInfo]) -> None:
        names = ", ".join(f"“{model.title}”" for model in models)
        if len(models) == 1:
            text = f"The playground's model ({names}) holds the GPU that “{waiting.title}” waits for. Unload it?"
        else:
            text = f"The playground's models ({names}) hold the GPU that “{waiting.title}” waits for. Unload them?"
        self._banner.say(text, "warn", [("Unload", lambda: self._unload(models))])

    def _unload(self, models: Sequence[JobInfo]) -> None:
        def end() -> None:
            for model in models:
                stop(model.folder, grace=0.0)

        self._open = None
        self._tasks.run(end, self._on_ended, self.failed.emit, owner=self)

    def _on_ended(self, _nothing: None) -> None:
        self._jobs.refresh()
