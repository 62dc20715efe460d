"""Near copies in clusters: which samples resemble one another, side by side with the one worth keeping.

Clusters of solutions may be decided in bulk; renamed copies and similar questions are only shown, because many of them are wanted.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QButtonGroup,
    QHBoxLayout,
    QListWidget,
    QListWidgetItem,
    QSplitter,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from app.samples.columns import number
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.empty import EmptyState
from app.widgets.labels import ElidedLabel, section
from app.widgets.side_by_side import SideBySide
from core.samples.duplicates import KINDS, Cluster, Found
from core.samples.store import Sample

TITLES = {"solutions": "Solutions", "shapes": "Renamed code", "instructions": "Questions"}
TIPS = {
    "solutions": "Code that is nearly the same, word for word",
    "shapes": "Code that is the same but for its names and literals; only shown",
    "instructions": "Nearly the same question; several answers to it may be wanted; only shown",
}
SHOWN = 2_000
"""Clusters in the list: nobody reads more, and the rest is decided by the button or by a narrower search."""


class ClusterView(QWidget):
    """Signals:
    kind_wanted(kind)      look for clusters of this kind
    best_wanted()          keep the best of each cluster
    keeper_wanted(cluster, sample id)   keep this one of a cluster and reject the others
    closed()
    """

    kind_wanted = Signal(str)
    best_wanted = Signal()
    keeper_wanted = Signal(object, int)
    closed = Signal()

    def __init__(
        self,
        theme: Theme,
        read: Callable[[int], Sample],
        titles: Callable[[Sequence[int]], Sequence[str]],
        parent: QWidget | None = None,
    ) -> None:
        """read: a sample by its id; titles: of many at once."""
        super().__init__(parent)
        self._read = read
        self._titles = titles
        self._kind = "solutions"
        self.setObjectName("clusterView")
        self.setAccessibleName("Near copies")
        self.setProperty("kind", "surface")
        self._summary = ElidedLabel(tone="dim")
        self._summary.setObjectName("clusterSummary")
        self._kinds = {
            kind: Button(TITLES[kind], theme, kind="segment", name=f"clusters-{kind}", tip=TIPS[kind]) for kind in KINDS
        }
        group = QButtonGroup(self)
        for kind, button in self._kinds.items():
            button.setCheckable(True)
            button.clicked.connect(lambda _checked=False, kind=kind: self.kind_wanted.emit(kind))
            group.addButton(button)
        self._kinds["solutions"].setChecked(True)
        self._best = Button("Keep the best of each", theme, name="keepBest")
        self._best.setToolTip("Reject all but the best of each cluster, in one step that can be undone")
        self._best.clicked.connect(self.best_wanted)
        self._close = Button("Back to the table", theme, kind="link", name="closeClusters")
        self._close.clicked.connect(self.closed)
        self.list = QListWidget()
        self.list.setObjectName("clusterList")
        self.list.setAccessibleName("Clusters")
        self.list.setUniformItemSizes(True)
        self.list.currentItemChanged.connect(self._on_cluster_chosen)
        self.members = QListWidget()
        self.members.setObjectName("clusterMembers")
        self.members.setAccessibleName("Samples of this cluster")
        self.members.currentItemChanged.connect(self._on_member_chosen)
        for listing in (self.list, self.members):
            listing.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
            listing.setTextElideMode(Qt.TextElideMode.ElideRight)
        self.comparison = SideBySide(theme)
        self._keep = Button("Keep this one instead", theme, name="keepThis")
        self._keep.setToolTip("Reject the other samples of this cluster, in one step that can be undone")
        self._keep.clicked.connect(self._on_keep)
        QShortcut(QKeySequence("Esc"), self, self.closed.emit, context=Qt.ShortcutContext.WidgetWithChildrenShortcut)
        self._nothing = EmptyState(theme, "copy", "No near copies here.", name="noClusters")
        self._arrange()
        self.show_found(Found("solutions", (), []))

    def _arrange(self) -> None:
        head = QHBoxLayout()
        head.setContentsMargins(20, 8, 20, 8)
        head.setSpacing(6)
        head.addWidget(section("Near copies"))
        for button in self._kinds.values():
            head.addWidget(button)
        head.addWidget(self._summary, 1)
        head.addWidget(self._best)
        head.addWidget(self._close)
        left = QSplitter(Qt.Orientation.Vertical)
        left.setHandleWidth(1)
        left.addWidget(self.list)
        left.addWidget(self.members)
        left.setSizes([300, 140])
        foot = QHBoxLayout()
        foot.setContentsMargins(12, 6, 12, 8)
        foot.addStretch(1)
        foot.addWidget(self._keep)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(0, 0, 0, 0)
        column.addWidget(self.comparison, 1)
        column.addLayout(foot)
        both = QSplitter()
        both.setHandleWidth(1)
        both.setChildrenCollapsible(False)
        both.addWidget(left)
        both.addWidget(right)
        both.setSizes([260, 640])
        self._stack = QStackedWidget()
        self._stack.addWidget(both)
        self._stack.addWidget(self._nothing)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(0)
        whole.addLayout(head)
        whole.addWidget(self._stack, 1)

    @property
    def kind(self) -> str:
        """What is compared: one of `duplicates.KINDS`."""
        return self._kind

    def show_found(self, found: Found) -> None:
        """Show the clusters of a search."""
        self._kind = found.kind
        self._kinds[found.kind].setChecked(True)
        copies = sum(len(cluster.ids) - 1 for cluster in found.clusters)
        words = f"{number(len(found.clusters))} clusters, {number(copies)} samples more than needed"
        if len(found.clusters) > SHOWN:
            words += f"; the first {number(SHOWN)} are listed"
        self._summary.setText(words if found.clusters else "")
        bulk = found.kind == "solutions"
        self._best.setVisible(bulk)
        self._best.setEnabled(bool(found.clusters))
        self._keep.setVisible(bulk)
        self.list.clear()
        listed = found.clusters[:SHOWN]
        for cluster, title in zip(listed, self._titles([one.keeper for one in listed]), strict=True):
            item = QListWidgetItem(f"{cluster.similarity:.2f}  ×{len(cluster.ids)}  {title}")
            item.setToolTip(f"{len(cluster.ids)} samples; #{cluster.keeper:,} is worth keeping")
            item.setData(Qt.ItemDataRole.UserRole, cluster)
            self.list.addItem(item)
        self._stack.setCurrentIndex(0 if found.clusters else 1)
        if found.clusters:
            self.list.setCurrentRow(0)
        else:
            self.members.clear()
            self.comparison.clear()

    def refresh(self) -> None:
        """Read the cluster in front again: decisions were made."""
        self._on_cluster_chosen(self.list.currentItem())

    def _on_cluster_chosen(self, item: QListWidgetItem | None, _before: QListWidgetItem | None = None) -> None:
        self.members.clear()
        if item is None:
            return
        cluster: Cluster = item.data(Qt.ItemDataRole.UserRole)
        others = [key for key in cluster.ids if key != cluster.keeper]
        for key in others:
            sample = self._read(key)
            entry = QListWidgetItem(
                f"#{key:,}  {sample.status.replace('_', ' ')}  {sample.prompt.splitlines()[0][:80]}"
            )
            entry.setData(Qt.ItemDataRole.UserRole, key)
            self.members.addItem(entry)
        self.members.setCurrentRow(0)

    def _on_member_chosen(self, item: QListWidgetItem | None, _before: QListWidgetItem | None = None) -> None:
        chosen = self.list.currentItem()
        if item is None or chosen is None:
            self.comparison.clear()
            return
        cluster: Cluster = chosen.data(Qt.ItemDataRole.UserRole)
        keeper, other = self._read(cluster.keeper), self._read(item.data(Qt.ItemDataRole.UserRole))
        self.comparison.show_texts(
            self._compared(keeper), self._compared(other), f"#{keeper.id:,}, worth keeping", f"#{other.id:,}"
        )

    def _compared(self, sample: Sample) -> str:
        if self._kind == "instructions":
            return sample.prompt
        return (sample.code or sample.response).rstrip("\n")

    def _on_keep(self) -> None:
        chosen, member = self.list.currentItem(), self.members.currentItem()
        if chosen is not None and member is not None:
            self.keeper_wanted.emit(chosen.data(Qt.ItemDataRole.UserRole), member.data(Qt.ItemDataRole.UserRole))
