"""Commands about the chosen job of a page: bound to it, offered where they have an effect, done off the GUI thread.

What the commands are, and when each is offered, is the page's own. A job is only ever asked: its supervisor and its worker do what
they find written in its folder, with or without a window.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

from PySide6.QtCore import QObject, QPoint, Signal
from PySide6.QtWidgets import QMenu, QWidget

from app.commands import Commands
from app.tasks import TaskRunner
from core.errors import UserError


class JobCommands(QObject):
    """Signals: acted(), something was asked of a job, or could not be; failed(UserError)."""

    acted = Signal()
    failed = Signal(object)

    def __init__(
        self, commands: Commands, tasks: TaskRunner, page: QWidget, runs: Mapping[str, Callable[[], None]]
    ) -> None:
        super().__init__(page)
        self._tasks = tasks
        self._page = page
        self._actions = {name: commands.bind(name, page, run) for name, run in runs.items()}

    def offer(self, offered: Mapping[str, bool]) -> None:
        """Enable the commands that can be run now."""
        for name, enabled in offered.items():
            self._actions[name].setEnabled(enabled)

    def call(self, name: str, title: str) -> None:
        """Give a command another title."""
        self._actions[name].setText(title)

    def fill(self, menu: QMenu, groups: Iterable[Iterable[str]]) -> None:
        """Put what can be done now into a menu, a line between the groups."""
        menu.clear()
        for group in groups:
            actions = [self._actions[name] for name in group if self._actions[name].isEnabled()]
            menu.addActions(actions)
            if actions:
                menu.addSeparator()

    def pop_up(self, place: QPoint, what: str, groups: Iterable[Iterable[str]]) -> None:
        """The same as a menu of its own, at this point of the screen. what: the job's kind in a word."""
        menu = QMenu(self._page)
        menu.setAccessibleName(f"What to do with this {what}")
        self.fill(menu, groups)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(place)

    def ask(self, function: Callable[[], object]) -> None:
        """Ask something of a job; `acted` follows, after `failed` where it could not be asked."""
        self._tasks.run(function, lambda _result: self.acted.emit(), self._on_failed, owner=self)

    def _on_failed(self, error: UserError) -> None:
        self.failed.emit(error)
        self.acted.emit()
