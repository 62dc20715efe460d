"""Plans as TOML files: opened and saved off the GUI thread."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import QObject, Signal
from PySide6.QtWidgets import QFileDialog, QWidget

from app.context import AppContext
from core.errors import UserError
from core.teacher.plan import TeacherPlan, load_plan
from core.teacher.terms import save_plan

_FILES = "Plans (*.toml)"


class PlanFiles(QObject):
    """Signals: loaded(TeacherPlan, name of the file); noted(sentence); failed(UserError)."""

    loaded = Signal(object, str)
    noted = Signal(str)
    failed = Signal(object)

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        super().__init__(parent)
        self._context = context
        self._window = parent

    def ask_open(self) -> None:
        """Ask for a file and open it."""
        chosen, _ = QFileDialog.getOpenFileName(self._window, "Open a plan", str(Path.home()), _FILES)
        if chosen:
            self.open_file(Path(chosen))

    def open_file(self, path: Path) -> None:
        """Read a plan; `loaded` or `failed` follows."""
        self._context.tasks.run(
            lambda: load_plan(path), lambda plan: self.loaded.emit(plan, path.name), self.failed.emit, owner=self
        )

    def ask_save(self, plan: TeacherPlan | None) -> None:
        """Ask for a file and write this plan into it."""
        if plan is None:
            return
        suggested = Path.home() / f"{plan.recipe}.toml"
        chosen, _ = QFileDialog.getSaveFileName(self._window, "Save the plan", str(suggested), _FILES)
        if chosen:
            self.save_file(Path(chosen), plan)

    def save_file(self, path: Path, plan: TeacherPlan) -> None:
        """Write a plan; `noted` or `failed` follows."""

        def write() -> None:
            try:
                save_plan(plan, path)
            except OSError as error:
                raise UserError(f"{path} cannot be written: {error.strerror}.", "Choose another folder.") from error

        said = f"Saved to {path}; `gosmith teacher generate {path.name}` does the same."
        self._context.tasks.run(write, lambda _: self.noted.emit(said), self.failed.emit, owner=self)
