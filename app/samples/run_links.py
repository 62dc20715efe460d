"""The runs that used a sample, each one a link to its page. It knows their names and asks nothing of them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QWidget

from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label

_LINKS = 3
_LONGEST = 24


class RunLinks(QWidget):
    """A line of links; hidden when there is no run. Signals: chosen(job id)."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._shown: tuple[tuple[str, str], ...] = ()
        self._links: list[Button] = []
        self.setObjectName("sampleRuns")
        self.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._row.addWidget(label("Used by", tone="dim"))
        self._more = label(tone="dim")
        self._row.addWidget(self._more)
        self._row.addStretch(1)
        self.hide()

    def show_runs(self, runs: Sequence[tuple[str, str]]) -> None:
        """Link these: job id and title, the newest first."""
        if tuple(runs) == self._shown:
            return
        self._shown = tuple(runs)
        for link in self._links:
            self._row.removeWidget(link)
            link.deleteLater()
        self._links = [self._link(*run) for run in runs[:_LINKS]]
        for place, link in enumerate(self._links, 1):
            self._row.insertWidget(place, link)
        rest = runs[_LINKS:]
        self._more.setText(f"and {len(rest):,} more" if rest else "")
        self._more.setToolTip("\n".join(title for _, title in rest[:20]))
        self.setVisible(bool(runs))

    def _link(self, job_id: str, title: str) -> Button:
        short = title if len(title) <= _LONGEST else title[: _LONGEST - 1] + "…"
        link = Button(short, self._theme, kind="link", name=f"run-{job_id}", tip=f"Show the run “{title}”")
        link.setAccessibleName(f"Show the run {title}")
        link.clicked.connect(partial(self._on_clicked, job_id))
        return link

    def _on_clicked(self, job_id: str, _checked: bool = False) -> None:
        self.chosen.emit(job_id)
