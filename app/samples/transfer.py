"""Samples in, samples out, samples to the Go checks: what takes time runs elsewhere, and its end is told in the banner."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject
from PySide6.QtGui import QDragEnterEvent, QDropEvent
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from app.widgets.banner import Banner
from app.widgets.progress import ProgressLine
from core.samples.query import Query


class Transfer(QObject):
    """Import, export and check of one page."""

    def __init__(self, context: AppContext, page: QWidget, banner: Banner, progress: ProgressLine) -> None:
        super().__init__(page)
        self._context = context
        self._page = page
        self._banner = banner
        self._progress = progress

    def choose_import(self) -> None:
        """Ask for files."""
        names, _ = QFileDialog.getOpenFileNames(self._page, "Import samples", str(Path.home()))

    def export(self, query: Query, count: int) -> None:
        """Ask where to."""

    def check(self, query: Query) -> None:
        """Start a check job."""

    def drag_enter(self, event: QDragEnterEvent) -> None:
        """Take files and folders."""

    def drop(self, event: QDropEvent) -> None:
        """Preview what was dropped."""
