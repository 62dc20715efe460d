"""A dialog of which a page has one at a time: asked for again, it comes to the front instead."""

from __future__ import annotations

from typing import Generic, TypeVar

from PySide6.QtWidgets import QDialog

D = TypeVar("D", bound=QDialog)


class OnlyDialog(Generic[D]):
    """Attribute now: the dialog while it is open, else None."""

    def __init__(self) -> None:
        self.now: D | None = None

    def came_forward(self) -> bool:
        """Bring the open one to the front; False where none is open."""
        if self.now is None:
            return False
        self.now.raise_()
        return True

    def open(self, dialog: D) -> None:
        """Show this one; when it is finished, it is deleted and another may be opened."""
        self.now = dialog
        dialog.finished.connect(self._on_finished)
        dialog.open()

    def _on_finished(self) -> None:
        if self.now is not None:
            self.now.deleteLater()
            self.now = None
