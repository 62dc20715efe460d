"""The Samples page: search, table and detail put together. What a key or a button does is said here; how, in the modules beside.

The table keeps its rows while you decide: a sample that no longer matches stays in its place until you search again (F5), so
that nothing moves under your hands.
"""

from __future__ import annotations

from array import array
from dataclasses import dataclass

from PySide6.QtCore import QPoint, QSettings, Qt
from PySide6.QtGui import QDragEnterEvent, QDropEvent, QFocusEvent
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout

from app.commands import key_of
from app.context import AppContext
from app.pages import Page
from app.samples.analysis import Analysis
from app.samples.bindings import bind_commands, sample_menu
from app.samples.columns import number
from app.samples.detail import DetailPane
from app.samples.drafts import DraftChecker
from app.samples.filters import FilterChips
from app.samples.front import Front
from app.samples.go_checks import GoChecks
from app.samples.long_work import LongWork
from app.samples.model import SampleModel
from app.samples.results import Counts, Results, training_query
from app.samples.review import Review
from app.samples.search import SearchField
from app.samples.stage import Stage
from app.samples.table import SampleTable
from app.samples.toolbar import Toolbar
from app.samples.tools import Tools
from app.samples.transfer import Transfer
from app.samples.views_menu import ViewsMenu
from app.samples.writer import Writer
from app.state import window_state
from app.widgets.banner import Banner
from app.widgets.progress import ProgressLine
from core.changes import Changes
from core.samples import query as queries
from core.samples import store
from core.samples.edits import Operation
from core.samples.query import Query, SortKey


@dataclass(frozen=True, slots=True)
class _Place:
    """Where the reader was when a search was answered: the sample in front, and its row. Kept until the answer is whole."""

    query: Query
    sample: int | None
    row: int


class SamplesPage(Page):
    """Attributes: toolbar, stage, search, chips, table, model, detail, front, results, writer, review, transfer, checks, analysis."""

    def __init__(self, context: AppContext) -> None:
        super().__init__(context, "Samples")
        theme, tasks = context.theme, context.tasks
        self._counts: Counts | None = None
        self._wanted_id: int | None = None
        self._place: _Place | None = None
        self._check_offered = False
        self.model = SampleModel(lambda ids: store.rows(context.reader(), ids), self)
        self.table = SampleTable(self.model, theme)
        self.search = SearchField(theme)
        self.chips = FilterChips(theme)
        self.toolbar = Toolbar(theme)
        self.checker = DraftChecker(tasks, self)
        self.detail = DetailPane(theme, self.checker)
        self.results = Results(tasks, self)
        self.writer = Writer(context, self)
        self.selection_banner = Banner(theme, name="selectionBanner")
        self.review = Review(self.model, self.table, self.detail, self.writer, self.banner, self._searched, self)
        self.front = Front(context, self.model, self.table, self.detail, self.review, self)
        self.progress = ProgressLine(theme, name="samplesProgress")
        work = LongWork(context, self.banner, self.progress, self)
        self.transfer = Transfer(context, work, self)
        self.checks = GoChecks(context, work, self)
        self.analysis = Analysis(context, work, self)
        self.views = ViewsMenu(context, lambda: self.search.query)
        self._build()
        self.tools = Tools(context, self.stage, self.results, self.analysis, self.writer, self)
        self._connect()
        bind_commands(self)
        self._restore()
        self.results.search(Query())
        self._take_request()

    # --- building ----------------------------------------------------------------------------------------------

    def _build(self) -> None:
        theme = self.context.theme
        self.header.detail.setObjectName("samplesCount")
        self.header.add(self.toolbar)
        tools = QVBoxLayout()
        tools.setContentsMargins(20, 8, 20, 10)
        tools.setSpacing(8)
        line = QHBoxLayout()
        line.setSpacing(8)
        line.addWidget(self.search, 1)
        line.addWidget(self.views, 0, Qt.AlignmentFlag.AlignTop)
        tools.addLayout(line)
        tools.addWidget(self.chips)
        left = (self.selection_banner, self.table)
        self.stage = Stage(theme, left, self.detail, self.import_files, self.clear_search)
        self.body.addWidget(self.progress)
        self.body.addLayout(tools)
        self.body.addWidget(self.stage, 1)
        self.setAcceptDrops(True)

    def _connect(self) -> None:
        self.toolbar.import_wanted.connect(self.import_files)
        self.toolbar.export_wanted.connect(self.export)
        self.toolbar.train_wanted.connect(self.train)
        self.search.changed.connect(self._on_query)
        self.search.left_downwards.connect(self.review.focus_table)
        self.chips.wanted.connect(self.search.set_query)
        self.results.found.connect(self._on_found)
        self.results.arrived.connect(self._on_arrived)
        self.results.counted.connect(self._on_counted)
        self.results.failed.connect(self.banner.problem)
        self.table.scope_changed.connect(self._on_scope_changed)
        self.table.sort_wanted.connect(self._on_sort_wanted)
        self.table.menu_wanted.connect(self._on_menu_wanted)
        self.writer.failed.connect(self.banner.problem)
        self.writer.saved.connect(self.front.show_saved)
        self.front.shown.connect(self._on_scope_changed)
        self.detail.edit_ended.connect(self._show_view)
        for source in (self.transfer, self.checks, self.analysis):
            source.search_wanted.connect(self.search_for)
        self.views.query_wanted.connect(self.search.set_query)
        self.views.failed.connect(self.banner.problem)
        self.detail.run_wanted.connect(self.context.to_run.make)
        self.tools.query_wanted.connect(self.search.set_query)
        self.tools.closed.connect(self.review.focus_table)
        self.tools.failed.connect(self.banner.problem)
        self.context.changed.connect(self._on_changed)
        self.context.undone.connect(self._on_undone)
        self.context.to_samples.made.connect(lambda _query: self._take_request())
        self.context.closed.connect(self.checker.close)

    # --- searching ---------------------------------------------------------------------------------------------

    def clear_search(self) -> None:
        """Show everything."""
        self.search.set_query(Query())

    def refresh(self) -> None:
        """Search again: samples that no longer match leave the table."""
        self.results.search(self.results.query)

    def _on_query(self, query: Query) -> None:
        self.chips.show_query(query)
        key = query.sort[0] if query.sort else None
        self.table.show_sort(key.key if key else "", bool(key and key.descending))
        self.results.search(query)

    def _on_sort_wanted(self, key: str, down: bool) -> None:
        self.search.set_query(queries.sorted_by(self.search.query, SortKey(key, down)))

    def _on_found(self, query: Query, ids: array[int], whole: bool) -> None:
        if self._place is not None and query == self._place.query and self.model.go_on(ids):
            place = self._place
        else:
            place = self._place = self._new_place(query)
            self.table.clear_all()
            self.model.set_ids(ids)
        row = self.model.position(place.sample) if place.sample is not None else None
        if self.table.currentIndex().isValid():
            pass  # somebody has chosen a row meanwhile
        elif row is not None or (whole and len(ids)):
            self.table.choose(row if row is not None else min(place.row, len(ids) - 1))
        elif whole and not self.detail.edit.dirty:
            self.front.show(None)
        self._show_view()
        if whole:
            self._place = None
            self._show_numbers()

    def _on_arrived(self, _query: Query, ids: array[int]) -> None:
        """Samples that were added stand at the end until somebody searches again; selection and place stay."""
        newest = max(self.model.ids, default=0)
        fresh = array("q", [key for key in ids if key > newest])
        if len(fresh):
            self.model.go_on(self.model.ids + fresh)

    def _new_place(self, query: Query) -> _Place:
        if self.detail.edit.dirty and self.detail.sample is not None:
            self._wanted_id = self.detail.sample.id
        keep = self._wanted_id or (self.detail.sample.id if self.detail.sample is not None else None)
        self._wanted_id = None
        return _Place(query, keep, max(0, self.table.currentIndex().row()))

    def _show_view(self) -> None:
        """Table and detail, or why there is nothing to show; a draft that is not saved stays in sight."""
        if len(self.model.ids) or self.detail.edit.dirty:
            self.stage.show_samples()
        else:
            self.stage.show_nothing(workspace_empty=self._counts is not None and self._counts.total == 0)

    def _on_counted(self, counts: Counts) -> None:
        self._counts = counts
        self.chips.show_counts(counts.filters)
        self.search.set_names(counts.names)
        self._offer_check(counts)
        self._show_view()
        self._show_numbers()

    def _offer_check(self, counts: Counts) -> None:
        """Say once that Go has not looked at anything yet; a new workspace is so."""
        if self._check_offered or counts.total == 0 or counts.unchecked < counts.total:
            return
        self._check_offered = True
        if not self.banner.text and not self.context.jobs.running("check"):
            words = f"Go has not checked these {number(counts.total)} samples yet."
            self.banner.say(words, "info", (("Check them now", self.check_everything),))

    def _show_numbers(self) -> None:
        shown = len(self.model.ids)
        counts = self._counts
        if counts is None:
            self.header.set_detail(f"{number(shown)} shown")
            return
        text = f"{number(counts.total)} sample{'s' if counts.total != 1 else ''}"
        if shown != counts.total or counts.matching != counts.total:
            text += f" · {number(shown)} shown"
        if shown > counts.matching and not self.results.searching:
            text += f" · {number(shown - counts.matching)} no longer match ({key_of('samples.refresh')})"
        self.header.set_detail(text)
        self.toolbar.show_counts(counts)

    # --- scope -------------------------------------------------------------------------------------------------

    def _searched(self) -> tuple[Query, int]:
        """The search on show and how many samples it finds; rows that no longer match are not among them."""
        fresh = self._counts is not None and self._counts.query == self.results.query
        return self.results.query, self._counts.matching if fresh and self._counts else len(self.model.ids)

    def _on_scope_changed(self) -> None:
        if self.table.all_selected:
            words = f"All {number(self.review.count())} matching samples selected"
            self.selection_banner.say(words, "info", (("Clear", self.table.clear_all),))
        else:
            self.selection_banner.clear()
        self.detail.bar.show_count(self.review.count() if self.detail.sample is not None else 0)

    # --- news --------------------------------------------------------------------------------------------------

    def _on_changed(self, changes: Changes) -> None:
        self.results.count_soon(names=changes.membership or changes.tag or changes.review)
        if changes.added and len(self.model.ids) and not self.results.searching:
            self.results.look_for_arrivals(lambda: self.model.ids)  # nothing moves: they come after what is shown
            return
        if changes.membership:
            self.refresh()
            return
        self.model.refresh(changes.ids)
        self.front.take(changes)

    def _on_undone(self, operation: Operation) -> None:
        ids = operation.changes.ids
        if ids is None or len(ids) != 1 or self.detail.editing:
            return
        row = self.model.position(ids[0])
        if row is not None:
            self.table.choose(row)
        else:
            self._wanted_id = ids[0]

    # --- in, out, check, train ---------------------------------------------------------------------------------

    def import_files(self) -> None:
        """Choose files to import."""
        self.transfer.choose_import()

    def export(self) -> None:
        """Export what the search finds, or the selected samples."""
        self.transfer.export(self.results.query, len(self.model.ids))

    def check(self) -> None:
        """Have Go check what the search finds, or the selected samples when there are several: parse, format, types."""
        self.checks.check(self.chosen_query(), "types")

    def check_everything(self) -> None:
        """Have Go check every sample of the workspace: parse, format, types."""
        self.checks.check(Query(), "types")

    def find_near_copies(self) -> None:
        """Look for samples that resemble others, among what the search finds."""
        self.analysis.find_near_copies(self.results.query)

    def search_for(self, text: str) -> None:
        """Put this search into the field and run it."""
        self.search.set_query(queries.parse(text))

    def _take_request(self) -> None:
        query = self.context.to_samples.take()
        if query is not None:
            if self.stage.tool is not None:
                self.tools.close()
            self.search_for(query)

    def train(self) -> None:
        """Ask for the launch dialog on what the search finds."""
        self.context.to_training.make(queries.render(training_query(self.results.query)))

    def judge(self) -> None:
        """Ask how what the search finds, or the selected samples when there are several, shall be judged."""
        self.context.to_judging.make(queries.render(self.chosen_query()))

    def chosen_query(self) -> Query:
        """The search, narrowed to the selected samples when several are selected."""
        ids = [] if self.table.all_selected else self.table.selected_ids()
        if len(ids) < 2:
            return self.results.query
        return queries.parse("id:" + ",".join(str(key) for key in ids))

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        self.transfer.drag_enter(event)

    def dropEvent(self, event: QDropEvent) -> None:
        self.transfer.drop(event)

    # --- window ------------------------------------------------------------------------------------------------

    def _on_menu_wanted(self, point: QPoint) -> None:
        sample_menu(self).popup(point)

    def focusInEvent(self, event: QFocusEvent) -> None:
        super().focusInEvent(event)
        self.review.focus_table()

    def may_close(self) -> bool:
        """An unsaved draft keeps the window open."""
        if not self.detail.edit.dirty:
            return True
        self.context.page_wanted.emit("samples")
        return not self.review.hold_draft()

    def save_state(self, state: QSettings) -> None:
        self.table.save_state(state)
        self.stage.save_state(state)

    def _restore(self) -> None:
        state = window_state()
        self.table.restore_state(state)
        self.stage.restore_state(state)
