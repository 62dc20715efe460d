"""The runs that used a sample, each one a link to its page. It knows their names and asks nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label

_MOST_LINKS = 4
_LONGEST = 24


class RunLinks(QWidget):
    """A line of links, as many as there is room for, the others in a menu; hidden when there is no run.

    Signals: chosen(job id).
    """

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._runs: tuple[tuple[str, str], ...] = ()
        self._links: list[Button] = []
        self.setObjectName("sampleRuns")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._caption = label("Used by", tone="dim")
        self._more = Button("", theme, kind="link", icon="caret-down", name="moreRuns", tip="More runs that used it")
        self._more.setLayoutDirection(Qt.LayoutDirection.RightToLeft)  # the arrow of a menu stands at the right
        self._menu = QMenu(self._more)
        self._menu.setLayoutDirection(Qt.LayoutDirection.LeftToRight)  # not the button's
        self._menu.aboutToShow.connect(self._fill_menu)
        self._more.setMenu(self._menu)
        self._row.addWidget(self._caption)
        self._row.addWidget(self._more)
        self._row.addStretch(1)
        self.hide()

    def show_runs(self, runs: Sequence[tuple[str, str]]) -> None:
        """Link these: job id and title, the newest first."""
        if tuple(runs) == self._runs:
            return
        self._runs = tuple(runs)
        for link in self._links:
            self._row.removeWidget(link)
            link.hide()
            link.deleteLater()
        self._links = [self._link(*run) for run in runs[:_MOST_LINKS]]
        for place, link in enumerate(self._links, 1):
            self._row.insertWidget(place, link)
        self._arrange()
        self.setVisible(bool(runs))

    def shown(self) -> int:
        """How many runs have a link of their own; the menu has the others."""
        return sum(not link.isHidden() for link in self._links)

    def _link(self, job_id: str, title: str) -> Button:
        short = title if len(title) <= _LONGEST else title[: _LONGEST - 1] + "…"
        link = Button(short, self._theme, kind="link", name=f"run-{job_id}", tip=f"Show the run “{title}”")
        link.setAccessibleName(f"Show the run {title}")
        link.clicked.connect(partial(self._on_chosen, job_id))
        return link

    def _arrange(self) -> None:
        """Hide the links that there is no room for; the first one always stays."""
        gap = self._row.spacing()
        self._more.setText(f"{len(self._runs):,} more")
        room = self.width() - self._caption.sizeHint().width() - gap
        used, count = 0, 0
        for place, link in enumerate(self._links):
            used += link.sizeHint().width() + gap
            rest = self._more.sizeHint().width() if place + 1 < len(self._runs) else 0
            if place and used + rest > room:
                break
            count += 1
        for place, link in enumerate(self._links):
            link.setVisible(place < count)
        more = len(self._runs) - count
        self._more.setText(f"{more:,} more")
        self._more.setAccessibleName(f"{more} more runs that used it")
        self._more.setVisible(more > 0)

    def _fill_menu(self) -> None:
        self._menu.clear()
        for job_id, title in self._runs[self.shown() :]:
            self._menu.addAction(title.replace("&", "&&")).triggered.connect(partial(self._on_chosen, job_id))

    def _on_chosen(self, job_id: str, _checked: bool = False) -> None:
        self.chosen.emit(job_id)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()
