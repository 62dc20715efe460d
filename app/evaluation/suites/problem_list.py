"""The problems of a suite in a list: name, topic, difficulty, and whether each is sound."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt, Signal
from PySide6.QtGui import QColor, QPainter
from PySide6.QtWidgets import QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from app.evaluation.suites.standing import Item
from app.theme import Theme

Index = QModelIndex | QPersistentModelIndex
ItemRole = Qt.ItemDataRole.UserRole
_HEIGHT = 48


class ProblemsModel(QAbstractListModel):
    """A row a problem; of those that hold the filter's words."""

    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.all: list[Item] = []
        self.shown: list[Item] = []
        self._words: list[str] = []

    def set_items(self, items: Sequence[Item]) -> None:
        """Show these."""
        self.all = list(items)
        self._show()

    def set_filter(self, text: str) -> None:
        """Show those in whose name, topic, difficulty or state all of these words are."""
        self._words = text.lower().split()
        self._show()

    def _show(self) -> None:
        self.beginResetModel()
        self.shown = [one for one in self.all if all(word in _words(one).lower() for word in self._words)]
        self.endResetModel()

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.shown)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        if not index.isValid():
            return None
        item = self.shown[index.row()]
        if role in (Qt.ItemDataRole.DisplayRole, Qt.ItemDataRole.AccessibleTextRole):
            return _words(item)
        if role == Qt.ItemDataRole.ToolTipRole:
            return item.kept.complaint if item.kept is not None and item.kept.complaint else item.name
        return item if role == ItemRole else None


class ProblemList(QListView):
    """Signals: wanted(Item), when somebody chooses another one; whoever listens may keep what is open, with `choose`."""

    wanted = Signal(object)

    def __init__(self, theme: Theme, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("problemsList")
        self.setAccessibleName("Problems of the suite")
        self.rows = ProblemsModel(self)
        self.setModel(self.rows)
        self.setItemDelegate(_Delegate(theme, self))
        self.setUniformItemSizes(True)
        self.setMouseTracking(True)
        self.setVerticalScrollMode(QListView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setMinimumWidth(190)
        self._quiet = False
        self.selectionModel().currentChanged.connect(self._on_current_changed)
        theme.changed.connect(self.viewport().update)

    def set_items(self, items: Sequence[Item], key: str) -> None:
        """Show these and choose one without a word."""
        self._quiet = True
        self.rows.set_items(items)
        self._quiet = False
        self.choose(key)

    def set_filter(self, text: str, key: str) -> None:
        """Narrow the list; what is open stays chosen if it is there."""
        self._quiet = True
        self.rows.set_filter(text)
        self._quiet = False
        self.choose(key)

    def choose(self, key: str) -> None:
        """Choose without a word; "" or one that is not there: none."""
        self._quiet = True
        place = next((at for at, one in enumerate(self.rows.shown) if one.key == key), -1)
        self.setCurrentIndex(self.rows.index(place) if place >= 0 else QModelIndex())
        self._quiet = False

    def item(self, key: str) -> Item | None:
        """That problem, shown or not."""
        return next((one for one in self.rows.all if one.key == key), None)

    def _on_current_changed(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid() and not self._quiet:
            self.wanted.emit(self.rows.shown[current.row()])


class _Delegate(QStyledItemDelegate):
    """Two lines: the name; below it topic and difficulty, and at the right the state in its tone."""

    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, _option: QStyleOptionViewItem, _index: Index) -> QSize:
        return QSize(180, _HEIGHT)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        item: Item = index.data(ItemRole)
        tokens = self._theme.tokens
        painter.save()
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(option.rect, QColor(tokens.selection))
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painter.fillRect(option.rect, QColor(tokens.hover))
        painter.setPen(QColor(tokens.hair))
        painter.drawLine(option.rect.bottomLeft(), option.rect.bottomRight())
        inner = option.rect.adjusted(16, 6, -12, -6)
        upper = QRect(inner.left(), inner.top(), inner.width(), 18)
        lower = QRect(inner.left(), inner.bottom() - 17, inner.width(), 18)
        middle, elide = Qt.AlignmentFlag.AlignVCenter, Qt.TextElideMode.ElideRight
        painter.setPen(QColor(tokens.text))
        painter.drawText(upper, middle, option.fontMetrics.elidedText(item.name, elide, upper.width()))
        word, tone = item.state
        painter.setPen(QColor(tokens.tone(tone)[0]))
        painter.drawText(lower, middle | Qt.AlignmentFlag.AlignRight, word)
        rest = lower.adjusted(0, 0, -option.fontMetrics.horizontalAdvance(word) - 8, 0)
        painter.setPen(QColor(tokens.dim))
        painter.drawText(rest, middle, option.fontMetrics.elidedText(_kind(item), elide, rest.width()))
        painter.restore()


def _kind(item: Item) -> str:
    return " · ".join(part for part in (item.draft.topic, item.draft.difficulty if item.draft.topic else "") if part)


def _words(item: Item) -> str:
    return ", ".join(part for part in (item.name, _kind(item).replace(" · ", ", "), item.state[0]) if part)
