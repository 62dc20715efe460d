"""Plans as TOML files: opened and saved off the GUI thread."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from core.errors import UserError
from core.teacher.terms import Terms, save_plan

_FILES = "Plans (*.toml)"


class PlanFiles(QObject):
    """Signals: loaded(plan, name of the file); noted(sentence); failed(UserError)."""

    loaded = Signal(object, str)
    noted = Signal(str)
    failed = Signal(object)

    def __init__(self, context: AppContext, load: Callable[[Path], Terms], command: str, parent: QWidget) -> None:
        """load: reads a plan of this kind, raises UserError. command: what on the command line takes such a file."""
        super().__init__(parent)
        self._context = context
        self._window = parent
        self._load = load
        self._command = command

    def ask_open(self) -> None:
        """Ask for a file and open it."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Open a plan", str(Path.home()), _FILES)
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Read a plan; `loaded` or `failed` follows."""
        self._context.tasks.run(
            lambda: self._load(path), lambda plan: self.loaded.emit(plan, path.name), self.failed.emit, owner=self
        )

    def ask_save(self, plan: Terms | None, name: str) -> None:
        """Ask for a file and write this plan into it. name: of the file, suggested."""
        if plan is None:
            return
        chosen, _ = QFileDialog.getSaveFileName(
            self._window, "Save the plan", str(Path.home() / f"{name}.toml"), _FILES
        )
        if chosen:
            self.save_file(Path(chosen), plan)

    def save_file(self, path: Path, plan: Terms) -> None:
        """Write a plan; `noted` or `failed` follows."""

        def write() -> None:
            try:
                save_plan(plan, path)
            except OSError as error:
                raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error

        said = f"Saved to {path}; `gosmith {self._command} {path.name}` does the same."
        self._context.tasks.run(write, lambda _: self.noted.emit(said), self.failed.emit, owner=self)
