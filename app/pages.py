"""What the window may expect of a page: a banner, a word before closing, and its layout in the window's state file."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QVBoxLayout, QWidget

from app.context import AppContext
from app.widgets.banner import Banner
from app.widgets.empty import EmptyState
from app.widgets.header import PageHeader


class Page(QWidget):
    """A page of the window: header, banner, then `body`, which the page fills.

    Attributes: context, header, banner, body (a QVBoxLayout without margins).
    """

    def __init__(self, context: AppContext, title: str) -> None:
        super().__init__()
        self.context = context
        self.setAccessibleName(title)
        self.header = PageHeader(title)
        self.banner = Banner(context.theme)
        self.body = QVBoxLayout()
        self.body.setContentsMargins(0, 0, 0, 0)
        self.body.setSpacing(0)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(self.banner)
        column.addLayout(self.body, 1)

    def may_close(self) -> bool:
        """False keeps the window open; the page says why in its banner."""
        return True

    def save_state(self, state: QSettings) -> None:
        """Write column widths, splitters and the like; called when the window closes."""


class EmptyPage(Page):
    """A page that has nothing yet, and says so."""

    def __init__(
        self,
        context: AppContext,
        title: str,
        icon: str,
        sentence: str,
        action: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        super().__init__(context, title)
        self.body.addWidget(EmptyState(context.theme, icon, sentence, action=action), 1)
