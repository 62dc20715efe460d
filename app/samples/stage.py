"""The body of the Samples page: the table beside the detail pane, or a sentence on why there is nothing to show."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QByteArray, QSettings
from PySide6.QtWidgets import QSplitter, QStackedWidget, QVBoxLayout, QWidget

from app.theme import Theme
from app.widgets.empty import EmptyState

_STATE = "samples/splitter"


class Stage(QStackedWidget):
    """Shows the samples, an empty workspace (`nothing`), a search without a match (`no_match`), or a tool over all of them.

    A tool (clusters, statistics) stays until `close_tool`, whatever the search finds meanwhile.
    """

    def __init__(
        self,
        theme: Theme,
        left: tuple[QWidget, ...],
        right: QWidget,
        import_files: Callable[[], object],
        clear_search: Callable[[], object],
        parent: QWidget | None = None,
    ) -> None:
        """left: one below the other, the last one takes the room; right: the detail pane."""
        super().__init__(parent)
        side = QWidget()
        side.setProperty("kind", "surface")
        column = QVBoxLayout(side)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        for widget in left:
            column.addWidget(widget, 1 if widget is left[-1] else 0)
        self._splitter = QSplitter()
        self._splitter.setHandleWidth(1)
        self._splitter.setChildrenCollapsible(False)
        self._splitter.addWidget(side)
        self._splitter.addWidget(right)
        self._splitter.setStretchFactor(0, 3)
        self._splitter.setStretchFactor(1, 2)
        self._splitter.setSizes([640, 440])
        words = "No samples yet. Import a file, or drop one here."
        self.nothing = EmptyState(theme, "table", words, action=("Import…", import_files), name="noSamples")
        words = "No sample matches this search."
        self.no_match = EmptyState(
            theme, "magnifying-glass", words, action=("Clear the search", clear_search), name="noMatch"
        )
        self._below: QWidget = self._splitter
        self._tool: QWidget | None = None
        for widget in (self._splitter, self.nothing, self.no_match):
            self.addWidget(widget)

    @property
    def tool(self) -> QWidget | None:
        """The tool on show, if one is."""
        return self._tool

    def show_samples(self) -> None:
        """Table and detail."""
        self._below = self._splitter
        self._show()

    def show_nothing(self, *, workspace_empty: bool) -> None:
        """No sample at all, or none that matches."""
        self._below = self.nothing if workspace_empty else self.no_match
        self._show()

    def show_tool(self, tool: QWidget) -> None:
        """Lay a tool over everything."""
        if self.indexOf(tool) < 0:
            self.addWidget(tool)
        self._tool = tool
        self._show()

    def close_tool(self) -> None:
        """Back to what the search finds."""
        self._tool = None
        self._show()

    def _show(self) -> None:
        self.setCurrentWidget(self._tool or self._below)

    def save_state(self, state: QSettings) -> None:
        """Keep where the splitter stands."""
        state.setValue(_STATE, self._splitter.saveState())

    def restore_state(self, state: QSettings) -> None:
        """Put the splitter where it stood in an earlier window."""
        kept = state.value(_STATE)
        if isinstance(kept, QByteArray):
            self._splitter.restoreState(kept)
