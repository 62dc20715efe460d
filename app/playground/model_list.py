"""The models that one may talk to, kept up to date while somebody looks: a run may save a checkpoint at any moment."""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from core.jobs import JobInfo
from core.models import Model, list_models

REFRESH_MS = 2000


class ModelList(QObject):
    """Attributes: models, the newest look. Signals: listed(list[Model]), after a look that found something else."""

    listed = Signal(object)

    def __init__(self, context: AppContext, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._context = context
        self.models: list[Model] = []
        self.refresh_timer = QTimer(self, singleShot=True, interval=REFRESH_MS)
        self.refresh_timer.timeout.connect(self.refresh)
        context.jobs.job_changed.connect(self._on_job_changed)

    def refresh(self) -> None:
        """Look again."""
        workspace = self._context.workspace
        self._context.tasks.run(lambda: list_models(workspace.models, workspace.jobs), self._on_models, owner=self)

    def _on_models(self, found: list[Model]) -> None:
        if found != self.models:
            self.models = list(found)
            self.listed.emit(self.models)

    def _on_job_changed(self, job: JobInfo) -> None:
        if job.kind == "train" and not self.refresh_timer.isActive():
            self.refresh_timer.start()
