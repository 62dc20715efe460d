"""The body of a page of jobs: the list at the left, the chosen job at the right, or a sentence while there is none."""

from __future__ import annotations

from PySide6.QtCore import QSettings
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from app.state import window_state


class JobsPane(QStackedWidget):
    """Remembers how wide the list is, if it is given a name to remember it by."""

    def __init__(self, side: QWidget, view: QWidget, empty: QWidget, *, state: str = "") -> None:
        """side: the list and what belongs to it. state: key of the window's state."""
        super().__init__()
        self._key = state
        self._empty = empty
        self._splitter = QSplitter()
        self._splitter.addWidget(side)
        self._splitter.addWidget(view)
        self._splitter.setSizes([230, 820])
        self._splitter.setStretchFactor(1, 1)
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self.addWidget(empty)
        self.addWidget(self._splitter)
        saved = window_state().value(state) if state else None
        if saved is not None:
            self._splitter.restoreState(saved)

    def set_empty(self, empty: bool) -> None:
        """Is there no job?"""
        self.setCurrentWidget(self._empty if empty else self._splitter)

    def save_state(self, state: QSettings) -> None:
        """Remember the width."""
        if self._key:
            state.setValue(self._key, self._splitter.saveState())


def summary(word: str, jobs: int, live: int) -> str:
    """`3 runs · 1 live`, for the head of a page; empty where there are none."""
    if not jobs:
        return ""
    return f"{jobs:,} {word}{'s' if jobs != 1 else ''}" + (f" · {live} live" if live else "")
