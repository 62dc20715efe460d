"""What a reviewer does to the samples in scope: decide, rate, tag, delete, mend; and what becomes of a draft that is not saved.

The scope is the whole search after "select all", else the selected rows, else the sample in front. A decision on one sample goes on to the
next at once; the write follows within milliseconds, and if it fails the banner says so.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QObject, Qt

from app.samples.columns import number
from app.samples.detail import DetailPane
from app.samples.model import SampleModel
from app.samples.table import SampleTable
from app.samples.writer import Writer
from app.widgets.banner import Banner
from core.samples.edits import Scope
from core.samples.query import Query


class Review(QObject):
    """Binds the decisions to table and detail pane of one page."""

    def __init__(
        self,
        model: SampleModel,
        table: SampleTable,
        detail: DetailPane,
        writer: Writer,
        banner: Banner,
        searched: Callable[[], tuple[Query, int]],
        parent: QObject,
    ) -> None:
        """searched: the search on show, and how many samples it finds now."""
        super().__init__(parent)
        self._model = model
        self._table = table
        self._detail = detail
        self._writer = writer
        self._banner = banner
        self._searched = searched
        bar, edit = detail.bar, detail.edit
        bar.accept.clicked.connect(self.accept)
        bar.reject.clicked.connect(self.reject)
        bar.needs_work.clicked.connect(self.needs_work)
        bar.edit.clicked.connect(self.edit)
        detail.rated.connect(self.rate)
        detail.noted.connect(self._on_noted)
        detail.reasons.decided.connect(self._on_reasons)
        detail.reasons.cancelled.connect(self.focus_table)
        detail.tags.decided.connect(self._on_tags)
        detail.tags.cancelled.connect(self.focus_table)
        detail.proposal.wanted.connect(self.take_proposal)
        edit.save_wanted.connect(self.save_edit)
        edit.cancel_wanted.connect(self.cancel_edit)

    # --- scope -------------------------------------------------------------------------------------------------

    def scope(self) -> Scope:
        """What a decision is about."""
        return self._searched()[0] if self._table.all_selected else list(self._table.selected_ids())

    def count(self) -> int:
        """How many samples that is."""
        return self._searched()[1] if self._table.all_selected else self._table.selected_count()

    def focus_table(self) -> None:
        """Give the keyboard back to the table."""
        self._table.setFocus(Qt.FocusReason.OtherFocusReason)

    # --- decisions ---------------------------------------------------------------------------------------------

    def accept(self) -> None:
        """Accept the scope and go on."""
        self.decide("accepted")

    def needs_work(self) -> None:
        """Mark the scope as worth mending and go on."""
        self.decide("needs_work")

    def reset(self) -> None:
        """Take decisions back to new."""
        self.decide("new", advance=False)

    def reject(self) -> None:
        """Ask for a reason; asked again while the question is open, reject."""
        reasons = self._detail.reasons
        if self._detail.editing or not self.count():
            return
        if reasons.isVisible():
            self._on_reasons(reasons.reasons())
            return
        shown = self._detail.sample
        reasons.ask(shown.reasons if shown is not None and self.count() == 1 else (), self.count())

    def decide(self, status: str, *, reasons: Sequence[str] | None = None, advance: bool = True) -> None:
        """Give the scope this status; after a single sample go to the next one."""
        if self._detail.editing or not self.count():
            return
        self._detail.reasons.setVisible(False)
        single = self.count() == 1
        self._writer.decide(self.scope(), status, reasons)
        if single and advance:
            self._table.step(1)

    def rate(self, rating: int) -> None:
        """Give the scope 1 to 5 stars, or 0 for none."""
        if not self._detail.editing and self.count():
            self._writer.rate(self.scope(), rating)

    def tag(self) -> None:
        """Ask for tags."""
        if not self._detail.editing and self.count():
            self._detail.tags.ask()

    def delete(self) -> None:
        """Put the scope aside."""
        if not self._detail.editing and self.count():
            self._writer.delete(self.scope())

    def _on_reasons(self, reasons: Sequence[str]) -> None:
        self.decide("rejected", reasons=list(reasons))
        self.focus_table()

    def _on_noted(self, text: str) -> None:
        if self._detail.sample is not None:
            self._writer.note(self._detail.sample.id, text)

    def _on_tags(self, add: Sequence[str], remove: Sequence[str]) -> None:
        if (add or remove) and self.count():
            self._writer.tag(self.scope(), add, remove)
        self.focus_table()

    # --- editing -----------------------------------------------------------------------------------------------

    def edit(self) -> None:
        """Open the editor on the sample in front."""
        if self._detail.sample is not None and not self._detail.editing:
            self._detail.begin_edit()

    def take_proposal(self) -> None:
        """Save what gofmt proposes for the sample in front, if it proposes anything."""
        draft = self._detail.proposal.draft()
        if draft is not None and not self._detail.editing:
            sample, response, verdict = draft
            self._banner.clear()
            self._writer.edit(sample.id, response, sample.version, verdict)

    def save_edit(self) -> None:
        """Store the draft as a new version; nothing to store closes the editor."""
        pane = self._detail.edit
        if pane.sample is None:
            return
        if not pane.dirty:
            self.discard_edit()
            return
        self._banner.clear()
        self._writer.edit(pane.sample.id, pane.response, pane.sample.version, pane.verdict)

    def cancel_edit(self) -> None:
        """Close the editor, or ask first when something would be lost."""
        if not self.hold_draft():
            self.discard_edit()

    def discard_edit(self) -> None:
        """Close the editor without storing."""
        self._banner.clear()
        self._detail.end_edit()
        self.focus_table()

    def hold_draft(self) -> bool:
        """True when there is a draft that is not saved: stay on its sample, and ask what shall become of it."""
        pane = self._detail.edit
        if pane.sample is None or not pane.dirty:
            return False
        row = self._model.position(pane.sample.id)
        if row is not None:
            self._table.choose(row)
        self._banner.say(
            f"Sample {number(pane.sample.id)} has changes that are not saved.",
            "warn",
            (("Save", self.save_edit), ("Discard", self.discard_edit), ("Go on editing", self._focus_editor)),
        )
        return True

    def _focus_editor(self) -> None:
        self._detail.edit.editor.setFocus(Qt.FocusReason.OtherFocusReason)
