"""What can be laid over the table: clusters of near copies and statistics. Each is built when it is first asked for."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QObject, Signal

from app.context import AppContext
from app.samples.analysis import Analysis
from app.samples.results import Results
from app.samples.stage import Stage
from app.samples.writer import Writer
from core.errors import UserError
from core.models import list_models
from core.samples import store

if TYPE_CHECKING:
    from app.samples.clusters import ClusterView
    from app.samples.statistics_view import StatisticsView
    from core.samples.duplicates import Cluster, Found
    from core.samples.statistics import TokenCount


class Tools(QObject):
    """Signals: query_wanted(Query), when a tool asks for another search; closed(); failed(UserError)."""

    query_wanted = Signal(object)
    closed = Signal()
    failed = Signal(object)

    def __init__(
        self, context: AppContext, stage: Stage, results: Results, analysis: Analysis, writer: Writer, parent: QObject
    ) -> None:
        super().__init__(parent)
        self._context = context
        self._stage = stage
        self._results = results
        self._analysis = analysis
        self._writer = writer
        self._clusters: ClusterView | None = None
        self._statistics: StatisticsView | None = None
        analysis.clusters_found.connect(self._on_clusters_found)
        analysis.clusters_wanted.connect(self.show_clusters)
        writer.done.connect(self._on_written)
        results.counted.connect(lambda _counts: self._load_statistics())

    def close(self) -> None:
        """Back to the table."""
        self._stage.close_tool()
        self.closed.emit()

    # --- near copies -------------------------------------------------------------------------------------------

    def show_clusters(self) -> None:
        """The clusters as they were found last."""
        view = self._cluster_view()
        self._stage.show_tool(view)
        view.setFocus()
        if not view.list.count() and view.kind == "solutions":
            from core.samples import duplicates

            def read() -> Found:
                with closing(self._context.workspace.connect(readonly=True)) as connection:
                    return duplicates.Found("solutions", (), duplicates.marked(connection))

            self._context.tasks.run(read, self._on_clusters_found, self.failed.emit, owner=self)

    def _cluster_view(self) -> ClusterView:
        if self._clusters is None:
            from app.samples.clusters import ClusterView

            view = ClusterView(self._context.theme, lambda key: store.sample(self._context.reader(), key), self._titles)
            view.kind_wanted.connect(lambda kind: self._analysis.find_near_copies(self._results.query, kind))
            view.best_wanted.connect(lambda: self._writer.keep_best(self._results.query))
            view.keeper_wanted.connect(self._on_keeper_wanted)
            view.closed.connect(self.close)
            self._clusters = view
        return self._clusters

    def _titles(self, ids: Sequence[int]) -> list[str]:
        return [row.title if row is not None else "(gone)" for row in store.rows(self._context.reader(), ids)]

    def _on_clusters_found(self, found: Found) -> None:
        if self._clusters is not None:
            self._clusters.show_found(found)

    def _on_keeper_wanted(self, cluster: Cluster, keeper: int) -> None:
        from core.samples.duplicates import REASON

        self._writer.decide([key for key in cluster.ids if key != keeper], "rejected", [REASON])

    def _on_written(self) -> None:
        if self._clusters is not None and self._stage.tool is self._clusters:
            self._clusters.refresh()

    # --- statistics --------------------------------------------------------------------------------------------

    def show_statistics(self) -> None:
        """What the search finds, in numbers."""
        if self._statistics is None:
            from app.samples.statistics_view import StatisticsView

            view = StatisticsView(self._context.theme)
            view.wanted.connect(self.query_wanted)
            view.tokens_wanted.connect(self._count_tokens)
            view.pick_wanted.connect(self._pick)
            view.closed.connect(self.close)
            self._statistics = view
        self._stage.show_tool(self._statistics)
        self._statistics.setFocus()
        workspace = self._context.workspace
        self._context.tasks.run(
            lambda: list_models(workspace.models, workspace.jobs), self._statistics.show_models, owner=self
        )
        self._load_statistics()

    def _load_statistics(self) -> None:
        view = self._statistics
        if view is None or self._stage.tool is not view:
            return
        from core.samples import statistics

        query = self._results.query
        self._context.tasks.run_query(
            lambda connection: statistics.statistics(connection, query),
            lambda found: view.show_statistics(query, found),
            self.failed.emit,
            owner=self,
        )

    def _count_tokens(self, model: Path) -> None:
        view = self._statistics
        assert view is not None
        query = self._results.query

        def work() -> TokenCount | None:
            from core.models.tokens import counter
            from core.samples.statistics import count_tokens

            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return count_tokens(connection, query, counter(model))

        def failed(error: UserError) -> None:
            view.show_tokens(None)
            self.failed.emit(error)

        self._context.tasks.run(work, view.show_tokens, failed, owner=self)

    def _pick(self, method: str, amount: float, tag: str) -> None:
        view = self._statistics
        assert view is not None
        query = self._results.query

        def work() -> list[int]:
            from core.samples import selecting

            with closing(self._context.workspace.connect(readonly=True)) as connection:
                return selecting.select(connection, query, method, amount)

        def picked(ids: list[int]) -> None:
            view.picker.say(f"{len(ids):,} samples have the tag “{tag}”." if ids else "No sample was picked.")
            if ids:
                self._writer.tag(ids, [tag], [])

        def failed(error: UserError) -> None:
            view.picker.say("")
            self.failed.emit(error)

        self._context.tasks.run(work, picked, failed, owner=self)
