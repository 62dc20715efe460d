"""The rail at the left: one button a page, and at its foot the run that is going on now."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from PySide6.QtCore import QRect, QSignalBlocker, QSize, Qt, Signal
from PySide6.QtGui import QColor, QFocusEvent, QFont, QPainter, QPaintEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QButtonGroup,
    QFrame,
    QLabel,
    QProgressBar,
    QSizePolicy,
    QVBoxLayout,
    QWidget,
)

from app import fonts, icons
from app.theme import Theme
from app.widgets.labels import ElidedLabel
from core.jobs.status import JobInfo

RAIL_WIDTH = 196
_STATE_WORDS = {"queued": "waiting", "running": "running", "stopping": "stopping"}


class NavButton(QAbstractButton):
    """A page in the rail. The focus ring shows only when the keyboard brought the focus here."""

    def __init__(self, theme: Theme, name: str, title: str, icon: str, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self._theme = theme
        self._icon = icon
        self._ring = False
        self.setObjectName(name)
        self.setText(title)
        self.setAccessibleName(title)
        self.setCheckable(True)
        self.setFixedHeight(34)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        theme.changed.connect(self.update)

    def sizeHint(self) -> QSize:
        return QSize(RAIL_WIDTH - 20, 34)

    def focusInEvent(self, event: QFocusEvent) -> None:
        self._ring = event.reason() in (Qt.FocusReason.TabFocusReason, Qt.FocusReason.BacktabFocusReason)
        super().focusInEvent(event)

    def paintEvent(self, event: QPaintEvent) -> None:
        tokens = self._theme.tokens
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        area = self.rect().adjusted(0, 0, -1, -1)
        if self.isChecked() or self.underMouse():
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(QColor(tokens.pressed if self.isChecked() else tokens.hover))
            painter.drawRoundedRect(area, 6, 6)
        if self._ring and self.hasFocus():
            painter.setBrush(Qt.BrushStyle.NoBrush)
            painter.setPen(QColor(tokens.accent))
            painter.drawRoundedRect(area, 6, 6)
        colour = tokens.text if self.isChecked() else tokens.dim
        picture = icons.pixmap(self._icon, colour, 16, self.devicePixelRatioF())
        painter.drawPixmap(14, (self.height() - 16) // 2, picture)
        weight = QFont.Weight.DemiBold if self.isChecked() else QFont.Weight.Medium
        painter.setFont(fonts.ui_font(weight=weight))
        painter.setPen(QColor(colour))
        painter.drawText(QRect(40, 0, self.width() - 44, self.height()), Qt.AlignmentFlag.AlignVCenter, self.text())
        painter.end()


class RunCard(QFrame):
    """The newest run that has not ended: name, step, bar. A click goes to the Training page.

    Signals: pressed()
    """

    pressed = Signal()

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("runCard")
        self.setProperty("kind", "card")
        self._name = ElidedLabel()
        self._name.setFont(fonts.ui_font(fonts.CAPTION_SIZE, QFont.Weight.Medium))
        self._state = ElidedLabel(tone="dim")
        self._state.setFont(fonts.ui_font(fonts.CAPTION_SIZE))
        self._bar = QProgressBar()
        self._bar.setTextVisible(False)
        self._bar.setAccessibleName("Progress of the run")
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 8, 10, 10)
        column.setSpacing(4)
        for widget in (self._name, self._state, self._bar):
            column.addWidget(widget)
        self.setVisible(False)

    def show_job(self, info: JobInfo | None) -> None:
        """Show this job; None hides the card."""
        self.setVisible(info is not None)
        if info is None:
            return
        self._name.setText(info.title)
        words = _STATE_WORDS.get(info.state, info.state)
        if info.state == "running" and info.step is not None:
            words = f"step {info.step:,}" + (f" of {info.total:,}" if info.total else "")
        self._state.setText(words)
        self._bar.setRange(0, 1000 if info.progress is not None else 0)
        self._bar.setValue(round(1000 * (info.progress or 0.0)))
        self.setAccessibleName(f"{info.title}: {words}")

    def mouseReleaseEvent(self, event: object) -> None:
        self.pressed.emit()


class Rail(QWidget):
    """Signals: chosen(name of a page)."""

    chosen = Signal(str)

    def __init__(self, theme: Theme, pages: Sequence[tuple[str, str, str, str]], parent: QWidget | None = None) -> None:
        """pages: name, objectName, title and icon of each."""
        super().__init__(parent)
        self.setProperty("kind", "rail")
        self.setAttribute(Qt.WidgetAttribute.WA_StyledBackground)
        self.setFixedWidth(RAIL_WIDTH)
        brand = QLabel("Gosmith")
        brand.setFont(fonts.ui_font(fonts.UI_SIZE, QFont.Weight.DemiBold))
        brand.setContentsMargins(6, 0, 0, 8)
        column = QVBoxLayout(self)
        column.setContentsMargins(10, 14, 10, 10)
        column.setSpacing(3)
        column.addWidget(brand)
        self._buttons: dict[str, NavButton] = {}
        self._group = QButtonGroup(self)
        for name, object_name, title, icon in pages:
            button = NavButton(theme, object_name, title, icon)
            # toggled and not clicked: assistive technology may check a button without pressing it
            button.toggled.connect(partial(self._on_toggled, name))
            self._group.addButton(button)
            self._buttons[name] = button
            column.addWidget(button)
        column.addStretch(1)
        self.card = RunCard()
        self.card.pressed.connect(lambda: self.chosen.emit("training"))
        column.addWidget(self.card)

    def mark(self, name: str) -> None:
        """Show which page is in front; this is no choice of the user's."""
        with QSignalBlocker(self._buttons[name]):
            self._buttons[name].setChecked(True)
        for button in self._buttons.values():
            button.update()

    def _on_toggled(self, name: str, checked: bool) -> None:
        if checked:
            self.chosen.emit(name)
