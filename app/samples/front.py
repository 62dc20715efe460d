"""The sample in front: the detail beside the table follows the chosen row, is read again when something of it changes, and the samples
that come next are read ahead.

Searches nothing and decides nothing; whether a draft may be left is the review's business.
"""

from __future__ import annotations

from PySide6.QtCore import QObject, QTimer, Signal

from app.context import AppContext
from app.samples.detail import DetailPane
from app.samples.model import SampleModel
from app.samples.review import Review
from app.samples.table import SampleTable
from app.samples.uses import Uses
from core.changes import Changes
from core.samples import store

_AHEAD = 4
"""Samples read before they are asked for."""


class Front(QObject):
    """Attributes: uses. Signals: shown(), when another sample, the same one read again, or none stands in the detail."""

    shown = Signal()

    def __init__(
        self,
        context: AppContext,
        model: SampleModel,
        table: SampleTable,
        detail: DetailPane,
        review: Review,
        parent: QObject,
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._model = model
        self._table = table
        self._detail = detail
        self._review = review
        self._again = QTimer(self, singleShot=True, interval=0)  # after the table's paint, where one looks
        self._again.timeout.connect(self._read_again)
        self.uses = Uses(context, self)
        self.uses.told.connect(detail.show_uses)
        table.current_changed.connect(self._on_current_changed)

    def next(self) -> None:
        """Go one row down."""
        self._table.step(1)

    def previous(self) -> None:
        """Go one row up."""
        self._table.step(-1)

    def show(self, sample_id: int | None) -> None:
        """One row by its id, with its text: 0.3 ms of SQLite and a few milliseconds of layout, so it is done here."""
        reader = self._context.reader()
        if sample_id is None or store.rows(reader, [sample_id]) == [None]:
            self._detail.show_sample(None)
        else:
            self._detail.show_sample(store.sample(reader, sample_id))
        self.uses.ask(self._detail.sample)
        self.shown.emit()
        self._read_ahead()

    def show_saved(self, sample_id: int) -> None:
        """An edit of this one is stored: back from the editor to its text."""
        if self._detail.edit.sample is not None and self._detail.edit.sample.id == sample_id:
            self._detail.end_edit()
        self.show(sample_id)
        self._review.focus_table()

    def take(self, changes: Changes) -> None:
        """Read it again soon if these concern it."""
        sample = self._detail.sample
        if sample is not None and (changes.ids is None or sample.id in changes.ids):
            self._again.start()

    def _on_current_changed(self, row: int) -> None:
        sample_id = self._model.ids[row] if 0 <= row < len(self._model.ids) else None
        editing = self._detail.edit.sample
        if editing is not None and sample_id != editing.id:
            if self._review.hold_draft():
                return
            self._detail.end_edit()
        self.show(sample_id)

    def _read_again(self) -> None:
        if self._detail.sample is not None and not self._detail.editing:
            self.show(self._detail.sample.id)

    def _read_ahead(self) -> None:
        row = self._table.currentIndex().row()
        coming = list(self._model.ids[row + 1 : row + 1 + _AHEAD])
        if coming:
            self._context.tasks.run_query(lambda connection: store.touch(connection, coming), owner=self)
