"""The samples table: how it looks, how it selects, and what a key or a header click means."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from PySide6.QtCore import (
    QByteArray,
    QItemSelection,
    QItemSelectionModel,
    QItemSelectionRange,
    QModelIndex,
    QPoint,
    QSettings,
    Qt,
    Signal,
)
from PySide6.QtGui import QAction, QKeyEvent, QMouseEvent, QResizeEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QMenu, QTableView, QWidget

from app.samples.columns import COLUMNS, TITLE
from app.samples.delegate import RowDelegate
from app.samples.model import SampleModel
from app.theme import Theme

ROW_HEIGHT = 32
_MINIMUM_TITLE, _COMFORTABLE_TITLE = 160, 260
_LAYOUT = " ".join(column.key for column in COLUMNS)
_KEEP = QItemSelectionModel.SelectionFlag.NoUpdate
_CHOOSE = QItemSelectionModel.SelectionFlag.ClearAndSelect | QItemSelectionModel.SelectionFlag.Rows


class SampleTable(QTableView):
    """Signals:
    current_changed(row)        -1 when there is none
    scope_changed()             other rows are selected, or everything, or no longer everything
    sort_wanted(key, down)      a header was clicked
    menu_wanted(global point)
    """

    current_changed = Signal(int)
    scope_changed = Signal()
    sort_wanted = Signal(str, bool)
    menu_wanted = Signal(QPoint)

    def __init__(self, model: SampleModel, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._model = model
        self._sorted = ("", False)
        self._wanted = {column.key for column in COLUMNS if not column.on_request}
        self.setObjectName("samplesTable")
        self.setAccessibleName("Samples")
        self.setModel(model)
        self._delegate = RowDelegate(model, theme, self)
        self.setItemDelegate(self._delegate)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setEditTriggers(QAbstractItemView.EditTrigger.NoEditTriggers)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setCornerButtonEnabled(False)
        self.setTabKeyNavigation(False)
        self.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        self.customContextMenuRequested.connect(self._on_menu)
        self.setMinimumWidth(320)
        rows = self.verticalHeader()
        rows.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        rows.setDefaultSectionSize(ROW_HEIGHT)
        rows.hide()
        self._set_up_header()
        self.selectionModel().currentRowChanged.connect(self._on_current_changed)
        self.selectionModel().selectionChanged.connect(self._on_selection_changed)
        theme.changed.connect(self.viewport().update)

    def _set_up_header(self) -> None:
        header = self.horizontalHeader()
        # With the table's own selection model a header asks rowCount 6 times a row at each repaint: 28 s at a million.
        header.setSelectionModel(QItemSelectionModel(self._model, header))
        header.setHighlightSections(False)
        header.setFixedHeight(ROW_HEIGHT)
        header.setMinimumSectionSize(44)
        header.setSectionsMovable(True)
        header.setFirstSectionMovable(False)
        header.setSectionsClickable(True)
        header.setSectionResizeMode(QHeaderView.ResizeMode.Interactive)
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        header.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header.customContextMenuRequested.connect(self._on_header_menu)
        header.sectionClicked.connect(self._on_header_clicked)
        header.setAccessibleName("Columns")
        for place, column in enumerate(COLUMNS):
            if place != TITLE:
                header.resizeSection(place, column.width)

    # --- scope -------------------------------------------------------------------------------------------------

    @property
    def all_selected(self) -> bool:
        """Is the scope the whole search, however long?"""
        return self._delegate.all_selected

    def selectAll(self) -> None:
        """Make the whole search the scope; no row is selected for it, so it costs nothing at any size."""
        if self._model.rowCount():
            self._set_all(True)

    def clear_all(self) -> None:
        """The scope is the selected rows again."""
        self._set_all(False)

    def selected_ids(self) -> Sequence[int]:
        """Ids of the selected rows, in the order of the table; the current row if none is selected.

        Reads the ranges of the selection: `selectedRows()` takes 18 s for a million.
        """
        ranges = sorted((part.top(), part.bottom()) for part in self._ranges())
        if not ranges:
            current = self.currentIndex().row()
            return [self._model.ids[current]] if current >= 0 else []
        ids: list[int] = []
        for top, bottom in ranges:
            ids.extend(self._model.ids[top : bottom + 1])
        return ids

    def _ranges(self) -> Iterable[QItemSelectionRange]:
        return iter(self.selectionModel().selection())  # type: ignore[call-overload, no-any-return]  # a list, says Qt

    def selected_count(self) -> int:
        """How many rows `selected_ids` would name."""
        selected = sum(part.height() for part in self._ranges())
        return selected or int(self.currentIndex().row() >= 0)

    def choose(self, row: int) -> None:
        """Make this row the current one and select it alone."""
        if 0 <= row < self._model.rowCount():
            index = self._model.index(row, TITLE)
            self.selectionModel().setCurrentIndex(index, _CHOOSE)
            self.scrollTo(index, QAbstractItemView.ScrollHint.EnsureVisible)

    def step(self, by: int) -> bool:
        """Go to the next or an earlier sample. False at either end."""
        row = self.currentIndex().row() + by
        if not 0 <= row < self._model.rowCount():
            return False
        self.choose(row)
        return True

    def _set_all(self, selected: bool) -> None:
        if self._delegate.all_selected != selected:
            self._delegate.all_selected = selected
            self.viewport().update()
            self.scope_changed.emit()

    def _on_current_changed(self, current: QModelIndex, _previous: QModelIndex) -> None:
        self.current_changed.emit(current.row())

    def _on_selection_changed(self, _selected: QItemSelection, _deselected: QItemSelection) -> None:
        self._delegate.all_selected = False
        self.viewport().update()
        self.scope_changed.emit()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if event.button() == Qt.MouseButton.LeftButton:
            self._set_all(False)
        super().mousePressEvent(event)

    # --- keys and menus ----------------------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.all_selected:
            self._set_all(False)
            return
        super().keyPressEvent(event)

    def keyboardSearch(self, search: str) -> None:
        """Letters are commands here; jumping to a row that begins with one would read the whole table."""

    def _on_menu(self, point: QPoint) -> None:
        self.menu_wanted.emit(self.viewport().mapToGlobal(point))

    def _on_header_clicked(self, section: int) -> None:
        column = COLUMNS[section]
        self.show_sort(*self._sorted)  # the header has turned its arrow already; the search decides
        if column.sort:
            key, down = self._sorted
            self.sort_wanted.emit(column.sort, not down if key == column.sort else column.numeric)

    def show_sort(self, key: str, down: bool) -> None:
        """Put the arrow on the column that the rows are sorted by, and show it as long as they are; "" takes it away."""
        self._sorted = (key, down)
        self._fit()
        header = self.horizontalHeader()
        place = next((place for place, column in enumerate(COLUMNS) if key and column.sort == key), -1)
        header.setSortIndicatorShown(place >= 0)
        if place >= 0:
            order = Qt.SortOrder.DescendingOrder if down else Qt.SortOrder.AscendingOrder
            header.setSortIndicator(place, order)

    def _on_header_menu(self, point: QPoint) -> None:
        menu = QMenu(self)
        header = self.horizontalHeader()
        for place, column in enumerate(COLUMNS):
            if place == TITLE:
                continue
            action = QAction(column.title, menu)
            action.setCheckable(True)
            action.setChecked(column.key in self._wanted)
            action.toggled.connect(lambda shown, key=column.key: self._want(key, shown))
            menu.addAction(action)
        menu.aboutToHide.connect(menu.deleteLater)
        menu.popup(header.mapToGlobal(point))

    # --- columns -----------------------------------------------------------------------------------------------

    def _want(self, key: str, shown: bool) -> None:
        self._wanted = self._wanted | {key} if shown else self._wanted - {key}
        self._fit()

    def _fit(self) -> None:
        """Show the wanted columns as far as the prompt keeps a readable width; the most important ones first."""
        header = self.horizontalHeader()
        width = self.viewport().width()
        room = width - max(_MINIMUM_TITLE, min(_COMFORTABLE_TITLE, round(0.4 * width)))
        shown = {TITLE}
        by = self._sorted[0]
        for place, column in sorted(enumerate(COLUMNS), key=lambda entry: (entry[1].sort != by, entry[1].rank)):
            sorting = bool(by) and column.sort == by
            if place == TITLE or not (sorting or column.key in self._wanted):
                continue
            room -= max(header.sectionSize(place), column.width)
            if room < 0:
                break
            shown.add(place)
        for place in range(len(COLUMNS)):
            if header.isSectionHidden(place) == (place in shown):
                header.setSectionHidden(place, place not in shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def save_state(self, state: QSettings) -> None:
        """Keep widths and order of the columns, and which of them are wanted."""
        state.setValue("samples/header", self.horizontalHeader().saveState())
        state.setValue("samples/columns", sorted(self._wanted))
        state.setValue("samples/layout", _LAYOUT)

    def restore_state(self, state: QSettings) -> None:
        """Take what an earlier window kept. Widths of a version with other columns are not taken: Qt would lay them out wrongly."""
        header, kept, wanted = self.horizontalHeader(), state.value("samples/header"), state.value("samples/columns")
        if not isinstance(kept, QByteArray) or not isinstance(wanted, list) or state.value("samples/layout") != _LAYOUT:
            return
        if not header.restoreState(kept):
            return
        header.setSectionResizeMode(TITLE, QHeaderView.ResizeMode.Stretch)
        header.setSortIndicatorShown(False)
        self._wanted = {column.key for column in COLUMNS if column.key in wanted}
        self._fit()
