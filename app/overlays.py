"""Two ways to find a command: the palette, by typing what it is called, and the cheat sheet, by reading all keys."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QAbstractListModel, QEvent, QModelIndex, QObject, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QColor, QKeyEvent, QPainter
from PySide6.QtWidgets import (
    QDialog,
    QGridLayout,
    QHBoxLayout,
    QLineEdit,
    QListView,
    QScrollArea,
    QStyle,
    QStyledItemDelegate,
    QStyleOptionViewItem,
    QVBoxLayout,
    QWidget,
)

from app import fonts
from app.commands import COMMANDS, Command, shown_keys
from app.context import AppContext
from app.theme import Theme
from app.widgets.buttons import Button
from app.widgets.labels import label, section

_Index = QModelIndex | QPersistentModelIndex


def matching(commands: Sequence[Command], typed: str) -> list[Command]:
    """Commands whose title holds the letters typed in that order; whole words first, then the closest letters."""
    wanted = typed.lower().split()
    letters = "".join(wanted)
    ranked = []
    for place, command in enumerate(commands):
        title = command.title.lower()
        spread = _spread(title, letters)
        if spread is None:
            continue
        whole = all(word in title for word in wanted)
        ranked.append((not whole, 0 if whole else spread, place, command))
    return [entry[-1] for entry in sorted(ranked, key=lambda entry: entry[:-1])]


def _spread(title: str, letters: str) -> int | None:
    """How many characters of the title the letters span; None when they are not all there in order."""
    first = position = -1
    for letter in letters:
        position = title.find(letter, position + 1)
        if position < 0:
            return None
        if first < 0:
            first = position
    return position - first


class _CommandList(QAbstractListModel):
    def __init__(self, parent: QObject) -> None:
        super().__init__(parent)
        self.commands: list[Command] = []

    def show(self, commands: list[Command]) -> None:
        self.beginResetModel()
        self.commands = commands
        self.endResetModel()

    def rowCount(self, parent: _Index = QModelIndex()) -> int:  # noqa: B008  Qt's own signature
        return 0 if parent.isValid() else len(self.commands)

    def data(self, index: _Index, role: int = Qt.ItemDataRole.DisplayRole) -> object:
        command = self.commands[index.row()]
        if role == Qt.ItemDataRole.DisplayRole:
            return command.title
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return f"{command.title}, {shown_keys(command)}"
        return None


class _CommandDelegate(QStyledItemDelegate):
    def __init__(self, theme: Theme, parent: QObject) -> None:
        super().__init__(parent)
        self._theme = theme

    def sizeHint(self, option: QStyleOptionViewItem, index: _Index) -> QSize:
        return QSize(100, 32)

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: _Index) -> None:
        tokens = self._theme.tokens
        model = index.model()
        assert isinstance(model, _CommandList)
        command = model.commands[index.row()]
        area: QRect = option.rect
        if option.state & QStyle.StateFlag.State_Selected:
            painter.fillRect(area, QColor(tokens.selection))
        inside = area.adjusted(12, 0, -12, 0)
        painter.setFont(fonts.ui_font())
        painter.setPen(QColor(tokens.text))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter, command.title)
        painter.setPen(QColor(tokens.dim))
        painter.setFont(fonts.ui_font(fonts.CAPTION_SIZE))
        painter.drawText(inside, Qt.AlignmentFlag.AlignVCenter | Qt.AlignmentFlag.AlignRight, shown_keys(command))


class Palette(QDialog):
    """Type a few letters of a command, Enter runs it. Esc closes."""

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        super().__init__(parent, Qt.WindowType.Popup)
        self._context = context
        self._available: list[Command] = []
        self.setObjectName("commandPalette")
        self.setAccessibleName("Find a command")
        self._field = QLineEdit()
        self._field.setObjectName("paletteField")
        self._field.setAccessibleName("Find a command")
        self._field.setPlaceholderText("Find a command")
        self._field.textChanged.connect(self._on_text_changed)
        self._field.returnPressed.connect(self._run_current)
        self._field.installEventFilter(self)
        self._model = _CommandList(self)
        self._list = QListView()
        self._list.setAccessibleName("Commands")
        self._list.setModel(self._model)
        self._delegate = _CommandDelegate(context.theme, self)
        self._list.setItemDelegate(self._delegate)
        self._list.setUniformItemSizes(True)
        self._list.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._list.clicked.connect(self._run_current)
        column = QVBoxLayout(self)
        column.setContentsMargins(8, 8, 8, 8)
        column.setSpacing(8)
        column.addWidget(self._field)
        column.addWidget(self._list)

    def popup(self, window: QWidget) -> None:
        """Open over the upper middle of the window, with every command that can be run now."""
        self._available = list(self._context.commands.bound())
        self._field.clear()
        self._on_text_changed("")
        self.resize(480, 380)
        corner = window.mapToGlobal(window.rect().topLeft())
        self.move(corner.x() + (window.width() - self.width()) // 2, corner.y() + 72)
        self.show()
        self._field.setFocus(Qt.FocusReason.PopupFocusReason)

    def _on_text_changed(self, typed: str) -> None:
        self._model.show(matching(self._available, typed))
        self._list.setCurrentIndex(self._model.index(0, 0))

    def _run_current(self) -> None:
        row = self._list.currentIndex().row()
        self.close()
        if 0 <= row < len(self._model.commands):
            self._context.commands.run(self._model.commands[row].name)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()), 0)
            if step:
                count = self._model.rowCount()
                row = self._list.currentIndex().row() + step
                if count:
                    self._list.setCurrentIndex(self._model.index(row % count, 0))
                return True
        return super().eventFilter(watched, event)


class CheatSheet(QDialog):
    """All keys, by section, straight from the table."""

    def __init__(self, context: AppContext, parent: QWidget) -> None:
        super().__init__(parent)
        self.setObjectName("cheatSheet")
        self.setWindowTitle("Keys")
        inside = QWidget()
        columns = QHBoxLayout(inside)
        columns.setContentsMargins(4, 4, 4, 4)
        columns.setSpacing(28)
        sections: dict[str, list[Command]] = {}
        for command in COMMANDS:
            sections.setdefault(command.section, []).append(command)
        halves = (
            ("Everywhere", "Pages", "Samples"),
            tuple(s for s in sections if s not in ("Everywhere", "Pages", "Samples")),
        )
        for half in halves:
            grid = QGridLayout()
            grid.setHorizontalSpacing(24)
            grid.setVerticalSpacing(4)
            row = 0
            for heading in half:
                grid.addWidget(section(heading), row, 0, 1, 2)
                grid.setRowMinimumHeight(row, 30)
                for command in sections[heading]:
                    row += 1
                    grid.addWidget(label(command.title.replace("…", ""), tone="dim"), row, 0)
                    grid.addWidget(label(shown_keys(command)), row, 1)
                row += 1
            grid.setRowStretch(row, 1)
            columns.addLayout(grid)
        scroll = QScrollArea()
        scroll.setWidgetResizable(True)
        scroll.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        scroll.setFrameShape(QScrollArea.Shape.NoFrame)
        scroll.setAccessibleName("All keys")
        scroll.setWidget(inside)
        close = Button("Close", context.theme, name="cheatSheetClose")
        close.clicked.connect(self.accept)
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 16, 20, 16)
        column.addWidget(scroll, 1)
        column.addWidget(close, 0, Qt.AlignmentFlag.AlignRight)
        self.resize(760, 600)
