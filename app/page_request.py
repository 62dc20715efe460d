"""What one page wants of another that may not be built yet: the wish is kept until somebody takes it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import QObject, Signal


class PageRequest(QObject):
    """A wish to one page: bring it to the front and show it this.

    The page takes the wish when it is built, and later on each `made`. A wish that nobody took gives way to the next.

    Signals: made(value).
    """

    made = Signal(object)

    def __init__(self, page: str, show_page: Callable[[str], object], parent: QObject) -> None:
        """page: its name in the rail. show_page: brings it to the front, and builds it."""
        super().__init__(parent)
        self._page = page
        self._show_page = show_page
        self._value: Any = None

    def make(self, value: Any) -> None:
        """Want this; not None."""
        self._value = value
        self._show_page(self._page)
        self.made.emit(value)

    def take(self) -> Any:
        """What is wanted and nobody has taken yet, or None."""
        value, self._value = self._value, None
        return value
