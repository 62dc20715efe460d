"""The button beside the search field: saved views, a way to save this search, and the tools over all samples."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from app.context import AppContext
from app.widgets.buttons import Button
from app.widgets.name_question import NameQuestion
from core.samples import query as queries
from core.samples import views
from core.samples.query import Query


class ViewsMenu(Button):
    """Signals:
    query_wanted(Query)            a view was chosen
    failed(UserError)              a view could not be saved or forgotten
    """

    query_wanted = Signal(object)
    failed = Signal(object)

    def __init__(self, context: AppContext, shown: Callable[[], Query], parent: QWidget | None = None) -> None:
        """shown: the search that would be saved."""
        theme, tip = context.theme, "Saved searches, statistics"
        super().__init__("Views", theme, icon="caret-down", name="viewsMenu", tip=tip, parent=parent)
        self._context = context
        self._shown = shown
        self._tools: Sequence[QAction] = ()
        self.dialog: NameQuestion | None = None
        self.setLayoutDirection(Qt.LayoutDirection.RightToLeft)
        self._menu = QMenu(self)
        self._menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # not the button's
        self._menu.aboutToShow.connect(self._fill)
        self.setMenu(self._menu)

    def offer_tools(self, tools: Sequence[QAction]) -> None:
        """Commands at the end of the menu."""
        self._tools = tools

    def _fill(self) -> None:
        self._menu.clear()
        saved = views.list_views(self._context.reader())
        for view in saved:
            action = self._menu.addAction(view.name)
            action.setToolTip(view.query or "Everything")
            action.triggered.connect(partial(self._choose, view.query))
        if saved:
            self._menu.addSeparator()
        save = self._menu.addAction("Save this search…")
        save.setObjectName("saveView")
        save.triggered.connect(self.ask_name)
        if saved:
            forget = self._menu.addMenu("Forget a view")
            for view in saved:
                forget.addAction(view.name).triggered.connect(partial(self._forget, view.name))
        self._menu.addSeparator()
        self._menu.addActions(list(self._tools))

    def _choose(self, text: str, _checked: bool = False) -> None:
        self.query_wanted.emit(queries.parse(text))

    def _forget(self, name: str, _checked: bool = False) -> None:
        self._context.tasks.run_db(
            lambda connection: views.delete(connection, name),
            lambda _none: self._context.notice(f"Forgot “{name}”"),
            self.failed.emit,
            owner=self,
        )

    def _save(self, name: str, text: str) -> None:
        self._context.tasks.run_db(
            lambda connection: views.save(connection, name, text),
            lambda view: self._context.notice(f"Saved as “{view.name}”"),
            self.failed.emit,
            owner=self,
        )

    def ask_name(self) -> None:
        """Ask what this search shall be called."""
        text = queries.render(self._shown())
        dialog = NameQuestion(
            self._context.theme, "Save this search", text or "Everything", hint="A name for this search", key="view", parent=self
        )  # fmt: skip
        dialog.accepted.connect(lambda: self._save(dialog.name.text(), text))
        dialog.finished.connect(self._on_dialog_finished)
        self.dialog = dialog
        dialog.open()

    def _on_dialog_finished(self) -> None:
        self.dialog = None
